"""The admin REST API: what lies on the shelves and what may still be sold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint

from bridge.sandbox import mails, product_documents
from bridge.sandbox.rest_base import Document, RestError, body, call, found, inner, key
from bridge.sandbox.rest_catalog import the_product
from bridge.sandbox.web import catalog, post_mail, request, shop_state

if TYPE_CHECKING:
    from bridge.sandbox.goods import Product

blueprint = Blueprint("shop_rest_stock", __name__)

SOURCE, STOCK = "Magento_InventoryApi::source", "Magento_InventoryApi::stock"
MAPPER = "Magento\\CatalogInventory\\Model\\ResourceModel\\Stock\\Item\\StockItemCriteriaMapper"
LEGACY = "Magento_CatalogInventory::cataloginventory"
NO_SOURCE = "Can't check requested quantity for products without Source Items support."


@call(blueprint, "inventory/source-items", SOURCE)
def source_items() -> Document:
    """Search what lies on the shelves; reservations of orders do not show here."""
    state = shop_state()
    rows: list[Document] = [
        {
            "sku": one.sku,
            "source_code": "default",
            "quantity": state.quantity(one),
            "status": int(state.quantity(one) > 0),
        }
        for one in catalog().products
        if not one.is_composite
    ]
    return found(rows, key, lambda row: row)


@call(blueprint, "inventory/source-items", SOURCE, "POST")
def save_source_items() -> list[Any]:
    """Set quantities. No ``updated_at`` moves; products that come back send their alerts."""
    rows = body().get("source_items") or body().get("sourceItems") or []
    for row in rows:
        put_on_shelf(the_product(str(row.get("sku"))), int(float(row.get("quantity") or 0)))
    return []


def put_on_shelf(product: Product, quantity: int) -> None:
    """Set a quantity. Whoever asked to be told that a product is back gets a mail, as after the next cron run."""
    state = shop_state()
    was = state.is_salable(product)
    state.quantities[product.sku] = quantity
    if was or not state.is_salable(product):
        return
    waiting = [alert for alert in state.alerts if alert[0] == "stock" and alert[2] == product.id]
    for alert in waiting:
        _, customer_id, product_id, view = alert
        customer = state.customers.get(customer_id)
        if customer is not None:
            seen = state.catalogs[view.code].by_id[product_id]
            post_mail(mails.alert(state, customer, view, [seen], kind="stock"))
        state.alerts.remove(alert)


def _sites() -> dict[str, int]:
    return {"base": 1, "europe": 2}


@call(blueprint, "inventory/export-stock-salable-qty/website/<site>", STOCK)
def salable_quantities(site: str) -> Document:
    """Search what may still be sold. ``total_count`` counts the rows of the page: the shop's own quirk."""
    state = shop_state()
    if site not in _sites():
        raise RestError(404, "No linked stock found")
    rows: list[Document] = [
        {"sku": one.sku, "qty": 0 if one.is_composite else state.salable(one), "is_salable": state.is_salable(one)}
        for one in catalog().products
        if _sites()[site] in one.websites
    ]
    document = found(rows, key, lambda row: row)
    return {**document, "total_count": len(document["items"])}


@call(blueprint, "inventory/get-product-salable-quantity/<path:sku>/<int:stock>", STOCK)
def salable_quantity(sku: str, stock: int) -> int:
    """Answer what may still be sold of one product."""
    del stock
    product = the_product(sku)
    if product.is_composite:
        raise RestError(400, NO_SOURCE)
    return shop_state().salable(product)


@call(blueprint, "inventory/is-product-salable/<path:sku>/<int:stock>", STOCK)
def is_salable(sku: str, stock: int) -> bool:
    """Tell whether a product can be bought; an unknown SKU cannot."""
    del stock
    product = catalog().by_sku.get(sku)
    return product is not None and shop_state().is_salable(product)


@call(blueprint, "inventory/are-products-salable", STOCK)
def are_salable() -> list[Document]:
    """Tell it of many."""
    stock = int(request.args.get("stockId", "1"))
    skus = [value for name, value in request.args.items(multi=True) if name.startswith("skus[")]
    return [{"sku": sku, "stock_id": stock, "salable": is_salable.__wrapped__(sku, stock)} for sku in skus]  # type: ignore[attr-defined]


@call(blueprint, "inventory/stock-resolver/<kind>/<code_>", STOCK)
def stock_resolver(kind: str, code_: str) -> Document:
    """Answer the stock of a website: there is one for all."""
    if kind != "website" or code_ not in _sites():
        raise RestError(404, "No linked stock found")
    return stocks_rows()[0]


def stocks_rows() -> list[Document]:
    """Return the one stock with its sales channels."""
    channels = [{"type": "website", "code": code} for code in _sites()]
    return [{"stock_id": 1, "name": "Default Stock", "extension_attributes": {"sales_channels": channels}}]


@call(blueprint, "inventory/stocks", STOCK)
def stocks() -> Document:
    """Search the stocks."""
    return found(stocks_rows(), key, lambda row: row)


@call(blueprint, "inventory/sources", SOURCE)
def sources() -> Document:
    """Search the sources: one shelf."""
    row: Document = {
        "source_code": "default",
        "name": "Default Source",
        "enabled": True,
        "description": "Default Source",
        "latitude": 0,
        "longitude": 0,
        "country_id": "US",
        "postcode": "00000",
        "use_default_carrier_config": True,
        "carrier_links": [],
        "extension_attributes": {"is_pickup_location_active": False, "frontend_name": "Default Source"},
    }
    return found([row], key, lambda one: one)


@call(blueprint, "stockItems/<path:sku>", LEGACY)
def stock_item(sku: str) -> Document:
    """Answer the stock item of a product."""
    return product_documents.stock_item(shop_state(), the_product(sku))


@call(blueprint, "stockItems/lowStock/", LEGACY)
def low_stock() -> Document:
    """Answer the products with few pieces; a list with criteria of its own kind."""
    state, most = shop_state(), float(request.args.get("qty", "0"))
    rows = [one for one in catalog().products if state.quantity(one) <= most]
    size, current = request.args.get("pageSize", "20"), request.args.get("currentPage", "1")
    start = (int(current) - 1) * int(size)
    return {
        "items": [product_documents.stock_item(state, one) for one in rows[start : start + int(size)]],
        "search_criteria": {
            "mapper_interface_name": MAPPER,
            "criteria_list": [],
            "filters": [],
            "orders": [],
            "limit": [current, size],
        },
        "total_count": len(rows),
    }


@call(blueprint, "stockStatuses/<path:sku>", LEGACY)
def stock_status(sku: str) -> Document:
    """Answer whether a product can be bought, and how many of it."""
    state, product = shop_state(), the_product(sku)
    return {
        "product_id": product.id,
        "stock_id": 1,
        "qty": 0 if product.is_composite else state.salable(product),
        "stock_status": int(state.is_salable(product)),
        "stock_item": product_documents.stock_item(state, product),
    }


@call(blueprint, "products/<path:sku>/stockItems/<int:item_id>", LEGACY, "PUT")
def save_stock_item(sku: str, item_id: int) -> int:
    """Set a quantity the old way; answer the stock item's id."""
    del item_id
    product = the_product(sku)
    put_on_shelf(product, int(inner(body(), "stock_item").get("qty") or 0))
    return product.id
