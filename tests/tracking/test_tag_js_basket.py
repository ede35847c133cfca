"""The tag in real Chromium: the basket and what is added to it."""

from __future__ import annotations

import re

import pytest

from bridge.db import db
from bridge.models import CatalogItem
from bridge.tracking.cart_links import Line
from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import STATIC, make_book
from tests.tracking.tag_shop import HOSTILE
from tests.tracking.tag_visit import identify, lines

pytestmark = NEEDS_CHROMIUM


def test_a_basket_is_told_once_however_often_the_cart_is_asked_for(visit):
    visit.shop.put(qty=2, price=34)
    visit.open("/listing")
    visit.do("Promise.all([shop.cart(), shop.cart(), shop.cart(), shop.cart()])")
    visit.open("/")
    visit.open("/product")
    [[basket]] = visit.shop.named("setBasket")
    assert lines(basket) == [("5", None, 2, 68)]
    assert (basket["total"], basket["size"], basket["cur"]) == (68, 2, "GBP")
    assert re.fullmatch(re.escape(visit.origin) + r"/_bridge/cart/[0-9a-f]{48}", basket["url"])
    assert len(basket["id"]) == 24


def test_without_cart_links_the_basket_leads_to_the_cart_page(make_visit):
    visit = make_visit(make_book(tracking__cart_link_days=0))
    visit.shop.put()
    visit.open("/")
    visit.do("shop.cart()")
    assert visit.shop.named("setBasket")[0][0]["url"] == f"{visit.origin}/checkout/cart/"


def test_the_link_of_a_basket_holds_what_the_shops_form_needs_to_rebuild_it(visit):
    visit.shop.put(qty=2)
    visit.shop.put(product="17", sku="S-Red", kind="configurable", item="2")
    visit.shop.lines[1]["options"] = [{"option_id": 93, "option_value": "4"}, {"option_id": 137, "option_value": "7"}]
    visit.shop.put(product="20", sku="BUNDLE-A-B", kind="bundle", item="3")
    visit.open("/")
    visit.do("shop.cart()")
    links = visit.shop.room.tracking.observer._links
    basket = links.find(visit.shop.named("setBasket")[0][0]["url"].rpartition("/")[2])
    assert basket.lines == [
        Line("5", 2, "SKU-5", {}), Line("17", 1, "S-Red", {"93": "4", "137": "7"}), Line("20", 1, "BUNDLE-A-B", None),
    ]  # fmt: skip
    assert basket.store == "default"


def test_by_sku_a_bundle_and_a_product_with_options_carry_the_sku_of_their_record(make_visit):
    visit = make_visit(make_book(products__id_attribute="sku"))
    with visit.shop.room.app.app_context():
        db.session.add_all(
            [
                CatalogItem(sku="BUNDLE", product="20"),
                CatalogItem(sku="PLAIN", product="6"),
                CatalogItem(sku="A-red", product="30"),
            ]
        )
        db.session.commit()
    visit.shop.put(product="20", sku="BUNDLE-A-B", kind="bundle")
    visit.shop.put(product="6", sku="PLAIN-gift", item="2")
    visit.shop.lines[1]["options"] = [{"option_id": 3, "option_value": "for you"}]
    visit.shop.put(item="3")
    visit.open("/")
    visit.do("shop.cart()")
    [[basket]] = visit.shop.named("setBasket")
    assert [line["pid"] for line in basket["lis"]] == ["BUNDLE", "PLAIN", "SKU-5"]


def test_by_sku_a_basket_whose_ids_nobody_knows_is_held_back(make_visit):
    visit = make_visit(make_book(products__id_attribute="sku"))
    visit.shop.put(product="20", sku="BUNDLE-A-B", kind="bundle")
    visit.open("/")
    visit.do("shop.cart()")
    assert visit.shop.named("setBasket") == []


@pytest.mark.parametrize("path", ["/wishlist/index/cart/item/3/", "/sales/order/reorder/order_id/9/"])
def test_what_grew_after_a_wish_list_or_a_reorder_was_added(visit, path):
    visit.shop.put()
    visit.open("/about")
    visit.do("shop.cart()")
    visit.shop.lines[0]["qty"] = 3
    visit.shop.put(product="6", sku="SKU-6", item="2")
    visit.do(f"fetch('{path}', {{ method: 'POST' }}).then(() => shop.cart())")
    visit.wrong.clear()
    assert sorted(visit.shop.named("trackAddToBasket")) == [["5", 2], ["6", 1]]


