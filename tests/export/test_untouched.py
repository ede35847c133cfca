"""Every change that leaves ``updated_at`` where it was, as a running shop showed, is found by another signal.

The sandbox keeps the same rule: its stock moves and partial shipments touch no product and no order.
"""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import msgspec
import pytest
import requests

from bridge.db import db
from bridge.errors import Misconfigured, Stumbled
from bridge.events import EntityRef, Subscribed
from bridge.export import cursors, jobs, stock, sweep
from bridge.models import VariantParent
from bridge.sandbox.seeds import PASSWORD
from bridge.settings import load_book
from bridge.store import Category, Listed, Paper
from tests.export import samples
from tests.export.test_jobs import happen, waiting
from tests.export.test_sandbox import TOKEN, export_all, sandbox
from tests.export.test_sweep import sent_all, swept, view

pytestmark = pytest.mark.redis
__all__ = ["sandbox", "sent_all"]


def paper(order, moment, name="shipment:1"):
    listed = Listed(ref=EntityRef("order", order), updated_at=moment, store_id=1)
    return Paper(id=name, order=listed)


class TestDocuments:
    @pytest.fixture
    def quiet(self, room):
        """A shop whose changes were all seen: nothing waits."""
        room.shop.clock = lambda: samples.at(3)
        jobs.poll()
        room.shop.clock = lambda: samples.at(5)
        return room

    @pytest.mark.parametrize("kind", ["shipment", "invoice", "credit_memo"])
    def test_a_new_document_owes_its_order_once(self, quiet, kind):
        assert ("order", "4") not in waiting()
        quiet.shop.made.append(paper("4", samples.at(4, 59), f"{kind}:1"))
        jobs.poll()
        assert waiting()["order", "4"].lane == "live"
        generation = waiting()["order", "4"].generation
        jobs.poll()
        assert waiting()["order", "4"].generation == generation

    def test_a_document_that_appears_late_is_found(self, quiet):
        jobs.poll()
        quiet.shop.made.append(paper("4", samples.at(4, 57)))
        quiet.shop.clock = lambda: samples.at(5, 1)
        jobs.poll()
        assert ("order", "4") in waiting()

    def test_old_documents_are_no_news(self, quiet):
        quiet.shop.made.append(paper("4", samples.at(2)))
        jobs.poll()
        assert waiting() == {}

    def test_a_changed_part_owes_what_holds_it_too(self, quiet):
        db.session.add(VariantParent(variant="13", parent="17"))
        db.session.commit()
        quiet.shop.put(msgspec.structs.replace(samples.VARIANT, updated_at=samples.at(4, 59)))
        jobs.poll()
        assert {key: row.lane for key, row in waiting().items()} == {
            ("product", "13"): "live",
            ("product", "17"): "live",
        }

    def test_a_kind_that_the_shop_fails_to_list_hides_none_of_the_others(self, quiet, monkeypatch):
        whole = quiet.shop.changed_since

        def failing(kind, since, until):
            if kind == "order":
                raise Stumbled("The shop failed.")
            return whole(kind, since, until)

        monkeypatch.setattr(quiet.shop, "changed_since", failing)
        quiet.shop.put(msgspec.structs.replace(samples.BAG, updated_at=samples.at(4, 59)))
        quiet.shop.made.append(paper("4", samples.at(4, 59)))
        jobs.poll()
        assert {("product", "1"), ("order", "4")} <= set(waiting())

    def test_a_missing_right_for_documents_stops_no_other_poll(self, quiet, monkeypatch):
        def refused(*_):
            raise Misconfigured("The shop refuses the token for Magento_Sales::shipment (401).")

        monkeypatch.setattr(quiet.shop, "papers", refused)
        quiet.shop.put(msgspec.structs.replace(samples.BAG, updated_at=samples.at(4, 59)))
        jobs.poll()
        assert ("product", "1") in waiting()
        assert "Magento_Sales::shipment" in cursors.read("shop")["problem"]


def ask(own, method, route, **given):
    answer = requests.request(
        method,
        f"{own.config.store_url}/rest/V1/{route}",
        headers={"Authorization": f"Bearer {TOKEN}", "Host": "shop.test"},
        timeout=20,
        **given,
    )
    assert answer.ok, answer.text
    return answer.json()


def stamp(own, kind, id_):
    return own.store.fetch([EntityRef(kind, id_)])[EntityRef(kind, id_)].updated_at


def test_stock_set_by_the_api_is_told_by_the_stock_sweep(room, sandbox):
    export_all("product")
    stock.sweep(sandbox.store, load_book())
    product = next(one for one in sandbox.store.pages("product").rows if one.type == "simple")
    before = stamp(sandbox, "product", product.id)
    assert room.records("product")[product.id]["is_in_stock"] is True
    item = {"sku": product.sku, "source_code": "default", "quantity": 0, "status": 0}
    ask(sandbox, "POST", "inventory/source-items", json={"sourceItems": [item]})
    assert stamp(sandbox, "product", product.id) == before, "the shop does not tell"
    more, touched = stock.sweep(sandbox.store, load_book(), now=time.time() + 901)
    assert (more, len(touched)) == (False, 1)
    jobs.session(next(iter(touched)))
    assert room.records("product")[product.id]["is_in_stock"] is False


