/*
 * bridge: tells Ometria's own script what this page shows and what its visitor does. This file and the others of the
 * folder are parts of one function of config. The server joins those that a store view needs, applies the function to
 * its settings, and leaves out the lines of comment and the indentation.
 */
const own = document.currentScript;
// Inert in frames, and where a page that was fetched into another one runs its scripts.
if (!own || own.dataset.bridge === undefined || window.top !== window.self) { return; }
const ometria = window.ometria = window.ometria || {};
// One tag a page; a page on which Ometria's script runs already is tracked by somebody else. init must stay undefined
// until Ometria's script defines it: it takes a page with init for one that has the script.
if ((ometria.bridge && !own.consent) || typeof ometria.init === 'function') { return; }
ometria.bridge = config.version;

const store = config.view;
const nativeFetch = window.fetch;
const address = new URL(own.src);
const prefix = address.origin + config.prefix;
// Embedded by the snippet: bridge is another origin, which sees nothing of the visitor.
const away = address.origin !== location.origin;

// ---- small things ------------------------------------------------------------------------------------------------

const cookie = (name) => (document.cookie.split('; ').find((pair) => pair.startsWith(name + '=')) || '').slice(name.length + 1);

// Ometria's own sign, looked at once: reading cookies holds the page up.
const debugging = location.hash === '#om_debug' || cookie('OMdebug') === '2_1';
function log(...words) {
  if (debugging || location.hash === '#om_debug') { console.log('bridge:', ...words); }
}

// Nothing of ours may reach the page as an error; what was to be told is nothing then.
const fault = (error) => log('fault', error) || {};
function safely(action) {
  return function (...words) {
    try {
      const result = action.apply(this, words);
      return result && result.catch ? result.catch(fault) : result;
    } catch (error) { fault(error); }
  };
}


function parse(text) {
  try { return JSON.parse(text); } catch (error) { return null; }
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch (error) { return ''; }
}

function load(url, more) {
  const element = Object.assign(document.createElement('script'), { src: url, nonce: own.nonce }, more);
  document.head.append(element);
  return element;
}

// Another script of ours: the tag's own address with a parameter more.
function again(key, value, more) {
  const url = new URL(own.src);
  url.searchParams.set(key, value);
  return Object.assign(load(url.href, more).dataset, own.dataset);
}
