"""Products in the shapes of Magento's REST API and of the configurable widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.sandbox.catalog import attribute
from bridge.sandbox.values import digest, dumps, number, price_span, uenc

if TYPE_CHECKING:
    from decimal import Decimal

    from bridge.sandbox.catalog import Product
    from bridge.sandbox.state import ShopState

Document = dict[str, Any]

PRICE_FORMAT: Document = {
    "pattern": "£%s",
    "precision": 2,
    "requiredPrecision": 2,
    "decimalSymbol": ".",
    "groupSymbol": ",",
    "groupLength": 3,
    "integerRequired": False,
}
LIST_IMAGES = (
    ("recently_viewed_products_grid_content_widget", 300, 240),
    ("recently_viewed_products_list_content_widget", 340, 270),
    ("recently_viewed_products_images_names_widget", 90, 75),
    ("recently_compared_products_grid_content_widget", 300, 240),
    ("recently_compared_products_list_content_widget", 340, 270),
    ("recently_compared_products_images_names_widget", 90, 75),
)


def image_url(base_url: str, product: Product, role: str = "full") -> str:
    """Return the address of a resized picture; the hash stands for the size, as in Magento's cache."""
    return f"{base_url}media/catalog/product/cache/{digest('image', role)[:32]}{product.image_file}"


def product_url(base_url: str, product: Product) -> str:
    """Return the address of a product's page."""
    return f"{base_url}{product.url_key}.html"


def product_document(state: ShopState, product: Product, *, single: bool) -> Document:
    """Return a product; ``stock_item`` is there in the single call only, as in the real shop."""
    document: Document = {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "attribute_set_id": 4,
        "price": number(product.price),
        "status": 1,
        "visibility": product.visibility,
        "type_id": product.type_id,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
    }
    if product.weight is not None:
        document["weight"] = number(product.weight)
    extension: Document = {
        "website_ids": [1],
        "category_links": [
            {"position": place, "category_id": str(id_)} for place, id_ in enumerate(product.categories)
        ],
    }
    if single:
        extension["stock_item"] = _stock_item(state, product)
    if product.children:
        extension["configurable_product_options"] = configurable_options(state, product)
        extension["configurable_product_links"] = list(product.children)
    return {
        **document,
        "extension_attributes": extension,
        "product_links": [],
        "options": [],
        "media_gallery_entries": [_gallery_entry(product)],
        "tier_prices": [],
        "custom_attributes": [{"attribute_code": code, "value": value} for code, value in _custom(product).items()],
    }


def _gallery_entry(product: Product) -> Document:
    return {
        "id": 900 + product.id,
        "media_type": "image",
        "label": product.name,
        "position": 1,
        "disabled": False,
        "types": ["image", "small_image", "thumbnail"],
        "file": product.image_file,
    }


def child_document(product: Product) -> Document:
    """Return a variant as ``configurable-products/{sku}/children`` gives it: without id lists, stock and gallery."""
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "attribute_set_id": 4,
        "price": number(product.price),
        "status": 1,
        "visibility": product.visibility,
        "type_id": product.type_id,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
        "weight": number(product.weight) if product.weight is not None else 0,
        "product_links": [],
        "tier_prices": [],
        "custom_attributes": [
            {"attribute_code": code, "value": value}
            for code, value in _custom(product).items()
            if code not in {"options_container", "description"}
        ],
    }


def _custom(product: Product) -> Document:
    values: Document = dict.fromkeys(("image", "small_image", "thumbnail"), product.image_file)
    if product.special_price is not None:
        values["special_price"] = f"{product.special_price:.6f}"
        values["special_from_date"] = "2025-05-01 00:00:00"
    if product.type_id != "configurable":
        values["swatch_image"] = "no_selection"
    values.update(
        options_container="container2",
        msrp_display_actual_price_type="0",
        url_key=product.url_key,
        required_options="0",
        has_options="0",
        image_label=product.name,
        small_image_label=product.name,
        thumbnail_label=product.name,
        tax_class_id="2",
        **product.options,
    )
    values["category_ids"] = [str(id_) for id_ in product.categories]
    values["short_description"] = f"<p>{product.blurb}</p>"
    values["description"] = f"<p>{product.blurb} Sold by Harbour &amp; Pine Outfitters.</p>"
    return values


def _stock_item(state: ShopState, product: Product) -> Document:
    return {
        "item_id": product.id,
        "product_id": product.id,
        "stock_id": 1,
        "qty": product.quantity,
        "is_in_stock": state.is_salable(product),
        "is_qty_decimal": False,
        "show_default_notification_message": False,
        "use_config_min_qty": True,
        "min_qty": 0,
        "use_config_min_sale_qty": 1,
        "min_sale_qty": 1,
        "use_config_max_sale_qty": True,
        "max_sale_qty": 10000,
        "use_config_backorders": True,
        "backorders": 0,
        "use_config_notify_stock_qty": True,
        "notify_stock_qty": 1,
        "use_config_qty_increments": True,
        "qty_increments": 0,
        "use_config_enable_qty_inc": True,
        "enable_qty_increments": False,
        "use_config_manage_stock": True,
        "manage_stock": True,
        "low_stock_date": None,
        "is_decimal_divided": False,
        "stock_status_changed_auto": 0,
    }


