"""Products as a mail shows them: page, picture, price. Values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.mail.data_formats import both

if TYPE_CHECKING:
    from bridge.mail.data_formats import Formats
    from bridge.mail.material import Material
    from bridge.settings import Settings, Store
    from bridge.store import Product, ProductView

HIDDEN = 1
"""Magento's visibility of a product that has no page."""


def alert_products(material: Material, view: Store, values: Settings, formats: Formats) -> list[dict[str, Any]]:
    """Return the products of an alert in the mail's order."""
    found = [material.products[id_] for id_ in material.wanted.products if id_ in material.products]
    return [_alerted(product, view, values, formats) for product in found]


def _alerted(product: Product, view: Store, values: Settings, formats: Formats) -> dict[str, Any]:
    shown = product.views.get(view.code)
    price = (shown.final_price or shown.special_price or shown.price) if shown else None
    return {
        **known(product, view, values),
        "title": shown.name if shown else None,
        "price": formats.money(price, view.currency) if price is not None else None,
        "priceRaw": price,
        "currency": view.currency,
    }


def known(product: Product, view: Store, values: Settings) -> dict[str, Any]:
    """Return what is the same of a product wherever it is shown: id, SKU, page and picture."""
    shown = product.views.get(view.code)
    return {
        "id": product.sku if values["products.id_attribute"] == "sku" else product.id,
        "sku": product.sku,
        "url": page_of(shown, view, values) if shown else None,
        **both("imageUrl", "imageURL", picture_of(shown, view, values) if shown else None),
    }


def page_of(shown: ProductView, view: Store, values: Settings) -> str | None:
    """Return the address of a product's page, None where it has none."""
    if shown.url:
        return shown.url
    if shown.visibility == HIDDEN or not shown.url_key:
        return None
    return f"{view.link_url}{shown.url_key}{values['products.url_suffix']}"


def picture_of(shown: ProductView, view: Store, values: Settings) -> str | None:
    """Return the address of the picture that the settings name, else of the first."""
    images = [image for image in shown.images if not image.disabled]
    wanted = "thumbnail" if values["products.image"] == "thumbnail" else "image"
    image = next((one for one in images if wanted in one.types), images[0] if images else None)
    return f"{view.media_url}catalog/product{image.file}" if image else None
