/*
 * Stand-in for Ometria's tag script: the calls, guards and traps that Ometria documents, in own code.
 * It reads its account and host from its own address (https://host/tags/ACCOUNT.js) and sends every event as an image
 * request to /track/v3/ACCOUNT/event.gif there. No inline code, no eval: it works under a strict policy.
 */
(function () {
  'use strict';

  // A page that already has the script, or a stub that pretends to be it, gets nothing more.
  if (window.ometria && typeof window.ometria.init === 'function') { return; }

  const SESSION_SECONDS = 1800;
  const FOREIGN_ARRIVAL_SECONDS = 600;
  const COOKIE_DAYS = 365;
  const CALLBACK_MS = 250;
  const PAYMENT_HOSTS = /(^|\.)(paypal|worldpay|sagepay|klarna)\./;
  const PREFIXES = /^(www|secure)\./;
  const LANDING = { landing: 'homepage' };

  const own = new URL(document.currentScript.src);
  const account = own.pathname.replace(/^.*\/tags\//, '').replace(/\.js$/, '');
  const endpoint = own.origin + '/track/v3/' + account + '/event.gif';

  const ometria = window.ometria = window.ometria || {};
  const sentEvents = [];
  const held = [];
  const images = new Set();
  const page = { type: null, data: {}, site: '', url: location.href, ready: false, started: false, sequence: 0 };
  let debugging = false;
  let alive = false;
  let lastBasket = null;

  // ---- cookies -----------------------------------------------------------------------------------------------------

  function readCookie(name) {
    for (const part of document.cookie.split('; ')) {
      if (part.startsWith(name + '=')) { return part.slice(name.length + 1); }
    }
    return null;
  }

  function writeCookie(name, value, days) {
    const host = location.hostname.replace(PREFIXES, '');
    // An address or a bare name cannot be a cookie's domain.
    const domain = /^[\d.]+$|:|^[^.]+$/.test(host) ? '' : '; domain=.' + host;
    document.cookie = name + '=' + value + '; path=/; max-age=' + Math.round(days * 86400) + domain + '; samesite=lax';
  }

  function cookiesWork() {
    if (!navigator.cookieEnabled) { return false; }
    try {
      writeCookie('OMprobe', '1', 1);
      const works = readCookie('OMprobe') === '1';
      writeCookie('OMprobe', '', 0);
      return works;
    } catch (error) {
      return false;
    }
  }

  function loadVisitor() {
    const raw = readCookie('ometria') || '';
    const fields = {};
    if (raw.startsWith('2_')) {
      for (const [name, value] of new URLSearchParams(decodeURIComponent(raw.slice(2)))) { fields[name] = value; }
    }
    return fields;
  }

  function saveVisitor(fields) {
    writeCookie('ometria', '2_' + encodeURIComponent(new URLSearchParams(fields).toString()), COOKIE_DAYS);
  }

  function newId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  function arrivedFromElsewhere() {
    if (!document.referrer || /[?&]utm_nooverride=/.test(location.search)) { return false; }
    const from = new URL(document.referrer).hostname;
    return from !== location.hostname && !PAYMENT_HOSTS.test(from);
  }

  function visit() {
    const visitor = loadVisitor();
    const now = Math.floor(Date.now() / 1000);
    const idle = now - Number(visitor.slt || 0);
    visitor.cnew = visitor.cid ? '0' : '1';
    if (!visitor.cid) { visitor.cid = newId(); }
    const ended = idle > SESSION_SECONDS || (!page.ready && idle > FOREIGN_ARRIVAL_SECONDS && arrivedFromElsewhere());
    visitor.snew = !visitor.sid || ended ? '1' : '0';
    if (visitor.snew === '1') {
      visitor.sid = newId();
      visitor.nses = String(Number(visitor.nses || 0) + 1);
      visitor.src = document.referrer;
    }
    visitor.slt = String(now);
    return visitor;
  }

  // ---- sending -----------------------------------------------------------------------------------------------------

  function encode(event) {
    const bytes = new TextEncoder().encode(JSON.stringify(event));
    let text = '';
    for (const byte of bytes) { text += String.fromCharCode(byte); }
    return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }

  function send(type, data, channel, callback) {
    const visitor = visit();
    if (type === 'pageview') { visitor.npv = String(Number(visitor.npv || 0) + 1); }
    saveVisitor(visitor);
    page.sequence += 1;
    const event = {
      cid: visitor.cid, sid: visitor.sid, uiid: visitor.uiid || null, nses: Number(visitor.nses), npv: Number(visitor.npv || 0),
      cnew: visitor.cnew === '1', snew: visitor.snew === '1', src: visitor.src || '', url: page.url, rurl: document.referrer,
      site: page.site, type: type, channel: channel || 'web', d: data, debug: debugging,
      sent: Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000, seq: page.sequence,
    };
    sentEvents.push(event);
    show(event);
    const image = new Image();
    images.add(image); // an image that nobody holds may be collected before it has loaded
    const done = once(() => { images.delete(image); if (callback) { callback(); } });
    image.addEventListener('load', done);
    image.addEventListener('error', done);
    if (callback) { setTimeout(done, CALLBACK_MS); }
    image.src = endpoint + '?data=' + encode(event) + '&rnd=' + newId().slice(0, 6) + '&enc=' + document.characterSet;
  }

  function once(action) {
    let over = false;
    return () => { if (!over) { over = true; action(); } };
  }

  // Calls before the page view wait for it, so that they come after it.
  function whenReady(action) {
    if (!alive) { return; }
    if (page.ready) { action(); } else { held.push(action); }
  }

  function emit(type, data, channel, callback) { whenReady(() => send(type, data, channel, callback)); }

  function number(value) {
    if (typeof value === 'number') { return value; }
    return parseFloat(String(value === undefined || value === null ? '' : value).replace(/[^0-9.]/g, '')) || 0;
  }

  // ---- the basket --------------------------------------------------------------------------------------------------

  class Basket {
    constructor() { Object.assign(this, { id: null, total: 0, size: 0, cur: null, url: null, p: null, lis: [] }); }
    setId(id) { this.id = id; return this; }
    setTotal(total, currency) { this.total = number(total); if (currency) { this.cur = currency; } return this; }
    setUrl(url) { this.url = url; return this; }
    setURL(url) { return this.setUrl(url); }
    setProperties(properties) { this.p = properties; return this; }
    setData(data) { Object.assign(this, data); return this; }
    addLineItem(pid, quantity, lineTotal, variantId, properties) {
      if (variantId !== null && typeof variantId === 'object') {
        properties = variantId;
        variantId = undefined;
      }
      const item = { pid: pid, vid: variantId === undefined ? null : variantId, q: number(quantity), tot: number(lineTotal) };
      item.p = properties === undefined ? null : properties;
      this.lis.push(item);
      this.size += item.q;
      return this;
    }
  }

  function setBasket(basket) {
    const signature = basket.size + '_' + basket.total; // null throws here, as in the real script
    const wire = JSON.parse(JSON.stringify(basket));
    lastBasket = basket;
    whenReady(() => {
      const visitor = visit();
      if (visitor.bskt === signature) { return; }
      visitor.bskt = signature;
      saveVisitor(visitor);
      send('setbasket', wire);
    });
  }

  // ---- identity ----------------------------------------------------------------------------------------------------

  function looksLikeIdentity(value) {
    return typeof value === 'string' && (/^omid:.+/.test(value) || /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value));
  }

  function identify(identity, profile) {
    if (!looksLikeIdentity(identity)) { return; }
    whenReady(() => {
      const visitor = visit();
      if (visitor.uiid && visitor.uiid !== identity) {
        visitor.cid = newId();
        visitor.sid = newId();
      }
      visitor.uiid = identity;
      saveVisitor(visitor);
      send('identify', { uiid: identity, profile: profile || {} });
    });
  }

  function observeEmailInputs(selector) {
    document.addEventListener('change', (change) => {
      if (change.target instanceof Element && change.target.matches(selector)) { identify(change.target.value); }
    }, true);
  }

  function readAddress() {
    const here = new URL(location.href);
    const email = here.searchParams.get('om_user');
    const profile = here.searchParams.get('om_profile');
    if (email) { identify(email); }
    if (profile) { identify('omid:' + profile); }
    if (email) {
      here.searchParams.delete('om_user');
      history.replaceState(history.state, '', here);
      page.url = location.href;
    }
  }

  // ---- the page view -----------------------------------------------------------------------------------------------

  function pageView(url, type, data) {
    if (url) { page.url = new URL(url, location.href).href; }
    const pageType = LANDING[type] || type || null;
    send('pageview', Object.assign({}, data, { type: pageType, rurl: document.referrer }));
  }

  function init(type, data, site) {
    if (!alive) { return; }
    if (type !== undefined) { page.type = type; }
    if (data) { page.data = data; }
    if (site !== undefined && site !== null) { page.site = String(site); }
    if (page.started) {
      // The real script trusts the page to call it once: a second call is a second page view.
      whenReady(() => pageView(null, page.type, page.data));
      return;
    }
    page.started = true;
    start();
  }

  function start() {
    if (!document.body) { setTimeout(start, 25); return; }
    pageView(null, page.type, page.data);
    page.ready = true;
    readAddress();
    while (held.length) { held.shift()(); }
    if (typeof window.onOmetriaLoaded === 'function') { window.onOmetriaLoaded(); }
  }

  // ---- debugging ---------------------------------------------------------------------------------------------------

  function readDebugging() {
    if (location.hash === '#om_debug') { writeCookie('OMdebug', '2_1', 1); }
    if (location.hash === '#om_debug=off') { writeCookie('OMdebug', '', 0); }
    debugging = readCookie('OMdebug') === '2_1';
  }

  function debugBox() {
    let box = document.getElementById('ometria-debug');
    if (!box && document.body) {
      box = document.createElement('pre');
      box.id = 'ometria-debug';
      Object.assign(box.style, {
        position: 'fixed', right: '8px', bottom: '8px', zIndex: '2147483647', maxWidth: '26em', maxHeight: '40vh', margin: '0',
        overflow: 'auto', padding: '8px 12px', borderRadius: '6px', background: '#1d1b3a', color: '#f4f3ff', opacity: '0.92',
        font: '12px/1.5 monospace', whiteSpace: 'pre-wrap', pointerEvents: 'none',
      });
      document.body.appendChild(box);
    }
    return box;
  }

  function show(event) {
    if (!debugging) { return; }
    console.log('ometria', event.type, event.d);
    const box = debugBox();
    if (box) { box.textContent += event.type + ' ' + JSON.stringify(event.d) + '\n'; }
  }

  // ---- what the page may call --------------------------------------------------------------------------------------

  Object.assign(ometria, {
    init: init,
    setPageType(type) { page.type = type; },
    setPageData(data) { page.data = data; },
    pageview(url, type, data) {
      whenReady(() => {
        const next = new URL(url || location.href, location.href).href;
        if (next !== page.url) { pageView(next, type, data); }
      });
    },
    identify: identify,
    setProfileData(profile) {
      whenReady(() => {
        const identity = loadVisitor().uiid;
        if (identity) { send('profile', { uiid: identity, profile: profile }); }
      });
    },
    getIdentity() { return loadVisitor().uiid || null; },
    Basket: Basket,
    setBasket: setBasket,
    getBasket() { return lastBasket; },
    trackAddToBasket(pid, quantity, extra) {
      emit('addtobasket', Object.assign({ pid: pid, q: quantity === undefined ? 1 : number(quantity) }, extra));
    },
    trackCheckout(stage, extra) { emit('checkout', Object.assign({ stage: stage }, extra)); },
    trackTransaction(orderId, extra) { emit('transaction', Object.assign({ tid: orderId }, extra)); },
    track(name, data, callback) { emit(name, data || {}, 'custom', callback); },
    viewProduct(pid) { emit('viewproduct', { pid: pid }); },
    observeEmailInputs: observeEmailInputs,
    isNewVisitor() { return loadVisitor().cnew === '1'; },
    linkSession() {},
    setDebugLogging(on) { debugging = Boolean(on); },
    _debug() { return debugging; },
    _log() { return sentEvents.slice(); },
  });

  if (!cookiesWork()) { return; }
  alive = true;
  readDebugging();
  observeEmailInputs('input[type=email][id^="bx-"]');
  if (typeof ometria.onLoad === 'function') { ometria.onLoad(); }
})();
