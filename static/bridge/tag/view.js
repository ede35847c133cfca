// ---- one view of the page ----------------------------------------------------------------------------------------

// How many views this page has shown: what is found out of an earlier one comes too late.
let shown = 0;

// What the page shows now. The shop is asked for the address of a page without Magento's classes.
async function look() {
  const turn = shown;
  // What a front end says of itself.
  const said = window.bridgePage;
  if (said && said.type) {
    Object.assign(page, { type: said.type, action: '', data: said.data || {} });
    log('type', said.type, 'by bridgePage');
    return;
  }
  const classes = [...document.body.classList];
  page.action = classes.find((name) => /^(?!page-|product-|category|cms-(?!index-|page-view|noroute-))[a-z]\w*-[a-z]\w*-[a-z]\w*$/.test(name));
  page.type = typeOf(page.action ? classes : [...classes, ...handles()]);
  page.account = classes.includes('account');
  page.data = describe();
  // A product's id may stand in few places, or in none where ids are SKUs.
  const file = page.type === 'listing' ? 'listing' : page.data.pid === null && 'product';
  if (file) {
    const data = await within(part(file).then((found) => found[file]()), 3000);
    if (turn === shown && data) { page.data = data; }
  }
  if (!page.action && !/^(homepage|basket|checkout|confirmation)$/.test(page.type)) {
    const isHeadless = () => performance.getEntriesByType('resource').some((asked) => kindOf(asked.name) === 'graphql');
    for (let tries = 0; tries < 9 && turn === shown && !isHeadless(); tries += 1) { await pause(300); }
    const told = turn === shown && (isHeadless() || page.type === undefined) && await within(part('graphql').then((found) => found.route()), 8000);
    if (told && turn === shown) { Object.assign(page, told); }
  }
}

// In Ometria's documented order: page view, identity, basket, transaction.
async function view(url) {
  const asked = who().then((told) => (told.email || away || !store.code || !(section('customer') || {}).fullname ||
    recall('seen') || recall('rest', '', TAB) ? told : part('visit').then((found) => found.known(told)))).catch(fault);
  const turn = shown;
  let looked;
  while (looked !== page.looked) {
    looked = page.looked;
    await looked;
    await loaded;
  }
  // A view that was left before it could be told is none, as of a page that is left so early.
  if (turn === shown) {
    call('view', page.type || null, page.data, url);
    // For the operator's eyes bridge counts one view in ten by its type, and nothing of the visitor.
    if (!away && allowed() && Math.random() < 0.1) { navigator.sendBeacon(prefix + '/seen', page.type || 'other'); }
  }
  await within(asked.then(identify), 1000);
}

const enter = () => page.type === 'checkout' && allowed() && part('visit').then((found) => found.enter()).catch(fault);

function show(url) {
  shown += 1;
  Object.assign(page, { step: '', variant: '', off: store.exclude.some((pattern) => fits(pattern, route())) && 'path excluded' });
  page.looked = !page.off && safely(look)();
  if (page.type === 'checkout' && !store.checkout) { page.off = 'checkout off'; }
  if (page.off) { log('held back:', page.off); return; }
  loaded = loaded || fetchOmetria();
  ready = safely(view)(url);
  restore();
  if (page.type === 'confirmation') { part('visit').then((found) => found.transact()).catch(fault); }
  enter();
}

// A page that changes its address without being loaded shows a new view, once it has had time to draw it.
function follow() {
  const spot = () => location.pathname + location.search;
  let at = spot();
  let timer = 0;
  // A theme that fetches its pages by script says when it has shown one, however long the shop takes.
  const drawn = find('#breeze-turbo[data-config*=\'"enabled":true\']') ? 5000 : 500;
  const moved = safely((wait) => {
    if (spot() === at && !timer) { return; }
    if (spot() !== at) { page.listed = null; }
    at = spot();
    clearTimeout(timer);
    // A page that is left for a load of the same address is no view.
    window.addEventListener('beforeunload', () => clearTimeout(timer), { once: true });
    timer = setTimeout(() => {
      timer = 0;
      page.moved = true;
      safely(show)(location.href);
    }, wait);
    page.turned = pause(wait);
  });
  wrap(history, 'pushState', null, () => moved(drawn));
  // A corrected address is the same view.
  wrap(history, 'replaceState', null, () => {
    if (!timer) { at = spot(); }
    enter();
  });
  window.addEventListener('popstate', () => moved(drawn));
  ['breeze:load', 'turbo:load'].forEach((event) => document.addEventListener(event, () => moved(200)));
  window.addEventListener('hashchange', enter);
  // The theme's own word that it has another cart.
  ['private-content-loaded', 'customer-data-reload'].forEach((event) => window.addEventListener(event, restore, true));
}

function run() {
  // A share of the visitors: each draws a lot once.
  const lot = store.percent < 100 && (recall('lot') || Math.ceil(Math.random() * 100));
  if (lot) { keep('lot', lot); }
  if (lot > store.percent) { log('held back: not in the share'); return; }
  watch();
  follow();
  show();
  // A view from the back-forward cache is a view; the page is as it was, the visitor and the cart may not be.
  window.addEventListener('pageshow', (event) => { if (event.persisted) { ready = safely(view)(); restore(); } });
  // A cart that was asked for before this script ran is in the shop's storage soon, or later where the shop is slow.
  [400, 2e3, 8e3].forEach((wait) => setTimeout(restore, wait));
}
