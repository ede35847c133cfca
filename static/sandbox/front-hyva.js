// The Hyvä-like front: forms are posted as they are, and the private sections are asked for by fetch after a change.
(function () {
  "use strict";

  const cookie = (name) => (document.cookie.split("; ").find((pair) => pair.startsWith(name + "=")) || "").slice(name.length + 1);

  function formKey() {
    if (!cookie("form_key")) document.cookie = `form_key=${crypto.randomUUID().replace(/-/g, "").slice(0, 16)}; path=/`;
    return cookie("form_key");
  }

  const told = (data) => {
    const count = document.querySelector("[data-cart-count]");
    if (count && data.cart) count.textContent = data.cart.summary_count;
    window.dispatchEvent(new CustomEvent("private-content-loaded", { detail: { data } }));
  };

  async function loadPrivateContent() {
    const version = cookie("private_content_version");
    const kept = JSON.parse(localStorage.getItem("mage-cache-storage") || "{}");
    if (!version || version === localStorage.getItem("private_content_version")) { told(kept); return; }
    const answer = await fetch("/customer/section/load/?sections=", { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok) return;
    const data = await answer.json();
    localStorage.setItem("mage-cache-storage", JSON.stringify(data));
    localStorage.setItem("private_content_version", version);
    told(data);
  }

  for (const input of document.querySelectorAll("input[name=form_key]")) input.value = formKey();
  window.addEventListener("reload-customer-section-data", loadPrivateContent);
  loadPrivateContent();
})();
