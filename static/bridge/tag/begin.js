// ---- the beginning -----------------------------------------------------------------------------------------------

// What the page, or else the tag, says of the store view: its code or its id.
const wanted = () => String((window.checkoutConfig || {}).storeCode || window.CURRENT_STORE_CODE ||
  (window.checkout || {}).storeId || own.dataset.store || '');

// The page is of another store view than this script: the server gives that view's.
function change(code) {
  delete ometria.bridge;
  again('view', code).view = code;
}

const start = safely(() => {
  // The address of a password reset is a secret, which Ometria's script would send, as the page's or as the referrer.
  const secret = /(create|reset)password[^#]*[?&/]token[=/]/i;
  if (/(^| )adminhtml-/.test(document.body.className) || secret.test(location.href) || secret.test(document.referrer)) {
    log('held back: private page');
    return;
  }
  const code = wanted();
  if (code && own.dataset.view === undefined && ![store.code, store.id, store.site].includes(code)) { change(code); return; }
  if (!store.enabled) { log('held back: view off'); return; }
  run();
});

function begin() {
  if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', start); } else { start(); }
}

// A prerendered page may never be shown.
if (document.prerendering) { document.addEventListener('prerenderingchange', begin, { once: true }); } else { begin(); }
