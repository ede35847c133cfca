// ---- the visitor -------------------------------------------------------------------------------------------------

// Asked when something may have changed: a new tab, a form that the shop handled, an account or confirmation page.
async function who(headers) {
  const version = 'v' + cookie('private_content_version');
  if (away || !allowed() || (!headers && recall('asked', '', TAB) === version && page.type !== 'confirmation' && !page.account)) { return {}; }
  const answer = await nativeFetch(prefix + '/me', { headers: { ...headers, 'Bridge-Seen': recall('seen', '') }, cache: 'no-store' });
  if (!answer.ok) { throw answer.status; }
  const told = await answer.json();
  if (!told.email) { keep('asked', version, TAB); }
  return { ...told, version };
}

// What was told is kept after the call, so that a page that was left too early loses no identity.
function identify(told) {
  if (told.basket && !recall('basket')) { keep('basket', told.basket); }
  if (told.email && recall('seen') !== told.seen) {
    call('identify', told.email);
    keep('seen', told.seen);
  }
  if (told.email) { keep('asked', told.version, TAB); }
}

// ---- steps of the checkout ---------------------------------------------------------------------------------------

// One-page checkouts name the step in the fragment or a parameter, multishipping in the action.
const enter = safely(async () => {
  if (page.type !== 'checkout') { return; }
  const action = (page.action || '').split('-');
  const step = action[0] === 'multishipping' ? action[2] : matched(/^#(?!om_debug)\/?([\w-]+)$/, location.hash) || query('step');
  if (!step || step === page.step) { return; }
  page.step = step;
  await ready;
  call('step', step);
});
