// ---- SKUs of products that the page names by their ids only ------------------------------------------------------

// As many products as the server answers at once.
const MOST_SKUS = 200;

async function askSkus(products) {
  const { nativeFetch, prefix } = bridge;
  const answer = await nativeFetch(prefix + '/skus', {
    method: 'POST', body: JSON.stringify({ products }), headers: { 'Content-Type': 'application/json' }, credentials: 'omit',
  });
  if (!answer.ok) { await answer.text(); throw answer.status; }
  return (await answer.json()).products;
}

// id -> SKU, of the products whose ids the page tells; the view does not wait longer than this, and goes out without.
async function skusOf(products) {
  const known = learnt();
  const found = {};
  products.forEach((id) => { found[id] = (known['\t' + id] || {}).parent_sku; });
  const unknown = Object.keys(found).filter((id) => /^\d+$/.test(id) && !found[id]).slice(0, MOST_SKUS);
  if (unknown.length && bridge.store.key === 'sku' && !bridge.away && bridge.allowed()) {
    const told = await within(askSkus(unknown).catch((error) => { bridge.log('skus not answered', error); }), 1500) || {};
    Object.entries(told).forEach(([id, sku]) => { found[id] = sku; });
    learn(Object.fromEntries(Object.entries(told).map(([id, sku]) => ['\t' + id, { parent_sku: sku }])));
  }
  return found;
}
