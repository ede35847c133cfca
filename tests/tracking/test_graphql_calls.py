"""GraphQL calls: those that a stock Magento answered, and own samples of what else a front end may send."""

from __future__ import annotations

import json
import logging

import pytest

from bridge.tracking.observer import CAPTURED
from tests.tracking.conftest import CAPTURES, make_book
from tests.tracking.test_capture import seen
from tests.tracking.wires import JSON, exchange

CAPTURED_CALLS = {
    "addProductsToCart": [("BasketChanged", "addProductsToCart")],
    "addProductsToCart_configurable": [("BasketChanged", "addProductsToCart")],
    "addProductsToCart_out_of_stock": [],
    "applyCouponToCart": [("BasketChanged", "applyCouponToCart")],
    "applyCouponToCart_invalid": [],
    "cart": [],
    "createCustomerV2": [("Registered", "gus@example.com", True), ("Identified", "gus@example.com", "registration")],
    "createEmptyCart": [],
    "customer": [("Identified", "jane@example.com", "account")],
    "customerCart": [],
    "customer_no_token": [],
    "generateCustomerToken": [("Identified", "jane@example.com", "login")],
    "generateCustomerToken_wrong_password": [],
    "placeOrder": [("OrderPlaced", None, "000000015", True)],
    "placeOrder_again_error": [],
    "product_configurable": [],
    "products_search": [],
    "removeItemFromCart_error": [],
    "requestPasswordResetEmail": [("MailExpected", "password_forgot", "gus@example.com")],
    "setGuestEmailOnCart": [],
    "setPaymentMethodOnCart": [],
    "storeConfig": [],
    "subscribeEmailToNewsletter": [
        ("Subscribed", "gql@example.com"),
        ("Identified", "gql@example.com", "newsletter"),
    ],
    "syntax_error": [],
    "unknown_field": [],
    "updateCartItems": [("BasketChanged", "updateCartItems")],
}


def call(query, data=None, *, variables=None, sent=(), errors=None, status=200, **more):
    answer = {"data": data} | ({"errors": errors} if errors else {})
    body = {"query": query} | ({"variables": variables} if variables else {}) | more
    return exchange(
        "/graphql", json.dumps(body), sent=(JSON, *sent), status=status, answer_body=json.dumps(answer).encode()
    )


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured answers are not beside this checkout")
@pytest.mark.parametrize("name", CAPTURED_CALLS)
def test_a_captured_call_gives_what_is_written_down_here(room, name):
    meta = json.loads((CAPTURES / "graphql" / f"{name}.meta.json").read_text())
    body = meta["request"]["body"]
    answer = (CAPTURES / "graphql" / f"{name}.json").read_bytes()
    sent = [pair for pair in meta["request"]["headers"].items() if pair[0] in {"Content-Type", "Authorization"}]
    passing = exchange("/graphql", json.dumps(body), sent=sent, status=meta["response"]["status"], answer_body=answer)
    assert seen(room, passing) == CAPTURED_CALLS[name]


TOKEN = "mutation Sign($e: String!, $p: String!) { generateCustomerToken(email: $e, password: $p) { token } }"
WHO = {"e": "ada@example.com", "p": "Shopper1234!"}
LOGIN = [("Identified", "ada@example.com", "login")]
GIVEN = {"generateCustomerToken": {"token": "t0ken"}}
ORDER = 'mutation { placeOrder(input: {cart_id: "x"}) { %s } }'


