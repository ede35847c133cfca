/*
 * bridge, for a front end that asks the shop by GraphQL: what an address shows, carts, orders and customers. It is loaded
 * by the tag where there are such calls, or where nothing says what a page is, and works through what the tag gives it.
 */
const bridge = document.currentScript.bridge;
const { store, page, name, log, call, recall, keep, nativeFetch, TAB } = bridge;
const TYPES = { PRODUCT: 'product', CATEGORY: 'listing', CMS_PAGE: 'content' };
const CART = 'cart(cart_id:$id){id total_quantity prices{grand_total{value currency}} items{uid quantity product{__typename uid sku} ' +
  'prices{price{value}} ... on ConfigurableCartItem{configured_variant{uid sku}}}}';
const ROUTE = 'query($url:String!){route(url:$url){type ... on CategoryTree{uid} ... on ProductInterface{uid sku}}}';

const identifier = (uid) => { try { return uid ? atob(uid) : ''; } catch (error) { return ''; } };

async function ask(query, variables, headers) {
  const answer = await nativeFetch(store.base + 'graphql', {
    method: 'POST', body: JSON.stringify({ query, variables }), credentials: 'omit',
    headers: { 'Content-Type': 'application/json', ...(store.code ? { Store: store.code } : {}), ...headers },
  });
  const text = await answer.text();
  // A shop without GraphQL has no routes, and is not asked again.
  return answer.status === 404 ? { route: null } : JSON.parse(text).data || {};
}

// The bearer token that the front end itself sent; it goes where it was meant for, and is kept nowhere.
function bearer(headers) {
  const found = new Headers(headers || {}).get('authorization');
  return found ? { Authorization: found } : {};
}

// What an address shows. The shop is asked once in a tab; what PWA Studio says of the page that it was loaded as counts
// where the shop does not answer.
async function routeOf(url) {
  const key = store.code + ' ' + url;
  const known = recall('routes', {}, TAB);
  if (key in known) { return known[key]; }
  const inlined = !page.moved && (window.INLINED_PAGE_TYPE || {}).type;
  try {
    const { route } = await ask(ROUTE, { url });
    if (route === undefined) { throw Error('no answer'); }
    keep('routes', { ...recall('routes', {}, TAB), [key]: route }, TAB);
    return route;
  } catch (error) {
    log('route not answered', error);
    return inlined ? { type: inlined } : null;
  }
}

// The path below the store view's own, of the canonical link where that is one of this shop's; a page that changed its
// address since may still have the old link.
function address() {
  const link = !page.moved && attribute('link[rel=canonical]', 'href');
  let url = location;
  try { url = new URL(link || '', location.href); } catch (error) { log('canonical link', error); }
  const { pathname } = url.origin === location.origin && url.pathname.startsWith(store.base) ? url : location;
  return pathname.slice(store.base.length);
}

bridge.route = async () => {
  if (bridge.away) { return null; }
  const url = address();
  const words = new URLSearchParams(location.search);
  if (page.type === 'listing' && !page.data.category_id && words.get('query')) {
    return { data: { ...page.data, ...await listed(words), search: words.get('query') } };
  }
  const found = await routeOf(url);
  log('route', url, found && found.type);
  const type = found && TYPES[found.type];
  if (!type) { return null; }
  const id = identifier(found.uid);
  if (type === 'product') { return { type, product: id, sku: found.sku, data: { pid: name(id, found.sku) } }; }
  if (type !== 'listing') { return { type, data: {} }; }
  // A page that came whole has its list in its own elements.
  const list = page.listed || !all('.products .product-item').length ? await listed(words) : await bridge.part('listing').then((part) => part.listing());
  return { type, data: { ...page.data, ...list, category_path: url.replace(/\.html?$/, ''),
    ...(id ? { category_id: id, attributes: [{ id, type: 'category' }] } : {}) } };
};

// The products of the list that the front end itself asked for, in its order.
async function listed(words) {
  for (let tries = 0; tries < 10 && !page.listed; tries += 1) { await pause(200); }
  const { items = [], total_count: count, page_info: info } = page.listed || {};
  const found = { page: (info && info.current_page) || Number(words.get('page') || words.get('p')) || 1 };
  const pids = (items || []).filter(Boolean).map((item) => name(item.uid ? identifier(item.uid) : item.id, item.sku)).filter(Boolean);
  if (pids.length) { found.pids = [...new Set(pids.map(String))]; }
  if (count >= 0) { found.nitems = count; }
  return found;
}

// The cart in the shape of Magento's own section, so that it takes the same way.
function asSection(cart) {
  const items = (cart.items || []).map((item) => {
    const variant = item.configured_variant;
    const id = identifier(item.product.uid);
    if (variant) { learn({ [variant.sku]: { product: identifier(variant.uid), parent: id, parent_sku: item.product.sku } }); }
    return {
      product_id: id, product_sku: variant ? variant.sku : item.product.sku, qty: item.quantity,
      product_type: variant ? 'configurable' : 'simple', product_price_value: item.prices.price.value, options: [],
    };
  });
  const total = cart.prices.grand_total;
  return { items, subtotalAmount: total.value, money: total.currency, data_id: Date.now() };
}

