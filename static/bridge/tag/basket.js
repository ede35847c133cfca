/*
 * bridge: the basket and what is added to it. The tag loads this part once a visitor has a cart, and gives it what it
 * works with.
 */
const bridge = document.currentScript.bridge;
const {
  store, page, here, prefix, away, TAB, nativeFetch, safely, log, call, recall, keep, section, token, name,
} = bridge;

// One question at a time, so that a basket after an emptied one gets the id that comes after it.
let asking = Promise.resolve();
const ask = (question) => {
  asking = asking.then(() => answerTo(question)).catch((error) => { log('basket not answered', error); return {}; });
  return asking;
};

async function answerTo(question) {
  if (away || !bridge.allowed()) { return {}; }
  const answer = await nativeFetch(prefix + '/basket', {
    method: 'POST', body: JSON.stringify(question), headers: { 'Content-Type': 'application/json' }, keepalive: Boolean(question.empty),
  });
  if (!answer.ok) { await answer.text(); throw answer.status; }
  const told = await answer.json();
  learn(told.variants);
  Object.entries(told.products || {}).forEach(([id, sku]) => learn({ ['\t' + id]: { parent_sku: sku } }));
  return told;
}

// ---- the basket --------------------------------------------------------------------------------------------------

// The newest cart wins over those whose ids are still being asked for.
let latest = 0;
let told;
bridge.emptied = new Promise((resolve) => { told = resolve; });

function currency(sent) {
  // The switcher stands in each page of a store view with several currencies.
  const chosen = matched(/\b([A-Z]{3})\b/, (find('#switcher-currency-trigger') || {}).textContent);
  return ((window.checkoutConfig || {}).quoteData || {}).quote_currency_code || chosen ||
    attribute('meta[property="product:price:currency"]', 'content') || (sent.site === store.site && sent.money) || store.currency;
}

const isConfigurable = (item) => item.product_type === 'configurable';
// The cart's SKU is that of the product itself: no part and no choice is in it.
const isPlain = (item) => !/^(configurable|bundle)$/.test(item.product_type) && !(item.options || []).length;

// Product, variant, quantity and line total of each item.
function linesOf(cart) {
  const known = learnt();
  return cart.items.map((item) => {
    const variant = isConfigurable(item) ? known[item.product_sku] || {} : null;
    const sku = (known['\t' + item.product_id] || variant || {}).parent_sku || (isPlain(item) && item.product_sku);
    const quantity = number(item.qty);
    return [
      name(item.product_id, sku),
      variant && variant.product ? name(variant.product, item.product_sku) : null,
      quantity,
      round(quantity * number(item.product_price_value)),
    ];
  });
}

// The lines as the shop's own form names them, for the link that rebuilds the basket. Choices that the page cannot tell
// from outside stay with the visitor.
const linkLines = (cart) => cart.items.map((item) => ({
  product: String(item.product_id),
  quantity: number(item.qty),
  sku: String(item.product_sku).slice(0, 64),
  options: isPlain(item) ? {} : isConfigurable(item) && item.options && item.options.length && item.options.every((option) => /^\d+$/.test(option.option_value))
    ? Object.fromEntries(item.options.map((option) => [option.option_id, option.option_value])) : null,
}));

function tell(lines, total, money, id) {
  const url = recall('link', {}).url || (window.checkout || {}).shoppingCartUrl || location.origin + store.base + 'checkout/cart/';
  call('basket', lines, total, money, id, url);
}

if (!bridge.transport.basket) {
  const { ometria } = window;
  bridge.transport.basket = (lines, total, money, id, url) => {
    const basket = new ometria.Basket();
    basket.setId(id);
    basket.setTotal(total, money);
    basket.setUrl(url);
    lines.forEach(([pid, vid, quantity, price]) => basket.addLineItem(pid, quantity, price, vid || undefined));
    ometria.setBasket(basket);
  };
}

// Ometria's script sends a basket only when size or total differ from the last one it sent, so that other lines with the
// same size and total would be lost. What stayed is sent first: that is a true state between the two, it differs in
// size, and after it the full basket differs again. Ometria's cookie is its own affair and is not touched.
function stayed(lines, before) {
  const old = new Map(before.map((line) => [line[0] + '\n' + line[1], line[2]]));
  const rest = lines.map(([pid, vid, quantity, price]) => {
    const both = Math.min(old.get(pid + '\n' + vid) || 0, quantity);
    return [pid, vid, both, round((price / quantity) * both)];
  }).filter((line) => line[2] > 0);
  return sum(rest, 2) === sum(lines, 2) ? rest.slice(1) : rest;
}

// Ids that the page does not know, the basket's own id, and its link, are asked for at once and only after a change.
async function complete(cart, part) {
  const known = learnt();
  const bySku = store.key === 'sku';
  const skus = cart.items.filter((item) => isConfigurable(item) && (!known[item.product_sku] || (bySku && !known[item.product_sku].parent_sku)));
  const products = bySku ? cart.items.filter((item) => !isPlain(item) && !known['\t' + item.product_id]) : [];
  const lines = store.links && !part && cart.items.length <= 100 ? linkLines(cart) : null;
  const shape = JSON.stringify(lines);
  const linked = !lines || recall('link', {}).shape === shape;
  if (!skus.length && !products.length && linked && recall('basket')) { return; }
  const question = { skus: [...new Set(skus.map((item) => item.product_sku))].slice(0, 50) };
  if (products.length) { question.products = [...new Set(products.map((item) => String(item.product_id)))].slice(0, 50); }
  if (!linked) { Object.assign(question, { lines, customer: Boolean((section('customer') || {}).fullname), store: store.code }); }
  const told = await ask(question);
  if (!recall('basket')) { keep('basket', told.id || token()); }
  if (!linked) { keep('link', told.link ? { shape, url: location.origin + told.link } : {}); }
}

