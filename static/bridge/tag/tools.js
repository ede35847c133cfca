// ---- what the page view works with -------------------------------------------------------------------------------

const page = { done: {} };
// Why nothing is told or kept now, or nothing. Without a part that waits for consent, there is nothing to wait for.
const barred = () => page.off || (own.consent && !own.consent() && 'no consent');
const allowed = () => !barred();
const here = performance.timeOrigin;
const spare = {};
const TAB = 'sessionStorage';
const path = (url) => new URL(url, document.baseURI).pathname;
const token = () => Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);
// Resolved once Ometria's script has called back.
let loaded;
// Resolved once the page view and the identity, or a second without one, are with Ometria.
let ready;
// The order of requests and answers on this page.
let clock = 0;

// What is kept between pages, by account: a shop may serve several from one origin. Memory stands in without storage.
function recall(name, empty, area) {
  const key = 'bridge.' + store.account + '.' + name;
  try { return parse(window[area || 'localStorage'].getItem(key)) || spare[key] || empty; } catch (error) { return spare[key] || empty; }
}

function keep(name, value, area) {
  const key = 'bridge.' + store.account + '.' + name;
  if (!allowed()) { return; }
  try {
    window[area || 'localStorage'].setItem(key, JSON.stringify(value));
    delete spare[key];
  } catch (error) { spare[key] = value; }
}

// A part of what the shop's own script keeps of the visitor.
const section = (name, end) => {
  try { return (parse(localStorage.getItem('mage-cache-storage' + (end || ''))) || {})[name]; } catch (error) { return null; }
};

// Every call goes through here, so that none is made without consent.
function call(name, ...words) {
  log(allowed() ? 'call' : 'held back: ' + barred(), name, ...(name === 'identify' ? [] : words));
  if (allowed()) { transport[name](...words); }
}
