"""What Ometria is told of a basket and what it is sent of the order and its products later: one thing, said twice."""

from __future__ import annotations

import json

import pytest

from bridge.config import Config
from bridge.export.gather import Ready
from bridge.store.magento import Magento
from tests.chromium import NEEDS_CHROMIUM
from tests.export import books, raw_shop
from tests.tracking.sandbox_visit import TOKEN, sandbox_shop

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def browser(tmp_path, chromium):
    with sandbox_shop(tmp_path) as visitor:
        context = chromium.new_context()
        browser = visitor(context)
        yield browser
        context.close()
        assert browser.wrong == []


def records(browser, kind, ids):
    """Return what the export sends of entities, by id; the shop is asked by REST as a session asks it."""
    shop = Magento(Config(store_url=browser.url, public_url=browser.url, store_token=TOKEN))
    view = books.store(1, "default", 1, "base", "GBP")
    account, _ = books.make()
    book = books.make_book({"default": {"orders.currency": "local"}}, (view,))
    with browser.room.app.app_context():
        found = raw_shop.outcomes(shop, kind, ids, account, book)
    assert all(isinstance(one, Ready) for one in found.values()), found
    return {id_: json.loads(one.record.body, parse_float=float) for id_, one in found.items()}


def put(browser, name):
    if name == "simple":
        browser.add("/quayside-holdall.html")
    elif name == "reduced":
        browser.add("/herringbone-scarf.html")
    elif name == "configurable":
        browser.open("/breakwater-jacket.html")
        browser.page.get_by_label("Colour", exact=True).select_option(label="Moss")
        browser.page.get_by_label("Size", exact=True).select_option(label="M")
        browser.click("#product-addtocart-button")
    elif name == "bundle":
        browser.open("/weekend-kit.html")
        browser.page.fill("#qty", "2")
        browser.click("#product-addtocart-button")
    elif name == "group":
        browser.open("/galley-table.html")
        browser.page.fill("[name='super_group[3]']", "2")
        browser.page.fill("[name='super_group[4]']", "1")
        browser.click("#product-addtocart-button")


@pytest.mark.parametrize("currency", ["GBP", "USD"])
@pytest.mark.parametrize("names", [("simple", "reduced"), ("configurable",), ("bundle", "group")], ids="-".join)
def test_a_basket_is_what_its_order_and_products_are_sent_as(browser, currency, names):
    browser.open("/quayside-holdall.html")
    if currency != "GBP":
        browser.click(f"#switcher-currency .currency-{currency} a")
    for name in names:
        put(browser, name)
    number = browser.pay()
    browser.check(browser.orders, [number])
    told = [basket for basket in browser.told("setbasket") if basket.get("lis")][-1]
    order = next(order for order in browser.state.orders.values() if order.increment_id == number)
    (sent,) = records(browser, "order", [str(order.entity_id)]).values()
    assert (sent["id"], sent["currency"]) == (number, told["cur"])
    assert told["cur"] == currency
    assert sorted((line["pid"], line.get("vid"), line["q"], line["tot"]) for line in told["lis"]) == sorted(
        (line["product_id"], line.get("variant_id"), line["quantity"], line["subtotal"]) for line in sent["lineitems"]
    )
    assert told["total"] == sent["subtotal"]
    ids = {line.get("vid") or line["pid"] for line in told["lis"]}
    pushed = records(browser, "product", sorted(ids))
    assert {record["id"] for record in pushed.values()} == ids, "Ometria knows each thing in the basket"
    for line in told["lis"] if currency == "GBP" and "bundle" not in names else ():
        record = pushed[line.get("vid") or line["pid"]]
        assert line["tot"] == line["q"] * (record.get("special_price") or record["price"])
        assert record["currency"] == currency
