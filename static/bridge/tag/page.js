// ---- the page ----------------------------------------------------------------------------------------------------

const fits = (pattern, text) => (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern);

// The path below the store view's own, without a slash at its end.
function route() {
  const full = location.pathname;
  return '/' + (full.startsWith(store.base) ? full.slice(store.base.length) : full.slice(1)).replace(/\/+$/, '');
}

// Undefined where nothing says it.
function typeOf(classes) {
  // The shop does not have the page; of what a script shows that says nothing.
  const isMissing = !page.moved && (performance.getEntriesByType('navigation')[0] || {}).responseStatus >= 400;
  const meta = 'og:' + (attribute('meta[property="og:type"]', 'content') || '').replace('og:', '');
  const told = config.pageTypes.split(' ').map((row) => row.split('=')).find(([pattern]) => (pattern[0] === '/'
    ? fits(pattern, route()) && !isMissing : pattern === meta || classes.some((name) => fits(pattern, name) && (page.action = name))));
  const type = told && (told[1] || null);
  log('type', type || 'none', 'by', told ? told[0] : 'nothing');
  return type;
}

// The page's own data, in Magento's initialisation scripts.
const data = () => all('script[type="text/x-magento-init"]').map((script) => script.textContent);
// Its list of layout handles names the page's action, as its classes do, and the entity that the page is of.
const handles = () => String(matched(/"handles":\s*\[(.*?)]/, data().join())).replace(/_/g, '-').split('"');
const handle = (entity) => matched(new RegExp('"catalog_' + entity + '_view_id_(\\d+)"'), data().join());
// The page of a configurable product lists its variants.
const configuration = () => data().find((text) => /"(sp|json)Config"/.test(text));

// The id that the export gives the product too.
function name(id, sku) {
  const key = store.key === 'sku' ? sku : id;
  return key ? store.products + key : null;
}

function describe() {
  if (page.type === 'product') {
    const sku = attribute('#product_addtocart_form', 'data-product-sku') ||
      ((find('.product-info-main [itemprop=sku]') || {}).textContent || '').trim();
    const id = attribute('#product_addtocart_form input[name=product]', 'value') || handle('product');
    Object.assign(page, { product: id, sku });
    if (store.variants) { part('variant').catch(fault); }
    return { pid: name(id, sku) };
  }
  return {};
}
