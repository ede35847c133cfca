// The checkout: one page, two steps in the URL's fragment, talking to the storefront REST calls.
(function () {
  "use strict";

  const { ajax, money, parsed, reload, invalidate } = window.shopFront;
  const config = window.checkoutConfig;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const cart = config.isCustomerLoggedIn ? "carts/mine" : `guest-carts/${config.quoteData.entity_id}`;
  const REST = `/rest/${config.storeCode}/V1/`;
  const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

  async function call(method, path, body) {
    const request = await ajax(method, REST + path, body ? JSON.stringify(body) : null, { "Content-Type": "application/json" });
    const answer = parsed(request);
    if (request.status !== 200) throw new Error((answer && answer.message) || "The shop could not do that.");
    return answer;
  }

  // Step 1: where to send it

  const field = (name) => one(`#co-shipping-form [name="${name}"]`).value.trim();

  function typedAddress() {
    return {
      street: [field("street[0]"), field("street[1]")], city: field("city"), region: "", country_id: field("country_id"),
      postcode: field("postcode"), firstname: field("firstname"), lastname: field("lastname"), company: field("company"),
      telephone: field("telephone"),
    };
  }

  function sentAddress() {
    const { country_id: countryId, ...rest } = typedAddress();
    const address = { countryId, ...rest };
    if (config.isCustomerLoggedIn) address.save_in_address_book = 1;
    return address;
  }

  const email = () => (one("#customer-email") ? one("#customer-email").value.trim() : "");

  let rates = [];

  async function estimate() {
    const typed = typedAddress();
    const address = typed.postcode ? typed : { country_id: typed.country_id, postcode: null };
    rates = await call("POST", `${cart}/estimate-shipping-methods`, { address });
    const chosen = all("[name=shipping_method]").find((radio) => radio.checked);
    const keep = chosen && chosen.value;
    one("[data-role=shipping-methods]").replaceChildren(...rates.map((rate, place) => rateRow(rate, keep, place)));
  }

  function rateRow(rate, keep, place) {
    const code = `${rate.carrier_code}_${rate.method_code}`;
    const row = document.createElement("tr");
    row.className = "row";
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", className: "radio", name: "shipping_method", value: code, id: `s_method_${code}` });
    radio.checked = keep ? keep === code : place === 0;
    const label = document.createElement("label");
    label.htmlFor = radio.id;
    label.textContent = `${rate.carrier_title} (${rate.method_title})`;
    const cells = [radio, label, money(rate.price_incl_tax, config.priceFormat)].map((content) => {
      const cell = document.createElement("td");
      cell.append(content);
      return cell;
    });
    row.append(...cells);
    return row;
  }

  async function lookUpEmail() {
    if (!EMAIL.test(email())) return;
    const free = await call("POST", "customers/isEmailAvailable", { customerEmail: email() });
    one("[data-role=email-note]").textContent = free
      ? "You can check out as a guest."
      : "There is an account with this address. You can go on as a guest, or sign in first.";
  }

  function addressFault() {
    if (one("#customer-email") && !EMAIL.test(email())) return "Please enter your e-mail address.";
    for (const input of all("#co-shipping-form [aria-required=true]")) {
      if (!input.value.trim()) return `Please fill in: ${input.closest(".field").textContent.trim()}.`;
    }
    return "";
  }

  function shippingFault() {
    if (addressFault()) return addressFault();
    return all("[name=shipping_method]").some((radio) => radio.checked) ? "" : "Please choose a shipping method.";
  }

  async function sendShipping() {
    const method = all("[name=shipping_method]").find((radio) => radio.checked).value;
    const rate = rates.find((candidate) => `${candidate.carrier_code}_${candidate.method_code}` === method);
    const address = sentAddress();
    const answer = await call("POST", `${cart}/shipping-information`, {
      addressInformation: {
        shipping_address: address,
        billing_address: { ...address, saveInAddressBook: null },
        shipping_method_code: rate.method_code,
        shipping_carrier_code: rate.carrier_code,
        extension_attributes: {},
      },
    });
    showTotals(answer.totals);
    one("[data-role=ship-to]").textContent = `To ${address.firstname} ${address.lastname}, ${address.street.filter(Boolean).join(", ")}, ${address.city} ${address.postcode}`;
    reload(["messages"], true);
    go("payment");
  }

  function showTotals(totals) {
    one("[data-role=totals]").replaceChildren(...totals.total_segments.filter((segment) => segment.code !== "tax").map((segment) => {
      const row = document.createElement("tr");
      row.className = segment.code === "grand_total" ? "grand totals" : "totals";
      const title = document.createElement("th");
      title.textContent = segment.title;
      const amount = document.createElement("td");
      amount.className = "amount";
      const price = document.createElement("span");
      price.className = "price";
      price.textContent = money(Number(segment.value), config.priceFormat);
      amount.append(price);
      row.append(title, amount);
      return row;
    }));
  }

  // Step 2: how to pay

  const paymentMethod = () => (all("[name='payment[method]']").find((radio) => radio.checked) || {}).value;

  function withEmail(body) {
    return config.isCustomerLoggedIn ? body : { ...body, email: email() };
  }

  async function choosePayment() {
    one("#co-payment-form button.checkout").disabled = true;
    await call("POST", `${cart}/set-payment-information`, withEmail({ cartId: config.quoteData.entity_id, paymentMethod: { method: paymentMethod() } }));
    showTotals(await call("GET", `${cart}/totals?_=${Date.now()}`));
    one("#co-payment-form button.checkout").disabled = false;
  }

  async function placeOrder() {
    if (addressFault()) throw new Error(addressFault());
    const billing = config.quoteData.is_virtual ? sentAddress() : { ...sentAddress(), saveInAddressBook: null };
    await call("POST", `${cart}/payment-information`, withEmail({
      cartId: config.quoteData.entity_id,
      billingAddress: billing,
      paymentMethod: { method: paymentMethod(), po_number: null, additional_data: null },
    }));
    invalidate(["cart", "messages"]);
    await reload(["cart", "captcha", "messages"], true);
    location.replace(config.defaultSuccessPageUrl);
  }

  // Steps

  function go(step) {
    if (location.hash !== `#${step}`) location.hash = step;
    show();
  }

  function show() {
    const step = location.hash === "#payment" && one("[data-role=ship-to]").textContent ? "payment" : "shipping";
    const virtual = Boolean(config.quoteData.is_virtual);
    one("#shipping").hidden = !virtual && step === "payment";
    one("#payment").hidden = !virtual && step === "shipping";
    one("#opc-shipping_method").hidden = virtual;
    for (const item of all(".opc-progress-bar-item")) item.classList.toggle("_active", item.dataset.step === step);
  }

  function guarded(place, work) {
    return async (event) => {
      if (event) event.preventDefault();
      const box = one(`[data-role=${place}]`);
      box.hidden = true;
      try { await work(); } catch (error) {
        box.textContent = error.message;
        box.hidden = false;
      }
    };
  }

  one("#co-shipping-method-form").addEventListener("submit", guarded("shipping-error", async () => {
    const fault = shippingFault();
    if (fault) throw new Error(fault);
    await sendShipping();
  }));
  one("#co-shipping-form").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["country_id", "postcode"]) {
    one(`#co-shipping-form [name=${name}]`).addEventListener("change", guarded("shipping-error", estimate));
  }
  if (one("#customer-email")) {
    one("#customer-email").addEventListener("change", guarded("shipping-error", lookUpEmail));
    one("form.form-login").addEventListener("submit", (event) => event.preventDefault());
  }
  for (const radio of all("[name='payment[method]']")) radio.addEventListener("change", guarded("payment-error", choosePayment));
  one("#co-payment-form").addEventListener("submit", guarded("payment-error", placeOrder));
  window.addEventListener("hashchange", show);

  if (config.quoteData.is_virtual) show();
  else {
    if (location.hash !== "#shipping") history.replaceState(null, "", "#shipping");
    show();
    guarded("shipping-error", estimate)();
  }
})();
