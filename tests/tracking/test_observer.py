from __future__ import annotations

import logging

import pytest

from bridge.db import db
from bridge.events import Identified, LoggedOut, OrderPlaced
from bridge.tracking.cart_links import Line
from bridge.tracking.observer import CAPTURED
from tests.tracking.conftest import make_book
from tests.tracking.test_capture import ACCOUNT_PAGE, CONTEXT, GUEST_CART, LOGIN, NEW_SESSION, added, order
from tests.tracking.wires import exchange

VISITOR = "0123456789abcdef0123456789abcdef"


def show(room, passing):
    route = room.tracking.observer.wants(passing.request)
    room.tracking.observer.seen(route, passing)
    return room.stream.events


def login(cookie="PHPSESSID=before", **more):
    return exchange(
        "/customer/account/loginPost/", LOGIN, cookie=cookie, answer=[NEW_SESSION, CONTEXT, ACCOUNT_PAGE], **more
    )


def count(route, result):
    return CAPTURED.labels(route, result)._value.get()


def test_an_event_says_when_where_and_who(room):
    [event] = show(room, login(f"PHPSESSID=before; bridge_visitor={VISITOR}", received=1234.5, host=b"eu.store.test"))
    assert (event.at, event.host, event.store, event.visitor) == (1234.5, "eu.store.test", None, VISITOR)
    assert len(event.id) == 32


def test_the_store_code_comes_from_the_rest_path_when_the_shop_has_such_a_view(room):
    assert show(room, order("/rest/fr/V1/carts/mine/payment-information"))[0].store == "fr"
    assert show(room, order("/rest/nowhere/V1/carts/mine/payment-information"))[1].store is None


def test_identity_and_orders_are_urgent_and_the_cart_is_not(room):
    show(room, login())
    show(room, added("product=17"))
    show(room, order(f"{GUEST_CART}/payment-information"))
    assert [type(event) for event in room.stream.urgent] == [Identified, OrderPlaced]
    assert len(room.stream.events) == 3


def test_the_identity_is_at_hand_at_once_and_gone_at_log_out(room):
    identities = room.tracking.observer._identities
    show(room, login(f"bridge_visitor={VISITOR}"))
    assert identities.known(VISITOR, None).email == "roni@example.com"
    page = ("Location", "http://store.test/customer/account/logoutSuccess/")
    show(room, exchange("/customer/account/logout/", method="GET", cookie=f"bridge_visitor={VISITOR}", answer=[page]))
    assert identities.known(VISITOR, None).email is None
    assert isinstance(room.stream.urgent[-1], LoggedOut)


def test_without_our_cookie_the_session_that_the_answer_sets_claims_the_identity(room):
    show(room, login())
    identities = room.tracking.observer._identities
    assert identities.known("a" * 32, b"before").email is None
    assert identities.known("b" * 32, b"after").email == "roni@example.com"


def test_an_order_ends_the_basket(room):
    identities = room.tracking.observer._identities
    before = identities.basket(VISITOR)
    passing = order(f"{GUEST_CART}/payment-information")
    passing.request.headers.append((b"Cookie", f"bridge_visitor={VISITOR}".encode()))
    show(room, passing)
    assert identities.basket(VISITOR) != before


def at_checkout(cookie, *headers):
    """An order of the shop's own checkout."""
    passing = order(f"{GUEST_CART}/payment-information")
    passing.request.headers += [(b"Cookie", cookie.encode()), (b"X-Requested-With", b"XMLHttpRequest"), *headers]
    return passing


def paying(room, *headers):
    """Return the ids of the basket before an order is placed, after it, and after two looks at its confirmation."""
    identities, cookie = room.tracking.observer._identities, f"bridge_visitor={VISITOR}; PHPSESSID=one"
    found = [identities.basket(VISITOR)]
    show(room, at_checkout(cookie, *headers))
    found.append(identities.basket(VISITOR))
    page = '<div class="checkout-success"><p>Nr: <span>000000023</span></p></div>'
    for _ in range(2):
        show(room, exchange("/checkout/onepage/success/", method="GET", sent=(), status=200, cookie=cookie,
                            answer_body=page))  # fmt: skip
        found.append(identities.basket(VISITOR))
    return found


