/*
 * bridge: what a listing shows. The tag loads this part on the pages of categories and of search results.
 */
const bridge = document.currentScript.bridge;
const { store, page, name, handle, route, log, nativeFetch, recall, keep, TAB } = bridge;
const query = (name) => new URLSearchParams(location.search).get(name);

// The advanced search asks for texts in fields of their own; prices and choices are no words.
const words = () => query('q') || (page.action === 'catalogsearch-advanced-result' &&
  ['name', 'sku', 'description', 'short_description'].map(query).filter(Boolean).join(' '));

const CATEGORY = 'query($url:String!){route(url:$url){... on CategoryTree{uid}}}';

// A theme of its own may not name the category (Hyvä does not). The shop tells it by its address, once in a tab; caches
// on the way may answer.
async function askCategory() {
  const url = location.pathname.slice(store.base.length);
  const key = store.code + ' ' + url;
  const known = recall('categories', {}, TAB);
  if (key in known) { return known[key]; }
  const query = new URLSearchParams({ query: CATEGORY, variables: JSON.stringify({ url }) });
  const answer = await nativeFetch(store.base + 'graphql?' + query, {
    credentials: 'omit', headers: { 'Content-Type': 'application/json', ...(store.code ? { Store: store.code } : {}) },
  });
  // An answer that nobody reads is never over for the browser.
  const text = await answer.text();
  // A shop without GraphQL is not asked again; one that stumbles is.
  const { data } = answer.status === 404 ? { data: {} } : JSON.parse(text);
  if (!data) { throw answer.status; }
  const id = data.route && data.route.uid ? atob(data.route.uid) : null;
  log('category', url, id || 'not known');
  keep('categories', { ...known, [key]: id }, TAB);
  return id;
}

async function categoryOf() {
  const told = handle('category');
  if (told || page.action !== 'catalog-category-view') { return told; }
  return within(askCategory().catch((error) => { log('category not answered', error); }), 1200);
}

bridge.listing = async () => {
  const items = all('.products .product-item').map((item) => {
    const [form, box, input] = ['[data-product-sku]', '[data-product-id]', 'input[name=product]'].map((part) => item.querySelector(part));
    return [box ? box.dataset.productId : input && input.value, form && form.dataset.productSku];
  });
  const found = { page: Number(query('p')) || 1 };
  const size = (all('#toolbar-amount .toolbar-number, .toolbar-amount .toolbar-number').pop() || {}).textContent;
  if (/^\d+$/.test(size)) { found.nitems = Number(size); }
  if (page.action === 'catalog-category-view') { found.category_path = route().slice(1).replace(/\.html?$/, ''); }
  const search = words();
  if (search) { found.search = search; }
  // Read before, for the page may change meanwhile.
  const asked = categoryOf();
  const skus = store.key === 'sku' ? await skusOf(items.filter(([id, sku]) => id && !sku).map(([id]) => id)) : {};
  const category = await asked;
  if (category) { Object.assign(found, { category_id: category, attributes: [{ id: category, type: 'category' }] }); }
  found.pids = [...new Set(items.map(([id, sku]) => name(id, sku || skus[id])))].filter(Boolean);
  if (found.pids.length < new Set(items.map(([id]) => id)).size) { log('pids held back: no id or SKU'); }
  return found;
};
