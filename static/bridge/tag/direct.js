// ---- Ometria's script, called directly ---------------------------------------------------------------------------

// Whether Ometria's script was told of a view.
let begun;
const transport = {
  // Once a page; a page that changed its address without being loaded is another view.
  view(type, data, url) {
    if (url && begun) { ometria.pageview(url, type, data); } else { ometria.init(type, data, store.site); }
    begun = 1;
  },
  identify(email) { ometria.identify(email); },
  added(pid, quantity) { ometria.trackAddToBasket(pid, quantity); },
  step(name) { ometria.trackCheckout(name); },
  order(id) { ometria.trackTransaction(id); },
};

function fetchOmetria() {
  return new Promise((resolve) => {
    ometria.onLoad = resolve;
    load(config.tagUrl.replace('{account_id}', store.account));
  });
}