def test_where_a_gateway_may_still_refuse_the_payment_the_confirmation_ends_the_basket_and_once(room):
    before, placed, confirmed, again = paying(room)
    assert before == placed
    assert placed != confirmed
    assert confirmed == again
    assert [event.order for event in room.stream.events if isinstance(event, OrderPlaced)] == ["23"]


def test_the_order_of_a_front_end_that_shows_no_such_page_ends_the_basket_at_once(room):
    before, placed, *_ = paying(room, (b"Authorization", b"Bearer t"))
    assert before != placed


def test_the_link_of_a_basket_whose_payment_was_refused_opens_it_still(room):
    links = room.tracking.observer._links
    token = links.keep(VISITOR, "one", [Line("3", 2, "HP-MUG-01", {})], "", "default")
    show(room, at_checkout(f"PHPSESSID=one; bridge_visitor={VISITOR}"))
    assert links.find(token)
    page = '<div class="checkout-success"><p>Nr: <span>000000023</span></p></div>'
    show(room, exchange("/checkout/onepage/success/", method="GET", sent=(), status=200, answer_body=page,
                        cookie=f"PHPSESSID=one; bridge_visitor={VISITOR}"))  # fmt: skip
    assert links.find(token) is None


def test_a_cookie_that_is_none_of_ours_names_nobody(room):
    assert show(room, login("PHPSESSID=before; bridge_visitor=<script>"))[0].visitor is None


def test_over_https_only_the_cookie_that_is_bound_to_the_host_names_a_visitor(room):
    planted, own = f"bridge_visitor={'a' * 32}", f"__Host-bridge_visitor={VISITOR}"
    show(room, login(f"PHPSESSID=before; {planted}", scheme="https"))
    show(room, login(f"PHPSESSID=before; {planted}; {own}", scheme="https"))
    show(room, login(f"PHPSESSID=before; {own}"))
    assert [event.visitor for event in room.stream.events] == [None, VISITOR, None]


def test_the_settings_are_those_of_the_website_whose_host_was_asked(make_room):
    book = make_book(general__enabled=False)
    book.values["website:europe"] = {"general.enabled": True}
    room = make_room(book)
    assert show(room, login()) == []
    assert len(show(room, login(host=b"eu.store.test:8443"))) == 1


def test_what_is_odd_is_counted_and_dropped(room):
    before = count("login", "odd")
    assert (
        show(room, exchange("/customer/account/loginPost/", "x=1", answer=[NEW_SESSION, CONTEXT, ACCOUNT_PAGE])) == []
    )
    passing = login()
    passing.request_body = None
    assert show(room, passing) == []
    assert count("login", "odd") == before + 2


def test_refused_requests_are_counted_too(room):
    before = count("cart-add", "refused")
    show(room, added("product=17", answer_body='{"backUrl":"/x"}'))
    assert count("cart-add", "refused") == before + 1


def test_where_nothing_is_enabled_nothing_is_emitted(make_room):
    room = make_room(make_book(general__enabled=False))
    assert show(room, login()) == []


def test_without_the_database_the_event_is_in_the_stream_all_the_same(room):
    with room.app.app_context():
        db.drop_all()
    before = count("login", "not-remembered")
    assert len(show(room, login())) == 1
    assert count("login", "not-remembered") == before + 1


def test_a_route_of_somebody_else_is_left_alone(room):
    room.tracking.observer.seen(object(), login())
    assert room.stream.events == []


@pytest.mark.parametrize("broken", [False, True])
def test_passwords_and_addresses_are_in_no_log(room, caplog, broken):
    if broken:
        with room.app.app_context():
            db.drop_all()
    with caplog.at_level(logging.DEBUG, logger="bridge"):
        show(room, login())
    told = caplog.text
    assert "Shopper1234" not in told + repr(room.stream.events)
    assert "roni@" not in told
