"""Pages that are the same for everybody, and the manners of every answer."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.sandbox.shop_client import BASE_URL, set_cookies

CACHED = [
    "/",
    "/bags.html",
    "/quayside-holdall.html",
    "/breakwater-jacket.html",
    "/catalogsearch/result/?q=wool",
    "/about-us",
]


@pytest.mark.parametrize("path", CACHED)
def test_a_cacheable_page_is_the_same_bytes_for_every_guest(shop, visitor, path):
    visitor.add(1)
    shop.clock.advance(90)
    assert visitor.get(path).data == shop.visitor().get(path).data


@pytest.mark.parametrize("path", [*CACHED, "/checkout/cart/", "/customer/account/login/", "/nowhere"])
def test_every_page_begins_as_luma_pages_do(visitor, path):
    text = visitor.get(path).text
    assert re.match(r'<!doctype html>\n<html lang="en">\n    <head [^>]*>\n        <script>\n    var LOCALE', text)
    assert text.count("<body") == text.count("</body>") == text.count("</head>") == 1
    assert "<meta charset" in text
    for hook in (
        'data-block="minicart"',
        'id="newsletter-validate-detail"',
        'id="search_mini_form"',
        "window.checkout = {",
        "page messages",
    ):
        assert hook in text, hook


def test_the_hidden_form_key_of_a_cached_page_is_nobodys(visitor):
    assert visitor.form_key not in visitor.get("/").text
    assert visitor.form_key in visitor.get("/checkout/cart/").text


def test_a_product_page_has_the_hooks_of_a_simple_product(visitor):
    text = visitor.get("/trailhead-daypack.html").text
    for hook in (
        '<form data-product-sku="HP-BAG-02"', 'id="product_addtocart_form"', 'name="product" value="2"',
        'name="selected_configurable_option" value=""', 'name="item" value="2"', 'itemprop="sku">HP-BAG-02<',
        'data-price-box="product-id-2"', '<meta property="product:price:amount" content="39"/>',
        '<meta property="og:type" content="product"/>', "/product/2/",
    ):  # fmt: skip
        assert hook in text, hook


def test_a_sold_out_product_has_a_page_but_no_form(visitor):
    text = visitor.get("/bridle-leather-belt.html").text
    assert "Out of stock" in text
    assert "product_addtocart_form" not in text
    assert "Bridle Leather Belt" not in visitor.get("/bags.html").text


def test_variants_that_are_sold_out_are_not_offered(visitor):
    text = visitor.get("/harbour-jumper.html").text
    assert '"HP-JMP-M-Navy"' in text
    assert '"HP-JMP-L-Navy"' not in text


def test_a_variant_has_no_page(visitor):
    assert visitor.get("/breakwater-jacket-s-navy.html").status_code == 404


def test_names_with_quotes_stand_escaped_in_the_page(visitor):
    text = visitor.get("/creme-brulee-etoile-pot-lid.html").text
    assert "Crème Brûlée &#34;Étoile&#34; Pot &amp; Lid" in text


def test_the_search_finds_words_and_escapes_them(visitor):
    assert "product-item-info_5" in visitor.get("/catalogsearch/result/?q=lambswool").text
    text = visitor.get("/catalogsearch/result/?q=<script>alert(1)</script>").text
    assert "<script>alert(1)" not in text
    assert "Nothing in the shop" in text


def test_the_home_page_under_its_own_name_is_a_content_page(visitor):
    assert 'class="cms-home cms-page-view' in visitor.get("/home").text


def test_a_wrong_host_is_sent_to_the_base_url_without_its_query(visitor):
    answer = visitor.client.get("/bags.html?p=2", base_url="http://127.0.0.1:8002/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{BASE_URL}bags.html")


def test_posts_files_and_rest_are_answered_under_any_host(visitor):
    other = "http://127.0.0.1:8002/"
    assert visitor.client.get("/static/shop.js", base_url=other).status_code == 200
    assert visitor.client.get("/rest/V1/store/websites", base_url=other).status_code == 401
    assert visitor.client.post("/checkout/cart/add/", base_url=other).headers["Location"] == f"{BASE_URL}checkout/cart/"


def test_pages_are_gzipped_on_the_fly_when_asked(visitor):
    plain = visitor.get("/", **{"Accept-Encoding": "identity"})
    packed = visitor.get("/", **{"Accept-Encoding": "gzip, deflate, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert "Content-Length" not in packed.headers
    assert visitor.get("/", **{"Accept-Encoding": "gzip"}).data == packed.data, "the same page gives the same bytes"


def test_a_short_answer_is_not_compressed(visitor):
    answer = visitor.get("/customer/section/load/?sections=customer", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_head_gives_the_plain_length(visitor):
    page = visitor.get("/")
    head = visitor.client.head("/", base_url=BASE_URL)
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(page.data)


def test_pages_report_on_scripts_and_forbid_nothing(visitor):
    headers = visitor.get("/").headers
    assert "'unsafe-inline'" in headers["Content-Security-Policy-Report-Only"]
    assert "Content-Security-Policy" not in headers


def test_visitors_get_a_session_that_scripts_cannot_read(visitor):
    line = set_cookies(visitor.get("/"))["PHPSESSID"]
    assert {"Domain=shop.test", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(line.split("; "))
    assert "form_key" not in set_cookies(visitor.get("/"))
    assert "HttpOnly" not in set_cookies(visitor.get("/checkout/cart/"))["form_key"]


def test_a_session_goes_on_as_long_as_its_cookie_comes(visitor):
    visitor.get("/")
    first = visitor.cookie("PHPSESSID")
    visitor.get("/bags.html")
    assert visitor.cookie("PHPSESSID") == first


def test_crawlers_do_not_fill_the_memory_and_cost_nobody_the_cart(shop, visitor, monkeypatch):
    monkeypatch.setattr("bridge.sandbox.state.MOST_BLANK_SESSIONS", 10)
    visitor.add(1)
    for _ in range(50):
        shop.visitor().get("/")
    assert len(shop.state.sessions) <= 11
    assert visitor.cart()["summary_count"] == 1


@pytest.mark.parametrize("path", ["/static/nosuch.js", "/static/../shop.py", "/media/catalog/product/x/y/z.svg"])
def test_files_that_are_not_there_are_short_404s(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert answer.data == b""


def test_a_script_that_did_not_change_is_not_sent_again(visitor):
    first = visitor.get("/static/shop.js", **{"Accept-Encoding": "gzip"})
    assert (first.mimetype, first.headers["Content-Encoding"]) == ("text/javascript", "gzip")
    again = visitor.get("/static/shop.js", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_every_product_has_a_picture_under_any_cache_hash(shop, visitor):
    for product in shop.state.catalog.products:
        answer = visitor.get(f"/media/catalog/product/cache/0a1b{product.image_file}")
        assert answer.mimetype == "image/svg+xml"
        assert answer.data.startswith(b"<svg") and b"{" not in answer.data


def test_every_link_and_picture_of_the_shop_leads_somewhere(shop, visitor):
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop()
        if path in seen or "/logout/" in path:
            continue
        seen.add(path)
        answer = visitor.get(path)
        assert answer.status_code in {200, 302}, path
        if answer.mimetype == "text/html":
            found = re.findall(r'(?:href|src)="(http://shop\.test/[^"#]*)"', answer.text)
            waiting += [address[len(BASE_URL) - 1 :] for address in found]
    assert len(seen) > 30
