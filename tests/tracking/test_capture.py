from __future__ import annotations

import json

import pytest

from bridge.events import (
    AddedToCart,
    BasketChanged,
    Identified,
    LoggedOut,
    MailExpected,
    OrderPlaced,
    PasswordReset,
    Registered,
    Subscribed,
)
from tests.tracking.conftest import make_book
from tests.tracking.wires import (
    AJAX,
    FORM,
    JSON,
    Exchange,
    exchange,
    messages,
    multipart,
    set_cookie,
)

NEW_SESSION = set_cookie("PHPSESSID=after")
CONTEXT = set_cookie("X-Magento-Vary=abc")
ACCOUNT_PAGE = ("Location", "http://store.test/customer/account/")
ORDER = {"cartId": "x", "paymentMethod": {"method": "checkmo"}, "email": "guest@example.com"}
GUEST_CART = "/rest/default/V1/guest-carts/PZvyT6TFdpH6TaxFiquJ0yKUvr9RPh7V"
ADD = "/checkout/cart/add/uenc/aHR0cDovL3N0b3JlLnRlc3Q~/product/17/"


def seen(room, passing: Exchange):
    """Let the observer look at an exchange as the proxy does; return what it emitted, without id and place."""
    observer = room.tracking.observer
    route = observer.wants(passing.request)
    if route is None:
        return None
    passing.request_body = passing.request_body if route.needs_request_body else None
    passing.response_body = passing.response_body if route.needs_response_body else None
    before = len(room.stream.events)
    observer.seen(route, passing)
    return [plain(event) for event in room.stream.events[before:]]


def plain(event):
    keys = {
        AddedToCart: ("product", "quantity"),
        BasketChanged: ("action",),
        Identified: ("email", "source"),
        Registered: ("email", "subscribed"),
        Subscribed: ("email",),
        LoggedOut: (),
        MailExpected: ("mail", "email"),
        PasswordReset: ("customer", "email"),
        OrderPlaced: ("order", "guest") if not getattr(event, "number", None) else ("order", "number", "guest"),
    }[type(event)]
    return (type(event).__name__, *(getattr(event, key) for key in keys))


def added(body, *, target=ADD, status=200, answer_body="[]", sent=(FORM, AJAX), **more):
    return exchange(target, body, status=status, sent=sent, answer_body=answer_body, **more)


# ---- the cart ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("passing", "expected"),
    [
        (added("product=17&qty=2&form_key=k"), [("AddedToCart", "17", 2)]),
        (added("product=17&qty=1.5"), [("AddedToCart", "17", 1.5)]),
        (added("product=17&qty=1,5"), [("AddedToCart", "17", 1)]),
        (added("form_key=k"), [("AddedToCart", "17", 1)]),
        (added("product=17", target="/fr/checkout/cart/add/"), [("AddedToCart", "17", 1)]),
        (added("product=17", target="/index.php/fr/checkout/cart/add"), [("AddedToCart", "17", 1)]),
        (added("product=17", target="/checkout/cart/Add?x=1"), [("AddedToCart", "17", 1)]),
        (added("product=17", answer_body='{"product":{"statusText":"Out of stock"}}'), [("AddedToCart", "17", 1)]),
        (added("product=17", answer_body='{"backUrl":"http:\\/\\/store.test\\/hoodie.html"}'), []),
        (added("product=17", answer_body='{"backUrl":"http://store.test/checkout/cart/"}'), [("AddedToCart", "17", 1)]),
        (
            added(
                "product=17",
                answer_body='{"backUrl":"http://store.test/checkout/cart/"}',
                sent=(FORM, AJAX, ("Referer", "http://store.test/checkout/cart/")),
            ),
            [],
        ),
        (added("product=17", status=500, answer_body="[]"), []),
        (added("product=17", status=302, answer=[set_cookie(messages("success"))]), [("AddedToCart", "17", 1)]),
        (added("product=17", status=302, answer=[set_cookie(messages("success", "error"))]), []),
        (added("product=17", status=302), []),
        (added("product=abc", target="/checkout/cart/add"), []),
        (added("product=17", answer_body="<html>"), []),
        (added("product=17", target="/checkout/cart/addmore"), None),
        (exchange("/checkout/cart/addgroup/", "order_items[]=4"), [("BasketChanged", "addgroup")]),
        (
            exchange("/fr/wishlist/index/cart/", "item=3&qty=1", answer=[set_cookie(messages("success"))]),
            [("BasketChanged", "cart")],
        ),
        (exchange("/wishlist/index/cart/", "item=3", answer=[set_cookie(messages("notice"))]), []),
        (
            exchange("/wishlist/index/cart/", "item=3", sent=(FORM, AJAX), status=200, answer_body='{"backUrl":"/x"}'),
            [("BasketChanged", "cart")],
        ),
        (exchange("/wishlist/index/cart/", "item=3", status=200, answer_body="<html>"), []),
        (exchange("/wishlist/index/allcart/", "x=1", status=200, answer_body="[]"), []),
        (exchange("/wishlist/shared/allcart/", "x=1"), [("BasketChanged", "allcart")]),
        (exchange("/sales/order/reorder/order_id/9/", ""), [("BasketChanged", "reorder")]),
        (exchange("/sales/guest/reorder/", "", answer=[set_cookie(messages("error"))]), []),
        (exchange("/sales/order/reorder/order_id/9/", "", method="GET"), None),
        (exchange("/checkout/cart/updatePost/", "cart[1][qty]=3"), [("BasketChanged", "updatePost")]),
        (exchange("/checkout/cart/updatePost", "x=1", answer=[set_cookie(messages("error"))]), []),
        (exchange("/checkout/cart/delete/", "id=48"), [("BasketChanged", "delete")]),
        (
            exchange("/checkout/cart/couponPost/", "x=1", answer=[set_cookie(messages("success"))]),
            [("BasketChanged", "couponPost")],
        ),
        (exchange("/checkout/cart/couponPost/", "x=1", answer=[set_cookie(messages("error"))]), []),
        (exchange("/checkout/cart/updateItemQty/", "x=1", status=200, answer_body='{"success":true}'), None),
        (
            exchange("/checkout/sidebar/updateItemQty/", "item_id=4", status=200, answer_body='{"success":true}'),
            [("BasketChanged", "updateItemQty")],
        ),
        (exchange("/checkout/sidebar/removeItem/", "item_id=4", status=200, answer_body='{"success":false}'), []),
        (exchange("/checkout/sidebar/removeItem/", "item_id=4", status=200, answer_body="[]"), []),
    ],
)
def test_cart_calls_give_an_event_only_when_the_shop_agreed(room, passing, expected):
    assert seen(room, passing) == expected


