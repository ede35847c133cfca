// The storefront's own script: form key, private sections, mini cart, messages, options of a product.
// Plain DOM and XMLHttpRequest, because real storefronts talk to their server that way.
(function () {
  "use strict";

  const STORAGE = "mage-cache-storage";
  const INVALID = "mage-cache-storage-section-invalidation";
  const VERSION = "private_content_version";
  const one = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  const cookies = {
    get(name) {
      for (const part of document.cookie.split("; ")) {
        const at = part.indexOf("=");
        if (part.slice(0, at) === name) return part.slice(at + 1);
      }
      return "";
    },
    set(name, value, sameSite) {
      document.cookie = `${name}=${value}; path=/; SameSite=${sameSite || "Lax"}`;
    },
  };

  function read(key) {
    try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; }
  }

  function write(key, value) {
    localStorage.setItem(key, JSON.stringify(value));
  }

  function ajax(method, url, body, headers) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
      for (const [name, value] of Object.entries(headers || {})) request.setRequestHeader(name, value);
      request.onload = () => resolve(request);
      request.onerror = () => reject(new Error("the shop does not answer"));
      request.send(body || null);
    });
  }

  function parsed(request) {
    try { return JSON.parse(request.responseText); } catch { return null; }
  }

  // Form key: one per browser, put in every form, since the key in a cached page belongs to nobody.

  function formKey() {
    let key = cookies.get("form_key");
    if (!key) {
      const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
      key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => letters[byte % letters.length]).join("");
      cookies.set("form_key", key);
    }
    return key;
  }

  function fillFormKeys() {
    for (const input of all("input[name=form_key]")) input.value = formKey();
  }

  // Private sections

  const listeners = [];

  function sections() { return read(STORAGE); }

  function publish() { for (const listener of listeners) listener(sections()); }

  async function reload(names, force) {
    const query = new URLSearchParams();
    if (names) query.set("sections", names.join(","));
    query.set("force_new_section_timestamp", String(Boolean(force)));
    query.set("_", String(Date.now()));
    const request = await ajax("GET", `/customer/section/load/?${query}`, null, { Accept: "application/json, text/javascript, */*; q=0.01" });
    const loaded = parsed(request);
    if (request.status !== 200 || !loaded) return;
    const stored = sections();
    const invalid = read(INVALID);
    for (const [name, section] of Object.entries(loaded)) {
      stored[name] = section;
      delete invalid[name];
    }
    write(STORAGE, stored);
    write(INVALID, invalid);
    localStorage.setItem(VERSION, cookies.get(VERSION));
    const ids = Object.fromEntries(Object.entries(stored).map(([name, section]) => [name, section.data_id]));
    cookies.set("section_data_ids", encodeURIComponent(JSON.stringify(ids)));
    publish();
  }

  function invalidate(names) {
    const invalid = read(INVALID);
    for (const name of names) invalid[name] = true;
    write(INVALID, invalid);
  }

  async function startSections() {
    if (!cookies.get("mage-cache-sessid")) {
      for (const key of [STORAGE, INVALID, VERSION]) localStorage.removeItem(key);
      cookies.set("mage-cache-sessid", "true");
    }
    publish();
    // A visitor who has never posted anything has nothing private: no request.
    const version = cookies.get(VERSION);
    if (version && version !== localStorage.getItem(VERSION)) return reload(null, false);
    const stale = Object.keys(read(INVALID));
    return stale.length ? reload(stale, false) : undefined;
  }

  // Messages: of redirects in a cookie, of scripts in a section. Text and links only.

  function safeNodes(html) {
    const parsedHtml = new DOMParser().parseFromString(html, "text/html");
    return Array.from(parsedHtml.body.childNodes, (node) => {
      if (node.nodeName === "A" && node.href.startsWith(BASE_URL)) {
        const link = document.createElement("a");
        link.href = node.href;
        link.textContent = node.textContent;
        return link;
      }
      return document.createTextNode(node.textContent);
    });
  }

  function showMessages(messages) {
    const area = one(".page.messages");
    for (const message of messages) {
      const box = document.createElement("div");
      const kind = ["success", "error", "notice", "warning"].includes(message.type) ? message.type : "notice";
      box.className = `message-${kind} ${kind} message`;
      box.dataset.uiId = `message-${kind}`;
      box.setAttribute("role", "alert");
      const text = document.createElement("div");
      text.append(...safeNodes(message.text));
      box.append(text);
      area.append(box);
    }
  }

  function showCookieMessages() {
    const text = cookies.get("mage-messages");
    if (!text) return;
    cookies.set("mage-messages", "", "Strict");
    try { showMessages(JSON.parse(decodeURIComponent(text))); } catch { /* not ours */ }
  }

  function showSectionMessages(stored) {
    const section = stored.messages;
    if (!section || !section.messages || !section.messages.length) return;
    showMessages(section.messages);
    stored.messages = { ...section, messages: [] };
    write(STORAGE, stored);
  }

  // Header

  function showWelcome(stored) {
    const place = one("[data-role=welcome]");
    const name = stored.customer && stored.customer.fullname;
    if (!place || !name) return;
    place.className = "logged-in";
    place.textContent = `Welcome, ${name}!`;
  }

  function priceOf(html) {
    return new DOMParser().parseFromString(html || "", "text/html").body.textContent.trim();
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function miniCartItem(item) {
    const row = element("li", "item product product-item");
    row.dataset.role = "product-item";
    const photo = element("a", "product-item-photo");
    photo.href = item.product_url;
    const image = element("img", "product-image-photo");
    image.src = item.product_image.src;
    image.alt = item.product_image.alt;
    image.width = image.height = 64;
    photo.append(image);
    const details = element("div", "product-item-details");
    const name = element("strong", "product-item-name");
    const link = element("a", "", item.product_name);
    link.href = item.product_url;
    name.append(link);
    details.append(name);
    if (item.options.length) {
      details.append(element("div", "item-options", item.options.map((o) => `${o.label}: ${o.value}`).join(", ")));
    }
    details.append(element("span", "price", priceOf(item.product_price)), quantityControls(item));
    row.append(photo, details);
    return row;
  }

  function quantityControls(item) {
    const box = element("div", "details-qty qty");
    const input = element("input", "item-qty cart-item-qty");
    Object.assign(input, { id: `cart-item-${item.item_id}-qty`, type: "number", min: "1", value: String(item.qty) });
    input.setAttribute("aria-label", "Qty");
    input.dataset.cartItem = item.item_id;
    input.dataset.itemQty = String(item.qty);
    const update = element("button", "update-cart-item", "Update");
    Object.assign(update, { id: `update-cart-item-${item.item_id}`, type: "button", title: "Update", hidden: true });
    update.dataset.cartItem = item.item_id;
    input.addEventListener("input", () => { update.hidden = input.value === input.dataset.itemQty; });
    update.addEventListener("click", () => changeCart(window.checkout.updateItemQtyUrl, { item_id: item.item_id, item_qty: input.value }));
    const remove = element("a", "action delete", "Remove");
    Object.assign(remove, { href: "#", title: "Remove item" });
    remove.dataset.cartItem = item.item_id;
    remove.addEventListener("click", (event) => {
      event.preventDefault();
      changeCart(window.checkout.removeItemUrl, { item_id: item.item_id });
    });
    box.append(input, update, remove);
    return box;
  }

  async function changeCart(url, fields) {
    const body = new URLSearchParams({ ...fields, form_key: formKey() });
    const request = await ajax("POST", url, body.toString(), { "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" });
    const answer = parsed(request);
    if (answer && !answer.success) showMessages([{ type: "error", text: answer.error_message || "The cart did not change." }]);
    await reload(["cart", "messages"], true);
    if (document.body.classList.contains("checkout-cart-index")) location.reload();
  }

  function showMiniCart(stored) {
    const cart = stored.cart;
    const block = one("[data-block=minicart]");
    if (!cart || !block) return;
    const count = Number(cart.summary_count) || 0;
    one(".counter", block).classList.toggle("empty", !count);
    one(".counter-number", block).textContent = count ? String(count) : "";
    one(".subtitle.empty", block).hidden = count > 0;
    one(".minicart-items", block).replaceChildren(...cart.items.map(miniCartItem));
    for (const part of all(".subtotal, .actions", block)) part.hidden = !count;
    one(".subtotal .price-wrapper", block).textContent = priceOf(cart.subtotal);
  }

  function startMiniCart() {
    const block = one("[data-block=minicart]");
    const panel = one(".block-minicart", block);
    one(".showcart", block).addEventListener("click", (event) => {
      event.preventDefault();
      panel.hidden = !panel.hidden;
      block.classList.toggle("active", !panel.hidden);
    });
    document.addEventListener("click", (event) => {
      if (!event.composedPath().includes(block)) {
        panel.hidden = true;
        block.classList.remove("active");
      }
    });
  }

  // Add to cart

  async function addToCart(form) {
    const button = one("button.tocart", form);
    const words = button.textContent;
    button.disabled = true;
    button.firstElementChild.textContent = "Adding…";
    try {
      const request = await ajax("POST", form.action, new FormData(form), { Accept: "application/json, text/javascript, */*; q=0.01" });
      const answer = parsed(request);
      if (!answer || answer.backUrl) {
        invalidate(["cart", "messages"]);
        location.assign(answer ? answer.backUrl : location.href);
        if (answer && answer.backUrl === location.href) location.reload();
        return;
      }
      await reload(["cart", "directory-data", "messages"], true);
      document.dispatchEvent(new CustomEvent("shop:added"));
    } finally {
      button.firstElementChild.textContent = words;
      button.disabled = false;
    }
  }

  function startAddToCart() {
    for (const form of all("#product_addtocart_form, form[data-role=tocart-form]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (form.reportValidity()) addToCart(form);
      });
      one("button.tocart", form).disabled = false;
    }
  }

  // A price in the view's own format

  function money(amount, format) {
    const [whole, cents] = Math.abs(amount).toFixed(format.precision).split(".");
    const groups = whole.replace(/\B(?=(\d{3})+$)/g, format.groupSymbol);
    return (amount < 0 ? "-" : "") + format.pattern.replace("%s", groups + format.decimalSymbol + cents);
  }

  // Options of a configurable product

  function configuration() {
    for (const script of all('script[type="text/x-magento-init"]')) {
      const widget = JSON.parse(script.textContent)["#product_addtocart_form"];
      if (widget && widget.configurable) return widget.configurable.spConfig;
    }
    return null;
  }

  function startOptions() {
    const form = one("#product_addtocart_form");
    const config = form && configuration();
    if (!config) return;
    const selects = all(".super-attribute-select", form);
    const axis = (select) => select.name.match(/\d+/)[0];
    const fits = (product, chosen) => Object.entries(chosen).every(([id, value]) => config.index[product][id] === value);

    function choices(until) {
      const chosen = {};
      for (const select of selects.slice(0, until)) if (select.value) chosen[axis(select)] = select.value;
      return chosen;
    }

    function offer(from) {
      selects.forEach((select, place) => {
        if (place < from || select.tagName !== "SELECT") return;
        const before = choices(place);
        const ready = place === 0 || Object.keys(before).length === place;
        select.length = 1;
        select.disabled = !ready;
        for (const option of ready ? config.attributes[axis(select)].options : []) {
          if (option.products.some((product) => fits(product, before))) select.add(new Option(option.label, option.id));
        }
      });
    }

    function choose() {
      const chosen = choices(selects.length);
      const complete = Object.keys(chosen).length === selects.length;
      const product = complete ? Object.keys(config.index).find((candidate) => fits(candidate, chosen)) : "";
      one("input[name=selected_configurable_option]", form).value = product || "";
      showPrice(product ? config.optionPrices[product].finalPrice.amount : config.prices.finalPrice.amount);
      if (product && config.images[product]) one("[data-role=main-image]").src = config.images[product][0].full;
    }

    function showPrice(amount) {
      const price = one(".product-info-main [data-price-type=finalPrice]");
      price.dataset.priceAmount = String(amount);
      price.closest(".price-box").classList.toggle("chosen", Boolean(form.elements.selected_configurable_option.value));
      one(".price", price).textContent = money(amount, config.priceFormat);
    }

    selects.forEach((select, place) => {
      select.required = true;
      select.addEventListener("change", () => { offer(place + 1); choose(); });
    });
    startSwatches(form, config, choose);
    offer(0);
  }

  // Swatches: the choice stands in a hidden field that is chosen as a list would be.
  function startSwatches(form, config, choose) {
    for (const attribute of all(".swatch-attribute", form)) {
      const input = one(".swatch-input", attribute);
      for (const option of all(".swatch-option", attribute)) {
        option.addEventListener("click", () => {
          const same = input.value === option.dataset.optionId;
          input.value = same ? "" : option.dataset.optionId;
          for (const other of all(".swatch-option", attribute)) {
            other.classList.toggle("selected", other === option && !same);
            other.setAttribute("aria-checked", String(other === option && !same));
          }
          one(".swatch-attribute-selected-option", attribute).textContent = same ? "" : option.dataset.optionLabel;
          choose();
        });
      }
    }
  }

  // Cart page

  function startCartPage() {
    const form = one("form.form-cart");
    if (!form) return;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const body = new URLSearchParams(new FormData(form));
      const request = await ajax("POST", "/checkout/cart/updateItemQty/", body.toString(), { "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" });
      const answer = parsed(request);
      if (answer && answer.success) form.submit();
      else showMessages([{ type: "error", text: (answer && answer.error_message) || "Please check the quantities." }]);
    });
    one("[data-role=proceed-to-checkout]").addEventListener("click", () => { location.assign(window.checkout.checkoutUrl); });
  }

  function startPosts() {
    for (const link of all("[data-post]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        post(JSON.parse(link.dataset.post));
      });
    }
  }

  function post(request) {
    const form = element("form");
    Object.assign(form, { method: "post", action: request.action, hidden: true });
    for (const [name, value] of Object.entries({ ...request.data, form_key: formKey() })) {
      const input = element("input");
      Object.assign(input, { type: "hidden", name, value });
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  }

  window.shopFront = { ajax, money, parsed, reload, invalidate, sections, showMessages };

  listeners.push(showWelcome, showMiniCart, showSectionMessages);
  fillFormKeys();
  startMiniCart();
  startOptions();
  startAddToCart();
  startCartPage();
  startPosts();
  showCookieMessages();
  startSections();
})();
