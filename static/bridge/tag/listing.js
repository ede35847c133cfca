/*
 * bridge: what a listing shows. The tag loads this part on the pages of categories and of search results.
 */
const bridge = document.currentScript.bridge;
const { store, page, name, handle, route, log } = bridge;
const query = (name) => new URLSearchParams(location.search).get(name);

// The advanced search asks for texts in fields of their own; prices and choices are no words.
const words = () => query('q') || (page.action === 'catalogsearch-advanced-result' &&
  ['name', 'sku', 'description', 'short_description'].map(query).filter(Boolean).join(' '));

bridge.listing = async () => {
  const items = all('.products .product-item').map((item) => {
    const [form, box, input] = ['[data-product-sku]', '[data-product-id]', 'input[name=product]'].map((part) => item.querySelector(part));
    return [box ? box.dataset.productId : input && input.value, form && form.dataset.productSku];
  });
  const found = { page: Number(query('p')) || 1 };
  const category = handle('category');
  const size = (all('#toolbar-amount .toolbar-number').pop() || {}).textContent;
  if (/^\d+$/.test(size)) { found.nitems = Number(size); }
  if (category) { Object.assign(found, { category_id: category, attributes: [{ id: category, type: 'category' }] }); }
  if (page.action === 'catalog-category-view') { found.category_path = route().slice(1).replace(/\.html?$/, ''); }
  const search = words();
  if (search) { found.search = search; }
  // Read before, for the page may change meanwhile.
  const skus = store.key === 'sku' ? await skusOf(items.filter(([id, sku]) => id && !sku).map(([id]) => id)) : {};
  found.pids = [...new Set(items.map(([id, sku]) => name(id, sku || skus[id])))].filter(Boolean);
  if (found.pids.length < new Set(items.map(([id]) => id)).size) { log('pids held back: no id or SKU'); }
  return found;
};
