"""A small shop of pages that look like Luma's to the tag, with bridge's own paths and a stand-in of Ometria's script.

Everything is answered by one threaded WSGI server on a free port; what the tag called is kept in order.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask, Response, redirect, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

HOSTILE = "19\" </script><script>window.broken = 1</script> <!-- \u2028 O'Neill &amp; é"

# Records each call as Ometria's script would send it, with the documented guards: at most one script a page, and no basket
# that has the size and total of the one before.
OMETRIA = """
(function () {
  if (window.ometria && typeof window.ometria.init === 'function') { return; }
  const ometria = window.ometria = window.ometria || {};
  let sent = 0;
  const send = (...call) => {
    sent += 1;
    navigator.sendBeacon('/calls', JSON.stringify([performance.timeOrigin, sent, call]));
  };
  class Basket {
    constructor() { Object.assign(this, { id: null, total: 0, size: 0, cur: null, url: null, lis: [] }); }
    setId(id) { this.id = id; }
    setTotal(total, currency) {
      if (typeof total !== 'number') { throw new Error('total is no number'); }
      this.total = total; this.cur = currency;
    }
    setUrl(url) { this.url = url; }
    addLineItem(pid, q, tot, vid) {
      if (typeof q !== 'number' || typeof tot !== 'number') { throw new Error('line is no number'); }
      this.lis.push({ pid: pid, vid: vid, q: q, tot: tot }); this.size += q;
    }
  }
  Object.assign(ometria, {
    init: (type, data, store) => send('init', type, data, store),
    pageview: (url, type, data) => send('pageview', new URL(url).pathname, type, data),
    trackCheckout: (stage) => send('trackCheckout', stage),
    identify: (email) => send('identify', email),
    Basket: Basket,
    setBasket(basket) {
      const signature = basket.size + '_' + basket.total;
      if (localStorage.getItem('bskt') === signature) { return; }
      localStorage.setItem('bskt', signature);
      send('setBasket', basket);
    },
    trackAddToBasket: (pid, quantity) => send('trackAddToBasket', pid, quantity),
    trackTransaction: (order) => send('trackTransaction', order),
  });
  if (typeof ometria.onLoad === 'function') { ometria.onLoad(); }
})();
"""

# What the shop's own scripts do: keep the cart in storage, add by script, ask for the cart after each change.
SHOP = """
window.shop = {
  cart: () => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', '/customer/section/load/?sections=cart');
    request.onload = () => {
      const told = JSON.parse(request.responseText);
      localStorage.setItem('mage-cache-storage', JSON.stringify(told));
      localStorage.setItem('mage-cache-storage-section-invalidation', '{}');
      resolve(told);
    };
    request.send();
  }),
  add: (product, more) => new Promise((resolve) => {
    const body = new FormData();
    body.append('product', product);
    Object.entries(more || {}).forEach(([name, value]) => body.append(name, value));
    const request = new XMLHttpRequest();
    request.open('POST', '/checkout/cart/add/uenc/aHR0cA~~/product/' + product + '/');
    request.onload = () => shop.cart().then(resolve);
    request.send(body);
  }),
  fetchAdd: async (product) => {
    await fetch('/checkout/cart/add/product/' + product, { method: 'POST', body: new URLSearchParams({ product: product }) });
    const told = await (await fetch('/customer/section/load/?sections=cart')).json();
    localStorage.setItem('mage-cache-storage', JSON.stringify(told));
    return told;
  },
};
"""


def init_script(data: Any) -> str:
    text = json.dumps(data).replace("</", "<\\/")
    return f'<script type="text/x-magento-init">{text}</script>'


def handles(*names: str) -> str:
    return init_script({"body": {"pageCache": {"handles": ["default", *names]}}})


PRODUCT = (
    handles("catalog_product_view_id_5")
    + '<div class="product-info-main"><form id="product_addtocart_form" data-product-sku="SKU-5" method="post"'
    + ' action="/checkout/cart/add/uenc/aHR0cA~~/product/5/"><input type="hidden" name="product" value="5">'
    + "<button>Add</button></form></div>"
)
CONFIGURABLE = (
    init_script(
        {
            "#product_addtocart_form": {
                "configurable": {
                    "spConfig": {"productId": "17", "index": {"13": {}}, "sku": {"13": "S-Red", "14": "M-Red"}}
                }
            }
        }
    )
    + '<form id="product_addtocart_form" data-product-sku="PARENT-17" method="post" action="/checkout/cart/add/product/17/">'
    + '<input type="hidden" name="product" value="17"></form>'
)
LISTING = (
    handles("catalog_category_view_id_3")
    + '<p id="toolbar-amount"><span class="toolbar-number">12</span></p><div class="products wrapper"><ol>'
    + '<li class="product-item"><div data-role="priceBox" data-product-id="5"></div>'
    + '<form data-role="tocart-form" data-product-sku="SKU-5"><input name="product" value="5"></form></li>'
    + '<li class="product-item"><div data-role="priceBox" data-product-id="6"></div></li>'
    + '<li class="product-item"><div data-role="priceBox" data-product-id="5"></div></li></ol></div>'
)
SUCCESS = '<div class="checkout-success"><p>Bestellung Nr. <span>{}</span>.</p><p>Danke <span>x</span></p></div>'
PAGES = {
    "/": ("cms-home cms-index-index", ""),
    "/product": ("catalog-product-view product-5", PRODUCT),
    "/configurable": ("catalog-product-view", CONFIGURABLE),
    "/listing": ("catalog-category-view page-products", LISTING),
    "/catalogsearch/result/": ("catalogsearch-result-index", LISTING),
    "/checkout/cart/": ("checkout-cart-index", ""),
    "/checkout/": ("checkout-index-index", ""),
    "/multishipping/checkout/addresses/": ("multishipping-checkout-addresses", ""),
    "/plain": ("", ""),
    "/search.html": ("", ""),
    "/about": ("cms-page-view cms-about", ""),
    "/missing": ("cms-noroute-index cms-no-route", ""),
    "/customer/account/": ("account customer-account-index", ""),
    "/customer/account/createpassword/": ("customer-account-createpassword", ""),
    "/admin-like": ("adminhtml-dashboard-index", ""),
    "/framing": ("cms-page-view", '<iframe src="/product"></iframe>'),
    "/twice": ("cms-page-view", "{tag}"),
    "/success": ("checkout-onepage-success", ""),
    "/many": (
        "multishipping-checkout-success",
        (
            '<div class="orders-succeed"><ul><li class="shipping-list"><div class="order-id"><a>000000103</a></div></li>'
            '<li class="shipping-list"><div class="order-id"><a>000000104</a></div></li></ul></div>'
        ),
    ),
}


class Shop:
    """The shop's state, and what was called."""

    def __init__(self, room: Any) -> None:
        self.room = room
        self.ometria = OMETRIA
        self.tracked: list[dict[str, Any]] = []
        self._told: list[list[Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.order = "000000100"
        self.refuse = False
        self.version = 0
        self.store_id = "1"
        self.subtotal: Any = None
        self.asked_me = 0
        self.snippet = ""
        self.app = self._make()

    def put(self, product="5", sku="SKU-5", qty=1, price: Any = 10, kind="simple", name="Bag", item="1") -> None:
        """Put a line into the cart."""
        self.lines.append(
            {
                "product_type": kind,
                "qty": qty,
                "item_id": item,
                "product_id": product,
                "product_name": name,
                "product_sku": sku,
                "product_price": "<span>£ 1.234,00</span>",
                "product_price_value": price,
            }
        )

    @property
    def calls(self) -> list[list[Any]]:
        """The calls in the order in which they were made; beacons may arrive in another."""
        return [call for _page, _number, call in sorted(self._told, key=lambda told: told[:2])]

    def forget(self) -> None:
        """Begin the record anew."""
        self._told.clear()

    def named(self, name: str) -> list[list[Any]]:
        """Return the arguments of each call of this name."""
        return [call[1:] for call in self.calls if call[0] == name]

    def cart(self) -> dict[str, Any]:
        self.version += 1
        total = sum(float(line["qty"]) * _price(line["product_price_value"]) for line in self.lines)
        return {
            "summary_count": len(self.lines),
            "items": self.lines,
            "storeId": self.store_id,
            "data_id": self.version,
            "subtotalAmount": (self.subtotal or f"{total:.4f}") if self.lines else None,
            "subtotal": '<span class="price">2.457,00 €</span>',
        }

    def _make(self) -> Flask:
        app = Flask("shop", static_folder=None)

        @app.get("/<path:path>")
        @app.get("/")
        def page(path: str = "") -> Response:
            found = PAGES.get("/" + path)
            if found is None:
                return Response(self.html("", "") if path == "gone-missing" else "", 404)
            classes, body = found
            return Response(
                self.html(request.args.get("classes", classes).replace("none", ""), body), mimetype="text/html"
            )

        @app.post("/calls")
        def calls() -> Response:
            self._told.append(json.loads(request.data))
            return Response("", 204)

        @app.get("/tags/<account>.js")
        def ometria(account: str) -> Response:
            return Response(self.ometria, mimetype="text/javascript")

        @app.get("/track/v3/<account>/event.gif")
        def track(account: str) -> Response:
            text = request.args["data"]
            self.tracked.append(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
            return Response("", 204)

        @app.get("/customer/section/load/")
        def sections() -> Response:
            return Response(json.dumps({"cart": self.cart()}), mimetype="application/json")

        @app.post("/checkout/cart/add/<path:_rest>")
        def add(_rest: str) -> Response:
            product = request.form["product"]
            if not self.refuse:
                line = next((line for line in self.lines if line["product_id"] == product), None)
                if line is None:
                    self.put(
                        product=product,
                        sku=request.form.get("sku", f"SKU-{product}"),
                        name=HOSTILE,
                        kind=request.form.get("kind", "simple"),
                    )
                else:
                    line["qty"] += 1
            if request.headers.get("Sec-Fetch-Mode") == "navigate":
                return redirect("/checkout/cart/")
            return Response('{"backUrl":"http://x/product"}' if self.refuse else "[]", mimetype="application/json")

        return app

    def tag(self) -> str:
        """The markup that the proxy puts into each page, or the snippet that stands there without a proxy."""
        return self.snippet or self.room.tracking.tags.markup(_Head()).decode()

    def html(self, classes: str, body: str) -> str:
        tag = self.tag()
        body = SUCCESS.format(self.order) if request.path == "/success" else body.replace("{tag}", tag)
        checkout = json.dumps({"storeId": self.store_id, "shoppingCartUrl": f"http://{request.host}/checkout/cart/"})
        return (
            f"<!doctype html><html><head>{tag}<link rel=icon href=data:,><script>{SHOP}</script></head>"
            f'<body class="{classes}"><h1>{HOSTILE.replace("<", "&lt;")}</h1>'
            f"<script>window.checkout = {checkout};</script>{body}</body></html>"
        )


class _Head:
    path = b"/"

    def get(self, _name: bytes) -> bytes | None:
        return None


def _price(value: Any) -> float:
    return float(value["incl_tax"] if isinstance(value, dict) else value)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        pass


@contextmanager
def serving(shop: Shop):
    """Serve the shop, and bridge's own paths beside it; yield the origin."""

    def bridge(environ, start_response):
        if environ["PATH_INFO"] == "/me":
            shop.asked_me += 1
        environ["PATH_INFO"] = "/_bridge" + environ["PATH_INFO"]
        environ["SCRIPT_NAME"] = ""
        return shop.room.app(environ, start_response)

    with listening(DispatcherMiddleware(shop.app, {"/_bridge": bridge})) as origin:
        yield origin


@contextmanager
def listening(application):
    """Serve a WSGI application on a free port; yield its origin."""
    server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
