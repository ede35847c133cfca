// ---- ids of variants ---------------------------------------------------------------------------------------------

// Kept as pairs: an object would sort SKUs that are numbers to its beginning, where the oldest are dropped. The SKU of a
// product is kept under a tab and its id.
const learn = (found) => keep('skus', [...new Map(recall('skus', []).concat(Object.entries(found || {})))].slice(-300));
const learnt = () => Object.fromEntries(recall('skus', []));

function learnVariants(parent, parentSku) {
  const skus = Object.entries(parse(matched(/"sku":\s*(\{[^}]*\})/, configuration())) || {});
  learn(Object.fromEntries(skus.map(([id, sku]) => [sku, { product: id, parent: parent, parent_sku: parentSku }])));
  if (store.key === 'sku' && parentSku) { learn({ ['\t' + parent]: { parent_sku: parentSku } }); }
}

// ---- add to basket -----------------------------------------------------------------------------------------------

// An add is remembered with the quantity before it, and told once the shop's cart shows growth: only then did it succeed.
// Without products, as from a wish list, whatever grew was added; with SKUs in their place, whatever grew of those.
function remember(products, asked, skus) {
  // Another tab may have added since this page saw the cart.
  const cart = stored() || page.cart;
  if (!products && !skus && !cart) { log('add held back: no cart before'); return null; }
  const add = { id: token(), page: here, at: Date.now(), asked, skus, before: {}, any: !products, unknown: !cart };
  (products || (cart ? productsIn(cart) : [])).forEach((id) => { add.before[id] = cart ? held(cart, id) : null; });
  keep('adds', recall('adds', [], TAB).concat(add), TAB);
  log('add asked', products || skus || 'any');
  return add.id;
}

function adding(url, body) {
  if (!/\/checkout\/cart\/add(\/|$)/.test(path(url))) { return remember(null, 0); }
  if (page.type !== 'product' && page.type !== 'listing') { log('add held back: page type'); return null; }
  const fields = Object.fromEntries(typeof body === 'string' ? new URLSearchParams(body) : (body && body.entries && body) || []);
  const grouped = Object.keys(fields).filter((key) => key.startsWith('super_group[') && Number(fields[key]) > 0);
  return remember(grouped.length ? grouped.map((key) => key.slice(12, -1))
    : [fields.product || matched(/\/product\/(\d+)/, path(url))], Number(fields.qty) || 1);
}

function answered(id) {
  const adds = recall('adds', [], TAB);
  adds.forEach((add) => { if (add.id === id) { add.answered = ++clock; } });
  keep('adds', adds, TAB);
}
