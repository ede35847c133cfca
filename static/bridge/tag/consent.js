// ---- consent -----------------------------------------------------------------------------------------------------

// The first-party cookie by which the server knows of it.
const CONSENT = 'bridge_consent';
const { mode, cookie: signal, pattern } = store.consent;
let allowed = false;
// What the page's event said; undefined before.
let said;

function isGiven() {
  if (mode === 'event') { return said === undefined ? cookie(CONSENT) === '1' : said; }
  if (mode === 'magento') { return Boolean((parse(decoded(cookie('user_allowed_save_cookie'))) || {})[store.website]); }
  const value = decoded(cookie(mode === 'cookiebot' ? 'CookieConsent' : signal));
  return mode === 'cookiebot' ? value === '-1' || /\bmarketing:true\b/.test(value) : value !== '' && new RegExp(pattern).test(value);
}

function expire(name) {
  const labels = location.hostname.split('.');
  const domains = labels.map((_, place) => '; domain=' + labels.slice(place).join('.'));
  ['', ...domains].forEach((domain) => { document.cookie = name + '=; path=/; max-age=0' + domain; });
}

function forget() {
  log('consent withdrawn: what was set goes');
  [CONSENT, 'ometria', 'OMdebug', 'ommage'].forEach(expire);
  for (const area of ['localStorage', 'sessionStorage']) {
    try {
      Object.keys(window[area]).filter((key) => key.startsWith('bridge.')).forEach((key) => window[area].removeItem(key));
    } catch (error) { log('no storage'); }
  }
  // Without the consent cookie the answer takes the visitor's own cookie away.
  if (!away) { nativeFetch(prefix + '/me', { cache: 'no-store' }).then((answer) => answer.text()).catch(() => {}); }
}

// Signals of consent tools differ; their cookie is looked at again and again, so that a late one and a withdrawal count.
function run() {
  let gone;
  const check = safely(() => {
    const given = isGiven();
    if (given === allowed) { return; }
    allowed = given;
    log('consent', given ? 'given by' : 'withdrawn by', mode);
    if (!given) { forget(); return; }
    document.cookie = CONSENT + '=1; path=/; max-age=15552000; samesite=lax' + (location.protocol === 'https:' ? '; secure' : '');
    if (!gone) {
      gone = true;
      // The tag itself, which asks here before all it does.
      again('part', 'main', { consent: () => allowed });
    }
  });
  if (mode === 'event' && signal) {
    window.addEventListener(signal, (event) => {
      said = event.detail !== false && new RegExp(pattern).test(String(event.detail));
      check();
    }, true);
  }
  check();
  if (!allowed) { log('held back: no consent yet by', mode); }
  if (!allowed && cookie(CONSENT)) { forget(); }
  setInterval(check, 500);
  window.addEventListener('pageshow', check);
}