def test_messages_that_the_request_brought_say_nothing_about_it(room):
    old = messages("success", "error")
    agreed = added("product=17", status=302, cookie=old, answer=[set_cookie(messages("success", "error", "success"))])
    silent = added("product=17", status=302, cookie=messages("success"), answer=[set_cookie(messages("success"))])
    assert seen(room, agreed) == [("AddedToCart", "17", 1)]
    assert seen(room, silent) == []


def test_a_multipart_form_is_read_like_any_other(room):
    kind, body = multipart(form_key="k", product="17", qty="3", **{"super_attribute[93]": "4"})
    assert seen(room, added(body, sent=(kind, AJAX))) == [("AddedToCart", "17", 3)]


# ---- the visitor ---------------------------------------------------------------------------------------------------

LOGIN = "form_key=k&login%5Busername%5D=roni%40example.com&login%5Bpassword%5D=Shopper1234%21"


def login(*answer, body=LOGIN, status=302, cookie="PHPSESSID=before"):
    return exchange("/customer/account/loginPost/", body, status=status, cookie=cookie, answer=answer)


@pytest.mark.parametrize(
    ("passing", "expected"),
    [
        (login(NEW_SESSION, CONTEXT, ACCOUNT_PAGE), [("Identified", "roni@example.com", "login")]),
        (
            login(NEW_SESSION, CONTEXT, ("Location", "http://store.test/")),
            [("Identified", "roni@example.com", "login")],
        ),
        (login(NEW_SESSION, ACCOUNT_PAGE), []),
        (login(set_cookie("PHPSESSID=before"), CONTEXT, ACCOUNT_PAGE), []),
        (login(CONTEXT, ACCOUNT_PAGE), []),
        (login(NEW_SESSION, set_cookie("X-Magento-Vary=deleted"), ACCOUNT_PAGE), []),
        (login(NEW_SESSION, CONTEXT, ("Location", "http://store.test/customer/account/login/")), []),
        (login(NEW_SESSION, CONTEXT, ACCOUNT_PAGE, set_cookie(messages("error"))), []),
        (
            login(NEW_SESSION, CONTEXT, ACCOUNT_PAGE, set_cookie(messages("notice"))),
            [("Identified", "roni@example.com", "login")],
        ),
        (login(NEW_SESSION, CONTEXT, ACCOUNT_PAGE, status=200), []),
        (login(NEW_SESSION, CONTEXT, ACCOUNT_PAGE, body="login[username]=nobody"), []),
        (login(NEW_SESSION, CONTEXT, ACCOUNT_PAGE, body="login[username]=" + "a" * 2000 + "@example.com"), []),
    ],
)
def test_a_log_in_identifies_only_with_a_new_session_and_context(room, passing, expected):
    assert seen(room, passing) == expected


