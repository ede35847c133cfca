"""The REST calls that the storefront itself makes: guest carts, ``carts/mine``, ``customers/me``."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g

from bridge.sandbox import cart, mails
from bridge.sandbox.people import Address
from bridge.sandbox.placing import place_order
from bridge.sandbox.quote_documents import rest_cart, rest_item, totals
from bridge.sandbox.rest_base import (
    NO_PRODUCT,
    RestError,
    bearer,
    body,
    inner,
    no_such_entity,
    not_authorised,
    selling_view,
    snake,
    take_scope,
)
from bridge.sandbox.store_documents import customer_document
from bridge.sandbox.views import ALL
from bridge.sandbox.web import Response, is_ajax, post_mail, request, rest_answer, shop_state, store_view, visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.quotes import Quote

blueprint = Blueprint("shop_storefront_rest", __name__)

Body = dict[str, Any]


def route(
    path: str, *methods: str, where: Blueprint | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Register a call that the visitor's session goes with."""

    def register(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def answer(store_code: str | None = None, **values: Any) -> Response:
            g.rest_session = True
            take_scope(store_code)
            return rest_answer(view(**values))

        for prefix in ("/rest/V1/", "/rest/<store_code>/V1/"):
            (where or blueprint).add_url_rule(
                prefix + path, endpoint=f"{view.__name__}:{prefix}", view_func=answer, methods=methods
            )
        return answer

    return register


def _both(path: str, *methods: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a call for guest carts (by masked id) and for the signed-in customer's cart."""

    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        def guest(masked: str, **values: Any) -> Any:
            _check_types()
            return view(_guest_cart(masked), **values)

        def mine(**values: Any) -> Any:
            return view(_own_cart(), **values)

        guest.__name__, mine.__name__ = f"guest_{view.__name__}", f"mine_{view.__name__}"
        route(f"guest-carts/<masked>{path}", *methods)(guest)
        route(f"carts/mine{path}", *methods)(mine)
        return view

    return register


def _check_types() -> None:
    """Refuse a quantity that is no number, before anything is looked up."""
    given = request.get_json(silent=True) if request.method in {"POST", "PUT"} else None
    item = given.get("cartItem") or given.get("cart_item") if isinstance(given, dict) else None
    if isinstance(item, dict) and isinstance(item.get("qty"), str):
        raise RestError(400, f'"qty" must be a number, not "{item["qty"]}".')


def _guest_cart(masked: str) -> Quote:
    quote = shop_state().guest_quote(masked)
    if quote is None:
        raise no_such_entity("cartId", None)
    return quote


def customer_id() -> int:
    """Return the caller's customer: by token, or by the session, which counts only for the shop's own scripts.

    Raises RestError 401, also for the store code of another website than the customer's.
    """
    state = shop_state()
    id_ = state.tokens.get(bearer()) if bearer() else visitor().customer_id if is_ajax() else None
    customer = state.customers.get(id_ or 0)
    if customer is None or (store_view() is not ALL and customer.view.website is not store_view().website):
        raise not_authorised("self")
    return customer.id


def _own_cart() -> Quote:
    id_ = customer_id()
    quote = shop_state().quote_of_customer(id_)
    if quote is None:
        raise no_such_entity("customerId", id_)
    return quote


def posted_address(raw: Body) -> Address:
    """Return a posted address; keys in either spelling."""
    raw = {snake(key): value for key, value in raw.items()}
    street = raw.get("street") or []
    lines = street if isinstance(street, list) else [street]
    texts = {
        name: str(raw.get(name) or "") for name in ("firstname", "lastname", "city", "postcode", "telephone", "company")
    }
    return Address(
        street=tuple(str(line) for line in lines if line), country_id=str(raw.get("country_id") or "GB"), **texts
    )


@route("customers/isEmailAvailable", "POST")
def is_email_available() -> bool:
    """Tell whether no account of the website has the address. Anybody may ask."""
    asked = body()
    website_id = int(asked.get("website_id") or selling_view().website.id)
    return shop_state().customer_by_email(str(asked.get("customer_email", "")), website_id) is None


@route("customers/me", "GET")
def customers_me() -> Body:
    """Answer the signed-in customer."""
    return customer_document(shop_state(), shop_state().customers[customer_id()])


@route("guest-carts", "POST")
def create_guest_cart() -> str:
    """Open a cart that belongs to no session; answer its masked id."""
    return shop_state().new_quote(view=selling_view()).masked_id


@route("carts/mine", "POST")
def create_own_cart() -> int:
    """Open the customer's cart, or answer the one there is."""
    id_, state = customer_id(), shop_state()
    return (state.quote_of_customer(id_) or state.new_quote(id_, selling_view())).id


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
    item = inner(body(), "cart_item")
    product = shop_state().catalogs[quote.view.shelf].by_sku.get(str(item.get("sku")))
    if product is None:
        raise RestError(404, NO_PRODUCT)
    extension = (item.get("product_option") or {}).get("extension_attributes") or {}
    bundle = extension.get("bundle_options") or []
    choice = cart.Choice(
        {int(row["option_id"]): str(row["option_value"]) for row in extension.get("configurable_item_options") or []},
        {int(row["option_id"]): [int(one) for one in row["option_selections"]] for row in bundle},
        {int(row["option_id"]): int(row.get("option_qty") or 0) for row in bundle},
    )
    return rest_item(quote, _try(cart.add, shop_state(), quote, product, _qty(item), choice))


@_both("/items/<int:item_id>", "PUT")
def change_item(quote: Quote, item_id: int) -> Body:
    """Change the quantity of a line."""
    _try(cart.set_qty, shop_state(), quote, item_id, _qty(inner(body(), "cart_item")))
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
    inner(body(), "address")
    return cart.shipping_rates(quote)


@_both("/totals", "GET")
def show_totals(quote: Quote) -> Body:
    """Answer the totals."""
    return totals(quote, quote.shipping_method)


@_both("/totals-information", "POST")
def totals_information(quote: Quote) -> Body:
    """Answer the totals as they would be with a shipping method; nothing is saved."""
    return totals(quote, _method(inner(body(), "address_information")))


def _method(information: Body) -> str | None:
    carrier, method = information.get("shipping_carrier_code"), information.get("shipping_method_code")
    return f"{carrier}_{method}" if carrier and method else None


@_both("/coupons/<code>", "PUT")
def set_coupon(quote: Quote, code: str) -> bool:
    """Apply a coupon; 404 for one that cannot be used."""
    try:
        cart.use_coupon(shop_state(), quote, code)
    except cart.CartError as error:
        raise RestError(404, str(error)) from error
    return True


@_both("/coupons", "GET")
def show_coupon(quote: Quote) -> str | None:
    """Answer the coupon at work, or null."""
    return quote.coupon_code


@_both("/coupons", "DELETE")
def remove_coupon(quote: Quote) -> bool:
    """Take the coupon off."""
    cart.drop_coupon(shop_state(), quote)
    return True


@_both("/shipping-information", "POST")
def shipping_information(quote: Quote) -> Body:
    """Save address and shipping method; answer payment methods and totals."""
    information = inner(body(), "address_information")
    method = _method(information)
    if method not in {f"{rate['carrier_code']}_{rate['method_code']}" for rate in cart.shipping_rates(quote)}:
        raise RestError(400, "This cart cannot be sent by that method.")
    shipping = inner(information, "shipping_address")
    quote.shipping_address, quote.shipping_method = posted_address(shipping), method
    if isinstance(information.get("billing_address"), dict):
        quote.billing_address = posted_address(inner(information, "billing_address"))
    if shipping.get("email"):
        quote.validated_email = str(shipping["email"])
    methods = [{"code": code, "title": title} for code, title in cart.PAYMENT_METHODS.items()]
    return {"payment_methods": methods, "totals": totals(quote, method)}


@_both("/set-payment-information", "POST")
def set_payment_information(quote: Quote) -> bool:
    """Save payment method and, for guests, the e-mail."""
    _take_payment(quote, body())
    return True


@_both("/payment-information", "GET")
def payment_methods(quote: Quote) -> Body:
    """Answer payment methods and totals."""
    methods = [{"code": code, "title": title} for code, title in cart.PAYMENT_METHODS.items()]
    return {"payment_methods": methods, "totals": totals(quote, quote.shipping_method)}


@_both("/payment-information", "POST")
def payment_information(quote: Quote) -> str:
    """Place the order; answer its entity id as a string."""
    return _place(quote, _take_payment(quote, body()))


def _take_payment(quote: Quote, body: Body) -> str:
    method = str(inner(body, "payment_method").get("method", ""))
    if isinstance(body.get("billing_address"), dict):
        quote.billing_address = posted_address(inner(body, "billing_address"))
    customer = shop_state().customers.get(quote.customer_id or 0)
    email = customer.email if customer else body.get("email")
    if email:
        quote.email = quote.validated_email = str(email)
    return method


def _place(quote: Quote, method: str) -> str:
    state, session = shop_state(), visitor()
    order = _try(place_order, state, quote, method, request.remote_addr or "127.0.0.1")
    session.last_order_id = order.entity_id
    if session.quote_id == quote.id:
        session.quote_id = None
    post_mail(mails.order_placed(state, order))
    return str(order.entity_id)
