"""Rows of ``products-render-info``: shown prices, addresses and pictures of a product in one store view."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bridge.sandbox.product_documents import image_url, product_url
from bridge.sandbox.values import dumps, number, price_span, uenc

if TYPE_CHECKING:
    from bridge.sandbox.catalog import Catalog
    from bridge.sandbox.goods import Product

Document = dict[str, Any]

LIST_IMAGES = (
    ("recently_viewed_products_grid_content_widget", 300, 240),
    ("recently_viewed_products_list_content_widget", 340, 270),
    ("recently_viewed_products_images_names_widget", 90, 75),
    ("recently_compared_products_grid_content_widget", 300, 240),
    ("recently_compared_products_list_content_widget", 340, 270),
    ("recently_compared_products_images_names_widget", 90, 75),
)


def render_info(catalog: Catalog, base_url: str, product: Product, currency: str) -> Document:
    """Return a row of ``products-render-info``. ``currency`` is echoed, the amounts stay in the view's own."""
    final = catalog.lowest_price(product)
    regular = final if product.is_composite else product.price
    add_url = f"{base_url}checkout/cart/add/uenc/%25uenc%25/product/{product.id}/"
    here = uenc(f"{base_url}rest/V1/products-render-info")
    return {
        "add_to_cart_button": {
            "post_data": dumps({"action": add_url, "data": {"product": str(product.id), "uenc": "%uenc%"}}),
            "url": add_url,
            "required_options": False,
        },
        "add_to_compare_button": _button(f"{base_url}catalog/product_compare/add/", str(product.id), here),
        "price_info": _price_info(final, regular, catalog.view.money),
        "images": [
            {
                "url": image_url(base_url, product, code),
                "code": code,
                "height": height,
                "width": width,
                "label": product.name,
                "resized_width": width,
                "resized_height": height,
            }
            for code, height, width in LIST_IMAGES
        ],
        "url": product_url(base_url, product),
        "id": product.id,
        "name": product.name,
        "type": product.type_id,
        "is_salable": "1",
        "store_id": catalog.view.id,
        "currency_code": currency,
        "extension_attributes": {
            "review_html": "",
            "wishlist_button": _button(f"{base_url}wishlist/index/add/", product.id, here),
        },
    }


def _button(action: str, product_id: str | int, here: str) -> Document:
    data = dumps({"action": action, "data": {"product": product_id, "uenc": here}})
    return {"post_data": None, "url": data, "required_options": None}


def _price_info(final: Decimal, regular: Decimal, locale: str) -> Document:
    plain: Document = {
        "final_price": number(final),
        "max_price": number(final),
        "max_regular_price": number(regular),
        "minimal_regular_price": number(regular),
        "special_price": None,
        "minimal_price": number(final),
        "regular_price": number(regular),
    }
    formatted: Document = {
        "final_price": price_span(final, locale),
        "max_price": price_span(final, locale),
        "minimal_price": price_span(final, locale),
        "max_regular_price": price_span(regular, locale),
        "minimal_regular_price": None,
        "special_price": None,
        "regular_price": price_span(regular, locale),
    }
    if final < regular:
        plain["special_price"], formatted["special_price"] = number(final), price_span(final, locale)
    adjustments = {**plain, "special_price": number(final)}
    adjusted = {**formatted, "special_price": price_span(final, locale)}
    return {
        **plain,
        "formatted_prices": formatted,
        "extension_attributes": {
            "msrp": {
                "msrp_price": price_span(Decimal(0), locale),
                "is_applicable": "",
                "is_shown_price_on_gesture": "",
                "msrp_message": "",
                "explanation_message": "",
            },
            "tax_adjustments": {**adjustments, "formatted_prices": adjusted},
            "weee_attributes": [],
            "weee_adjustment": price_span(final, locale),
        },
    }
