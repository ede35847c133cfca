"""Wish list, comparison, alerts, contact form, store switch and the small AJAX calls of the storefront."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, g
from markupsafe import escape

from bridge.sandbox import cart, mails
from bridge.sandbox.pages import listed, tile
from bridge.sandbox.people import WishlistItem
from bridge.sandbox.signing import EMAIL, STALE_FORM, current_customer, enter, sign_in_first
from bridge.sandbox.values import digest, from_uenc, uenc
from bridge.sandbox.views import VIEW_BY_CODE, StoreView, views_of
from bridge.sandbox.web import (
    Response,
    ajax_answer,
    back_url,
    catalog,
    drop_cookies,
    form_key_is_valid,
    page,
    post_mail,
    redirect_to,
    request,
    say,
    shop_state,
    shown_view,
    store_view,
    url,
    visitor,
)

if TYPE_CHECKING:
    from bridge.sandbox.goods import Product

blueprint = Blueprint("shop_extras", __name__)

ACCOUNT_LAYOUT = "page-layout-2columns-left"


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isdigit() else 0


def _shown_product(id_: int) -> Product | None:
    product = catalog().by_id.get(id_)
    return product if product is not None and product.is_shown_in(store_view().website.id) else None


# Wish list


@blueprint.post("/wishlist/index/add/")
def wishlist_add() -> Response:
    """Put a product on the customer's wish list."""
    customer, product = current_customer(), _shown_product(_number("product"))
    if customer is None:
        return sign_in_first("wishlist/")
    if not form_key_is_valid() or product is None:
        say("error", STALE_FORM)
        return redirect_to(url("wishlist/"))
    state = shop_state()
    present = next((item for item in customer.wishlist if item.product_id == product.id), None)
    if present is not None:
        present.qty += 1
    else:
        customer.wishlist.append(WishlistItem(state.next_id("wishlist item"), product.id, state.now()))
    say("success", "%name is on your wish list.", name=escape(product.name))
    return redirect_to(url(f"wishlist/index/index/wishlist_id/{customer.id}/"))


@blueprint.get("/wishlist/")
@blueprint.get("/wishlist/index/index/wishlist_id/<int:id_>/")
def wishlist(id_: int = 0) -> Response:
    """Show the customer's wish list."""
    del id_
    customer = current_customer()
    if customer is None:
        return sign_in_first("wishlist/")
    by_id = catalog().by_id
    return page(
        "wishlist.html",
        title="My Wish List",
        body_class=f"account wishlist-index-index {ACCOUNT_LAYOUT}",
        rows=[(item, tile(by_id[item.product_id], url("wishlist/"))) for item in customer.wishlist],
    )


@blueprint.post("/wishlist/index/remove/")
def wishlist_remove() -> Response:
    """Take a line off the wish list."""
    customer = current_customer()
    if customer is not None and form_key_is_valid():
        customer.wishlist = [item for item in customer.wishlist if item.id != _number("item")]
    return redirect_to(url("wishlist/"))


@blueprint.post("/wishlist/index/cart/")
def wishlist_to_cart() -> Response:
    """Move a line of the wish list to the cart; one that needs options leads to its page."""
    customer, state = current_customer(), shop_state()
    item = next((one for one in (customer.wishlist if customer else []) if one.id == _number("item")), None)
    if customer is None or item is None or not form_key_is_valid():
        return redirect_to(url("wishlist/"))
    product = catalog().by_id[item.product_id]
    try:
        cart.add(state, state.open_quote(visitor(), shown_view()), product, _number("qty") or item.qty)
    except cart.CartError as error:
        say("notice" if str(error) == cart.CHOOSE else "error", str(error))
        return redirect_to(url(f"{product.url_key}.html"))
    customer.wishlist.remove(item)
    text = '%name is now in your <a href="%url">shopping cart</a>.'
    say("success", text, name=escape(product.name), url=url("checkout/cart/"))
    return redirect_to(url("wishlist/"))


@blueprint.get("/wishlist/index/share/")
def wishlist_share() -> Response:
    """Show the form that sends the wish list to others."""
    if current_customer() is None:
        return sign_in_first("wishlist/index/share/")
    return page("share.html", title="Wish List Sharing", body_class=f"account wishlist-index-share {ACCOUNT_LAYOUT}")


@blueprint.post("/wishlist/index/send/")
def wishlist_send() -> Response:
    """Send the wish list."""
    customer = current_customer()
    if customer is None:
        return sign_in_first("wishlist/index/share/")
    for address in filter(EMAIL.fullmatch, (one.strip() for one in request.form.get("emails", "").split(","))):
        post_mail(mails.wish_list(shop_state(), customer, address, request.form.get("message", "")))
    say("success", "Your wish list is on its way.")
    return redirect_to(url(f"wishlist/index/index/wishlist_id/{customer.id}/"))


@blueprint.post("/catalog/product_compare/add/")
def compare_add() -> Response:
    """Remember a product for the comparison."""
    product = _shown_product(_number("product"))
    if form_key_is_valid() and product is not None:
        if product.id not in visitor().compared:
            visitor().compared.append(product.id)
        say("success", "%name is in the comparison.", name=escape(product.name))
    return redirect_to(back_url())


# Alerts


