"""A small shop with the ways of Magento 2 and Luma, and its REST API: to try bridge on, and to test it against.

It shares no code with bridge, so that it can prove something. State lives in memory, in one process, behind a lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from bridge.sandbox import account, cart_pages, checkout, pages, rest, sections, storefront_rest
from bridge.sandbox.catalog import CATEGORIES
from bridge.sandbox.folders import sandbox_folder
from bridge.sandbox.seeds import plant
from bridge.sandbox.state import ShopState
from bridge.sandbox.storefront_rest import RestError
from bridge.sandbox.values import inline_json, shown, uenc
from bridge.sandbox.web import EXTENSION, Response, begin, finish, release, request, shop_state, url

if TYPE_CHECKING:
    from werkzeug.exceptions import HTTPException

    from bridge.sandbox.options import ShopOptions

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
    for room in (pages, cart_pages, sections, checkout, account, storefront_rest, rest):
        shop.register_blueprint(room.blueprint)
    shop.before_request(begin)
    shop.after_request(finish)
    shop.teardown_request(release)
    shop.register_error_handler(404, _missing)
    shop.register_error_handler(405, _missing)
    shop.register_error_handler(RestError, rest.refused)
    shop.context_processor(_shared_values)
    return shop


def _missing(error: HTTPException) -> Response:
    if request.path.startswith("/rest/"):
        return rest.refused(storefront_rest.NO_ROUTE)
    if request.path.startswith(("/static/", "/media/")):
        return Response("", error.code, mimetype="text/plain")
    return pages.not_found()


def _shared_values() -> dict[str, Any]:
    """Give every template the shop's addresses and the ``window.checkout`` of Luma's mini cart."""
    here = url(request.path)
    return {
        "shop_name": SHOP_NAME,
        "base_url": url(),
        "categories": CATEGORIES,
        "shown": shown,
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
        "websiteId": "1",
        "maxItemsToDisplay": 10,
        "storeId": "1",
        "storeGroupId": "1",
        "customerLoginUrl": url(f"customer/account/login/referer/{uenc(here)}/"),
        "isRedirectRequired": False,
        "autocomplete": "off",
        "captcha": {"user_login": captcha},
    }
