"""Products in the shapes of Magento's REST API and of the configurable widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.sandbox.catalog import attribute
from bridge.sandbox.values import digest, number, price_format, shown

if TYPE_CHECKING:
    from decimal import Decimal

    from bridge.sandbox.catalog import Catalog
    from bridge.sandbox.goods import Product
    from bridge.sandbox.state import ShopState

Document = dict[str, Any]


def image_url(base_url: str, product: Product, role: str = "full") -> str:
    """Return the address of a resized picture; the hash stands for the size, as in Magento's cache."""
    return f"{base_url}media/catalog/product/cache/{digest('image', role)[:32]}{product.image_file}"


def product_url(base_url: str, product: Product) -> str:
    """Return the address of a product's page."""
    return f"{base_url}{product.url_key}.html"


def product_document(state: ShopState, catalog: Catalog, product: Product, *, single: bool) -> Document:
    """Return a product; ``stock_item`` is there in the single call only, as in the real shop."""
    document = _start(product)
    if product.weight is not None:
        document["weight"] = number(product.weight)
    extension: Document = {
        "website_ids": list(product.websites),
        "category_links": [
            {"position": place, "category_id": str(id_)} for place, id_ in enumerate(product.categories)
        ],
    }
    if single:
        extension["stock_item"] = stock_item(state, product)
    if product.children:
        extension["configurable_product_options"] = configurable_options(catalog, product)
        extension["configurable_product_links"] = list(product.children)
    if product.bundle:
        extension["bundle_product_options"] = bundle_options(catalog, product)
    return {
        **document,
        "extension_attributes": extension,
        "product_links": grouped_links(catalog, product),
        "options": [],
        "media_gallery_entries": [gallery_entry(product)],
        "tier_prices": [],
        "custom_attributes": [{"attribute_code": code, "value": value} for code, value in _custom(product).items()],
    }


def _start(product: Product) -> Document:
    document: Document = {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "attribute_set_id": 4,
        "price": number(product.price),
        "status": product.status,
        "visibility": product.visibility,
        "type_id": product.type_id,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
    }
    if product.associated:
        del document["price"]
    return document


def bundle_options(catalog: Catalog, product: Product) -> list[Document]:
    """Answer ``bundle-products/{sku}/options/all``; prices of parts in a bundle of dynamic price are the parts' own."""
    return [
        {
            "option_id": option.id,
            "title": option.title,
            "required": option.required,
            "type": option.type,
            "position": position,
            "sku": product.sku,
            "product_links": [
                {
                    "id": str(one.id),
                    "sku": catalog.by_id[one.product_id].sku,
                    "option_id": option.id,
                    "qty": one.qty,
                    "position": 0,
                    "is_default": one.is_default,
                    "price": number(one.price if product.has_fixed_price else catalog.by_id[one.product_id].price),
                    "price_type": 0 if product.has_fixed_price else None,
                    "can_change_quantity": int(option.type == "radio"),
                }
                for one in option.selections
            ],
        }
        for position, option in enumerate(product.bundle, 1)
    ]


def bundle_rows(state: ShopState, catalog: Catalog, product: Product) -> list[Document]:
    """Return what a bundle's page offers: options with the selections that can be bought."""
    return [
        {
            "id": option.id,
            "title": option.title,
            "type": option.type,
            "required": option.required,
            "selections": [
                {
                    "id": one.id,
                    "name": catalog.by_id[one.product_id].name,
                    "qty": one.qty,
                    "is_default": one.is_default,
                    "price": shown(catalog.selection_price(product, one), catalog.view.money),
                }
                for one in option.selections
                if state.is_salable(catalog.by_id[one.product_id])
            ],
        }
        for option in product.bundle
    ]


def grouped_links(catalog: Catalog, product: Product) -> list[Document]:
    """Answer ``products/{sku}/links/associated``."""
    return [
        {
            "sku": product.sku,
            "link_type": "associated",
            "linked_product_sku": member.sku,
            "linked_product_type": member.type_id,
            "position": position,
            "extension_attributes": {"qty": 1},
        }
        for position, member in enumerate(catalog.associated(product))
    ]


def gallery_entry(product: Product) -> Document:
    """Return the one row of ``products/{sku}/media``."""
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
        **_start(product),
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
        values["special_from_date"] = product.special_from
        if product.special_to:
            values["special_to_date"] = product.special_to
    if product.type_id in {"simple", "virtual"}:
        values["swatch_image"] = "no_selection"
    if product.type_id != "grouped":
        values["msrp_display_actual_price_type"] = "0"
        values["tax_class_id"] = "2"
    if product.bundle:
        dynamic = "1" if product.has_fixed_price else "0"
        values.update(shipment_type="0", price_view="0", sku_type="0", price_type=dynamic, weight_type=dynamic)
    values.update(
        options_container="container2",
        url_key=product.url_key,
        required_options="0",
        has_options="0",
        image_label=product.name,
        small_image_label=product.name,
        thumbnail_label=product.name,
        **product.options,
    )
    values["category_ids"] = [str(id_) for id_ in product.categories]
    values["short_description"] = f"<p>{product.blurb}</p>"
    values["description"] = f"<p>{product.blurb} Sold by Harbour &amp; Pine Outfitters.</p>"
    return values


def stock_item(state: ShopState, product: Product) -> Document:
    """Return the stock item of a product, as ``stockItems/{sku}`` gives it."""
    return {
        "item_id": product.id,
        "product_id": product.id,
        "stock_id": 1,
        "qty": state.quantity(product),
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


def configurable_options(catalog: Catalog, product: Product) -> list[Document]:
    """Answer ``configurable-products/{sku}/options/all``."""
    options = []
    for position, axis in enumerate(product.super_attributes):
        code = attribute(axis).code
        values = sorted({int(child.options[code]) for child in catalog.children(product)})
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


def configurable_config(state: ShopState, catalog: Catalog, base_url: str, product: Product) -> Document:
    """Return the ``spConfig`` of the configurable widget. Variants that are sold out are not offered."""
    offered = [child for child in catalog.children(product) if state.is_salable(child)]
    money = price_format(catalog.view.money)
    lowest = min((child.final_price for child in offered), default=product.price)
    return {
        "attributes": {
            str(axis): _axis(axis, position, offered) for position, axis in enumerate(product.super_attributes)
        },
        "template": str(money["pattern"]).replace("%s", "<%- data.price %>"),
        "currencyFormat": money["pattern"],
        "optionPrices": {
            str(child.id): {**_prices(child.price, child.final_price), "tierPrices": [], "msrpPrice": {"amount": 0}}
            for child in offered
        },
        "priceFormat": money,
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
        "salesChannelCode": catalog.view.website.code,
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
