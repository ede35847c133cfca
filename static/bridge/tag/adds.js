// ---- add to basket -----------------------------------------------------------------------------------------------

// An add is remembered with the quantity before it, and told once the shop's cart shows growth: only then did it succeed.
// products is id -> quantity asked for. Without it, as from a wish list, whatever grew was added; with SKUs in its place,
// whatever grew of those.
function remember(products, asked, skus) {
  // Another tab may have added since this page saw the cart.
  const cart = stored() || page.cart;
  if (!products && !skus && !cart) { log('add held back: no cart'); return null; }
  const add = { id: token(), page: here, at: Date.now(), asked: products || asked, skus, before: {}, any: !products, unknown: !cart };
  (products ? Object.keys(products) : cart ? productsIn(cart) : []).forEach((id) => { add.before[id] = cart ? held(cart, id) : null; });
  keep('adds', recall('adds', [], TAB).concat(add), TAB);
  page.adds = true;
  log('add asked', products || skus);
  return add.id;
}

function adding(url, body) {
  if (!/\/checkout\/cart\/add(\/|$)/.test(path(url))) { return remember(null, 0); }
  if (page.type !== 'product' && page.type !== 'listing') { log('add held back: page type'); return null; }
  const fields = Object.fromEntries(typeof body === 'string' ? new URLSearchParams(body) : (body && body.entries && body) || []);
  const grouped = Object.keys(fields).filter((key) => key.startsWith('super_group[') && fields[key] > 0);
  return remember(grouped.length ? Object.fromEntries(grouped.map((key) => [key.slice(12, -1), Number(fields[key])]))
    : { [fields.product || matched(/\/product\/(\d+)/, path(url))]: +fields.qty || 1 });
}

// Only this page needs to know: for the next one each add is over.
const answered = (id) => { page.done[id] = ++clock; };