def test_the_basket_is_a_full_one_with_parent_and_variant_after_a_mini_cart_change(visit):
    visit.shop.room.shop_variants["S-Red"] = ("13", "17")
    visit.shop.put()
    visit.shop.put(product="17", sku="S-Red", price=52, kind="configurable", item="2")
    visit.open("/")
    visit.do("shop.cart()")
    visit.shop.lines[0]["qty"] = 3
    visit.do("shop.cart()")
    first, second = (basket for [basket] in visit.shop.named("setBasket"))
    assert lines(first) == [("5", None, 1, 10), ("17", "13", 1, 52)]
    assert lines(second) == [("5", None, 3, 30), ("17", "13", 1, 52)]
    assert first["id"] == second["id"]
    assert visit.shop.room.asked == [["S-Red"]]


def test_a_variant_that_the_page_lists_is_not_asked_for(visit):
    visit.open("/configurable")
    visit.shop.put(product="17", sku="M-Red", price=52, kind="configurable")
    visit.do("shop.cart()")
    assert lines(visit.shop.named("setBasket")[0][0]) == [("17", "14", 1, 52)]
    assert visit.shop.room.asked == []


def test_an_unknown_variant_leaves_the_line_with_its_product(visit):
    visit.shop.put(product="17", sku="GONE", price=52, kind="configurable")
    visit.open("/")
    visit.do("shop.cart()")
    assert lines(visit.shop.named("setBasket")[0][0]) == [("17", None, 1, 52)]


def test_a_swap_with_equal_size_and_total_is_told(visit):
    visit.shop.put(product="5", sku="SKU-5")
    visit.shop.put(product="6", sku="SKU-6", item="2")
    visit.open("/")
    visit.do("shop.cart()")
    visit.shop.lines[1].update(product_id="7", product_sku="SKU-7")
    visit.do("shop.cart()")
    visit.page.wait_for_timeout(300)
    visit.settle()
    told = [lines(basket) for [basket] in visit.shop.named("setBasket")]
    assert told == [
        [("5", None, 1, 10), ("6", None, 1, 10)],
        [("5", None, 1, 10)],
        [("5", None, 1, 10), ("7", None, 1, 10)],
    ]


def test_a_swap_that_the_page_was_left_in_is_told_on_the_next_page(visit):
    visit.shop.put(product="6", sku="SKU-6")
    visit.open("/")
    visit.do("shop.cart()")
    visit.shop.lines[0].update(product_id="7", product_sku="SKU-7")
    visit.page.evaluate("shop.cart()")
    visit.open("/product")
    visit.page.wait_for_timeout(300)
    visit.settle()
    assert lines(visit.shop.named("setBasket")[-1][0]) == [("7", None, 1, 10)]


def test_an_emptied_cart_is_an_empty_basket_and_the_next_one_has_another_id(visit):
    visit.shop.put()
    visit.open("/")
    visit.do("shop.cart()")
    visit.shop.lines.clear()
    visit.do("shop.cart()")
    visit.do("shop.cart()")
    visit.shop.put()
    visit.do("shop.cart()")
    first, empty, next_one = (basket for [basket] in visit.shop.named("setBasket"))
    assert (empty["size"], empty["total"], empty["lis"]) == (0, 0, [])
    assert first["id"]
    assert next_one["id"]
    assert first["id"] != next_one["id"]


def test_a_cart_that_was_asked_for_before_the_tag_ran_is_found_in_storage(visit):
    visit.shop.put()
    visit.page.add_init_script("document.addEventListener('DOMContentLoaded', () => shop.cart())")
    visit.open("/")
    visit.page.wait_for_timeout(2000)
    visit.settle()
    assert [lines(basket) for [basket] in visit.shop.named("setBasket")] == [[("5", None, 1, 10)]]


