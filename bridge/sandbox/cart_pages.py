"""The cart page and everything that changes a cart: ``checkout/cart/*`` and ``checkout/sidebar/*``."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flask import Blueprint
from markupsafe import escape

from bridge.sandbox import cart
from bridge.sandbox.product_documents import image_url, product_url
from bridge.sandbox.quote_documents import checkout_config, item_options
from bridge.sandbox.signing import STALE_FORM
from bridge.sandbox.values import from_uenc, inline_json
from bridge.sandbox.web import (
    Response,
    ajax_answer,
    back_url,
    base_url,
    catalog,
    form_key_is_valid,
    is_ajax,
    page,
    redirect_to,
    request,
    say,
    say_in,
    shop_state,
    shown_view,
    url,
    visitor,
)

if TYPE_CHECKING:
    from bridge.sandbox.goods import Product
    from bridge.sandbox.quotes import Quote, QuoteItem

blueprint = Blueprint("shop_cart", __name__)


@blueprint.get("/checkout/cart/")
def show() -> Response:
    """Show the cart; without items there is no ``checkoutConfig`` in it."""
    state, session = shop_state(), visitor()
    quote = state.quote_of(session)
    filled = quote if quote is not None and quote.items else None
    return page(
        "cart.html",
        title="Shopping Cart",
        body_class="checkout-cart-index page-layout-1column",
        quote=filled,
        lines=[line(item) for item in filled.items] if filled else [],
        config=inline_json(checkout_config(state, session, filled)) if filled else None,
        shipping=cart.shipping_rates(filled)[:1] if filled else [],
    )


def line(item: QuoteItem) -> dict[str, Any]:
    """Return what the cart and order pages show of a line."""
    return {
        "id": item.id,
        "product_id": item.product.id,
        "name": item.product.name,
        "sku": item.sku,
        "url": product_url(base_url(), item.product),
        "image": image_url(base_url(), item.sold, "cart_page"),
        "options": item_options(item),
        "qty": item.qty,
        "price": item.price,
        "row_total": item.row_total,
    }


def _parameters() -> dict[str, str]:
    """Read the parameters that Magento takes from the path: ``/uenc/…/product/17/``."""
    parts = [part for part in request.path.split("/") if part][3:]
    return dict(zip(parts[::2], parts[1::2], strict=False))


@blueprint.post("/checkout/cart/add/")
@blueprint.post("/checkout/cart/add/<path:parameters>")
def add(parameters: str = "") -> Response:
    """Put a product in the cart. A script gets ``[]``, or ``{"backUrl": …}`` when it was refused."""
    del parameters
    if not form_key_is_valid():
        say("error", STALE_FORM)
        return redirect_to(url("checkout/cart/"))
    state, session = shop_state(), visitor()
    product = _asked_product()
    if product is None:
        return ajax_answer([]) if is_ajax() else redirect_to(back_url())
    try:
        for one, qty in _asked_pieces(product):
            cart.add(state, state.open_quote(session, shown_view()), one, qty, _choice())
    except cart.CartError as error:
        say("notice" if str(error) == cart.CHOOSE else "error", str(escape(str(error))))
        address = product_url(base_url(), product)
        return ajax_answer({"backUrl": address}) if is_ajax() else redirect_to(address)
    text = '%name is now in your <a href="%url">shopping cart</a>.'
    say("success", text, name=escape(product.name), url=url("checkout/cart/"))
    return ajax_answer([]) if is_ajax() else redirect_to(_page_of_origin())


def _asked_product() -> Product | None:
    text = request.form.get("product") or _parameters().get("product", "")
    product = catalog().by_id.get(_whole(text) or 0)
    return product if product is not None and product.visibility != 1 else None


def _asked_pieces(product: Product) -> list[tuple[Product, int]]:
    """Return what to put in the cart: the product, or the chosen members of a grouped one."""
    if not product.associated:
        return [(product, _whole(request.form.get("qty")) or 1)]
    wanted = _numbered("super_group")
    pieces = [(member, _whole((wanted.get(member.id) or ["0"])[-1]) or 0) for member in catalog().associated(product)]
    chosen = [(member, qty) for member, qty in pieces if qty > 0]
    if not chosen:
        raise cart.CartError(cart.CHOOSE)
    return chosen


def _numbered(name: str) -> dict[int, list[str]]:
    """Return posted fields ``name[id]`` and ``name[id][]`` by id."""
    values: dict[int, list[str]] = {}
    for key in request.form:
        found = re.fullmatch(name + r"\[(\d+)\](\[\w*\])?", key)
        if found:
            values.setdefault(int(found[1]), []).extend(value for value in request.form.getlist(key) if value)
    return values


def _choice() -> cart.Choice:
    return cart.Choice(
        {axis: values[-1] for axis, values in _numbered("super_attribute").items() if values},
        {id_: [_whole(value) or 0 for value in values] for id_, values in _numbered("bundle_option").items()},
        {id_: _whole(values[-1]) or 0 for id_, values in _numbered("bundle_option_qty").items() if values},
    )


def _page_of_origin() -> str:
    address = from_uenc(request.form.get("uenc") or _parameters().get("uenc", ""))
    return address if address.startswith(url()) else back_url()


def _whole(text: str | None) -> int | None:
    try:
        return int(Decimal(text or ""))
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _posted_quantities() -> dict[int, int]:
    quantities = {}
    for name, value in request.form.items():
        found = re.fullmatch(r"cart\[(\d+)\]\[qty\]", name)
        qty = _whole(value)
        if found and qty is not None:
            quantities[int(found[1])] = qty
    return quantities


@blueprint.post("/checkout/cart/updatePost/")
def update_post() -> Response:
    """Save the quantities of the cart page, or empty the cart."""
    quote = shop_state().quote_of(visitor())
    if not form_key_is_valid():
        say("error", STALE_FORM)
    elif quote is not None and request.form.get("update_cart_action") == "empty_cart":
        quote.items.clear()
    elif quote is not None:
        _save_quantities(quote)
    return redirect_to(url("checkout/cart/"))


def _save_quantities(quote: Quote) -> None:
    try:
        for item_id, qty in _posted_quantities().items():
            cart.set_qty(shop_state(), quote, item_id, qty)
    except cart.CartError as error:
        say("error", str(escape(str(error))))


@blueprint.post("/checkout/cart/updateItemQty/")
def update_item_qty() -> Response:
    """Check quantities for the cart page's script. Nothing is saved."""
    quote = shop_state().quote_of(visitor())
    if not form_key_is_valid() or quote is None:
        return ajax_answer({"success": False, "error_message": say_in(STALE_FORM)})
    try:
        for item_id, qty in _posted_quantities().items():
            cart.check_qty(shop_state(), quote, item_id, qty)
    except cart.CartError as error:
        return ajax_answer({"success": False, "error_message": say_in(str(error))})
    return ajax_answer({"success": True})


