/*
 * bridge: the id of a product whose page does not show it in the usual places, or not its SKU where ids are SKUs. The tag
 * loads this part there only.
 */
const bridge = document.currentScript.bridge;
const { store, page, name, log } = bridge;

bridge.product = async () => {
  // A product that is out of stock has no form.
  page.product = page.product || attribute('.product-info-main [data-role=priceBox]', 'data-product-id') ||
    matched(/\/product\/post\/id\/(\d+)/, attribute('.review-form', 'action')) ||
    matched(/"product":"?(\d+)/, attribute('.product-info-main [data-post]', 'data-post'));
  const { product } = page;
  if (!product && !page.sku) { log('pid held back: no id'); return null; }
  if (store.key === 'sku') {
    const sku = (await skusOf([product]))[product];
    if (!sku) { log('pid held back: no SKU', product); return null; }
    if (page.product === product) { page.sku = sku; }
    return { pid: name(product, sku) };
  }
  return { pid: name(product) };
};
