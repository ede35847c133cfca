// The front that knows GraphQL only: one page, whose address is changed by script, and carts by their masked id.
(function () {
  "use strict";

  const root = document.getElementById("root");
  const CART = "{ id total_quantity items { uid quantity product { sku } } }";

  async function ask(query, variables) {
    const token = localStorage.getItem("customer_token");
    const headers = { "Content-Type": "application/json", Store: "default", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    const told = await answer.json();
    if (told.errors) throw new Error(told.errors[0].message);
    return told.data;
  }

  async function cartId() {
    if (!localStorage.getItem("cart_id")) localStorage.setItem("cart_id", (await ask("mutation { createEmptyCart }")).createEmptyCart);
    return localStorage.getItem("cart_id");
  }

  async function add(sku, selected) {
    const { addProductsToCart } = await ask(
      `mutation ($id: String!, $items: [CartItemInput!]!) { addProductsToCart(cartId: $id, cartItems: $items) { cart ${CART} user_errors { code message } } }`,
      { id: await cartId(), items: [{ sku, quantity: 1, selected_options: selected }] },
    );
    return addProductsToCart;
  }

  async function update(uid, quantity) {
    await ask(
      `mutation ($input: UpdateCartItemsInput) { updateCartItems(input: $input) { cart ${CART} } }`,
      { input: { cart_id: await cartId(), cart_items: [{ cart_item_uid: uid, quantity }] } },
    );
  }

  // A customer's cart takes what the guest's held.
  async function logIn(email, password) {
    const told = await ask("mutation ($email: String!, $password: String!) { generateCustomerToken(email: $email, password: $password) { token } }", { email, password });
    localStorage.setItem("customer_token", told.generateCustomerToken.token);
    const { customerCart } = await ask("{ customerCart { id } }");
    const source = localStorage.getItem("cart_id");
    if (source) await ask("mutation ($source: String!, $own: String) { mergeCarts(source_cart_id: $source, destination_cart_id: $own) { id } }", { source, own: customerCart.id });
    localStorage.setItem("cart_id", customerCart.id);
  }

  async function logOut() {
    await ask("mutation { revokeCustomerToken { result } }");
    localStorage.removeItem("customer_token");
    localStorage.removeItem("cart_id");
  }

  async function sender() {
    const cart_id = await cartId();
    return (name, type, input) => ask(`mutation ($input: ${type}) { ${name}(input: $input) { cart { id } } }`, { input: { cart_id, ...input } });
  }

  async function ship(email) {
    const send = await sender();
    const address = { firstname: "Greta", lastname: "Shopper", street: ["1 Quay Street"], city: "Bristol", postcode: "BS1 4AA", country_code: "GB", telephone: "0117" };
    if (email) await send("setGuestEmailOnCart", "SetGuestEmailOnCartInput", { email });
    await send("setShippingAddressesOnCart", "SetShippingAddressesOnCartInput", { shipping_addresses: [{ address }] });
    await send("setBillingAddressOnCart", "SetBillingAddressOnCartInput", { billing_address: { address } });
    await send("setShippingMethodsOnCart", "SetShippingMethodsOnCartInput", { shipping_methods: [{ carrier_code: "flatrate", method_code: "flatrate" }] });
  }

  async function order(email) {
    await ship(email);
    const send = await sender();
    await send("setPaymentMethodOnCart", "SetPaymentMethodOnCartInput", { payment_method: { code: "checkmo" } });
    const cart_id = await cartId();
    const { placeOrder } = await ask("mutation ($input: PlaceOrderInput) { placeOrder(input: $input) { order { order_number } } }", { input: { cart_id } });
    localStorage.removeItem("cart_id");
    await go("/order-confirmation");
    // What PWA Studio tells its own scripts.
    const payload = { order_number: placeOrder.order.order_number };
    document.dispatchEvent(new CustomEvent("eventing", { detail: { type: "ORDER_CONFIRMATION_PAGE_VIEW", payload } }));
    return payload.order_number;
  }

  function show(...lines) {
    root.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  }

  async function render() {
    const key = location.pathname.slice(1).replace(/\.html$/, "");
    const { route } = await ask("query ($url: String!) { route(url: $url) { type relative_url ... on CategoryTree { id } } }", { url: key });
    if (route && route.type === "PRODUCT") {
      const { products } = await ask("query ($key: String) { products(filter: { url_key: { eq: $key } }) { items { name sku } } }", { key });
      const [product] = products.items;
      show(product.name, product.sku);
    } else if (route && route.type === "CATEGORY") {
      const { products } = await ask(
        "query ($id: String) { products(filter: { category_id: { eq: $id } }) { total_count page_info { current_page } items { uid name sku } } }",
        { id: String(route.id) },
      );
      show(key, ...products.items.map((item) => item.name));
    } else {
      show(key || "home");
    }
  }

  async function go(path) {
    history.pushState(null, "", path);
    await render();
  }

  window.addEventListener("popstate", render);
  if (localStorage.getItem("customer_token")) ask("{ customer { firstname } }");
  window.front = { ask, add, update, ship, order, go, logIn, logOut };
  render();
})();
