"""The walk through the sandbox shop, and through shops that have something wrong."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from flask import Flask, Response, redirect, request

from bridge.checks.crawl import crawl
from bridge.cli import main
from bridge.errors import Misconfigured
from bridge.sandbox.listener import Listener
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop


@pytest.fixture
def serve():
    listeners = []

    def start(make):
        listener = Listener("127.0.0.1", 0)
        listener.start(make(listener.url))
        listeners.append(listener)
        return listener.url

    yield start
    for listener in listeners:
        listener.stop()


@pytest.fixture
def sandbox(serve):
    made = {}

    def make(url):
        shop = create_shop(ShopOptions(url, "token"))
        made["catalog"] = shop.extensions["sandbox_shop"].catalogs["default"]
        return shop

    return serve(make), {product.sku: str(product.id) for product in made["catalog"].by_id.values()}


def walked(url, find_ids=None):
    return [(finding.name, finding.level, finding.sentence) for finding in crawl(url, find_ids)]


def test_every_page_of_the_sandbox_is_recognised_and_its_ids_are_the_exports(sandbox):
    url, ids = sandbox
    found = walked(url, lambda skus: {sku: ids[sku] for sku in skus if sku in ids})
    assert {name for name, _, _ in found} == {"home", "category", "product", "cart", "checkout"}
    assert [finding for finding in found if finding[1] != "ok"] == []
    told = " ".join(sentence for _, _, sentence in found)
    for signal in ("cms-index-index", "catalog-category-view", "catalog-product-view", "checkout-cart-index",
                   "checkout-index-index"):  # fmt: skip
        assert f"body class {signal}" in told
    assert "bridge's tag is not in it" in told
    assert told.count("equal those of the export") == 3


def test_other_ids_than_the_exports_are_a_fault_and_named(sandbox):
    url, ids = sandbox
    found = walked(url, lambda skus: {sku: "999" for sku in skus if sku in ids})
    faults = [(name, sentence) for name, level, sentence in found if level == "fail"]
    assert {name for name, _ in faults} == {"category", "product", "cart"}
    assert all("and 999 there" in sentence for _, sentence in faults)
    assert any("unknown there" in sentence for _, _, sentence in walked(url, lambda _: {}))


def test_without_rest_ids_are_shown_and_not_compared(sandbox):
    found = walked(sandbox[0])
    assert [name for name, level, _ in found if level == "warn"] == ["category", "product", "cart"]
    assert not [finding for finding in found if finding[1] == "fail"]


def test_a_shop_without_magentos_classes_is_said_to_be_so(serve):
    def make(_url):
        app = Flask("plain")
        page = '<body><nav><a href="/shoes">Shoes</a></nav></body>'
        app.add_url_rule("/", "home", lambda: page)
        app.add_url_rule("/<path:_path>", "any", lambda _path: page)
        return app

    levels = {name: level for name, level, _ in walked(serve(make))}
    assert levels["category"] == levels["product"] == "warn"


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_shop_that_does_not_work_is_a_fault(serve, status):
    def make(_url):
        app = Flask("broken")
        app.add_url_rule("/", "home", lambda: ("<body>", status))
        return app

    assert walked(serve(make)) == [("home", "fail", f"The page answers {status}: look at the shop's own logs.")]


def test_a_shop_that_leads_elsewhere_or_in_circles_ends(serve):
    def away(_url):
        app = Flask("away")
        app.add_url_rule("/", "home", lambda: redirect("http://elsewhere.test/"))
        return app

    def circle(_url):
        app = Flask("circle")
        app.add_url_rule("/", "home", lambda: redirect(request.url))
        return app

    assert walked(serve(away)) == [("crawl", "fail", "elsewhere.test is none of the configured hosts.")]
    assert walked(serve(circle))[0][1] == "fail"


def test_nobody_at_the_address_is_a_fault():
    assert walked("http://127.0.0.1:1")[0][:2] == ("crawl", "fail")


@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example/", "file:///etc/passwd", ""])
def test_what_is_no_address_of_a_shop_is_refused(url):
    with pytest.raises(Misconfigured):
        list(crawl(url, None))


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"cart": {"items": {"a": 1}}}', '{"cart": null}', "x" * 70_000])
def test_a_cart_that_is_no_json_is_an_empty_one(serve, answer):
    def make(_url):
        app = Flask("odd")
        tile = '<li class="product-item"><i data-product-id="5"></i></li>'
        home = '<body class="cms-index-index"><nav><a href="/c">c</a></nav>'
        app.add_url_rule("/", "home", lambda: home)
        app.add_url_rule("/c", "c", lambda: f'<body class="catalog-category-view"><ol class="products">{tile}</ol>')
        app.add_url_rule("/customer/section/load/", "load", lambda: answer)
        app.add_url_rule("/checkout/cart/", "cart", lambda: '<body class="checkout-cart-index">')
        app.add_url_rule("/checkout/cart/add/<path:_p>", "add", lambda _p: "[]", methods=["POST"])
        return app

    found = walked(serve(make))
    assert found[-1][:2] == ("cart", "warn")
    assert "No product could be put into a cart" in found[-1][2]


def few_pages(section, add="[]"):
    """A shop of a home page, a category with one product, and a cart whose section is answered with this."""
    app = Flask("few")
    tile = '<li class="product-item"><i data-product-id="5"></i></li>'
    app.add_url_rule("/", "home", lambda: '<body class="cms-index-index"><nav><a href="/c">c</a></nav>')
    app.add_url_rule("/c", "c", lambda: f'<body class="catalog-category-view"><ol class="products">{tile}</ol>')
    app.add_url_rule("/customer/section/load/", "load", section)
    app.add_url_rule("/checkout/cart/", "cart", lambda: '<body class="checkout-cart-index">')
    app.add_url_rule("/checkout/", "checkout", lambda: '<body class="brand-quick-pay">')
    app.add_url_rule("/checkout/cart/add/<path:_p>", "add", lambda _p: add, methods=["POST"])
    return app


def test_of_a_section_of_50_megabytes_the_beginning_is_read_and_no_more(serve):
    sent = []

    def endless():
        yield b'{"cart": {"items": ['
        for _ in range(50):
            sent.append(1)
            yield b'{"product_id": "5", "product_sku": "a/b"},' * 24_000

    found = walked(serve(lambda _url: few_pages(lambda: Response(endless(), mimetype="application/json"))))
    assert found[-1][:2] == ("cart", "warn")
    assert len(sent) < 50


def test_of_a_cart_of_ten_thousand_items_a_few_are_named_whatever_their_ids_and_prices_look_like(serve):
    item = {"product_id": 5, "product_sku": "A/B \"+'", "qty": "1,5", "product_price_value": {"incl_tax": "9,50 €"}}
    answer = json.dumps({"cart": {"items": [item] * 10_000, "subtotalAmount": "95.000,00"}})
    found = walked(serve(lambda _url: few_pages(lambda: answer)), lambda skus: dict.fromkeys(skus, "5"))
    [told] = [sentence for name, _, sentence in found if name == "cart" and sentence.startswith("In it")]
    assert told.endswith("and 9995 more.")
    assert len(told) < 400
    assert ("cart", "ok", "20 of 20 ids equal those of the export.") in found


def test_a_shops_own_page_types_are_heeded(serve):
    answer = json.dumps({"cart": {"items": [{"product_id": "5", "product_sku": "S"}]}})
    url = serve(lambda _url: few_pages(lambda: answer))
    assert [level for name, level, _ in walked(url) if name == "checkout"] == ["ok"], "the path says what it is"
    found = [finding.sentence for finding in crawl(url, None, (("brand-quick-*", "checkout"), ("/c", "listing")))]
    assert any("rule brand-quick-*" in sentence for sentence in found)
    assert any("rule /c" in sentence for sentence in found)
    other = [finding for finding in crawl(url, None, (("brand-quick-*", None),)) if finding.name == "checkout"]
    assert [finding.level for finding in other] == ["warn"]


def test_an_answer_that_cannot_be_decoded_is_a_fault_and_no_crash(serve):
    def make(_url):
        app = Flask("coded")
        app.add_url_rule("/", "home", lambda: Response(b"no gzip", headers={"Content-Encoding": "gzip"}))
        return app

    assert [finding[:2] for finding in walked(serve(make))] == [("crawl", "fail")]


def test_a_hyva_shop_is_recognised_and_its_cart_compared(serve):
    made = {}

    def make(url):
        shop = create_shop(ShopOptions(url, "token", front="hyva"))
        made["catalog"] = shop.extensions["sandbox_shop"].catalogs["default"]
        return shop

    url = serve(make)
    ids = {product.sku: str(product.id) for product in made["catalog"].by_id.values()}
    found = walked(url, lambda skus: {sku: ids[sku] for sku in skus if sku in ids})
    assert {name for name, _, _ in found} == {"home", "category", "product", "cart", "checkout"}
    assert [finding for finding in found if finding[1] == "fail"] == []
    assert any(name == "cart" and "equal those of the export" in sentence for name, _, sentence in found)


@pytest.mark.redis
def test_the_command_walks_the_shop_and_compares_with_its_rest(tmp_path, redis_server, redis_client, serve):
    url = serve(lambda url: create_shop(ShopOptions(url, "right-token")))
    environ = {
        "BRIDGE_DATA_DIR": str(tmp_path),
        "BRIDGE_STORE_URL": url,
        "BRIDGE_PUBLIC_URL": url,
        "BRIDGE_REDIS_URL": redis_server.url,
        "BRIDGE_STORE_TOKEN": "right-token",
    }
    ended = CliRunner().invoke(main, ["check", "--crawl", url], env=environ)
    assert ended.exit_code == 0, ended.output
    lines = ended.output.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert sum("equal those of the export" in line for line in lines) == 3
    assert CliRunner().invoke(main, ["check", "--crawl", "shop"], env=environ).exit_code == 78
