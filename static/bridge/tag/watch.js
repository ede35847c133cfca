// ---- what the page asks the shop -----------------------------------------------------------------------------------

// A longer answer is no cart, and reading it would hold the page up.
const LONGEST_ANSWER = 4e6;
const ADD = /\/checkout\/cart\/add(group)?(\/|$)|\/wishlist\/(index|shared)\/(all)?cart(\/|$)|\/sales\/(order|guest)\/reorder(\/|$)/;
const kindOf = (url) => {
  const asked = path(url);
  return ADD.test(asked) ? 'add' : /\/customer\/section\/load(\/|$)/.test(asked) ? 'sections' : /\/graphql\/?$/.test(asked) ? 'graphql' : null;
};

const onCart = safely((cart, asked) => {
  if (!allowed()) { return; }
  if (!cart || !Array.isArray(cart.items)) { log('cart held back'); return; }
  page.cart = cart;
  // Most visitors have no cart, and need not load what reads one.
  if (cart.items.length || recall('sent', { lines: [] }).lines.length || page.adds) { return part('basket').then((found) => found.take(cart, asked)); }
});

const isLong = (length) => length > LONGEST_ANSWER && !log('held back: too long');

// An answer may not say how long it is.
async function readBody(response) {
  const reader = response.clone().body.getReader();
  const chunks = [];
  let length = 0;
  while (!isLong(length)) {
    const { done, value } = await reader.read();
    if (done) { return parse(await new Blob(chunks).text()) || {}; }
    chunks.push(value);
    length += value.length;
  }
  reader.cancel();
  return {};
}

// The shop's script asks anew for what it keeps once the shop has changed this in its cookie.
const VERSION = 'private_content_version';

// The cart that the shop's script keeps, unless it is of another store view, the shop has said since that it is out of
// date, or the page has seen it or a later one.
function stored() {
  const cart = section('cart');
  const current = (parse(decoded(cookie('section_data_ids'))) || {}).cart;
  return cart && (localStorage[VERSION] || cookie(VERSION)).includes(cookie(VERSION)) && !section('cart', '-section-invalidation') && (!current || current === cart.data_id) &&
    (!cart.storeId || !+store.id || cart.storeId + '' === store.id) &&
    !((page.cart || {}).data_id >= cart.data_id) ? cart : null;
}

const restore = safely(() => {
  const cart = stored();
  return cart && onCart(cart, 0);
});

// What only some visitors and shops need is loaded when it is needed.
const parts = {};
function part(file) {
  parts[file] = parts[file] || new Promise((resolve, reject) => {
    again('part', file, { bridge: api, onload: () => resolve(api), onerror: reject });
  });
  return parts[file];
}

const api = {
  store, page, transport, here, prefix, away, TAB, nativeFetch, safely, log, call, recall, keep, section, token, name, handle, route, onCart,
  remember, answered, identify, who, cookie, decoded, parse, configuration, load, allowed, part, wrap, ready: () => ready, tick: () => ++clock,
};

const asksGraphql = (headers, body, answer) => { part('graphql').then((found) => found.asked(headers, body, answer)).catch(fault); };

// A function of the page's is passed through as it is; ours only looks on, before it or at what it gives.
function wrap(object, key, before, after) {
  const native = object[key];
  object[key] = function (...words) {
    if (before) { before(this, ...words); }
    const result = native.apply(this, arguments);
    if (after) { after(result, ...words); }
    return result;
  };
}

function watch() {
  const calls = new WeakMap();

  // readystatechange comes before the page's own load handlers, which ask for the cart in turn.
  const changed = safely(function () {
    const known = calls.get(this);
    if (!known || this.readyState !== 4) { return; }
    calls.delete(this);
    if (known.kind === 'add') { answered(known.add); return; }
    const told = (this.responseType === 'json' ? this.response : isLong(this.responseText.length) || parse(this.responseText)) || {};
    if (known.kind === 'sections') { onCart(told.cart, known.asked); } else { asksGraphql(known.headers, known.body, Promise.resolve(told)); }
  });
  const opened = safely((request, method, url) => {
    const kind = kindOf(url);
    if (kind) {
      calls.set(request, { kind, url, headers: {} });
      request.addEventListener('readystatechange', changed);
    }
  });
  const sent = safely((request, body) => {
    const known = calls.get(request);
    if (!known) { return; }
    known.asked = ++clock;
    known.body = body;
    if (known.kind === 'add') { known.add = adding(known.url, body); }
  });
  // The body of a Request is gone once it is sent.
  const fetching = safely((self, input) => {
    const kind = input.clone && kindOf(input.url);
    if (kind) { calls.set(input, kind === 'add' ? input.clone().formData() : input.clone().text()); }
  });
  const fetched = safely(async (answer, input, settings) => {
    const options = settings || {};
    const url = input.url || input;
    const kind = kindOf(url);
    if (!kind) { return; }
    const asked = ++clock;
    // The page's own handlers of the answer come after this one.
    const told = answer.then(kind === 'add' ? () => ++clock : readBody);
    told.catch(() => {});
    // Words of an own Request come later, but before the answer.
    const body = options.body || await calls.get(input);
    if (kind === 'add') {
      page.done[adding(url, body)] = await told;
    } else if (kind === 'graphql') { asksGraphql(options.headers || input.headers, body, told); } else { onCart((await told).cart, asked); }
  });
  const posted = safely((form, submitter) => {
    const action = (submitter && submitter.getAttribute('formaction')) || form.getAttribute('action') || '';
    if (kindOf(action) === 'add') { adding(action, new FormData(form)); }
  });

  wrap(XMLHttpRequest.prototype, 'open', opened);
  wrap(XMLHttpRequest.prototype, 'setRequestHeader', (request, name, value) => { if (calls.has(request)) { calls.get(request).headers[name] = value; } });
  wrap(XMLHttpRequest.prototype, 'send', sent);
  wrap(HTMLFormElement.prototype, 'submit', posted);
  wrap(window, 'fetch', fetching, fetched);
  window.addEventListener('submit', (event) => { if (!event.defaultPrevented) { posted(event.target, event.submitter); } });
}
