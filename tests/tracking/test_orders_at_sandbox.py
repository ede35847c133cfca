"""Orders placed at the sandbox shop in each way that it knows, as the observers see them pass."""

from __future__ import annotations

import io

import pytest
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request as Incoming

from tests.sandbox.shop_client import Shop
from tests.tracking.conftest import make_book
from tests.tracking.test_capture import seen
from tests.tracking.wires import Exchange, Request, Response


class Watched:
    """Stands where the proxy does: shows each request and its answer to the observers."""

    def __init__(self, app, room):
        self.app, self.room, self.told = app, room, []

    def __call__(self, environ, start_response):
        asked = Incoming(environ)
        body = asked.get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        parts, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        answer = b"".join(parts)
        passing = Exchange(
            Request(asked.method, asked.full_path.rstrip("?"), list(asked.headers.items())),
            body,
            Response(int(status.split()[0]), list(headers.items())),
            answer,
            host=asked.host.encode(),
        )
        self.told += seen(self.room, passing) or []
        start_response(status, list(headers.items()))
        return [answer]


@pytest.fixture
def shop(make_room):
    shop = Shop()
    shop.room = make_room(make_book(stores=()))
    shop.watched = Watched(shop.app.wsgi_app, shop.room)
    shop.app.wsgi_app = shop.watched
    return shop


def orders(shop):
    return [told for told in shop.watched.told if told[0] == "OrderPlaced"]


def number_of(shop, number):
    return next(str(order.entity_id) for order in shop.state.orders.values() if order.increment_id == number)


def test_a_guests_order_is_told_once_however_often_its_confirmation_is_looked_at(shop):
    visitor = shop.visitor()
    visitor.add(1)
    order = visitor.order("gus@example.com")
    for _ in range(3):
        visitor.get("/checkout/onepage/success/")
    assert orders(shop) == [("OrderPlaced", order, True)]
    visitor.add(1)
    second = visitor.order("gus@example.com")
    visitor.get("/checkout/onepage/success/")
    assert orders(shop) == [("OrderPlaced", order, True), ("OrderPlaced", second, True)]


def test_a_customers_order_is_told_once(shop):
    visitor = shop.visitor()
    visitor.register()
    visitor.add(1)
    order = visitor.place("carts/mine", None)
    visitor.get("/checkout/onepage/success/")
    assert orders(shop) == [("OrderPlaced", order, False)]
    assert ("Identified", "ann@example.com", "registration") in shop.watched.told


def test_without_an_order_a_look_at_the_confirmation_tells_of_none(shop):
    visitor = shop.visitor()
    visitor.add(1)
    visitor.get("/checkout/onepage/success/")
    visitor.get("/multishipping/checkout/success/")
    assert orders(shop) == []


def test_a_refused_order_is_none(shop):
    visitor = shop.visitor()
    visitor.add(1)
    cart = f"guest-carts/{visitor.checkout_config()['quoteData']['entity_id']}"
    refused = visitor.call("POST", f"{cart}/payment-information", {"email": "gus@example.com"})
    assert refused.status_code >= 400
    assert orders(shop) == []


def test_two_addresses_are_two_orders_and_told_once_each(shop):
    maren = shop.visitor()
    maren.log_in("maren.holt@example.com", "Lighthouse-42")
    assert ("Identified", "maren.holt@example.com", "login") in shop.watched.told
    second = shop.state.add_address(shop.state.customers[41], shop.state.customers[42].addresses[72])
    first = shop.state.customers[41].default_address
    maren.add(1, 2)
    bag = shop.state.quote_of_customer(41).items[0].id
    ship = {
        f"ship[1][{bag}][qty]": 1, f"ship[1][{bag}][address]": first,
        f"ship[2][{bag}][qty]": 1, f"ship[2][{bag}][address]": second,
    }  # fmt: skip
    maren.post("/multishipping/checkout/addressesPost/", ship)
    maren.post("/multishipping/checkout/shippingPost/",
               {f"shipping_method[{id_}]": "flatrate_flatrate" for id_ in (first, second)})  # fmt: skip
    maren.post("/multishipping/checkout/overview/", {"payment[method]": "checkmo"})
    maren.post("/multishipping/checkout/overviewPost/", {})
    for _ in range(2):
        maren.get("/multishipping/checkout/success/")
    assert orders(shop) == [
        ("OrderPlaced", number_of(shop, number), number, False) for number in ("000000018", "000000019")
    ]


