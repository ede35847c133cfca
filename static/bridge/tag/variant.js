/*
 * bridge: a view of the variant that was chosen. The tag loads this part on product pages, where such views are wanted.
 */
const bridge = document.currentScript.bridge;
const { page, log, call, name, parse, configuration } = bridge;

let last;

function choose(id) {
  if (page.type !== 'product' || !id || id === last) { return; }
  learnPage();
  const [sku] = Object.entries(learnt()).find(([, ids]) => ids.product === id) || [];
  const pid = name(id, sku);
  if (!pid) { log('variant held back: no id', id); return; }
  last = id;
  page.variant = id;
  call('view', 'product', { pid }, location.href);
}

// Which variant has which option of each attribute: the widgets' own configuration, wherever it stands in the page's data.
function indexIn(data) {
  if (!data || typeof data !== 'object') { return null; }
  const config = data.spConfig || data.jsonConfig;
  return config ? config.index : Object.values(data).reduce((found, inner) => found || indexIn(inner), null);
}

const look = bridge.safely(async () => {
  // The widget's own handlers set the fields.
  await pause(50);
  const index = indexIn(parse(configuration())) || {};
  const options = (id) => Object.entries(index[id]);
  choose(Object.keys(index).find((id) => options(id).length && options(id).every(
    ([field, option]) => (find('[name="super_attribute[' + field + ']"]') || {}).value === String(option))));
});

['click', 'change'].forEach((event) => document.addEventListener(event, look));
// Hyva's own word for it.
window.addEventListener('configurable-selection-changed', bridge.safely(({ detail }) => {
  choose(detail && detail.productIndex ? String(detail.productIndex) : '');
}));