def test_a_stored_cart_that_the_shop_calls_stale_is_not_told(visit):
    visit.open("/")
    visit.shop.put()
    visit.page.evaluate(
        "(cart) => localStorage.setItem('mage-cache-storage', JSON.stringify({ cart }))", visit.shop.cart()
    )
    visit.context.add_cookies([{"name": "section_data_ids", "value": "%7B%22cart%22%3A99%7D", "url": visit.origin}])
    visit.open("/product")
    visit.context.clear_cookies(name="section_data_ids")
    visit.page.evaluate("localStorage.setItem('mage-cache-storage-section-invalidation', '{\"cart\":true}')")
    visit.open("/product")
    assert visit.shop.named("setBasket") == []
    visit.page.evaluate("localStorage.removeItem('mage-cache-storage-section-invalidation')")
    visit.open("/product")
    assert len(visit.shop.named("setBasket")) == 1


def test_a_cart_that_was_never_filled_is_not_told(visit):
    visit.open("/")
    assert [call[0] for call in visit.do("shop.cart()")] == ["init"]


@pytest.mark.parametrize(
    ("price", "subtotal", "line", "total"),
    [
        (1245, "2490.0000", 2490, 2490),
        ("1245.50", 2491, 2491, 2491),
        ({"incl_tax": 12.5, "excl_tax": 10}, "25.0000", 25, 25),
        (0.1, "0.2000", 0.2, 0.2),
        (3700, "7.400,00", 7400, 7400),
    ],
)
def test_numbers_come_from_data_and_never_from_text_for_people(visit, price, subtotal, line, total):
    visit.shop.put(qty=2, price=price)
    visit.shop.subtotal = subtotal
    visit.open("/")
    visit.do("shop.cart()")
    [[basket]] = visit.shop.named("setBasket")
    assert (basket["lis"][0]["tot"], basket["total"]) == (line, total)


def test_a_price_that_only_people_can_read_is_not_told(visit):
    visit.open("/")
    cart = {
        "items": [{"product_id": "5", "product_sku": "S", "qty": 1, "product_price_value": "1.245,00 €"}],
        "data_id": 1,
    }
    visit.page.evaluate("(cart) => localStorage.setItem('mage-cache-storage', JSON.stringify({ cart }))", cart)
    visit.open("/product")
    assert visit.shop.named("setBasket") == []


def test_hostile_names_stay_text(visit):
    visit.open("/product")
    visit.do("shop.add('5')")
    assert visit.shop.lines[0]["product_name"] == HOSTILE
    assert visit.page.evaluate("typeof window.broken") == "undefined"
    assert [call[0] for call in visit.shop.calls] == ["init", "trackAddToBasket", "setBasket"]


def test_without_the_database_the_basket_is_told_all_the_same(visit):
    with visit.shop.room.app.app_context():
        db.drop_all()
    visit.shop.put(product="17", sku="S-Red", price=52, kind="configurable")
    visit.open("/")
    visit.do("shop.cart()")
    [[basket]] = visit.shop.named("setBasket")
    assert lines(basket) == [("17", None, 1, 52)]
    assert basket["id"]
    assert "503" in visit.wrong[0]
    visit.wrong.clear()


def by_request(body):
    """Adding with a ``Request``, whose body nobody can read once it is sent."""
    return (
        f"fetch(new Request('/checkout/cart/add/product/5', {{ method: 'POST', body: new {body} }}))"
        ".then(() => shop.cart())"
    )


@pytest.mark.parametrize(
    "call",
    [
        "shop.add('5')",
        "shop.fetchAdd('5')",
        by_request("URLSearchParams({ product: '5' })"),
        by_request("FormData(document.querySelector('form'))"),
    ],
)
def test_an_add_is_told_once_and_not_again_after_reload_back_or_in_another_tab(visit, call):
    visit.open("/listing")
    visit.do(call)
    visit.do("Promise.all([shop.cart(), shop.cart(), shop.cart()])")
    visit.page.reload()
    visit.do("shop.cart()")
    visit.page.reload()
    visit.open("/")
    visit.page.go_back()
    visit.do("shop.cart()")
    visit.open("/product", visit.tab())
    assert visit.shop.named("trackAddToBasket") == [["5", 1]]


def test_growth_is_what_is_told(visit):
    visit.shop.put(qty=2)
    visit.open("/product")
    visit.do("shop.cart()")
    visit.do("Promise.all([shop.add('5'), shop.add('5')])")
    visit.do("shop.add('5')")
    assert sum(quantity for _, quantity in visit.shop.named("trackAddToBasket")) == 3