def test_a_customer_who_orders_over_rest_with_a_bearer_token_is_known_and_her_order_told_once(shop):
    def call(method, path, body, **headers):
        answer = shop.app.test_client(use_cookies=False).open(
            f"/rest/default/V1/{path}", method=method, json=body, headers=headers, base_url="http://shop.test/"
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    token = call("POST", "integration/customer/token",
                 {"username": "maren.holt@example.com", "password": "Lighthouse-42"})  # fmt: skip
    bearer = {"Authorization": f"Bearer {token}"}
    call("POST", "carts/mine", {}, **bearer)
    call("POST", "carts/mine/items", {"cartItem": {"sku": "HP-BAG-01", "qty": 1}}, **bearer)
    address = {
        "firstname": "M", "lastname": "H", "street": ["1 Road"], "city": "Whitby", "postcode": "YO1 1AA",
        "country_id": "GB", "telephone": "1",
    }  # fmt: skip
    information = {
        "shipping_address": address, "billing_address": address, "shipping_carrier_code": "flatrate",
        "shipping_method_code": "flatrate",
    }  # fmt: skip
    call("POST", "carts/mine/shipping-information", {"addressInformation": information}, **bearer)
    placed = {"paymentMethod": {"method": "checkmo"}, "billing_address": address}
    order = call("POST", "carts/mine/payment-information", placed, **bearer)
    assert shop.watched.told == [
        ("Identified", "maren.holt@example.com", "login"),
        ("OrderPlaced", order, False),
    ]
    identities = shop.room.tracking.observer._identities
    assert identities.known("a" * 32, None, token.encode()).email == "maren.holt@example.com"
    assert identities.known("b" * 32, None, token.encode()).email is None
    assert token not in repr(shop.room.stream.events)


def ask(shop, query, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = shop.app.test_client().post(
        "/graphql", json={"query": query}, headers=headers, base_url="http://shop.test/"
    )
    assert "errors" not in answer.json, answer.json
    return answer.json["data"]


def test_a_front_end_over_graphql_logs_in_fills_its_cart_and_orders(shop):
    token = ask(
        shop, 'mutation { generateCustomerToken(email: "maren.holt@example.com", password: "Lighthouse-42") { token } }'
    )["generateCustomerToken"]["token"]
    cart = ask(shop, "{ customerCart { id } }", token)["customerCart"]["id"]
    steps = [
        (
            f'addProductsToCart(cartId: "{cart}", cartItems: [{{sku: "HP-BAG-01", quantity: 1}}])'
            " { cart { id } user_errors { code } }"
        ),
        (
            f'setShippingAddressesOnCart(input: {{cart_id: "{cart}", shipping_addresses: [{{address: {{firstname: "M", '
            'lastname: "H", street: ["1 Road"], city: "Whitby", postcode: "YO1 1AA", country_code: "GB", telephone: "1"}}]})'
            " { cart { id } }"
        ),
        (
            f'setShippingMethodsOnCart(input: {{cart_id: "{cart}", shipping_methods: [{{carrier_code: "flatrate", '
            'method_code: "flatrate"}]}) { cart { id } }'
        ),
        (
            f'setBillingAddressOnCart(input: {{cart_id: "{cart}", billing_address: {{same_as_shipping: true}}}})'
            " { cart { id } }"
        ),
        f'setPaymentMethodOnCart(input: {{cart_id: "{cart}", payment_method: {{code: "checkmo"}}}}) {{ cart {{ id }} }}',
        f'placeOrder(input: {{cart_id: "{cart}"}}) {{ order {{ order_number }} }}',
    ]
    for step in steps:
        ask(shop, f"mutation {{ {step} }}", token)
    assert shop.watched.told == [
        ("Identified", "maren.holt@example.com", "login"),
        ("BasketChanged", "addProductsToCart"),
        ("OrderPlaced", None, "000000018", False),
    ]