@pytest.mark.parametrize(
    ("passing", "expected"),
    [
        (call(TOKEN, GIVEN, variables=WHO), LOGIN),
        (call('mutation { me: generateCustomerToken(email: "ada@example.com", password: "x") { t: token } }',
              {"me": {"t": "t0ken"}}), LOGIN),
        (call('mutation ($e: String = "ada@example.com") { generateCustomerToken(email: $e, password: "x") { token } }',
              GIVEN), LOGIN),
        (call('mutation Sign { ...S } fragment S on Mutation { generateCustomerToken(email: "ada@example.com", '
              'password: "x") { token } }', GIVEN), LOGIN),
        (call("query A { products { items { sku } } } " + TOKEN, GIVEN, variables=WHO, operationName="Sign"), LOGIN),
        (call("query A { products { items { sku } } } " + TOKEN, GIVEN, variables=WHO, operationName="A"), []),
        (call("query A { x } " + TOKEN, GIVEN, variables=WHO), []),
        (call(TOKEN, {"generateCustomerToken": None}, variables=WHO), []),
        (call(TOKEN, GIVEN, variables=WHO, errors=[{"message": "m", "path": ["generateCustomerToken"]}]), []),
        (call(TOKEN, GIVEN, variables=WHO, errors=[{"message": "m"}]), []),
        (call(TOKEN, GIVEN, variables=WHO, errors=[{"message": "m", "path": ["other", 0]}]), LOGIN),
        (call(TOKEN, GIVEN, variables=WHO, status=500), []),
        (call(TOKEN, GIVEN, variables={"e": 7}), []),
        (call(TOKEN, GIVEN), []),
        (call('mutation { createCustomer(input: {email: "new@example.com", is_subscribed: false}) '
              "{ customer { email } } }", {"createCustomer": {"customer": {"email": "new@example.com"}}}),
         [("Registered", "new@example.com", False), ("Identified", "new@example.com", "registration")]),
        (call('mutation { createCustomerV2(input: {email: "new@example.com"}) { customer { email } } }',
              {"createCustomerV2": {"customer": {"email": "new@example.com"}}}, sent=[("Authorization", "Bearer t")]),
         [("Registered", "new@example.com", False)]),
        (call('mutation { subscribeEmailToNewsletter(email: "n@example.com") { status } }',
              {"subscribeEmailToNewsletter": {"status": "UNSUBSCRIBED"}}), []),
        (call('mutation { updateCustomerEmail(email: "new@example.com", password: "x") { customer { email } } }',
              {"updateCustomerEmail": {"customer": {"email": "new@example.com"}}}),
         [("Identified", "new@example.com", "account")]),
        (call('mutation { updateCustomer(input: {firstname: "A"}) { customer { email } } }',
              {"updateCustomer": {"customer": {"email": "old@example.com"}}}), []),
        (call("mutation { revokeCustomerToken { result } }", {"revokeCustomerToken": {"result": True}}),
         [("LoggedOut",)]),
        (call("mutation { revokeCustomerToken { result } }", {"revokeCustomerToken": {"result": False}}), []),
        (call("mutation { deleteCustomer }", {"deleteCustomer": True}), [("LoggedOut",)]),
        (call("{ customer { mail: email } }", {"customer": {"mail": "ada@example.com"}}),
         [("Identified", "ada@example.com", "account")]),
        (call("{ customer { firstname } }", {"customer": {"firstname": "Ada"}}), []),
        (call('mutation { requestPasswordResetEmail(email: "victim@example.com") }',
              {"requestPasswordResetEmail": True}), [("MailExpected", "password_forgot", "victim@example.com")]),
        (call(ORDER % "orderV2 { number token }", {"placeOrder": {"orderV2": {"number": "E-1", "token": "t"}}},
              sent=[("Authorization", "Bearer t")]), [("OrderPlaced", None, "E-1", False)]),
        (call(ORDER % "errors { code } orderV2 { number }",
              {"placeOrder": {"errors": [{"code": "UNABLE"}], "orderV2": None}}), []),
        (call(ORDER % "order { order_number }", {"placeOrder": {"order": None}}), []),
        (call(ORDER % "errors { code }", {"placeOrder": {"errors": []}}), []),
        (call('mutation { setPaymentMethodAndPlaceOrder(input: {cart_id: "x"}) { order { order_id } } }',
              {"setPaymentMethodAndPlaceOrder": {"order": {"order_id": "7"}}}), [("OrderPlaced", None, "7", True)]),
        (call('mutation { mergeCarts(source_cart_id: "a", destination_cart_id: "b") { id } }',
              {"mergeCarts": {"id": "b"}}), [("BasketChanged", "mergeCarts")]),
        (call('mutation { clearCart(input: {uid: "x"}) { errors { type } cart { id } } }',
              {"clearCart": {"errors": [{"type": "NOT_FOUND"}], "cart": None}}), []),
    ],
)  # fmt: skip
def test_a_call_counts_only_when_the_shop_carried_it_out(room, passing, expected):
    assert seen(room, passing) == expected