// In variables, in the text of the query, or in the answer.
const cartOf = (text) => (/destination_cart_?id\\?"?\s*:\s*\\?"([\w-]{8,64})\\?"/i.exec(text) || /cart_?id\\?"?\s*:\s*\\?"([\w-]{8,64})\\?"/i.exec(text) || [])[1];

async function reread(id, headers) {
  const asked = bridge.tick();
  const { cart } = await ask('query($id:String!){' + CART + '}', { id }, headers);
  if (!cart) { log('cart held back: the shop gives none'); return; }
  bridge.onCart(asSection(cart), asked);
}

async function order(number) {
  if (!number || recall('orders', []).includes(number)) { return; }
  keep('orders', recall('orders', []).concat(number).slice(-50));
  await bridge.onCart({ items: [] }, bridge.tick());
  await bridge.ready();
  call('order', store.orders + number);
}

// After the page view, which comes first.
async function identify(asked) {
  const told = await asked;
  await bridge.ready();
  bridge.identify(told);
}

async function read(headers, body, told) {
  const data = told.data || {};
  const placed = data.placeOrder || data.setPaymentMethodAndPlaceOrder;
  if (placed) {
    const { orderV2, order: old } = placed;
    await order((orderV2 && orderV2.number) || (old && (old.order_number || old.order_id)));
    return;
  }
  const logged = data.generateCustomerToken;
  if (logged && logged.token) { await identify(learnWho({ Authorization: 'Bearer ' + logged.token })); }
  if (['createCustomer', 'createCustomerV2', 'updateCustomerEmail', 'updateCustomer', 'setGuestEmailOnCart', 'subscribeEmailToNewsletter']
    .some((key) => data[key])) {
    await identify(learnWho(bearer(headers), recall('seen')));
  }
  // Whoever logs in next in this tab is somebody else.
  if ((data.revokeCustomerToken || {}).result) {
    known = false;
    keep('seen', '');
  }
  const mutated = Object.keys(data).find((key) => /(Cart|Items|Coupon)/.test(key) && data[key]);
  const id = mutated && ((data[mutated].cart || data[mutated]).id || (typeof data[mutated] === 'string' && data[mutated]) || cartOf(body) || cartOf(JSON.stringify(told)));
  if (id) { await reread(id, bearer(headers)); }
}

// A customer who was logged in before bridge came: what her front end asks carries her token. The shop is asked once who
// she is, and bridge sees its answer.
let known = false;
bridge.customer = async (headers) => {
  const token = bearer(headers);
  if (known || !token.Authorization || bridge.away || !bridge.allowed()) { return; }
  known = true;
  if (recall('seen')) {
    await identify(bridge.who(token));
  } else {
    await ask('{customer{email}}', {}, token);
    await identify(learnWho(token));
  }
};

// What PWA Studio says of itself. Its carts are read from the shop's answers, which prove them.
document.addEventListener('eventing', bridge.safely(async ({ detail }) => {
  const { type, payload } = detail || {};
  log('eventing', type);
  if (type === 'ORDER_CONFIRMATION_PAGE_VIEW' && payload) { await order(payload.order_number); }
  if (/^USER_(SIGN_IN|CREATE_ACCOUNT)$/.test(type)) { await identify(bridge.who({})); }
}));

const tellsAdds = () => /^(product|listing)$/.test(page.type);

async function changed(headers, body, answer) {
  const adds = /add\w*ToCart/.test(body);
  // The address that was just come to may not have said yet what it is.
  const isEarly = adds && !tellsAdds();
  const shown = Promise.resolve(page.turned).then(() => page.looked);
  const skus = [...body.matchAll(/sku\\?"?\s*:\s*\\?"([^"\\]+)/g)].map((found) => found[1]);
  const asked = Number((/quantity\\?"?\s*:\s*([\d.]+)/.exec(body) || [])[1]) || 1;
  const add = adds ? bridge.remember(null, asked, skus) : /reorderItems|addWishlistItems/.test(body) ? bridge.remember(null, 0) : null;
  const told = await answer;
  if (add && !isEarly) { bridge.answered(add); }
  await read(headers, body, told);
  if (!add || !isEarly) { return; }
  await shown;
  if (tellsAdds()) {
    bridge.answered(add);
    await read(headers, body, told);
  } else {
    log('add held back: page type');
    keep('adds', recall('adds', [], TAB).filter((other) => other.id !== add), TAB);
  }
}

// What changes a cart, an order or the customer; of questions the list that the page shows, and by whom they are.
bridge.asked = bridge.safely((headers, body, answer) => {
  if (typeof body === 'string' && /mutation/.test(body)) { return changed(headers, body, answer); }
  return answer.then(({ data }) => {
    if (!data) { return null; }
    if (data.products && data.products.total_count >= 0) { page.listed = data.products; }
    return new Headers(headers || {}).has('authorization') && bridge.customer(headers);
  }).catch(() => {});
});
