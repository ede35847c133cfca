/*
 * bridge, for accounts whose tag carries Ometria's plugin for Magento: the data layer and the cookie that the plugin reads.
 */
const bridge = document.currentScript.bridge;
const { store, page, log, name, cookie, decoded, parse } = bridge;

// At most six commands and a thousand characters, as the plugin was written for. What waits in the cookie stays.
const COMMANDS = 6;
const LONGEST = 1000;

function command(...parts) {
  if (parts.some((part) => /[:;]/.test(part))) { log('held back: a part has a separator in it', parts[0]); return; }
  const waiting = decoded(cookie('ommage')).split(';').filter((text) => text && !text.startsWith(parts[0] + ':'));
  const text = waiting.concat(parts.join(':')).sort().slice(-COMMANDS).join(';');
  if (text.length > LONGEST) { log('held back: too long for the cookie', parts[0]); return; }
  document.cookie = 'ommage=' + encodeURIComponent(text) + '; path=/; samesite=lax';
}

const text = (selector) => ((find(selector) || {}).textContent || '').trim();

// One product of the page; what the page does not show is left out.
function shown(id, sku, price) {
  const product = {
    id, sku,
    name: text('h1'),
    url: attribute('link[rel=canonical]', 'href') || location.origin + location.pathname,
    in_stock: Boolean(find('.product-info-main .stock.available, #product-addtocart-button')),
    image_url: attribute('meta[property="og:image"]', 'content'),
    currency: attribute('meta[property="product:price:currency"]', 'content') || store.currency,
    price: price === undefined ? number(attribute('meta[property="product:price:amount"]', 'content')) : price,
  };
  return Object.fromEntries(Object.entries(product).filter(([, value]) => value || value === false));
}

function layer(type, data) {
  // The full action name: Magento's own names of the request.
  const names = (page.action || '').split('-');
  const raw = {
    store: Number(store.id), store_url: location.origin + store.base, route: names[0], controller: names[1],
    action: names.slice(2).join('-'), type: data.search ? 'search' : type, data: {},
  };
  if (data.search) { raw.query = data.search; }
  if (data.category_id) { raw.category = { id: data.category_id, path: data.category_path }; }
  if (type === 'product' && data.pid) {
    learnPage();
    raw.data = shown(data.pid, page.sku);
    const prices = parse(matched(/"optionPrices":\s*(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})/, bridge.configuration())) || {};
    const variants = Object.entries(learnt()).filter(([, ids]) => ids.parent === page.product);
    if (variants.length) {
      raw.product_map = Object.fromEntries(variants.map(([sku, ids]) => [ids.product, shown(
        name(ids.product, sku), sku, ((prices[ids.product] || {}).finalPrice || {}).amount)]));
      raw.data = raw.product_map[page.variant] || raw.data;
    }
  }
  if (type === 'confirmation' && bridge.orders) { raw.data.id = bridge.orders()[0]; }
  if (page.step) { raw.data.step = page.step; }
  return raw;
}

Object.assign(bridge.transport, {
  view(type, data, url) {
    window.ometria.raw_data = layer(type, data);
    // The plugin sends the first view itself; the data was there before it.
    if (url && window.ometria.init) { window.ometria.init(); }
  },
  identify(email) { command('identify', '', 'e=' + email + '&i='); },
  added() { log('held back: the plugin tells adds from its basket'); },
  step() { window.ometria.raw_data.data.step = page.step; },
  order(id) { command('trans', id); },
  basket(lines, total, money, id) {
    command('basket', id, total, money, '', ...lines.map(
      ([pid, vid, quantity, price]) => 'i=' + pid + '&v=' + (vid || pid) + '&q=' + quantity + '&t=' + price));
  },
});

bridge.fetch = (source) => {
  // Before the script: its plugin reads the page's data as soon as it runs.
  window.ometria.raw_data = layer(page.type, page.data);
  return new Promise((resolve) => { bridge.load(source, { onload: resolve }); });
};
