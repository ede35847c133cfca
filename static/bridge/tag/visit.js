/*
 * bridge: what happens once in a visit. The tag loads this part in the checkout and on the confirmation page, and where a
 * customer is logged in of whom nothing is known yet.
 */
const bridge = document.currentScript.bridge;
const { store, page, prefix, away, TAB, nativeFetch, log, call, recall, keep } = bridge;
const query = (name) => new URLSearchParams(location.search).get(name);

// A customer who was logged in before bridge came: the shop is asked once who she is, and bridge sees its answer.
bridge.known = async (told) => {
  keep('rest', 1, TAB);
  // A page that is left meanwhile leaves bridge's answer to the next one.
  keep('asked', '');
  const answer = await nativeFetch(store.base + 'rest/' + store.code + '/V1/customers/me', {
    headers: { 'X-Requested-With': 'XMLHttpRequest', Accept: 'application/json' }, cache: 'no-store',
  });
  // An answer that nobody reads is never over for the browser.
  await answer.text();
  return answer.ok ? learnWho({}) : told;
};

// ---- the order ---------------------------------------------------------------------------------------------------

const orders = bridge.orders = () => {
  const told = (window.bridgePage || {}).order;
  const many = told ? [{ textContent: String(told) }] : all('.orders-succeed .order-id a');
  const one = find('.checkout-success a.order-number > strong') || find('.checkout-success p > span');
  return (many.length ? many : [one]).map((element) => (element ? element.textContent.trim() : ''))
    .filter((order) => /^(?=\D*\d)\S{1,50}$/.test(order));
};

bridge.transact = async () => {
  await bridge.ready();
  // The emptied basket goes first, where one was told.
  if (recall('sent', { lines: [] }).lines.length) { await within(bridge.part('basket').then((found) => found.emptied), 1000); }
  await pause(0);
  const found = orders();
  const fresh = found.filter((order) => !recall('orders', []).includes(order));
  log('orders on the page', found, 'new', fresh);
  for (const order of fresh) {
    keep('orders', recall('orders', []).concat(order).slice(-50));
    call('order', store.orders + order);
  }
  if (away && fresh.length && bridge.allowed()) { navigator.sendBeacon(prefix + '/beacon', JSON.stringify({ orders: fresh.slice(0, 10), store: store.code })); }
};

// ---- steps of the checkout ---------------------------------------------------------------------------------------

// One-page checkouts name the step in the fragment or a parameter, multishipping in the action.
bridge.enter = async () => {
  const action = (page.action || '').split('-');
  const step = action[0] === 'multishipping' ? action[2] : matched(/^#(?!om_debug)\/?([\w-]+)$/, location.hash) || query('step');
  if (!step || step === page.step) { return; }
  page.step = step;
  await bridge.ready();
  call('step', step);
};