def test_a_refused_add_is_not_told_even_after_the_quantity_grew_otherwise(visit):
    visit.open("/product")
    visit.shop.refuse = True
    visit.do("shop.add('5')")
    visit.shop.put(qty=4)
    visit.do("shop.cart()")
    assert visit.shop.named("trackAddToBasket") == []


def test_an_add_survives_the_redirect_of_a_plain_form(visit):
    visit.open("/product")
    visit.page.click("text=Add")
    visit.page.wait_for_url("**/checkout/cart/")
    visit.do("shop.cart()")
    visit.do("shop.cart()")
    assert visit.shop.named("trackAddToBasket") == [["5", 1]]


def test_adds_elsewhere_than_on_product_and_listing_pages_are_not_told(visit):
    visit.open("/")
    visit.do("shop.add('5')")
    assert visit.shop.named("trackAddToBasket") == []
    assert len(visit.shop.named("setBasket")) == 1


def test_the_products_of_a_group_are_told_each(visit):
    visit.open("/product")
    visit.page.evaluate("shop.cart()")
    visit.settle()
    visit.shop.put(product="4", sku="SKU-4")
    visit.shop.put(product="6", sku="SKU-6", qty=2)
    visit.shop.refuse = True
    visit.do("shop.add('19', { 'super_group[4]': '1', 'super_group[6]': '2', 'super_group[7]': '0' })")
    assert sorted(visit.shop.named("trackAddToBasket")) == [["4", 1], ["6", 2]]


def test_the_pages_own_calls_are_passed_through_unharmed(visit):
    visit.open("/product")
    told = visit.page.evaluate(
        """async () => {
          const request = new XMLHttpRequest();
          request.open('GET', '/about', false);
          request.send();
          const failed = await fetch('http://127.0.0.1:1/').catch((error) => error.name);
          const sections = await fetch(new Request('/customer/section/load/?sections=cart'));
          return [request.status, failed, (await sections.json()).cart.items.length, sections.url.length > 0];
        }"""
    )
    assert told == [200, "TypeError", 0, True]
    visit.wrong.clear()


@pytest.mark.parametrize(
    ("kind", "seen"), [("", True), ("text", True), ("json", True), ("blob", False), ("arraybuffer", False)]
)
def test_a_cart_is_seen_however_the_shops_script_wants_the_answer_and_the_script_gets_it(visit, kind, seen):
    """What is no text for the page is none for the tag; the page has its answer in any case."""
    visit.shop.put()
    visit.open("/product")
    size = visit.page.evaluate(
        """(kind) => new Promise((done) => {
          const request = new XMLHttpRequest();
          request.open('GET', '/customer/section/load/?sections=cart');
          request.responseType = kind;
          request.onload = () => done(request.response.size || request.response.byteLength || JSON.stringify(request.response).length);
          request.send();
        })""",
        kind,
    )
    visit.settle()
    assert size > 50
    assert [lines(basket) for [basket] in visit.shop.named("setBasket")] == ([[("5", None, 1, 10)]] if seen else [])


def test_the_sandboxs_script_sends_what_the_tag_tells(visit):
    visit.shop.ometria = (STATIC / "sandbox" / "ometria-tag.js").read_text(encoding="utf-8")
    visit.open("/product")
    visit.do("shop.add('5')")
    visit.shop.lines[0].update(product_id="6", product_sku="SKU-6")
    visit.do("shop.cart()")
    visit.page.wait_for_timeout(600)
    identify(visit, "ada@example.com")
    visit.page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => setTimeout(() => shop.cart(), 100))"
    )
    visit.shop.lines.clear()
    for _ in range(2):
        visit.open("/success")
        visit.page.wait_for_timeout(800)
    events = sorted(visit.shop.tracked, key=lambda event: event["sent"])
    assert [event["type"] for event in events] == [
        "pageview", "addtobasket", "setbasket", "setbasket", "setbasket", "pageview", "identify", "setbasket", "transaction",
        "pageview",
    ]  # fmt: skip
    assert [[line["pid"] for line in event["d"]["lis"]] for event in events if event["type"] == "setbasket"] == [
        ["5"], [], ["6"], [],
    ]  # fmt: skip
    assert {event["site"] for event in events} == {"default"}