def test_a_batch_is_read_call_by_call(room):
    login = json.loads(call(TOKEN, variables=WHO).request_body)
    bad = {"query": TOKEN, "variables": {"e": "other@example.com", "p": "x"}}
    answers = [{"data": {"generateCustomerToken": None}}, {"data": GIVEN}]
    passing = exchange(
        "/graphql", json.dumps([bad, login]), sent=(JSON,), status=200, answer_body=json.dumps(answers).encode()
    )
    assert seen(room, passing) == LOGIN


def test_a_guest_is_identified_by_her_cart_only_where_the_setting_allows_it(make_room):
    query = 'mutation { setGuestEmailOnCart(input: {cart_id: "x", email: "g@example.com"}) { cart { email } } }'
    data = {"setGuestEmailOnCart": {"cart": {"email": "g@example.com"}}}
    assert seen(make_room(make_book(tracking__identify_guest_checkout=True)), call(query, data)) == [
        ("Identified", "g@example.com", "checkout")
    ]
    assert seen(make_room(), call(query, data)) == []


def test_the_store_view_is_the_one_that_the_header_names(room):
    seen(room, call(TOKEN, GIVEN, variables=WHO, sent=[("Store", "fr")]))
    seen(room, call(TOKEN, GIVEN, variables=WHO, sent=[("Store", "../x")]))
    assert [event.store for event in room.stream.events] == ["fr", None]


def test_a_token_is_kept_as_a_claim_and_nowhere_else(room, caplog):
    caplog.set_level(logging.DEBUG, logger="bridge")
    seen(room, call(TOKEN, GIVEN, variables=WHO))
    identities = room.tracking.observer._identities
    assert identities.known("a" * 32, None, b"other").email is None
    assert identities.known("a" * 32, None, b"t0ken").email == "ada@example.com"
    assert "t0ken" not in repr(room.stream.events) + caplog.text
    seen(room, call(TOKEN, GIVEN, variables=WHO))
    leaving = call("mutation { revokeCustomerToken { result } }", {"revokeCustomerToken": {"result": True}},
                   sent=[("Authorization", "Bearer t0ken")])  # fmt: skip
    assert seen(room, leaving) == [("LoggedOut",)]
    assert identities.known("b" * 32, None, b"t0ken").email is None


NAMED = b"generateCustomerToken"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (b"generateCustomerToken", b"{}"),
        (b'{"query": 7, "x": "generateCustomerToken"}', b"{}"),
        (b'{"query": "mutation { generateCustomerToken("}', b'{"data": {}}'),
        (b'{"query": "' + b"{ customer " * 5000 + b'"}', b'{"data": {}}'),
        (b'{"query": "{ customer(a: ' + b"[" * 6000 + b'"}', b'{"data": {}}'),
        (b'{"query": "{ customer { ...A } } fragment A on C { ...A email }"}', b'{"data": {"customer": []}}'),
        (b'{"query": "{ customer { email } }"}', b"<html>"),
        (b'{"query": "{ customer { email } }"}', b'{"data": {"customer": {"email": {"x": 1}}}}'),
        (b'{"query": "{ customer { email } }"}', b'{"data": []}'),
        (b'{"query": "{ customer { email } }"}', b'[{"data": {}}]'),
        (b'[{"query": "{ customer { email } }"}]', b'[{"data": {}}, {"data": {}}]'),
        (b'{"query": "{ customer { email } }", "variables": []}', b'{"data": {}}'),
        (b"[" * 60000 + NAMED, b"{}"),
        (NAMED + b"\xff\xfe", b"\xff"),
    ],
)
def test_what_is_no_graphql_is_dropped_and_told_to_nobody(room, asked, told, caplog):
    caplog.set_level(logging.DEBUG, logger="bridge")
    passing = exchange("/graphql", asked, sent=(JSON,), status=200, answer_body=told)
    assert seen(room, passing) == []
    assert caplog.text == ""


def test_a_call_that_names_nothing_of_ours_is_not_parsed(room, monkeypatch):
    before = CAPTURED.labels("graphql", "odd")._value.get()
    passing = exchange("/graphql", b"{broken", sent=(JSON,), status=200, answer_body=b"also broken")
    assert seen(room, passing) == []
    assert CAPTURED.labels("graphql", "odd")._value.get() == before
