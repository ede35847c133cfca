// ---- the page ----------------------------------------------------------------------------------------------------

const fits = (pattern, text) => (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern);

// The path below the store view's own, without a slash at its end.
function route() {
  const full = location.pathname;
  return '/' + (full.startsWith(store.base) ? full.slice(store.base.length) : full.slice(1)).replace(/\/+$/, '');
}

// Undefined where nothing says it.
function typeOf(classes) {
  const told = config.pageTypes.split(' ').map((row) => row.split('=')).find(([pattern]) => (pattern[0] === '/'
    ? page.found && fits(pattern, route()) : classes.some((name) => fits(pattern, name) && (page.action = name))));
  if (told) { log('type', told[1], 'by', told[0]); return told[1] || null; }
  return attribute('meta[property="og:type"]', 'content') === 'product' ? 'product' : undefined;
}

// The page's own data, in Magento's initialisation scripts.
const data = () => all('script[type="text/x-magento-init"]').map((script) => script.textContent);
// Its list of layout handles names the entity that the page is of.
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
    const id = attribute('#product_addtocart_form input[name=product]', 'value') || handle('product') ||
      attribute('.product-info-main [data-role=priceBox]', 'data-product-id') ||
      matched(/\/product\/post\/id\/(\d+)/, attribute('.review-form', 'action'));
    Object.assign(page, { product: id, sku });
    learnVariants(id, sku);
    return { pid: name(id, sku) };
  }
  if (page.type !== 'listing') { return {}; }
  const pids = all('.products .product-item').map((item) => {
    const [form, box, input] = ['[data-product-sku]', '[data-product-id]', 'input[name=product]'].map((part) => item.querySelector(part));
    return name(box ? box.dataset.productId : input && input.value, form && form.dataset.productSku);
  });
  const found = { page: Number(query('p')) || 1, pids: [...new Set(pids)].filter(Boolean) };
  const category = handle('category');
  const size = (all('#toolbar-amount .toolbar-number').pop() || {}).textContent;
  if (/^\d+$/.test(size)) { found.nitems = Number(size); }
  if (category) { Object.assign(found, { category_id: category, attributes: [{ id: category, type: 'category' }] }); }
  if (page.action === 'catalog-category-view') { found.category_path = route().slice(1).replace(/\.html?$/, ''); }
  if (query('q')) { found.search = query('q'); }
  return found;
}
