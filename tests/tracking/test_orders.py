"""One event for each order, however it was placed and however often its confirmation is looked at."""

from __future__ import annotations

import pytest

from bridge.db import db
from bridge.events import OrderPlaced
from tests.tracking.conftest import CAPTURES, make_book
from tests.tracking.test_capture import GUEST_CART, order, seen
from tests.tracking.wires import JSON, exchange

GUEST_PAGE = '<body class="checkout-onepage-success"><div class="checkout-success"><p>Nr: <span>%s</span></p></div>'
LINK = '<a href="http://store.test/sales/order/view/order_id/%s/" class="order-number"><strong>%s</strong></a>'
CUSTOMER_PAGE = '<div class="checkout-success"><p>' + LINK + "</p></div>"
ROW = '<li class="shipping-list"><span class="order-id"><a href="/sales/order/view/order_id/%s/">%s</a></span></li>'


def page(body, path="/checkout/onepage/success/", *, status=200, session="one", **more):
    return exchange(path, method="GET", sent=(), status=status, answer_body=body, cookie=f"PHPSESSID={session}", **more)


def several(*orders, path="success"):
    rows = "".join(ROW % each for each in orders)
    failed = '<ul class="orders-failed"><li class="shipping-list"><a href="/x/">address 3</a></li></ul>'
    return page(f'<ul class="orders-succeed">{rows}</ul>{failed}', f"/multishipping/checkout/{path}/")


def test_a_payment_on_another_site_is_seen_by_the_confirmation_and_once(room):
    assert seen(room, page(GUEST_PAGE % "000000007")) == [("OrderPlaced", None, "000000007", True)]
    assert seen(room, page(GUEST_PAGE % "000000007")) == []
    assert seen(room, page(GUEST_PAGE % "000000007", session="second tab")) == []
    assert seen(room, page(GUEST_PAGE % "000000008")) == [("OrderPlaced", None, "000000008", True)]


def test_equal_numbers_of_two_shops_are_two_orders(room):
    seen(room, page(GUEST_PAGE % "000000007"))
    assert seen(room, page(GUEST_PAGE % "000000007", host=b"eu.store.test"))


def test_a_customers_order_is_told_by_the_call_and_not_again_by_the_page(room):
    assert seen(room, order("/rest/default/V1/carts/mine/payment-information")) == [("OrderPlaced", "23", False)]
    assert seen(room, page(CUSTOMER_PAGE % ("23", "000000023"))) == []
    assert seen(room, page(CUSTOMER_PAGE % ("24", "000000024"))) == [("OrderPlaced", "24", "000000024", False)]


def placed_by(session):
    passing = order(f"{GUEST_CART}/payment-information")
    passing.request.headers.append((b"Cookie", f"PHPSESSID={session}".encode()))
    return passing


def test_a_guests_order_is_told_by_the_call_and_not_again_by_the_page_that_names_its_number(room):
    assert seen(room, placed_by("one")) == [("OrderPlaced", "23", True)]
    assert seen(room, page(GUEST_PAGE % "000000023")) == []
    assert seen(room, page(GUEST_PAGE % "000000023")) == []
    assert seen(room, page(GUEST_PAGE % "000000099")) == [("OrderPlaced", None, "000000099", True)]


def test_the_page_of_another_session_is_another_order(room):
    seen(room, placed_by("one"))
    assert seen(room, page(GUEST_PAGE % "000000050", session="two")) == [("OrderPlaced", None, "000000050", True)]


def test_an_order_of_long_ago_does_not_hide_one_of_now(room, monkeypatch):
    seen(room, placed_by("one"))
    monkeypatch.setattr("bridge.tracking.seen_orders.PAGE_SECONDS", -1)
    assert seen(room, page(GUEST_PAGE % "000000077")) == [("OrderPlaced", None, "000000077", True)]


def test_several_addresses_make_several_orders_and_those_that_failed_none(room):
    two = [("OrderPlaced", "31", "000000031", False), ("OrderPlaced", "32", "000000032", False)]
    assert seen(room, several(("31", "000000031"), ("32", "000000032"), path="results")) == two
    assert seen(room, several(("31", "000000031"), ("32", "000000032"))) == []


@pytest.mark.parametrize(
    "passing",
    [
        page("", status=302, answer=[("Location", "http://store.test/checkout/cart/")]),
        page('<div class="checkout-success"></div>'),
        page("<p><span>000000007</span></p>"),
        page(GUEST_PAGE % "not a number"),
        page(GUEST_PAGE % ""),
        page(GUEST_PAGE % ("9" * 60)),
        page('<ul class="orders-failed">' + ROW % ("1", "2") + "</ul>", "/multishipping/checkout/results/"),
        page("<" * 60_000),
        exchange("/paypal/express/cancel/", method="GET", status=302),
        exchange("/checkout/onepage/failure/", method="GET", status=200),
    ],
)
def test_a_refused_cancelled_or_unreadable_order_is_none(room, passing):
    assert not seen(room, passing)


def test_a_page_that_is_too_long_to_be_copied_is_left_to_the_export(room):
    passing = page("x")
    passing.response_body = None
    assert seen(room, passing) == []


def test_without_the_database_an_order_is_told_rather_than_lost(room):
    with room.app.app_context():
        db.drop_all()
    assert seen(room, page(GUEST_PAGE % "000000007")) == [("OrderPlaced", None, "000000007", True)]


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured pages are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("order_success_guest", ("OrderPlaced", None, "000000001", True)),
        ("order_success_logged_in", ("OrderPlaced", "2", "000000002", False)),
    ],
)
def test_a_captured_confirmation_names_its_order(room, name, expected):
    assert seen(room, page((CAPTURES / "pages" / f"{name}.html").read_bytes())) == [expected]


STEPS = {
    "shipping-information": {"addressInformation": {"shipping_address": {"email": "g@example.com"}}},
    "set-payment-information": {"email": "g@example.com"},
    "billing-address": {"address": {"email": "g@example.com"}},
}


@pytest.mark.parametrize("step", STEPS)
def test_the_steps_of_a_guests_checkout_identify_only_where_the_setting_allows_it(make_room, step):
    def passing(status=200):
        return order(f"{GUEST_CART}/{step}", body=STEPS[step], status=status, answer_body='"true"')

    room = make_room(make_book(tracking__identify_guest_checkout=True))
    assert seen(room, passing()) == [("Identified", "g@example.com", "checkout")]
    assert seen(room, passing(400)) == []
    room.books.current = make_book()
    assert seen(room, passing()) == []


def test_without_consent_an_order_is_told_without_its_visitor(make_room):
    room = make_room(make_book(consent__mode="magento", tracking__identify_guest_checkout=True))
    visitor = f"bridge_visitor={'a' * 32}"
    passing = order(f"{GUEST_CART}/payment-information")
    passing.request.headers.append((b"Cookie", visitor.encode()))
    assert seen(room, passing) == [("OrderPlaced", "23", True)]
    [event] = room.stream.events
    assert isinstance(event, OrderPlaced)
    assert event.visitor is None
    login = exchange("/customer/ajax/login", '{"username": "a@example.com"}', sent=(JSON,), status=200,
                     answer_body='{"errors":false}', cookie=f"PHPSESSID=s; {visitor}")  # fmt: skip
    assert seen(room, login) == []
    assert room.tracking.observer._identities.known("a" * 32, b"s").email is None
    login.request.headers.append((b"Cookie", b"bridge_consent=1"))
    assert seen(room, login) == [("Identified", "a@example.com", "login")]