// The checkout asks for the totals anew after each change, a coupon too.
bridge.wrap(XMLHttpRequest.prototype, 'open', bridge.safely((request, method, url) => {
  if (!/carts\/[^/]+\/(totals|\w+-information)(\?|$)/.test(url)) { return; }
  request.addEventListener('load', bridge.safely(() => {
    const told = bridge.parse(request.responseType === 'json' ? JSON.stringify(request.response) : request.responseText) || {};
    const totals = told.totals || told;
    if (!totals.items) { return; }
    page.totals = totals;
    if (page.cart) { sync(page.cart); }
  }));
}));

// What the shop takes off, which the cart's section does not say, but the cart page, the checkout and the checkout's own
// questions do. It is that of these lines, and is kept as long as they stay.
function discountOf(cart) {
  // A front end that asks by GraphQL has it in the total.
  if (cart.money) { return 0; }
  const shapeOf = (items) => items.map((item) => item.item_id + ':' + number(item.qty)).sort().join();
  const shape = shapeOf(cart.items);
  const { totals = (window.checkoutConfig || {}).totalsData } = page;
  if (totals && Array.isArray(totals.items) && shapeOf(totals.items) === shape) {
    keep('discount', { shape, amount: number(totals.discount_amount) || 0 });
    // Read once: another page may hear of a later one.
    page.totals = null;
  }
  const known = recall('discount', {});
  return known.shape === shape ? known.amount : 0;
}

async function sync(cart) {
  const turn = ++latest;
  await bridge.ready();
  if (turn !== latest) { return; }
  const sent = recall('sent', { lines: [] });
  if (!cart.items.length) {
    if (!sent.lines.length) { return; }
    keep('link', {});
    tell([], 0, sent.money, recall('basket'));
    told();
    keep('sent', { lines: [] });
    // A late answer of who the visitor is still names the basket that was.
    page.emptied = true;
    keep('basket', '');
    keep('basket', (await ask({ skus: [], empty: true })).id);
    return;
  }
  // The confirmation page may still hold the cart that was ordered.
  if (page.type === 'confirmation') { log('basket held back: the order is placed'); return; }
  await complete(cart);
  if (turn !== latest) { return; }
  const lines = linesOf(cart);
  const subtotal = number(cart.subtotalAmount);
  const now = { lines, total: round((isNaN(subtotal) ? sum(lines, 3) : subtotal) + discountOf(cart)), money: cart.money || currency(sent), site: store.site };
  if (lines.some((line) => !line[0] || isNaN(line[3]))) { log('basket held back: not readable', lines.slice(0, 9)); return; }
  if (JSON.stringify(now) === JSON.stringify(sent)) { log('basket held back: as it was'); return; }
  if (sum(lines, 2) === sum(sent.lines, 2) && now.total === sent.total) {
    const rest = stayed(lines, sent.lines);
    tell(rest, sum(rest, 3), now.money, recall('basket'));
    // Two images at once may arrive in any order.
    await pause(300);
    if (turn !== latest) { return; }
  }
  tell(lines, now.total, now.money, recall('basket'));
  keep('sent', now);
}

// ---- add to basket, once the cart shows it ----------------------------------------------------------------------------

// The products that an add may be of.
function candidates(add, cart) {
  if (!add.any) { return Object.keys(add.before); }
  const ids = learnt();
  return productsIn({ items: cart.items.filter((item) => !add.skus || add.skus.includes(item.product_sku) ||
    add.skus.includes((ids[item.product_sku] || {}).parent_sku)) });
}

// asked is when the cart was asked for; 0 is a cart from storage, which may be older than the add.
function settle(cart, asked) {
  const adds = recall('adds', [], TAB).filter((add) => Date.now() - add.at < 600000);
  if (!adds.length) { return; }
  keep('adds', adds.filter((add) => {
    const grown = candidates(add, cart).map((id) => [id, add.unknown && !add.before[id]
      ? Math.min(held(cart, id), add.any ? add.asked : add.asked[id]) : round(held(cart, id) - (add.before[id] || 0))]).filter((pair) => pair[1] > 0);
    const over = add.page !== here || asked > page.done[add.id];
    if (!over || (!asked && !grown.length)) { return true; }
    if (!grown.length) { log('add held back: the cart did not grow'); }
    for (const [id, growth] of grown) {
      // Growth is told once: other adds of the product that wait start from here.
      adds.forEach((other) => { if (other.any || id in other.before) { other.before[id] = held(cart, id); } });
      safely(added)(cart.items.filter((item) => String(item.product_id) === id), growth);
    }
    return false;
  }), TAB);
}

async function added(items, growth) {
  await bridge.ready();
  if (store.key === 'sku') { await complete({ items }, true); }
  const pid = linesOf({ items })[0][0];
  if (pid) { call('added', pid, growth); } else { log('add held back: no id'); }
}

bridge.take = (cart, asked) => {
  learnPage();
  settle(cart, asked);
  return sync(cart);
};
