// ---- one view of the page ----------------------------------------------------------------------------------------

// What the page shows now. A front end without Magento's classes is asked for by its own address.
async function look() {
  const classes = [...document.body.classList];
  const entry = performance.getEntriesByType('navigation')[0] || {};
  page.found = page.moved || !(entry.responseStatus >= 400);
  page.action = classes.find((name) => /^(?!page-|product-|category|cms-(?!index-|page-view|noroute-))[a-z]\w*-[a-z]\w*-[a-z]\w*$/.test(name));
  page.type = typeOf(classes);
  page.account = classes.includes('account');
  page.data = describe();
  if (!page.action && !/^(homepage|basket|checkout|confirmation)$/.test(page.type)) {
    const isHeadless = () => performance.getEntriesByType('resource').some((asked) => kindOf(asked.name) === 'graphql');
    for (let tries = 0; tries < 5 && !isHeadless(); tries += 1) { await pause(300); }
    const told = isHeadless() && await within(part('graphql').then((found) => found.route()), 4000);
    if (told) { Object.assign(page, told); }
  }
}

// In Ometria's documented order: page view, identity, basket, transaction.
async function view(url) {
  const asked = who().then((told) => (told.email || away || !store.code || recall('seen') || recall('rest', '', TAB) ||
    !(section('customer') || {}).fullname ? told : part('visit').then((found) => found.known(told)))).catch((error) => { log('fault', error); return {}; });
  await page.looked;
  await loaded;
  call('view', page.type || null, page.data, url);
  await within(asked.then(identify), 1000);
}

const ours = () => page.type !== 'checkout' || store.checkout;

function show(url) {
  page.step = '';
  page.looked = safely(look)();
  if (!ours()) { log('held back: checkout off'); return; }
  loaded = loaded || Promise.resolve(page.looked).then(fetchOmetria);
  ready = safely(view)(url);
  restore();
  if (page.type === 'confirmation') { part('visit').then((found) => found.transact()).catch((error) => log('fault', error)); }
  enter();
}

// A page that changes its address without being loaded shows a new view, once it has had time to draw it.
function follow() {
  const spot = () => location.pathname + location.search;
  let at = spot();
  let timer = 0;
  const moved = safely((wait) => {
    if (spot() === at && !timer) { return; }
    at = spot();
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      page.moved = true;
      safely(show)(location.href);
    }, wait);
  });
  wrap(history, 'pushState', null, () => moved(500));
  // A corrected address is the same view.
  wrap(history, 'replaceState', null, () => {
    if (!timer) { at = spot(); }
    enter();
  });
  window.addEventListener('popstate', () => moved(500));
  ['breeze:load', 'turbo:load'].forEach((event) => document.addEventListener(event, () => moved(0)));
  window.addEventListener('hashchange', enter);
}

function run() {
  watch();
  follow();
  show();
  // A view from the back-forward cache is a view; the page is as it was, the visitor and the cart may not be.
  window.addEventListener('pageshow', (event) => { if (event.persisted) { ready = safely(view)(); restore(); } });
  // A cart that was asked for before this script ran is in the shop's storage soon, or later where the shop is slow.
  setTimeout(restore, 2000);
  setTimeout(restore, 8000);
}
