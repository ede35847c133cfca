// ---- Ometria's script with its plugin for Magento: a part of its own ---------------------------------------------

const transport = {};
// The confirmation's data names the order.
const fetchOmetria = () => Promise.resolve(page.looked).then(() => page.type === 'confirmation' && part('visit')).then(() => part('layer')).then((found) => {
  return found.fetch(config.tagUrl.replace('{account_id}', store.account));
});