def test_a_partial_shipment_of_an_order_in_progress_is_told_by_its_document(room, sandbox):
    papers = list(sandbox.store.papers(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), sandbox.store.now()))
    kinds = {one.id.partition(":")[0] for one in papers}
    assert kinds == {"shipment", "invoice", "credit_memo"}, "the sandbox has documents of each kind"
    order = next(one for one in sandbox.store.pages("order").rows if one.state == "processing")
    made = ask(sandbox, "POST", f"order/{order.id}/ship", json={})
    later = sandbox.store.now() + dt.timedelta(minutes=1)
    fresh = [one for one in sandbox.store.papers(later - dt.timedelta(hours=1), later) if one.id == f"shipment:{made}"]
    assert [one.order.ref for one in fresh] == [EntityRef("order", order.id)]


BAG_AS_SENT = {"price": 34, "special_price": None, "category": ["Gear"]}
PRODUCT_FACTS = {
    "products/special-price sets one": ({"special_price": Decimal(30)}, {"special_price": 30}),
    "products/base-prices": ({"price": Decimal(35)}, {"price": 35}),
    "products/tier-prices for one piece": (
        {"shown_price": Decimal(34), "final_price": Decimal(31)},
        {"special_price": 31},
    ),
    "a catalog price rule is switched on": (
        {"shown_price": Decimal(34), "final_price": Decimal("27.20")},
        {"special_price": 27.2},
    ),
    "a product is linked to another category": (
        {"categories": (Category(id="5", name="Gear"), Category(id="6", name="Sale"))},
        {"category": ["Gear", "Sale"]},
    ),
    "its link to a category is deleted": ({"categories": ()}, {"category": []}),
    "its category is renamed": ({"categories": (Category(id="5", name="Gadgets"),)}, {"category": ["Gadgets"]}),
    "its category moves below another": (
        {"categories": (Category(id="7", name="Outdoor"), Category(id="5", name="Gear"))},
        {"category": ["Outdoor", "Gear"]},
    ),
}
"""What a running shop showed to leave a product's time where it was -> what the view shows then, what is sent."""


def as_sent(record):
    return {
        "price": record["price"],
        "special_price": record.get("special_price"),
        "category": [one["label"] for one in record.get("attributes", []) if one["type"] == "category"],
    }


@pytest.mark.parametrize("fact", PRODUCT_FACTS)
def test_a_change_that_touches_no_product_is_found_by_the_sweep(sent_all, fact):
    changes, expected = PRODUCT_FACTS[fact]
    assert as_sent(sent_all.records("product")["1"]) == BAG_AS_SENT
    before = sent_all.shop._entities[EntityRef("product", "1")].updated_at
    view(sent_all, "1", **changes)
    assert sent_all.shop._entities[EntityRef("product", "1")].updated_at == before
    swept(sent_all)
    assert as_sent(sent_all.records("product")["1"]) == {**BAG_AS_SENT, **expected}


@pytest.mark.parametrize("fact", ["special-price-delete", "a catalog price rule is switched off"])
def test_a_price_that_ends_without_a_touch_is_taken_back(sent_all, fact):
    before = {"special_price": Decimal(30)} if fact.startswith("special") else {"final_price": Decimal(30)}
    view(sent_all, "1", shown_price=Decimal(34), **before)
    swept(sent_all)
    assert sent_all.records("product")["1"]["special_price"] == 30
    view(sent_all, "1", shown_price=Decimal(34), special_price=None, final_price=Decimal(34))
    swept(sent_all, days=1.1)
    record = sent_all.records("product")["1"]
    assert record.get("special_price_dt_to") or "special_price" not in record, "it has ended"
    assert record["price"] == 34


def test_a_saved_variant_that_leaves_its_parent_untouched_changes_the_parents_price(sent_all):
    view(sent_all, "17", shown_price=Decimal(61), final_price=Decimal(61))
    swept(sent_all)
    assert sent_all.records("product")["17"]["price"] == 61


def test_an_address_edited_on_the_storefront_is_found_by_the_sweep(sent_all):
    jane = sent_all.shop._entities[EntityRef("contact", "customer:2")]
    sent_all.shop.put(msgspec.structs.replace(jane, country="FR"))
    swept(sent_all)
    assert sent_all.records("contact")["2"]["country_id"] == "FR"


def test_the_footer_form_that_touches_no_customer_is_told_by_traffic(sent_all, account):
    jane = msgspec.structs.replace(sent_all.shop._entities[EntityRef("contact", "customer:2")], subscribed=False)
    sent_all.shop.put(jane)
    swept(sent_all)
    assert sent_all.records("contact")["2"]["marketing_optin"] == "NOT_SPECIFIED"
    sent_all.shop.put(msgspec.structs.replace(jane, subscribed=True))
    happen(sent_all, Subscribed(email="jane@example.com", store="default", at=time.time()))
    jobs.session(account.id)
    assert sent_all.records("contact")["2"]["marketing_optin"] == "EXPLICITLY_OPTEDIN"


