/*
 * The page behind a cart link: puts the basket of the link into the visitor's own cart through the shop's own forms, then
 * shows the cart. What is in the cart already is not added again.
 */
(function () {
  'use strict';

  const told = document.currentScript.dataset;
  const base = told.base;
  const cartPage = base + 'checkout/cart/';
  const asScript = { 'X-Requested-With': 'XMLHttpRequest' };
  // A longer answer is no cart, and reading it would hold the page up.
  const LONGEST_ANSWER = 4e6;

  const cookie = (name) => (new RegExp('(?:^|; )' + name + '=([^;]*)').exec(document.cookie) || [])[1] || '';
  const setCookie = (name, value, seconds) => {
    document.cookie = name + '=' + value + '; path=/; max-age=' + seconds + '; SameSite=Lax' +
      (location.protocol === 'https:' ? '; Secure' : '');
  };

  function log(...words) {
    if (cookie('OMdebug') === '2_1') { console.log('bridge:', ...words); }
  }

  // The shop takes the key that the cookie brings, as its own scripts rely on.
  function formKey() {
    let key = cookie('form_key');
    if (!key) {
      const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
      key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => letters[byte % letters.length]).join('');
      setCookie('form_key', key, 86400);
    }
    return key;
  }

  async function cart() {
    const answer = await fetch(base + 'customer/section/load/?sections=cart&force_new_section_timestamp=false',
      { headers: asScript, cache: 'no-store' });
    if (!answer.ok) { throw new Error('cart not answered'); }
    const text = Number(answer.headers.get('content-length')) > LONGEST_ANSWER ? null : await answer.text();
    if (text === null || text.length > LONGEST_ANSWER) { throw new Error('cart too long'); }
    const section = JSON.parse(text).cart || {};
    return Array.isArray(section.items) ? section.items : [];
  }

  // How many of a line are in the cart already, NaN where the shop writes numbers for people only. The SKU tells the
  // variants of one product apart.
  const present = (items, line) => items
    .filter((item) => String(item.product_id) === line.product && (!line.sku || item.product_sku === line.sku))
    .reduce((sum, item) => sum + Number(item.qty), 0);

  async function add(line, quantity) {
    const form = new FormData();
    form.append('product', line.product);
    form.append('qty', String(quantity));
    form.append('form_key', formKey());
    Object.entries(line.options).forEach(([attribute, option]) => form.append('super_attribute[' + attribute + ']', option));
    await fetch(base + 'checkout/cart/add/product/' + line.product + '/', { method: 'POST', body: form, headers: asScript });
  }

  // The shop's scripts keep the cart in the browser; they must ask anew.
  function forget() {
    try {
      localStorage.removeItem('mage-cache-storage');
      localStorage.removeItem('mage-cache-storage-section-invalidation');
    } catch (error) { /* storage is blocked: the cookie below is enough */ }
    setCookie('mage-cache-sessid', '', 0);
    setCookie('private_content_version', [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join(''), 86400);
  }

  // Whether the visitor may go on: the shop must say itself that a customer is logged in. It is asked in the bridge's sight.
  async function isLoggedIn() {
    const path = base + 'rest/' + (told.store ? told.store + '/' : '') + 'V1/customers/me';
    const answer = await fetch(path, { headers: { ...asScript, 'Bridge-Cart': '1', Accept: 'application/json' }, cache: 'no-store' });
    return answer.ok;
  }

  function logInFirst() {
    const back = btoa(location.href).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, ',');
    location.replace(base + 'customer/account/login/referer/' + back + '/');
  }

  const open = () => fetch(location.pathname, {
    method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' }, cache: 'no-store', redirect: 'error',
  });

  async function rebuild() {
    if (told.choose === '1') { setCookie('store', told.store, 31536000); }
    if (told.customer === '1' && !await isLoggedIn()) { logInFirst(); return; }
    let answer = await open();
    // The bridge may still be reading what the shop has just said.
    for (let tries = 0; told.customer === '1' && answer.status === 403 && tries < 3; tries += 1) {
      await new Promise((resolve) => { setTimeout(resolve, 400); });
      answer = await open();
    }
    // The same address with a token of nobody leads to the cart page with a notice.
    if (!answer.ok) { location.replace(told.prefix + '/cart/none'); return; }
    const lines = (await answer.json()).lines;
    let items = await cart();
    for (const line of lines.filter((each) => each.options)) {
      const missing = line.quantity - present(items, line);
      log('line', line.product, 'missing', missing);
      if (missing > 0) { await add(line, missing); }
    }
    items = await cart();
    // A shop that refuses a line says so itself; lines with choices that only the visitor can make need a word.
    if (!lines.every((line) => present(items, line) >= line.quantity)) { setCookie('mage-messages', told.notice, 600); }
    forget();
    location.replace(cartPage);
  }

  const once = () => (navigator.locks ? navigator.locks.request('bridge-cart', rebuild) : rebuild());
  const start = () => Promise.resolve().then(once).catch((error) => {
    log('basket not rebuilt', error);
    setCookie('mage-messages', told.notice, 600);
    location.replace(cartPage);
  });
  // A page that is only being prepared by the browser does nothing until it is shown.
  if (document.prerendering) {
    document.addEventListener('prerenderingchange', start, { once: true });
  } else { start(); }
})();
