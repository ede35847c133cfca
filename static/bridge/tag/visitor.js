// ---- the visitor -------------------------------------------------------------------------------------------------

// Asked when something may have changed: half an hour passed, a form that the shop handled, an account or confirmation page.
async function who(headers) {
  const version = Math.floor(Date.now() / 18e5) + 'v' + cookie(VERSION);
  if (away || !allowed() || (!headers && recall('asked') === version && page.type !== 'confirmation' && !page.account)) { return {}; }
  const answer = await nativeFetch(prefix + '/me', { headers: { ...headers, 'Bridge-Seen': recall('seen', '') }, cache: 'no-store' });
  if (!answer.ok) { await answer.text(); throw answer.status; }
  const told = await answer.json();
  // After something that should have told who it is, nobody yet is no answer that lasts.
  if (!told.email) { keep('asked', headers && !told.seen ? '' : version); }
  return { ...told, version };
}

// What was told is kept after the call, so that a page that was left too early loses no identity.
function identify(told) {
  if (told.basket && !page.emptied && !recall('basket')) { keep('basket', told.basket); }
  if (told.email && recall('seen') !== told.seen) {
    call('identify', told.email);
    keep('seen', told.seen);
  }
  if (told.email) { keep('asked', told.version); }
}