def test_a_log_in_by_script_identifies_when_the_answer_has_no_errors(room):
    body = json.dumps({"username": "roni@example.com", "password": "Shopper1234!"})
    good = exchange(
        "/customer/ajax/login", body, sent=(JSON,), status=200, answer_body='{"errors":false,"message":"x"}'
    )
    bad = exchange("/customer/ajax/login", body, sent=(JSON,), status=200, answer_body='{"errors":true,"message":"x"}')
    assert seen(room, good) == [("Identified", "roni@example.com", "login")]
    assert seen(room, bad) == []


def register(*answer, subscribed="1"):
    extra = {"is_subscribed": subscribed} if subscribed else {}
    kind, body = multipart(firstname="Élise", email="elise@example.com", password="Shopper1234!", **extra)
    return exchange("/customer/account/createpost/", body, sent=(kind,), answer=answer)


@pytest.mark.parametrize(
    ("passing", "expected"),
    [
        (
            register(NEW_SESSION, CONTEXT, ACCOUNT_PAGE, set_cookie(messages("success"))),
            [("Registered", "elise@example.com", True), ("Identified", "elise@example.com", "registration")],
        ),
        (
            register(NEW_SESSION, ACCOUNT_PAGE, set_cookie(messages("success")), subscribed=""),
            [("Registered", "elise@example.com", False), ("Identified", "elise@example.com", "registration")],
        ),
        (register(ACCOUNT_PAGE, set_cookie(messages("error"))), []),
        (register(ACCOUNT_PAGE), []),
        (register(("Location", "http://store.test/customer/account/create/"), set_cookie(messages("success"))), []),
    ],
)
def test_a_registration_needs_the_shops_word(room, passing, expected):
    assert seen(room, passing) == expected


def test_a_newsletter_form_identifies_only_on_success(room):
    def form(kind):
        return exchange("/newsletter/subscriber/new/", "email=nina%40example.com", answer=[set_cookie(messages(kind))])

    assert seen(room, form("success")) == [
        ("Subscribed", "nina@example.com"),
        ("Identified", "nina@example.com", "newsletter"),
    ]
    assert seen(room, form("error")) == []


