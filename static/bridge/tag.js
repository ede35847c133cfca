/*
 * bridge: tells Ometria's own script what this page shows and what its visitor does. The server applies this function to
 * its settings, and leaves out the lines of comment and the indentation.
 */
(function (config) {
  'use strict';

  const own = document.currentScript;
  // Inert in frames, and where a page that was fetched into another one runs its scripts.
  if (!own || own.dataset.bridge === undefined || window.top !== window.self) { return; }
  const ometria = window.ometria = window.ometria || {};
  // One tag a page; a page on which Ometria's script runs already is tracked by somebody else. init must stay undefined
  // until Ometria's script defines it: it takes a page with init for one that has the script.
  if (ometria.bridge || typeof ometria.init === 'function') { return; }
  ometria.bridge = config.version;

  const page = {};
  const here = performance.timeOrigin;
  const nativeFetch = window.fetch;
  const spare = {};
  let store;
  // Resolved once Ometria's script has called back.
  let loaded;
  // Resolved once the page view and the identity, or a second without one, are with Ometria.
  let ready;
  // The newest cart wins over those whose ids are still being asked for.
  let latest = 0;
  // The order of requests and answers on this page.
  let clock = 0;
  let asking = Promise.resolve();
  let emptied;
  const cartEmptied = new Promise((resolve) => { emptied = resolve; });

  // ---- small things ------------------------------------------------------------------------------------------------

  function log(...words) {
    if (/(^|; )OMdebug=2_1/.test(document.cookie)) { console.log('bridge:', ...words); }
  }

  // Nothing of ours may reach the page as an error.
  function safely(action) {
    return function (...words) {
      try {
        const result = action.apply(this, words);
        return result && result.catch ? result.catch((error) => log('fault', error)) : result;
      } catch (error) { log('fault', error); }
    };
  }

  const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
  const within = (promise, milliseconds) => Promise.race([promise, pause(milliseconds)]);
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const attribute = (selector, name) => { const found = find(selector); return found && found.getAttribute(name); };
  const matched = (pattern, text) => (pattern.exec(text) || [])[1];
  const path = (url) => new URL(url, document.baseURI).pathname;
  const cookie = (name) => matched(new RegExp('(?:^|; )' + name + '=([^;]*)'), document.cookie) || '';
  const token = () => Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);

  function parse(text) {
    try { return JSON.parse(text); } catch (error) { return null; }
  }

  // What is kept between pages, by account: a shop may serve several from one origin. Memory stands in without storage.
  function recall(name, empty, area) {
    const key = 'bridge.' + store.account + '.' + name;
    try { return parse(window[area || 'localStorage'].getItem(key)) || empty; } catch (error) { return spare[key] || empty; }
  }

  function keep(name, value, area) {
    const key = 'bridge.' + store.account + '.' + name;
    try { window[area || 'localStorage'].setItem(key, JSON.stringify(value)); } catch (error) { spare[key] = value; }
  }

  const TAB = 'sessionStorage';

  // A number, or text that a machine wrote; text written for people is never read.
  function number(value) {
    if (value && typeof value === 'object') { value = value.incl_tax; }
    if (/^-?\d+(\.\d+)?$/.test(value)) { value = Number(value); }
    return typeof value === 'number' ? value : NaN;
  }

  const round = (value) => Math.round(value * 1e4) / 1e4;
  const sum = (lines, place) => round(lines.reduce((total, line) => total + line[place], 0));

  // ---- the page ----------------------------------------------------------------------------------------------------

  function typeOf(classes) {
    const line = config.pageTypes.find(([pattern]) => classes.some(
      (name) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern)));
    return line ? line[1] : null;
  }

  function storeView() {
    const views = Object.values(config.stores);
    const code = (window.checkoutConfig || {}).storeCode || window.CURRENT_STORE_CODE;
    return views.find((view) => view.code === code) || config.stores[(window.checkout || {}).storeId] ||
      views.find((view) => view.site === own.dataset.store);
  }

  // The page's own data, in Magento's initialisation scripts.
  const data = () => all('script[type="text/x-magento-init"]').map((script) => script.textContent);
  // Its list of layout handles names the entity that the page is of.
  const handle = (entity) => matched(new RegExp('"catalog_' + entity + '_view_id_(\\d+)"'), data().join());

  // The id that the export gives the product too.
  function name(id, sku) {
    const key = store.key === 'sku' ? sku : id;
    return key ? store.products + key : null;
  }

  function describe() {
    const asked = new URLSearchParams(location.search);
    if (page.type === 'product') {
      const sku = attribute('#product_addtocart_form', 'data-product-sku') ||
        ((find('.product-info-main [itemprop=sku]') || {}).textContent || '').trim();
      const id = attribute('#product_addtocart_form input[name=product]', 'value') || handle('product') ||
        attribute('.product-info-main [data-role=priceBox]', 'data-product-id') ||
        matched(/\/product\/post\/id\/(\d+)/, attribute('.review-form', 'action'));
      learnVariants(id, sku);
      return { pid: name(id, sku) };
    }
    if (page.type !== 'listing') { return {}; }
    const pids = all('.products .product-item').map((item) => {
      const [form, box, input] = ['[data-product-sku]', '[data-product-id]', 'input[name=product]'].map((part) => item.querySelector(part));
      return name(box ? box.dataset.productId : input && input.value, form && form.dataset.productSku);
    });
    const found = { page: Number(asked.get('p')) || 1, pids: [...new Set(pids)].filter(Boolean) };
    const category = handle('category');
    const size = (all('#toolbar-amount .toolbar-number').pop() || {}).textContent;
    if (/^\d+$/.test(size)) { found.nitems = Number(size); }
    if (category) { Object.assign(found, { category_id: category, attributes: [{ id: category, type: 'category' }] }); }
    if (asked.get('q')) { found.search = asked.get('q'); }
    return found;
  }

  // ---- ids of variants ---------------------------------------------------------------------------------------------

  // Kept as pairs: an object would sort SKUs that are numbers to its beginning, where the oldest are dropped.
  const learn = (found) => keep('skus', [...new Map(recall('skus', []).concat(Object.entries(found)))].slice(-300));
  const learnt = () => Object.fromEntries(recall('skus', []));

  // The page of a configurable product lists its variants.
  function learnVariants(parent, parentSku) {
    const choices = data().find((text) => /"(sp|json)Config"/.test(text));
    const skus = Object.entries(parse(matched(/"sku":\s*(\{[^}]*\})/, choices)) || {});
    learn(Object.fromEntries(skus.map(([id, sku]) => [sku, { product: id, parent: parent, parent_sku: parentSku }])));
  }

  // One question at a time, so that a basket after an emptied one gets the id that comes after it.
  const ask = (question) => {
    asking = asking.then(() => answerTo(question)).catch((error) => { log('basket not answered', error); return {}; });
    return asking;
  };

  async function answerTo(question) {
    const answer = await nativeFetch(config.prefix + '/basket', {
      method: 'POST', body: JSON.stringify(question), headers: { 'Content-Type': 'application/json' },
    });
    if (!answer.ok) { throw answer.status; }
    const told = await answer.json();
    learn(told.variants);
    return told;
  }

  // ---- the basket --------------------------------------------------------------------------------------------------

  function currency(sent) {
    // The switcher stands in each page of a store view with several currencies.
    const chosen = matched(/\b([A-Z]{3})\b/, (find('#switcher-currency-trigger') || {}).textContent);
    return ((window.checkoutConfig || {}).quoteData || {}).quote_currency_code || chosen ||
      attribute('meta[property="product:price:currency"]', 'content') || (sent.site === store.site && sent.money) || store.currency;
  }

  // Product, variant, quantity and line total of each item.
  function linesOf(cart) {
    const known = learnt();
    return cart.items.map((item) => {
      const variant = item.product_type === 'configurable' ? known[item.product_sku] || {} : null;
      const quantity = number(item.qty);
      return [
        name(item.product_id, variant ? variant.parent_sku : item.product_sku),
        variant && variant.product ? name(variant.product, item.product_sku) : null,
        quantity,
        round(quantity * number(item.product_price_value)),
      ];
    });
  }

  function tell(lines, total, money, id) {
    const basket = new ometria.Basket();
    basket.setId(id);
    basket.setTotal(total, money);
    basket.setUrl((window.checkout || {}).shoppingCartUrl || location.origin + '/checkout/cart/');
    lines.forEach(([pid, vid, quantity, price]) => basket.addLineItem(pid, quantity, price, vid || undefined));
    ometria.setBasket(basket);
    log('basket', lines, total, money);
  }

  // Ometria's script sends a basket only when size or total differ from the last one it sent, so that other lines with the
  // same size and total would be lost. What stayed is sent first: that is a true state between the two, it differs in
  // size, and after it the full basket differs again. Ometria's cookie is its own affair and is not touched.
  function stayed(lines, before) {
    const rest = lines.map(([pid, vid, quantity, price]) => {
      const old = before.find((line) => line[0] === pid && line[1] === vid);
      const both = old ? Math.min(old[2], quantity) : 0;
      return [pid, vid, both, round((price / quantity) * both)];
    }).filter((line) => line[2] > 0);
    return sum(rest, 2) === sum(lines, 2) ? rest.slice(1) : rest;
  }

  async function sync(cart) {
    const turn = ++latest;
    const skus = cart.items.filter((item) => item.product_type === 'configurable').map((item) => item.product_sku);
    await ready;
    if (turn !== latest) { return; }
    const sent = recall('sent', { lines: [] });
    if (!cart.items.length) {
      if (!sent.lines.length) { return; }
      tell([], 0, sent.money, recall('basket'));
      keep('sent', { lines: [] });
      keep('basket', '');
      keep('basket', (await ask({ skus: [], empty: true })).id);
      return;
    }
    // The confirmation page may still hold the cart that was ordered.
    if (page.type === 'confirmation') { return; }
    const known = learnt();
    const unknown = skus.filter((sku) => !known[sku] || (store.key === 'sku' && !known[sku].parent_sku)).slice(0, 50);
    if (unknown.length || !recall('basket')) {
      const told = await ask({ skus: unknown });
      if (turn !== latest) { return; }
      if (!recall('basket')) { keep('basket', told.id || token()); }
    }
    const lines = linesOf(cart);
    const subtotal = number(cart.subtotalAmount);
    const now = { lines, total: isNaN(subtotal) ? sum(lines, 3) : subtotal, money: currency(sent), site: store.site };
    if (lines.some((line) => !line[0] || isNaN(line[3]))) { log('basket not readable', lines); return; }
    if (JSON.stringify(now) === JSON.stringify(sent)) { return; }
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

  // ---- add to basket -----------------------------------------------------------------------------------------------

  const held = (cart, id) => sum(cart.items.map((item) => [String(item.product_id) === id ? number(item.qty) : 0]), 0);

  // An add is remembered with the quantity before it, and told once the shop's cart shows growth: only then did it succeed.
  function adding(url, body) {
    if (page.type !== 'product' && page.type !== 'listing') { return; }
    const fields = Object.fromEntries(typeof body === 'string' ? new URLSearchParams(body) : (body && body.entries && body) || []);
    const grouped = Object.keys(fields).filter((key) => key.startsWith('super_group[') && Number(fields[key]) > 0);
    const products = grouped.length ? grouped.map((key) => key.slice(12, -1))
      : [fields.product || matched(/\/product\/(\d+)/, path(url))];
    // Another tab may have added since this page saw the cart.
    const cart = stored() || page.cart;
    const add = { id: token(), page: here, at: Date.now(), asked: Number(fields.qty) || 1, before: {} };
    products.forEach((id) => { add.before[id] = cart ? held(cart, id) : null; });
    keep('adds', recall('adds', [], TAB).concat(add), TAB);
    log('add asked', products);
    return add.id;
  }

  function answered(id) {
    const adds = recall('adds', [], TAB);
    adds.forEach((add) => { if (add.id === id) { add.answered = ++clock; } });
    keep('adds', adds, TAB);
  }

  // asked is when the cart was asked for; 0 is a cart from storage, which may be older than the add.
  function settle(cart, asked) {
    const adds = recall('adds', [], TAB).filter((add) => Date.now() - add.at < 600000);
    keep('adds', adds.filter((add) => {
      const grown = Object.keys(add.before).map((id) => [id, add.before[id] === null
        ? Math.min(held(cart, id), add.asked) : round(held(cart, id) - add.before[id])]).filter((pair) => pair[1] > 0);
      const over = add.page !== here || (add.answered && asked > add.answered);
      if (!over || (!asked && !grown.length)) { return true; }
      for (const [id, growth] of grown) {
        // Growth is told once: other adds of the product that wait start from here.
        adds.forEach((other) => { if (id in other.before) { other.before[id] = held(cart, id); } });
        safely(added)(cart.items.filter((item) => String(item.product_id) === id), growth);
      }
      return false;
    }), TAB);
  }

  async function added(items, growth) {
    await ready;
    const pid = linesOf({ items })[0][0];
    if (pid) { ometria.trackAddToBasket(pid, growth); }
    log('added', pid, growth);
  }

  // ---- what the page asks the shop -----------------------------------------------------------------------------------

  const isAdd = (url) => /\/checkout\/cart\/add(\/|$)/.test(path(url));
  const isSections = (url) => /\/customer\/section\/load(\/|$)/.test(path(url));

  const onCart = safely((cart, asked) => {
    if (!cart || !Array.isArray(cart.items)) { return; }
    page.cart = cart;
    if (!cart.items.length) { emptied(); }
    settle(cart, asked);
    return sync(cart);
  });

  // The cart that the shop's script keeps, unless it is of another store view, the shop has said since that it is out of
  // date, or the page has seen it or a later one.
  function stored() {
    const [cart, stale] = ['', '-section-invalidation'].map((end) => {
      try { return (parse(localStorage.getItem('mage-cache-storage' + end)) || {}).cart; } catch (error) { return null; }
    });
    const current = (parse(decodeURIComponent(cookie('section_data_ids'))) || {}).cart;
    return cart && cart.items && !stale && (!current || current === cart.data_id) &&
      (config.stores[cart.storeId] || store) === store && !(page.cart && page.cart.data_id >= cart.data_id) ? cart : null;
  }

  const restore = safely(() => onCart(stored(), 0));

  // Both ways of asking are passed through as they are; ours only looks on.
  function watch() {
    const calls = new WeakMap();
    const { open, send } = XMLHttpRequest.prototype;
    const { submit } = HTMLFormElement.prototype;

    // readystatechange comes before the page's own load handlers, which ask for the cart in turn.
    const changed = safely(function () {
      const call = calls.get(this);
      if (!call || this.readyState !== 4) { return; }
      calls.delete(this);
      if (call.add) { answered(call.add); } else { onCart((this.responseType === 'json' ? this.response : parse(this.responseText)).cart, call.asked); }
    });
    const opened = safely((request, url) => {
      if (isAdd(url) || isSections(url)) {
        calls.set(request, { url });
        request.addEventListener('readystatechange', changed);
      }
    });
    const sent = safely((request, body) => {
      const call = calls.get(request);
      if (call) {
        call.asked = ++clock;
        call.add = isAdd(call.url) && (adding(call.url, body) || 1);
      }
    });
    const fetched = safely((answer, input, options) => {
      const url = input.url || input;
      if (isAdd(url)) {
        const id = adding(url, options && options.body);
        answer.then(() => answered(id), () => {});
      } else if (isSections(url)) {
        const asked = ++clock;
        answer.then((response) => response.clone().json()).then((told) => onCart(told.cart, asked)).catch(() => {});
      }
    });
    const posted = safely((form) => { if (isAdd(form.action)) { adding(form.action, new FormData(form)); } });

    XMLHttpRequest.prototype.open = function (method, url) {
      opened(this, url);
      return open.apply(this, arguments);
    };
    XMLHttpRequest.prototype.send = function (body) {
      sent(this, body);
      return send.apply(this, arguments);
    };
    window.fetch = function (input, options) {
      const answer = nativeFetch.apply(this, arguments);
      fetched(answer, input, options);
      return answer;
    };
    HTMLFormElement.prototype.submit = function () {
      posted(this);
      return submit.apply(this, arguments);
    };
    window.addEventListener('submit', (event) => { if (!event.defaultPrevented) { posted(event.target); } });
  }

  // ---- the visitor -------------------------------------------------------------------------------------------------

  // Asked when something may have changed: a new tab, a form that the shop handled, an account or confirmation page.
  async function who() {
    const version = 'v' + cookie('private_content_version');
    if (recall('asked', '', TAB) === version && page.type !== 'confirmation' && !page.account) { return {}; }
    const answer = await nativeFetch(config.prefix + '/me', { headers: { 'Bridge-Seen': recall('seen', '') }, cache: 'no-store' });
    if (!answer.ok) { throw answer.status; }
    const told = await answer.json();
    if (!told.email) { keep('asked', version, TAB); }
    return { ...told, version };
  }

  // What was told is kept after the call, so that a page that was left too early loses no identity.
  function identify(told) {
    if (told.basket && !recall('basket')) { keep('basket', told.basket); }
    if (told.email && recall('seen') !== told.seen) {
      ometria.identify(told.email);
      keep('seen', told.seen);
      log('identified');
    }
    if (told.email) { keep('asked', told.version, TAB); }
  }

  // ---- the order ---------------------------------------------------------------------------------------------------

  async function transact() {
    await ready;
    // The emptied basket goes first, where one was told.
    if (recall('sent', { lines: [] }).lines.length) { await within(cartEmptied, 1000); }
    await pause(0);
    const many = all('.orders-succeed .order-id a');
    const one = find('.checkout-success a.order-number > strong') || find('.checkout-success p > span');
    for (const element of many.length ? many : [one]) {
      const order = element ? element.textContent.trim() : '';
      const told = recall('orders', []);
      if (/^(?=\D*\d)\S{1,50}$/.test(order) && !told.includes(order)) {
        keep('orders', told.concat(order).slice(-50));
        ometria.trackTransaction(store.orders + order);
        log('order', order);
      }
    }
  }

  // ---- one view of the page ----------------------------------------------------------------------------------------

  function fetchOmetria() {
    return new Promise((resolve) => {
      ometria.onLoad = resolve;
      const element = document.createElement('script');
      element.src = config.tagUrl.replace('{account_id}', store.account);
      element.async = true;
      element.nonce = own.nonce || '';
      document.head.appendChild(element);
    });
  }

  // In Ometria's documented order: page view, identity, basket, transaction.
  async function view() {
    const asked = who().catch((error) => { log('visitor not answered', error); return {}; });
    await loaded;
    ometria.init(page.type, page.data, store.site);
    log('page', page.type, page.data, store.site);
    await within(asked.then(identify), 1000);
  }

  function show() {
    ready = safely(view)();
    restore();
  }

  const start = safely(() => {
    const classes = [...document.body.classList];
    // The address of a password reset is a secret, which Ometria's script would send, as the page's or as the referrer.
    const secret = /(create|reset)password[^#]*[?&/]token[=/]/i;
    if (classes.some((name) => name.startsWith('adminhtml-')) || secret.test(location.href) || secret.test(document.referrer)) { return; }
    store = storeView();
    page.type = typeOf(classes);
    page.account = classes.includes('account');
    if (!store || !store.enabled || (page.type === 'checkout' && !store.checkout)) { return; }
    page.data = describe();
    watch();
    loaded = fetchOmetria();
    show();
    if (page.type === 'confirmation') { safely(transact)(); }
    // A view from the back-forward cache is a view; the page is as it was, the visitor and the cart may not be.
    window.addEventListener('pageshow', (event) => { if (event.persisted) { show(); } });
    // A cart that was asked for before this script ran is in the shop's storage soon, or later where the shop is slow.
    setTimeout(restore, 2000);
    setTimeout(restore, 8000);
  });

  function begin() {
    if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', start); } else { start(); }
  }

  // A prerendered page may never be shown.
  if (document.prerendering) { document.addEventListener('prerenderingchange', begin, { once: true }); } else { begin(); }
})