def test_the_link_to_leave_that_touches_no_customer_is_found_by_the_sweep(sent_all):
    jane = sent_all.shop._entities[EntityRef("contact", "customer:2")]
    assert sent_all.records("contact")["2"]["marketing_optin"] == "EXPLICITLY_OPTEDIN"
    sent_all.shop.put(msgspec.structs.replace(jane, subscribed=False))
    swept(sent_all)
    assert sent_all.records("contact")["2"]["marketing_optin"] == "NOT_SPECIFIED"


def test_a_login_a_track_and_a_comment_change_no_record_and_send_nothing(room, sandbox):
    for kind in ("order", "contact"):
        export_all(kind)
    before = len(room.pushes())
    paper = next(sandbox.store.papers(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), sandbox.store.now()))
    customer = next(iter(sandbox.store.pages("contact").rows))
    ask(sandbox, "POST", "integration/customer/token", json={"username": customer.email, "password": PASSWORD})
    shipment = next(one for one in ask(sandbox, "GET", "shipments?searchCriteria=")["items"])
    track = {
        "order_id": shipment["order_id"],
        "parent_id": shipment["entity_id"],
        "track_number": "T-9",
        "title": "Post",
    }
    ask(sandbox, "POST", "shipment/track", json={"entity": {**track, "carrier_code": "custom"}})
    note = {"comment": "Called the customer", "is_customer_notified": 0, "is_visible_on_front": 0, "status": ""}
    ask(sandbox, "POST", f"orders/{paper.order.ref.id}/comments", json={"statusHistory": note})
    jobs.poll()
    for kind in ("order", "contact"):
        export_all(kind)
    more, _ = sweep.sweep(sandbox.store, load_book(), now=time.time())
    assert not more
    jobs.session(load_book().accounts()[0].id)
    assert [push["ids"] for push in room.pushes()[before:]] == []


BUYER = {
    "firstname": "Greta",
    "lastname": "Shopper",
    "street": ["1 Quay Street"],
    "city": "Bristol",
    "postcode": "BS1 4AA",
}
BUYER |= {"country_id": "GB", "telephone": "01170000000"}


def buy(own, sku, qty):
    """Order as a guest does by REST; return the order's id."""
    cart = f"guest-carts/{ask(own, 'POST', 'guest-carts')}"
    ask(own, "POST", f"{cart}/items", json={"cartItem": {"sku": sku, "qty": qty}})
    way = {"shipping_carrier_code": "flatrate", "shipping_method_code": "flatrate"}
    where = {"shipping_address": BUYER, "billing_address": BUYER, **way}
    ask(own, "POST", f"{cart}/shipping-information", json={"addressInformation": where})
    paid = {"email": "greta@example.com", "paymentMethod": {"method": "checkmo"}, "billingAddress": BUYER}
    return ask(own, "POST", f"{cart}/payment-information", json=paid)


def test_an_order_and_its_shipment_move_the_stock_that_the_sweep_tells(room, sandbox):
    """Reserved by an order, then taken from the shelf by the shipment: no product's time moves."""
    export_all("product")
    stock.sweep(sandbox.store, load_book())
    product = next(one for one in sandbox.store.pages("product").rows if one.type == "simple")
    before = stamp(sandbox, "product", product.id)
    route = "inventory/export-stock-salable-qty/website/base?searchCriteria[filter_groups][0][filters][0][field]=sku"
    route += f"&searchCriteria[filter_groups][0][filters][0][value]={product.sku}"
    (level,) = ask(sandbox, "GET", route)["items"]
    order = buy(sandbox, product.sku, level["qty"])
    for minutes, act in ((16, lambda: None), (32, lambda: ask(sandbox, "POST", f"order/{order}/ship", json={}))):
        act()
        _, touched = stock.sweep(sandbox.store, load_book(), now=time.time() + minutes * 60)
        for account in touched:
            jobs.session(account)
        assert room.records("product")[product.id]["is_in_stock"] is False
        assert stamp(sandbox, "product", product.id) == before


@pytest.mark.parametrize("call", ["inventory/source-items", "stockItems"])
def test_each_way_of_setting_stock_touches_no_product_and_is_told_by_the_stock_sweep(room, sandbox, call):
    export_all("product")
    stock.sweep(sandbox.store, load_book())
    product = [one for one in sandbox.store.pages("product").rows if one.type == "simple"][1]
    before = stamp(sandbox, "product", product.id)
    if call == "stockItems":
        item = {"qty": 0, "is_in_stock": False}
        ask(sandbox, "PUT", f"products/{product.sku}/stockItems/{product.id}", json={"stockItem": item})
    else:
        item = {"sku": product.sku, "source_code": "default", "quantity": 0, "status": 0}
        ask(sandbox, "POST", call, json={"sourceItems": [item]})
    assert stamp(sandbox, "product", product.id) == before
    _, touched = stock.sweep(sandbox.store, load_book(), now=time.time() + 901)
    jobs.session(next(iter(touched)))
    assert room.records("product")[product.id]["is_in_stock"] is False