def test_a_forgotten_password_identifies_nobody(room):
    forgot = exchange(
        "/customer/account/forgotpasswordpost/", "email=roni@example.com", answer=[set_cookie(messages("success"))]
    )
    assert seen(room, forgot) == [("MailExpected", "password_forgot", "roni@example.com")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_log_out_is_seen_by_either_method(room, method):
    page = ("Location", "http://store.test/customer/account/logoutSuccess/")
    leaving = exchange("/customer/account/logout/", method=method, answer=[NEW_SESSION, page])
    assert seen(room, leaving) == [("LoggedOut",)]
    assert seen(room, exchange("/customer/account/logoutSuccess/", method="GET", status=200)) is None


def test_an_account_made_over_rest_identifies_its_visitor_but_not_another_system(room):
    body = json.dumps({"customer": {"email": "roni@example.com", "firstname": "R"}, "password": "Shopper1234!"})

    def call(*sent, status=200, answer_body='{"id":7,"email":"roni@example.com"}'):
        return exchange("/rest/fr/V1/customers", body, sent=(JSON, *sent), status=status, answer_body=answer_body)

    registered = ("Registered", "roni@example.com", False)
    assert seen(room, call()) == [registered, ("Identified", "roni@example.com", "registration")]
    assert seen(room, call(("Authorization", "Bearer t"))) == [registered]
    assert seen(room, call(status=400, answer_body='{"message":"x"}')) == []


def test_a_customer_token_identifies_and_is_not_kept(room):
    body = json.dumps({"username": "roni@example.com", "password": "Shopper1234!"})
    call = exchange("/rest/V1/integration/customer/token", body, sent=(JSON,), status=200, answer_body='"secrettoken"')
    assert seen(room, call) == [("Identified", "roni@example.com", "login")]
    assert "secrettoken" not in repr(room.stream.events)


# ---- the order -----------------------------------------------------------------------------------------------------


def order(path, *, method="POST", status=200, answer_body='"23"', body=None):
    return exchange(
        path, json.dumps(body or ORDER), method=method, sent=(JSON,), status=status, answer_body=answer_body
    )


@pytest.mark.parametrize(
    ("passing", "expected"),
    [
        (order(f"{GUEST_CART}/payment-information"), [("OrderPlaced", "23", True)]),
        (order(f"{GUEST_CART}/payment-information", answer_body="23"), [("OrderPlaced", "23", True)]),
        (order(f"{GUEST_CART}/order", method="PUT"), [("OrderPlaced", "23", True)]),
        (order("/rest/default/V1/carts/mine/payment-information"), [("OrderPlaced", "23", False)]),
        (order("/rest/V1/carts/mine/order", method="PUT"), [("OrderPlaced", "23", False)]),
        (order("/index.php/rest/default/V1/carts/mine/payment-information"), [("OrderPlaced", "23", False)]),
        (order(f"{GUEST_CART}/payment-information", status=400, answer_body='{"message":"declined"}'), []),
        (order(f"{GUEST_CART}/payment-information", answer_body="true"), []),
        (order(f"{GUEST_CART}/payment-information", answer_body='{"id":23}'), []),
        (order(f"{GUEST_CART}/payment-information", answer_body='"23'), []),
        (order(f"{GUEST_CART}/set-payment-information", answer_body="true"), []),
        (order("/rest/V1/carts/12/order", method="PUT"), None),
        (order(f"{GUEST_CART}/order"), None),
    ],
)
def test_an_order_is_seen_by_its_entity_id(room, passing, expected):
    assert seen(room, passing) == expected


def test_a_guest_is_identified_at_checkout_only_by_setting(make_room):
    room = make_room(make_book(tracking__identify_guest_checkout=True))
    assert seen(room, order(f"{GUEST_CART}/payment-information")) == [
        ("OrderPlaced", "23", True),
        ("Identified", "guest@example.com", "checkout"),
    ]
    by_address = {"billingAddress": {"email": "billing@example.com"}}
    assert seen(room, order(f"{GUEST_CART}/payment-information", body=by_address))[1][1] == "billing@example.com"


def test_an_order_without_a_readable_body_is_still_an_order(make_room):
    room = make_room(make_book(tracking__identify_guest_checkout=True))
    passing = order(f"{GUEST_CART}/payment-information")
    passing.request_body = b"{"
    assert seen(room, passing) == [("OrderPlaced", "23", True)]


# ---- the account ---------------------------------------------------------------------------------------------------


def edited(*answer, email="new@example.com", changed="1", kind="success"):
    content, body = multipart(firstname="A", change_email=changed, email=email, current_password="Shopper1234!")
    return exchange(
        "/customer/account/editPost/", body, sent=(content,), answer=[*answer, set_cookie(messages(kind))],
        cookie=f"bridge_visitor={'a' * 32}",
    )  # fmt: skip


def test_a_changed_address_changes_the_identity_once(room):
    told = ("MailExpected", "email_changed", "new@example.com")
    assert seen(room, edited()) == [("Identified", "new@example.com", "account")]
    assert seen(room, edited()) == [told]
    assert seen(room, edited(changed="0", email="other@example.com")) == []
    assert seen(room, edited(changed="", email="other@example.com")) == []
    assert seen(room, edited(kind="error", email="other@example.com")) == []
    assert seen(room, edited(email="nobody")) == []
    assert seen(room, edited(email="third@example.com")) == [told, ("Identified", "third@example.com", "account")]


def me(status=200, body='{"id":7,"email":"roni@example.com"}', cookie=f"bridge_visitor={'a' * 32}", sent=(AJAX,)):
    return exchange(
        "/rest/default/V1/customers/me", method="GET", sent=sent, cookie=cookie, status=status, answer_body=body
    )


def test_a_visitor_who_was_logged_in_before_is_known_once_the_shop_names_her(room):
    assert seen(room, me(401, '{"message":"not authorised"}')) == []
    assert seen(room, me()) == [("Identified", "roni@example.com", "account")]
    assert seen(room, me()) == []
    assert seen(room, me(body='{"id":7,"email":"RONI@example.com"}')) == []
    identities = room.tracking.observer._identities
    assert identities.known("a" * 32, None).email == "roni@example.com"
    for odd in ("[]", "null", '{"id":7}', '{"email":"roni@example.com"}', '{"id":7,"email":["x"]}', "<html>"):
        assert seen(room, me(body=odd, cookie=f"bridge_visitor={'b' * 32}")) == []


def test_an_address_that_was_changed_over_rest_changes_the_identity_once(room):
    def put(email):
        passing = me(body=json.dumps({"id": 7, "email": email}))
        passing.request.method = b"PUT"
        return seen(room, passing)

    assert seen(room, me()) == [("Identified", "roni@example.com", "account")]
    assert put("roni@example.com") == []
    assert put("new@example.com") == [("Identified", "new@example.com", "account")]
    assert put("new@example.com") == []
    refused = me(status=401, body='{"message":"x"}')
    refused.request.method = b"PUT"
    assert seen(room, refused) == []


def test_a_customer_of_whom_the_shop_told_before_our_cookie_claims_her_identity(room):
    seen(room, me(cookie="PHPSESSID=s"))
    assert seen(room, me(cookie="PHPSESSID=s")) == []
    seen(room, me(cookie="", sent=(("Authorization", "Bearer t"),)))
    assert seen(room, me(cookie="", sent=(("Authorization", "Bearer t"),))) == []
    identities = room.tracking.observer._identities
    assert identities.known("c" * 32, b"s").email == "roni@example.com"
    assert identities.known("d" * 32, None, b"t").email == "roni@example.com"
