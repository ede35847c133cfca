"""What the shop's REST says about a mail: there, not yet, or somebody else's."""

from __future__ import annotations

import pytest

from bridge.errors import Retry
from bridge.mail.asked import AskedShop
from bridge.mail.material import NotTheirs, NotYet, Wanted, gather
from bridge.store import HistoryEntry, OrderDetails, Shipment
from bridge.store.memory import Memory
from tests.export import books, samples

NUMBER, GUEST = samples.GUEST_ORDER.number, samples.GUEST_ORDER.email


@pytest.fixture
def shop():
    return Memory(samples.TREE, samples.ENTITIES)


def found(shop, kind, recipient=GUEST, view=books.DEFAULT, **more):
    wanted = Wanted(kind, recipient, **more)
    return gather(wanted, AskedShop(shop, (books.DEFAULT, books.FR)), view)


def test_an_order_comes_with_the_products_of_its_lines(shop):
    material = found(shop, "order_confirmation", order=NUMBER)
    assert material.details.order == samples.GUEST_ORDER
    assert set(material.products) == {"1", "13", "17"}
    assert set(material.products["1"].views) == {"default"}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("order_confirmation", {"order": "none"}),
        ("order_confirmation", {}),
        ("order_confirmation", {"order": NUMBER, "recipient": "other@example.com"}),
        ("order_cancellation", {"order": NUMBER}),
        ("order_shipping", {"order": NUMBER, "shipment": "9"}),
        ("order_shipping", {"order": NUMBER}),
        ("account_creation", {"recipient": "nobody@example.com"}),
        ("account_creation", {"customer": "999"}),
        ("stock_alert", {"products": ("999",)}),
        ("stock_alert", {}),
    ],
)
def test_what_is_not_there_may_come(shop, kind, more):
    with pytest.raises(NotYet):
        found(shop, kind, **more)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("order_confirmation", {"order": NUMBER, "view": books.FR}),
        ("account_creation", {"customer": samples.JANE.id, "recipient": "other@example.com"}),
    ],
)
def test_what_belongs_to_somebody_else_never_will(shop, kind, more):
    with pytest.raises(NotTheirs) as refused:
        found(shop, kind, **more)
    assert "@" not in str(refused.value)


def test_a_shop_that_does_not_answer_is_told_from_one_that_has_nothing(shop):
    shop.fault = Retry("away")
    with pytest.raises(Retry) as raised:
        found(shop, "order_confirmation", order=NUMBER)
    assert not isinstance(raised.value, NotYet)


def test_the_only_shipment_is_meant_where_none_is_named(shop):
    shop.details["4"] = OrderDetails(order=samples.GUEST_ORDER, shipments=(Shipment(id="1", number="A"),))
    assert found(shop, "order_shipping", order=NUMBER).shipment.number == "A"
    shop.details["4"] = OrderDetails(
        order=samples.GUEST_ORDER, shipments=(Shipment(id="1", number="A"), Shipment(id="2", number="B"))
    )
    assert found(shop, "order_shipping", order=NUMBER, shipment="B").shipment.number == "B"
    with pytest.raises(NotYet):
        found(shop, "order_shipping", order=NUMBER)


def test_each_question_is_put_to_the_shop_once(shop):
    asked = AskedShop(shop, (books.DEFAULT,))
    for _ in range(3):
        asked.order(NUMBER, GUEST)
        asked.order_details(NUMBER, GUEST)
        asked.customer(samples.JANE.email, "default")
    assert shop.calls.count("order_by_number") == 1
    assert shop.calls.count("customer_by_email") == 1


def test_the_shops_word_for_the_recogniser(shop):
    told = HistoryEntry(comment="x", notified=True, created_at=samples.at(3))
    quiet = HistoryEntry(comment="y", notified=False, created_at=samples.at(9))
    shop.details["4"] = OrderDetails(order=samples.GUEST_ORDER, history=(quiet, told))
    facts = AskedShop(shop, (books.DEFAULT,)).order(NUMBER, GUEST)
    assert (facts.number, facts.email, facts.store, facts.state) == (NUMBER, GUEST, "default", "new")
    assert facts.notified_at == samples.at(3).timestamp()
    other = AskedShop(shop, (books.DEFAULT,)).order(NUMBER, "copy@example.com")
    assert (other.email, other.shipments) == (GUEST, None)
    assert AskedShop(shop, (books.DEFAULT,)).order("none", GUEST) is None
    customer = AskedShop(shop, (books.DEFAULT, books.FR)).customer("jane@example.com", "")
    assert (customer.id, customer.store) == ("2", "default")
    assert AskedShop(shop, (books.DEFAULT, books.FR)).customer("jane@example.com", "fr") is None


def test_an_account_that_only_the_shops_database_takes_for_the_same_is_somebody_elses(shop, monkeypatch):
    monkeypatch.setattr(shop, "customer_by_email", lambda _email, _website: samples.JANE)
    asked = AskedShop(shop, (books.DEFAULT,))
    assert asked.customer("jané@example.com", "default") is None
    assert asked.customer_by_email("jané@example.com", 1) is None
    assert asked.customer("Jane@example.com", "default").id == "2"
