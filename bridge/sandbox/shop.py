"""A small shop with the ways of Magento 2 and Luma, and its REST API: to try bridge on, and to test it against.

It shares no code with bridge, so that it can prove something. State lives in memory, in one process, behind a lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from bridge.sandbox import (
    account,
    account_edit,
    cart_pages,
    checkout,
    express,
    extras,
    fronts,
    graphql_endpoint,
    multishipping,
    newsletter,
    pages,
    rest,
    rest_actions,
    rest_catalog,
    rest_promotions,
    rest_sales,
    rest_stock,
    sections,
    storefront_accounts,
    storefront_rest,
)
from bridge.sandbox.folders import sandbox_folder
from bridge.sandbox.rest_base import NO_ROUTE, RestError, refused
from bridge.sandbox.seeds import plant
from bridge.sandbox.state import ShopState
from bridge.sandbox.values import inline_json, shown, uenc
from bridge.sandbox.views import views_of
from bridge.sandbox.web import (
    EXTENSION,
    Response,
    begin,
    catalog,
    finish,
    release,
    request,
    say_in,
    shop_state,
    shown_view,
    store_view,
    url,
)

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

    from bridge.sandbox.options import ShopOptions

CURRENCY_NAMES = {"GBP": "British Pound", "USD": "US Dollar", "EUR": "Euro"}
ROOMS = (
    pages,
    cart_pages,
    sections,
    checkout,
    account,
    account_edit,
    newsletter,
    extras,
    express,
    multishipping,
    graphql_endpoint,
    storefront_rest,
    storefront_accounts,
    rest_catalog,
    rest_stock,
    rest_sales,
    rest_actions,
    rest_promotions,
    rest,
)
SHOP_NAME = "Harbour & Pine Outfitters"


def create_shop(options: ShopOptions) -> Flask:
    """Return the shop as a Flask application, with two customers and their past orders in it.

    Serve it from one process with threads. ``app.extensions["sandbox_shop"]`` is its memory (a ShopState).
    """
    shop = Flask("bridge.sandbox.shop", static_folder=None, template_folder=str(sandbox_folder("templates") / "shop"))
    shop.url_map.strict_slashes = False
    state = ShopState(options)
    plant(state)
    shop.extensions[EXTENSION] = state
    for room in ROOMS:
        shop.register_blueprint(room.blueprint)
    shop.before_request(begin)
    fronts.dress(shop, options.front)
    shop.after_request(finish)
    shop.teardown_request(release)
    shop.register_error_handler(404, _missing)
    shop.register_error_handler(405, _missing)
    shop.register_error_handler(RestError, refused)
    shop.context_processor(_shared_values)
    return shop


def _missing(error: HTTPException) -> Response:
    if request.path.startswith("/rest/"):
        return refused(NO_ROUTE)
    if request.path.startswith(("/static/", "/media/")):
        return Response("", error.code, mimetype="text/plain")
    return pages.not_found()


def _shared_values() -> dict[str, Any]:
    """Give every template the shop's addresses and the ``window.checkout`` of Luma's mini cart."""
    here, view = url(request.path), shown_view()
    return {
        "shop_name": SHOP_NAME,
        "base_url": url(),
        "departments": [found for found in catalog().categories if found.parent_id == 2],
        "language": view.language,
        "locale": view.locale.replace("_", "-"),
        "currency": view.currency,
        "currencies": {code: CURRENCY_NAMES[code] for code in (view.website.currency, *view.website.others)},
        "other_views": [other for other in views_of(view.website) if other.code != view.code],
        "view": view,
        "switch_url": extras.switch_url,
        "_": say_in,
        "shown": lambda amount: shown(amount, view.money),
        "url": url,
        "uenc": uenc,
        "window_checkout": inline_json(_window_checkout(here)),
    }


def _window_checkout(here: str) -> dict[str, Any]:
    captcha = {
        "isCaseSensitive": False,
        "imageHeight": 50,
        "imageSrc": "",
        "refreshUrl": url("captcha/refresh/"),
        "isRequired": False,
        "timestamp": shop_state().started,
    }
    return {
        "shoppingCartUrl": url("checkout/cart/"),
        "checkoutUrl": url("checkout/"),
        "updateItemQtyUrl": url("checkout/sidebar/updateItemQty/"),
        "removeItemUrl": url("checkout/sidebar/removeItem/"),
        "imageTemplate": "Magento_Catalog/product/image_with_borders",
        "baseUrl": url(),
        "minicartMaxItemsVisible": 5,
        "websiteId": str(store_view().website.id),
        "maxItemsToDisplay": 10,
        "storeId": str(store_view().id),
        "storeGroupId": str(store_view().website.id),
        "customerLoginUrl": url(f"customer/account/login/referer/{uenc(here)}/"),
        "isRedirectRequired": False,
        "autocomplete": "off",
        "captcha": {"user_login": captcha},
    }