@blueprint.get("/productalert/add/<any(stock, price):kind>/product_id/<int:id_>/uenc/<back>/")
def alert(kind: str, id_: int, back: str) -> Response:
    """Remember that a customer wants to hear when a product is back, or cheaper. Guests sign in first."""
    customer = current_customer()
    if customer is None:
        return sign_in_first(f"productalert/add/{kind}/product_id/{id_}/uenc/{back}/")
    wanted = (kind, customer.id, id_, store_view())
    if _shown_product(id_) is None:
        say("error", "There are not enough parameters.")
    elif wanted not in shop_state().alerts:
        shop_state().alerts.append(wanted)
    say("success", "We will let you know.")
    address = from_uenc(back)
    return redirect_to(address if address.startswith(url()) else url())


# Contact


@blueprint.get("/contact/")
@blueprint.get("/contact/index/")
def contact() -> Response:
    """Show the contact form."""
    return page("contact.html", title="Contact Us", body_class="contact-index-index page-layout-1column")


@blueprint.post("/contact/index/post/")
def contact_post() -> Response:
    """Send the contact form to the shop's staff."""
    email = request.form.get("email", "").strip()
    if form_key_is_valid() and EMAIL.fullmatch(email) and not request.form.get("hideit"):
        post_mail(mails.contact(shop_state(), store_view(), email, request.form.get("comment", "")))
        say("success", "We have your letter and answer with the next boat.")
    else:
        say("error", "Please fill in every required field.")
    return redirect_to(url("contact/index/"))


# Store switch


def switch_url(view: StoreView) -> str:
    """Return the address of the language menu's link to another view of the website."""
    here = url(request.path)
    start = f"stores/store/redirect/___store/{view.code}/___from_store/{store_view().code}"
    return url(f"{start}/uenc/{uenc(f'{here}?___store={view.code}')}/")


@blueprint.get("/stores/store/redirect/___store/<target>/___from_store/<source>/uenc/<back>/")
def store_redirect(target: str, source: str, back: str) -> Response:
    """Send a visitor who changes the language on to the signed switch."""
    if VIEW_BY_CODE.get(target) not in views_of(store_view().website):
        return redirect_to(url())
    drop_cookies(persistent=False)
    stamp = shop_state().timestamp()
    query = {
        "___from_store": source,
        "___store": target,
        "data": digest("switch", stamp)[:32],
        "signature": digest("signature", target, stamp)[:64],
        "time_stamp": stamp,
        "uenc": back,
    }
    return redirect_to(url(f"stores/store/switch/?{urlencode(query)}"))


@blueprint.get("/stores/store/switch/")
def store_switch() -> Response:
    """Change the view: cookie ``store``, and the same page under the address that it has there."""
    target, state = store_view(), shop_state()
    source = VIEW_BY_CODE.get(request.args.get("___from_store", ""))
    g.store_cookie = target.code
    quote = state.quote_of(visitor())
    if quote is not None:
        state.move_quote(quote, shown_view())
    address = from_uenc(request.args.get("uenc", "")).partition("?")[0]
    if not address.startswith(url()):
        return redirect_to(url())
    return redirect_to(url(_same_page(urlsplit(address).path, source, target)))


@blueprint.post("/directory/currency/switch/")
def currency_switch() -> Response:
    """Show prices and cart in another currency of the website, for as long as the session lasts."""
    visitor().currency = request.form.get("currency", "")
    state = shop_state()
    quote = state.quote_of(visitor())
    if quote is not None:
        state.move_quote(quote, shown_view())
    return redirect_to(back_url())


def _same_page(path: str, source: StoreView | None, target: StoreView) -> str:
    """Return a page's path in another view; product and category pages may have another name there."""
    key = path.strip("/").removesuffix(".html")
    if source is None:
        return path
    old, new = shop_state().catalogs[source.code], shop_state().catalogs[target.code]
    product = old.by_url_key.get(key)
    if product is not None:
        return f"{new.by_id[product.id].url_key}.html"
    category = next((one for one in old.categories if one.url_key == key), None)
    if category is not None:
        return f"{next(one for one in new.categories if one.id == category.id).url_key}.html"
    return path


# AJAX


@blueprint.post("/customer/ajax/login")
@blueprint.post("/customer/ajax/login/")
def ajax_login() -> Response:
    """Sign in from the checkout's window: JSON in, JSON out."""
    asked = request.get_json(silent=True, force=True)
    if not isinstance(asked, dict) or request.headers.get("X-Requested-With") != "XMLHttpRequest":
        return ajax_answer({}, 400)
    email, password = str(asked.get("username", "")), asked.get("password")
    customer = shop_state().customer_by_email(email, store_view().website.id)
    if customer is None or customer.confirmation or customer.password != password:
        return ajax_answer({"errors": True, "message": "That e-mail address and password do not go together."})
    enter(customer)
    return ajax_answer({"errors": False, "message": "You are signed in."})


@blueprint.get("/search/ajax/suggest/")
def suggest() -> Response:
    """Suggest a search that finds something."""
    words = request.args.get("q", "").strip()
    hits = [one for one in listed() if words and words.lower() in one.name.lower()]
    return ajax_answer([{"title": words, "num_results": str(len(hits))}] if hits else [])


@blueprint.get("/catalogsearch/searchTermsLog/save/")
def save_search_term() -> Response:
    """Count a search, in the real shop."""
    return ajax_answer({"success": True, "error_message": ""})


@blueprint.get("/inventory_catalog/product/getQty/")
def shown_quantity() -> Response:
    """Tell a product page how few are left; nothing as long as there are enough."""
    return ajax_answer({"qty": None})


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Say nothing to robots."""
    g.kind = "cacheable"
    return Response("", content_type="text/plain;charset=UTF-8")