def configurable_options(state: ShopState, product: Product) -> list[Document]:
    """Answer ``configurable-products/{sku}/options/all``."""
    options = []
    for position, axis in enumerate(product.super_attributes):
        code = attribute(axis).code
        values = sorted({int(child.options[code]) for child in state.catalog.children(product)})
        options.append(
            {
                "id": product.id * 10 + position,
                "attribute_id": str(axis),
                "label": attribute(axis).label,
                "position": position,
                "values": [{"value_index": value} for value in values],
                "product_id": product.id,
            }
        )
    return options


def configurable_config(state: ShopState, base_url: str, product: Product) -> Document:
    """Return the ``spConfig`` of the configurable widget. Variants that are sold out are not offered."""
    offered = [child for child in state.catalog.children(product) if state.is_salable(child)]
    lowest = min((child.final_price for child in offered), default=product.price)
    return {
        "attributes": {
            str(axis): _axis(axis, position, offered) for position, axis in enumerate(product.super_attributes)
        },
        "template": "£<%- data.price %>",
        "currencyFormat": "£%s",
        "optionPrices": {
            str(child.id): {**_prices(child.price, child.final_price), "tierPrices": [], "msrpPrice": {"amount": 0}}
            for child in offered
        },
        "priceFormat": PRICE_FORMAT,
        "prices": _prices(lowest, lowest),
        "productId": str(product.id),
        "chooseText": "Choose an Option...",
        "images": {str(child.id): [_gallery(base_url, child)] for child in offered},
        "index": {
            str(child.id): {str(axis): child.options[attribute(axis).code] for axis in product.super_attributes}
            for child in offered
        },
        "salable": [],
        "canDisplayShowOutOfStockStatus": False,
        "channel": "website",
        "salesChannelCode": "base",
        "sku": {str(child.id): child.sku for child in offered},
    }


def _axis(axis: int, position: int, offered: list[Product]) -> Document:
    found = attribute(axis)
    options = []
    for option in found.options:
        products = [str(child.id) for child in offered if child.options[found.code] == str(option.id)]
        if products:
            options.append({"id": str(option.id), "label": option.label, "products": products})
    return {"id": str(axis), "code": found.code, "label": found.label, "options": options, "position": str(position)}


def _prices(regular: Decimal, final: Decimal) -> Document:
    return {
        "baseOldPrice": {"amount": number(regular)},
        "oldPrice": {"amount": number(regular)},
        "basePrice": {"amount": number(final)},
        "finalPrice": {"amount": number(final)},
    }


def _gallery(base_url: str, product: Product) -> Document:
    return {
        "thumb": image_url(base_url, product, "thumb"),
        "img": image_url(base_url, product, "img"),
        "full": image_url(base_url, product),
        "caption": product.name,
        "position": "1",
        "isMain": True,
        "type": "image",
        "videoUrl": None,
    }


def render_info(state: ShopState, base_url: str, product: Product, currency: str) -> Document:
    """Return a row of ``products-render-info``. ``currency`` is echoed, the amounts stay in GBP."""
    final = state.catalog.lowest_price(product)
    regular = final if product.children else product.price
    add_url = f"{base_url}checkout/cart/add/uenc/%25uenc%25/product/{product.id}/"
    here = uenc(f"{base_url}rest/V1/products-render-info")
    return {
        "add_to_cart_button": {
            "post_data": dumps({"action": add_url, "data": {"product": str(product.id), "uenc": "%uenc%"}}),
            "url": add_url,
            "required_options": False,
        },
        "add_to_compare_button": _button(f"{base_url}catalog/product_compare/add/", str(product.id), here),
        "price_info": _price_info(final, regular),
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
        "store_id": 1,
        "currency_code": currency,
        "extension_attributes": {
            "review_html": "",
            "wishlist_button": _button(f"{base_url}wishlist/index/add/", product.id, here),
        },
    }


def _button(action: str, product_id: str | int, here: str) -> Document:
    data = dumps({"action": action, "data": {"product": product_id, "uenc": here}})
    return {"post_data": None, "url": data, "required_options": None}


def _price_info(final: Decimal, regular: Decimal) -> Document:
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
        "final_price": price_span(final),
        "max_price": price_span(final),
        "minimal_price": price_span(final),
        "max_regular_price": price_span(regular),
        "minimal_regular_price": None,
        "special_price": None,
        "regular_price": price_span(regular),
    }
    if final < regular:
        plain["special_price"], formatted["special_price"] = number(final), price_span(final)
    adjustments = {**plain, "special_price": number(final)}
    adjusted = {**formatted, "special_price": price_span(final)}
    return {
        **plain,
        "formatted_prices": formatted,
        "extension_attributes": {
            "msrp": {
                "msrp_price": '<span class="price">£0.00</span>',
                "is_applicable": "",
                "is_shown_price_on_gesture": "",
                "msrp_message": "",
                "explanation_message": "",
            },
            "tax_adjustments": {**adjustments, "formatted_prices": adjusted},
            "weee_attributes": [],
            "weee_adjustment": price_span(final),
        },
    }
