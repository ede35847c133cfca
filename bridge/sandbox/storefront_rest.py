"""The REST calls that the storefront itself makes: guest carts, ``carts/mine``, ``customers/me``."""

from __future__ import annotations

import re
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g

from bridge.sandbox import cart, mails
from bridge.sandbox.quote_documents import rest_cart, rest_item, totals
from bridge.sandbox.state import Address
from bridge.sandbox.store_documents import customer_document
from bridge.sandbox.web import Response, is_ajax, post_mail, request, rest_answer, shop_state, visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.state import Quote

blueprint = Blueprint("shop_storefront_rest", __name__)

STORE_CODES = ("default", "all")
Body = dict[str, Any]


class RestError(Exception):
    """A refusal in Magento's JSON shape."""

    def __init__(self, status: int, message: str, parameters: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.document: Body = {"message": message}
        if parameters is not None:
            self.document["parameters"] = parameters


def not_authorised(resource: str) -> RestError:
    """Return the refusal of a caller without the right to a resource."""
    return RestError(401, "The consumer isn't authorized to access %resources.", {"resources": resource})


def no_such_entity(name: str, value: Any) -> RestError:
    """Return the refusal for an id that does not exist."""
    return RestError(404, "No such entity with %fieldName = %fieldValue", {"fieldName": name, "fieldValue": value})


NO_ROUTE = RestError(404, "Request does not match any route.")


def check_store_code(code: str | None) -> None:
    """Refuse a store code that the shop does not have: the path then matches no route."""
    if code is not None and code not in STORE_CODES:
        raise NO_ROUTE


def _route(path: str, *methods: str) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    def register(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def answer(code: str | None = None, **values: Any) -> Response:
            g.rest_session = True
            check_store_code(code)
            return rest_answer(view(**values))

        for prefix in ("/rest/V1/", "/rest/<code>/V1/"):
            blueprint.add_url_rule(
                prefix + path, endpoint=f"{view.__name__}:{prefix}", view_func=answer, methods=methods
            )
        return answer

    return register


def _both(path: str, *methods: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a call for guest carts (by masked id) and for the signed-in customer's cart."""

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        def guest(masked: str, **values: Any) -> Any:
            return view(_guest_cart(masked), **values)

        def mine(**values: Any) -> Any:
            return view(_own_cart(), **values)

        guest.__name__, mine.__name__ = f"guest_{view.__name__}", f"mine_{view.__name__}"
        _route(f"guest-carts/<masked>{path}", *methods)(guest)
        _route(f"carts/mine{path}", *methods)(mine)
        return view

    return register


def _guest_cart(masked: str) -> Quote:
    quote = shop_state().guest_quote(masked)
    if quote is None:
        raise no_such_entity("cartId", None)
    return quote


def _customer_id() -> int:
    """Return the signed-in customer: the session counts only for the shop's own scripts."""
    customer_id = visitor().customer_id
    if customer_id is None or not is_ajax():
        raise not_authorised("self")
    return customer_id


def _own_cart() -> Quote:
    _customer_id()
    quote = shop_state().quote_of(visitor())
    if quote is None:
        raise no_such_entity("customerId", visitor().customer_id)
    return quote


def _body() -> Body:
    if request.mimetype != "application/json":
        kind = request.mimetype
        raise RestError(400, f"This call takes application/json, not the media type {kind}")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise RestError(400, "Decoding error.")
    return {_snake(key): value for key, value in body.items()}


def _snake(name: str) -> str:
    return re.sub(r"(?<=\w)(?=[A-Z])", "_", name).lower()


def _inner(body: Body, name: str) -> Body:
    inner = body.get(name)
    if not isinstance(inner, dict):
        raise RestError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": name})
    return {_snake(key): value for key, value in inner.items()}


def _address(raw: Body) -> Address:
    street = raw.get("street") or []
    lines = street if isinstance(street, list) else [street]
    texts = {
        name: str(raw.get(name) or "") for name in ("firstname", "lastname", "city", "postcode", "telephone", "company")
    }
    return Address(
        street=tuple(str(line) for line in lines if line), country_id=str(raw.get("country_id") or "GB"), **texts
    )


@_route("customers/isEmailAvailable", "POST")
def is_email_available() -> bool:
    """Tell whether no account has the address. Anybody may ask."""
    email = str(_body().get("customer_email", ""))
    return shop_state().customer_by_email(email) is None


@_route("customers/me", "GET")
def customers_me() -> Body:
    """Answer the signed-in customer."""
    return customer_document(shop_state(), shop_state().customers[_customer_id()])


@_route("guest-carts", "POST")
def create_guest_cart() -> str:
    """Open a cart that belongs to no session; answer its masked id."""
    return shop_state().new_quote().masked_id


@_route("carts/mine", "POST")
def create_own_cart() -> int:
    """Open the customer's cart, or answer the one there is."""
    _customer_id()
    return shop_state().open_quote(visitor()).id


@_both("", "GET")
def show_cart(quote: Quote) -> Body:
    """Answer the cart."""
    return rest_cart(shop_state(), quote)


@_both("/items", "GET")
def list_items(quote: Quote) -> list[Body]:
    """Answer the lines of the cart."""
    return [rest_item(quote, item) for item in quote.items]


@_both("/items", "POST")
def add_item(quote: Quote) -> Body:
    """Put a SKU in the cart."""
    item = _inner(_body(), "cart_item")
    product = shop_state().catalog.by_sku.get(str(item.get("sku")))
    if product is None:
        raise RestError(404, "There is no product with this SKU.")
    options = item.get("product_option", {}).get("extension_attributes", {}).get("configurable_item_options", [])
    chosen = {int(row["option_id"]): str(row["option_value"]) for row in options}
    return rest_item(quote, _try(cart.add, shop_state(), quote, product, _qty(item), chosen))


@_both("/items/<int:item_id>", "PUT")
def change_item(quote: Quote, item_id: int) -> Body:
    """Change the quantity of a line."""
    _try(cart.set_qty, shop_state(), quote, item_id, _qty(_inner(_body(), "cart_item")))
    return rest_item(quote, _try(cart.find, quote, item_id))


@_both("/items/<int:item_id>", "DELETE")
def remove_item(quote: Quote, item_id: int) -> bool:
    """Take a line out."""
    _try(cart.remove, shop_state(), quote, item_id)
    return True


def _qty(item: Body) -> int:
    qty = item.get("qty")
    if isinstance(qty, bool) or not isinstance(qty, (int, float)):
        raise RestError(400, f'"qty" must be a number, not "{qty}".')
    return int(qty)


def _try(action: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return action(*arguments)
    except cart.CartError as error:
        raise RestError(400, str(error)) from error


@_both("/estimate-shipping-methods", "POST")
def estimate_shipping_methods(quote: Quote) -> list[Body]:
    """Answer the shipping methods for a half-typed address."""
    _inner(_body(), "address")
    return cart.shipping_rates(quote)


@_both("/totals", "GET")
def show_totals(quote: Quote) -> Body:
    """Answer the totals."""
    return totals(quote, quote.shipping_method)


@_both("/totals-information", "POST")
def totals_information(quote: Quote) -> Body:
    """Answer the totals as they would be with a shipping method; nothing is saved."""
    return totals(quote, _method(_inner(_body(), "address_information")))


def _method(information: Body) -> str | None:
    carrier, method = information.get("shipping_carrier_code"), information.get("shipping_method_code")
    return f"{carrier}_{method}" if carrier and method else None


@_both("/shipping-information", "POST")
def shipping_information(quote: Quote) -> Body:
    """Save address and shipping method; answer payment methods and totals."""
    information = _inner(_body(), "address_information")
    method = _method(information)
    if method not in {f"{rate['carrier_code']}_{rate['method_code']}" for rate in cart.shipping_rates(quote)}:
        raise RestError(400, "This cart cannot be sent by that method.")
    shipping = _inner(information, "shipping_address")
    quote.shipping_address, quote.shipping_method = _address(shipping), method
    if isinstance(information.get("billing_address"), dict):
        quote.billing_address = _address(_inner(information, "billing_address"))
    if shipping.get("email"):
        quote.validated_email = str(shipping["email"])
    methods = [{"code": code, "title": title} for code, title in cart.PAYMENT_METHODS.items()]
    return {"payment_methods": methods, "totals": totals(quote, method)}


@_both("/set-payment-information", "POST")
def set_payment_information(quote: Quote) -> bool:
    """Save payment method and, for guests, the e-mail."""
    _take_payment(quote, _body())
    return True


@_both("/payment-information", "GET")
def payment_methods(quote: Quote) -> Body:
    """Answer payment methods and totals."""
    methods = [{"code": code, "title": title} for code, title in cart.PAYMENT_METHODS.items()]
    return {"payment_methods": methods, "totals": totals(quote, quote.shipping_method)}


@_both("/payment-information", "POST")
def payment_information(quote: Quote) -> str:
    """Place the order; answer its entity id as a string."""
    return _place(quote, _take_payment(quote, _body()))


def _take_payment(quote: Quote, body: Body) -> str:
    method = str(_inner(body, "payment_method").get("method", ""))
    if isinstance(body.get("billing_address"), dict):
        quote.billing_address = _address(_inner(body, "billing_address"))
    customer = shop_state().customers.get(quote.customer_id or 0)
    email = customer.email if customer else body.get("email")
    if email:
        quote.email = quote.validated_email = str(email)
    return method


def _place(quote: Quote, method: str) -> str:
    state, session = shop_state(), visitor()
    order = _try(cart.place_order, state, quote, method, request.remote_addr or "127.0.0.1")
    session.last_order_id = order.entity_id
    if session.quote_id == quote.id:
        session.quote_id = None
    post_mail(mails.order_placed(state.options, order))
    return str(order.entity_id)
