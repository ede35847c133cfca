"""A visitor of the sandbox shop and a reader of its REST API, for the tests of this folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.sandbox.state import ShopState

if TYPE_CHECKING:
    from email.message import EmailMessage

    from werkzeug.test import TestResponse

BASE_URL = "http://shop.test/"
EU_URL = "http://eu.shop.test/"
TOKEN = "sandbox-token"
AJAX = {"X-Requested-With": "XMLHttpRequest"}


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)


class Shop:
    """A shop with its clock, its mails and its memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.mails: list[EmailMessage] = []
        self.app = create_shop(ShopOptions(BASE_URL, TOKEN, self.mails.append, self.clock))

    @property
    def state(self) -> ShopState:
        return self.app.extensions["sandbox_shop"]

    def visitor(self, base_url: str = BASE_URL) -> Visitor:
        return Visitor(self, base_url)

    def rest(self, path: str, token: str | None = TOKEN, method: str = "GET", **request: Any) -> TestResponse:
        """Ask the admin REST API; brackets and blanks in the path may be written plainly."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        url = quote(f"/rest/{path}", safe="/?=&[],%")
        client = self.app.test_client(use_cookies=False)
        return client.open(
            url, method=method, base_url=BASE_URL, headers={**headers, **request.pop("headers", {})}, **request
        )


class Visitor:
    """A browser without scripts: cookies, forms, AJAX on demand."""

    def __init__(self, shop: Shop, base_url: str = BASE_URL) -> None:
        self.shop = shop
        self.base_url = base_url
        self.domain = urlsplit(base_url).hostname
        self.client = shop.app.test_client()
        self.form_key = "AbCdEfGh12345678"
        self.client.set_cookie("form_key", self.form_key, domain=self.domain)

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name, domain=self.domain)
        return found.value if found else None

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=self.base_url, headers=headers)

    def post(self, path: str, data: dict[str, Any], *, ajax: bool = False, form_key: str | None = None) -> TestResponse:
        fields = {**data, "form_key": form_key or self.form_key}
        return self.client.post(path, base_url=self.base_url, data=fields, headers=AJAX if ajax else {})

    def add(self, product: int, qty: int = 1, options: dict[int, int] | None = None) -> TestResponse:
        fields = {f"super_attribute[{axis}]": value for axis, value in (options or {}).items()}
        data = {"product": product, "qty": qty, "item": product, **fields}
        return self.post(f"/checkout/cart/add/uenc/aHR0cDovL3Nob3AudGVzdC8~/product/{product}/", data, ajax=True)

    def sections(self, *names: str) -> dict[str, Any]:
        answer = self.client.get(
            f"/customer/section/load/?sections={','.join(names)}", base_url=self.base_url, headers=AJAX
        )
        assert answer.status_code == 200
        return answer.json

    def cart(self) -> dict[str, Any]:
        return self.sections("cart")["cart"]

    def call(
        self, method: str, path: str, body: Any = None, *, ajax: bool = True, code: str = "default"
    ) -> TestResponse:
        """Make a REST call as the storefront's script does."""
        return self.client.open(
            f"/rest/{code}/V1/{path}",
            method=method,
            base_url=self.base_url,
            headers=AJAX if ajax else {},
            json=body,
        )

    def checkout_config(self, path: str = "/checkout/cart/") -> dict[str, Any]:
        text = self.get(path).text
        start = text.index("window.checkoutConfig = ") + len("window.checkoutConfig = ")
        return json.JSONDecoder().raw_decode(text[start:])[0]

    def register(self, email: str = "ann@example.com", **fields: str) -> TestResponse:
        form = {
            "firstname": "Ann",
            "lastname": "Reg",
            "email": email,
            "password": "Secret-123",
            "password_confirmation": "Secret-123",
            **fields,
        }
        return self.post("/customer/account/createpost/", form)

    def log_in(self, email: str, password: str) -> TestResponse:
        return self.post(
            "/customer/account/loginPost/", {"login[username]": email, "login[password]": password, "send": ""}
        )

    def messages(self) -> list[dict[str, str]]:
        """Read and forget the messages that came with redirects."""
        text = self.cookie("mage-messages")
        self.client.delete_cookie("mage-messages", domain=self.domain)
        return json.loads(unquote(text)) if text else []

    def order(self, email: str = "gus@example.com") -> str:
        """Order what is in a guest's cart; answer the order's entity id."""
        cart = f"guest-carts/{self.checkout_config()['quoteData']['entity_id']}"
        return self.place(cart, email)

    def place(self, cart: str, email: str | None, method: str = "checkmo") -> str:
        address = {
            "countryId": "GB",
            "region": "",
            "street": ["1 Test Street", ""],
            "city": "London",
            "postcode": "N1 1AA",
            "firstname": "Gus",
            "lastname": "Guest",
            "telephone": "02070000000",
        }
        information = {
            "shipping_address": address,
            "billing_address": {**address, "saveInAddressBook": None},
            "shipping_method_code": "flatrate",
            "shipping_carrier_code": "flatrate",
            "extension_attributes": {},
        }
        answer = self.call("POST", f"{cart}/shipping-information", {"addressInformation": information})
        assert answer.status_code == 200, answer.text
        body = {
            "cartId": cart.rpartition("/")[2],
            "billingAddress": address,
            "paymentMethod": {"method": method, "po_number": None, "additional_data": None},
        }
        if email:
            body["email"] = email
        placed = self.call("POST", f"{cart}/payment-information", body)
        assert placed.status_code == 200, placed.text
        return placed.json


def set_cookies(answer: TestResponse) -> dict[str, str]:
    """Return the last ``Set-Cookie`` line of each name."""
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
