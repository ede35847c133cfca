// ---- ids of variants ---------------------------------------------------------------------------------------------

// Kept as pairs: an object would sort SKUs that are numbers to its beginning, where the oldest are dropped. The SKU of a
// product is kept under a tab and its id.
const learnt = () => Object.fromEntries(bridge.recall('skus', []));
function learn(found) { bridge.keep('skus', [...new Map(bridge.recall('skus', []).concat(Object.entries(found || {})))].slice(-300)); }

// The page of a configurable product lists its variants.
let taught;
function learnPage() {
  const { product: parent, sku } = bridge.page;
  if (!parent || taught === parent) { return; }
  taught = parent;
  const skus = Object.entries(bridge.parse(matched(/"sku":\s*(\{[^}]*\})/, bridge.configuration())) || {});
  if (skus.length) { learn(Object.fromEntries(skus.map(([id, text]) => [text, { product: id, parent, parent_sku: sku }]))); }
  if (bridge.store.key === 'sku' && sku) { learn({ ['\t' + parent]: { parent_sku: sku } }); }
}