@blueprint.post("/checkout/cart/couponPost/")
def coupon_post() -> Response:
    """Apply or remove a code: 302 to the cart; only the message tells success from failure."""
    quote, code = shop_state().quote_of(visitor()), request.form.get("coupon_code", "").strip()
    if not form_key_is_valid():
        say("error", STALE_FORM)
    elif quote is not None and request.form.get("remove") == "1":
        cart.drop_coupon(shop_state(), quote)
        say("success", "The code is off again.")
    elif quote is not None:
        try:
            cart.use_coupon(shop_state(), quote, code)
            say("success", "The code %code is at work.", code=escape(code))
        except cart.CartError:
            say("error", "The code %code does not work.", code=escape(code))
    return redirect_to(url("checkout/cart/"))


@blueprint.post("/checkout/cart/delete/")
def delete() -> Response:
    """Take a line out of the cart, from the cart page."""
    quote = shop_state().quote_of(visitor())
    if not form_key_is_valid():
        return redirect_to(url("checkout/cart/"))
    try:
        if quote is not None:
            cart.remove(shop_state(), quote, _whole(request.form.get("id")) or 0)
    except cart.CartError:
        say("error", "We could not remove that item.")
    return redirect_to(back_url("checkout/cart/"))


def _quote() -> Quote:
    quote = shop_state().quote_of(visitor())
    if quote is None:
        raise cart.CartError("That item is no longer in your cart.")
    return quote


@blueprint.post("/checkout/sidebar/updateItemQty/")
def sidebar_update() -> Response:
    """Change a quantity from the mini cart."""
    item_id, qty = _whole(request.form.get("item_id")), _whole(request.form.get("item_qty"))
    try:
        cart.check_qty(shop_state(), _quote(), item_id or 0, qty or 0)
        cart.set_qty(shop_state(), _quote(), item_id or 0, qty or 0)
    except cart.CartError as error:
        return ajax_answer({"success": False, "error_message": say_in(str(error))})
    return ajax_answer({"success": True})


@blueprint.post("/checkout/sidebar/removeItem/")
def sidebar_remove() -> Response:
    """Take a line out from the mini cart."""
    if not form_key_is_valid():
        return redirect_to(url("checkout/cart/"))
    try:
        cart.remove(shop_state(), _quote(), _whole(request.form.get("item_id")) or 0)
    except cart.CartError as error:
        return ajax_answer({"success": False, "error_message": say_in(str(error))})
    return ajax_answer({"success": True})
