/*
 * bridge: what a listing shows. The tag loads this part on the pages of categories and of search results.
 */
const bridge = document.currentScript.bridge;
const { page, name, handle, route } = bridge;
const query = (name) => new URLSearchParams(location.search).get(name);

bridge.listing = () => {
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
};
