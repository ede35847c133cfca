"""The admin REST API that exports read, with a bearer token."""

from __future__ import annotations

import hmac
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from bridge.sandbox import product_documents, store_documents
from bridge.sandbox.catalog import ATTRIBUTES, CATEGORIES
from bridge.sandbox.order_documents import order_document
from bridge.sandbox.search import (
    BadDirectionError,
    Criteria,
    MissingCriteriaError,
    UnknownFieldError,
    parse,
    project,
    search,
)
from bridge.sandbox.storefront_rest import (
    NO_ROUTE,
    RestError,
    check_store_code,
    no_such_entity,
    not_authorised,
)
from bridge.sandbox.values import digest
from bridge.sandbox.web import Response, request, rest_answer, shop_state, url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.sandbox.catalog import Product
    from bridge.sandbox.search import Value
    from bridge.sandbox.state import Customer, Order

blueprint = Blueprint("shop_rest", __name__)

Document = dict[str, Any]
NO_PRODUCT = "There is no product with this SKU."
NO_ENTITY = "There is no entity with this id."


def refused(error: RestError) -> Response:
    """Answer a refusal."""
    return rest_answer(error.document, error.status)


def _get(path: str, resource: str | None) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Register a GET; ``resource`` is the right it needs, None makes it public."""

    def register(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def answer(code: str | None = None, **values: Any) -> Response:
            check_store_code(code)
            if resource is not None and not _token_is_right():
                raise not_authorised(resource)
            document = view(**values)
            fields = request.args.get("fields")
            return rest_answer(project(document, fields) if fields else document)

        for prefix in ("/rest/V1/", "/rest/<code>/V1/"):
            blueprint.add_url_rule(prefix + path, endpoint=f"{view.__name__}:{prefix}", view_func=answer)
        return answer

    return register


def _token_is_right() -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = shop_state().options.rest_token
    return kind.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), expected.encode())


def _criteria() -> Criteria:
    try:
        return parse(request.args.items(multi=True))
    except MissingCriteriaError:
        message = '"%fieldName" is required. Enter and try again.'
        raise RestError(400, message, {"fieldName": "searchCriteria"}) from None
    except BadDirectionError:
        raise RestError(400, "The sort order direction must be ASC or DESC.") from None


def _search(rows: Sequence[Any], column: Callable[[Any, str], Value], write: Callable[[Any], Document]) -> Document:
    criteria = _criteria()
    try:
        found, total = search(rows, column, criteria)
    except UnknownFieldError as error:
        report = f"webapi-{digest(str(error))[:13]}"
        raise RestError(
            500, f"Internal Error. Details are available in Magento log file. Report ID: {report}"
        ) from error
    return {"items": [write(row) for row in found], "search_criteria": criteria.document(), "total_count": total}


def _key(row: Document, name: str) -> Value:
    if name not in row:
        raise UnknownFieldError(name)
    value: Value = row[name]
    return value


# Stores


@_get("store/websites", "Magento_Backend::store")
def websites() -> list[Document]:
    """Answer the websites."""
    return store_documents.websites()


@_get("store/storeGroups", "Magento_Backend::store")
def store_groups() -> list[Document]:
    """Answer the store groups."""
    return store_documents.store_groups()


@_get("store/storeViews", "Magento_Backend::store")
def store_views() -> list[Document]:
    """Answer the store views."""
    return store_documents.store_views()


@_get("store/storeConfigs", "Magento_Backend::store")
def store_configs() -> list[Document]:
    """Answer locale, currency and addresses of each store view."""
    asked = request.args.getlist("storeCodes[]")
    return [row for row in store_documents.store_configs(url()) if not asked or row["code"] in asked]


# Catalogue


def product_column(product: Product, name: str) -> Value:
    """Return a filterable value of a product."""
    if name in {"store_id", "store", "website_id"}:
        return 1
    if name == "category_id":
        return [str(id_) for id_ in product.categories]
    if name in {"price", "special_price", "weight"}:
        amount = getattr(product, name)
        return None if amount is None else str(amount)
    static: Document = {
        "entity_id": product.id,
        "sku": product.sku,
        "name": product.name,
        "status": 1,
        "attribute_set_id": 4,
        "visibility": product.visibility,
        "type_id": product.type_id,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
        "url_key": product.url_key,
        **{found.code: product.options.get(found.code) for found in ATTRIBUTES if found.options},
    }
    return _key(static, name)


@_get("products", "Magento_Catalog::products")
def products() -> Document:
    """Search the products."""
    state = shop_state()
    write = lambda product: product_documents.product_document(state, product, single=False)  # noqa: E731
    return _search(state.catalog.products, product_column, write)


@_get("products/<path:sku>", "Magento_Catalog::products")
def product(sku: str) -> Document:
    """Answer one product, with its stock item."""
    return product_documents.product_document(shop_state(), _product(sku), single=True)


def _product(sku: str) -> Product:
    found = shop_state().catalog.by_sku.get(sku)
    if found is None:
        raise RestError(404, NO_PRODUCT)
    return found


@_get("products/attributes", "Magento_Catalog::attributes_attributes")
def attributes() -> Document:
    """Search the product attributes."""
    rows = [store_documents.attribute_document(found) for found in ATTRIBUTES]
    return _search(rows, _key, lambda row: row)


@_get("products/attributes/<code_>", "Magento_Catalog::attributes_attributes")
def attribute(code_: str) -> Document:
    """Answer one product attribute with its options."""
    for found in ATTRIBUTES:
        if code_ in {found.code, str(found.id)}:
            return store_documents.attribute_document(found)
    message = 'There is no attribute "%1".'
    raise RestError(404, message, [code_])


@_get("products/attributes/<code_>/options", "Magento_Catalog::attributes_attributes")
def attribute_options(code_: str) -> list[Document]:
    """Answer the options of a product attribute."""
    return next((store_documents.attribute_options(found) for found in ATTRIBUTES if found.code == code_), [])


@_get("configurable-products/<path:sku>/children", "Magento_Catalog::products")
def children(sku: str) -> list[Document]:
    """Answer the variants of a configurable product; an empty list for any other."""
    return [product_documents.child_document(child) for child in shop_state().catalog.children(_product(sku))]


@_get("configurable-products/<path:sku>/options/all", "Magento_Catalog::products")
def configurable_options(sku: str) -> list[Document]:
    """Answer the super attributes of a configurable product."""
    return product_documents.configurable_options(shop_state(), _product(sku))


@_get("categories", "Magento_Catalog::categories")
def categories() -> Document:
    """Answer the category tree."""
    return store_documents.category_tree(shop_state())


@_get("categories/list", "Magento_Catalog::categories")
def category_list() -> Document:
    """Search the categories."""

    def column(row: Document, name: str) -> Value:
        return _key({**row, "entity_id": row["id"], "is_active": row.get("is_active")}, name)

    return _search(store_documents.category_rows(), column, lambda row: row)


@_get("categories/<int:id_>", "Magento_Catalog::categories")
def category(id_: int) -> Document:
    """Answer one category."""
    for found in CATEGORIES:
        if found.id == id_:
            return store_documents.category_document(found)
    raise no_such_entity("id", id_)


@_get("products-render-info", None)
def render_info() -> Document:
    """Answer shown prices, addresses and pictures of what can be bought. Needs no token."""
    criteria = _criteria()
    for name in ("storeId", "currencyCode"):
        if not request.args.get(name):
            raise RestError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": name})
    if request.args["storeId"] != "1":
        raise RestError(404, "There is no store view with this id.")
    state = shop_state()
    shown = [found for found in state.catalog.products if found.visibility != 1 and state.is_salable(found)]
    found, _ = search(shown, product_column, criteria)
    currency = request.args["currencyCode"]
    return {"items": [product_documents.render_info(state, url(), row, currency) for row in found]}


# Stock


@_get("inventory/source-items", "Magento_InventoryApi::source")
def source_items() -> Document:
    """Search what lies on the shelves; reservations of orders do not show here."""
    rows = [
        {"sku": found.sku, "source_code": "default", "quantity": found.quantity, "status": int(found.quantity > 0)}
        for found in shop_state().catalog.products
        if not found.children
    ]
    return _search(rows, _key, lambda row: row)


@_get("inventory/export-stock-salable-qty/website/base", "Magento_InventoryApi::stock")
def salable_quantities() -> Document:
    """Search what may still be sold. ``total_count`` counts the rows of the page: the shop's own quirk."""
    state = shop_state()
    rows = [
        {
            "sku": found.sku,
            "qty": 0 if found.children else state.salable(found),
            "is_salable": state.is_salable(found),
        }
        for found in state.catalog.products
    ]
    document = _search(rows, _key, lambda row: row)
    return {**document, "total_count": len(document["items"])}


# People and orders


def _customer_column(customer: Customer, name: str) -> Value:
    static: Document = {
        "entity_id": customer.id,
        "email": customer.email,
        "firstname": customer.firstname,
        "lastname": customer.lastname,
        "store_id": 1,
        "website_id": 1,
        "group_id": 1,
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
        "created_in": store_documents.VIEW_NAME,
    }
    return _key(static, name)


@_get("customers/search", "Magento_Customer::customer")
def customers() -> Document:
    """Search the customers."""
    state = shop_state()
    rows = sorted(state.customers.values(), key=lambda found: found.id)
    try:
        return _search(rows, _customer_column, lambda found: store_documents.customer_document(state, found))
    except RestError as error:
        # Customers are searched by attribute: an unknown one is the caller's fault here, not an internal error.
        if error.status != 500:
            raise
        raise RestError(400, "There is no such customer attribute.") from error


@_get("customers/<int:id_>", "Magento_Customer::customer")
def customer(id_: int) -> Document:
    """Answer one customer."""
    found = shop_state().customers.get(id_)
    if found is None:
        raise no_such_entity("customerId", id_)
    return store_documents.customer_document(shop_state(), found)


OPTIONAL_ORDER_COLUMNS = ("customer_id", "coupon_code", "shipping_description", "total_paid", "relation_child_id")


def _order_column(order: Order, name: str) -> Value:
    row = {key: value for key, value in order_document(order).items() if not isinstance(value, (list, dict))}
    return _key({**dict.fromkeys(OPTIONAL_ORDER_COLUMNS), **row}, name)


@_get("orders", "Magento_Sales::actions_view")
def orders() -> Document:
    """Search the orders."""
    rows = sorted(shop_state().orders.values(), key=lambda found: found.entity_id)
    return _search(rows, _order_column, order_document)


@_get("orders/<int:id_>", "Magento_Sales::actions_view")
def order(id_: int) -> Document:
    """Answer one order."""
    found = shop_state().orders.get(id_)
    if found is None:
        raise RestError(404, NO_ENTITY)
    return order_document(found)


@_get("shipments", "Magento_Sales::shipment")
def shipments() -> Document:
    """Search the shipments: this shop ships nothing."""
    return _search([], _key, lambda row: row)


@_get("creditmemos", "Magento_Sales::sales_creditmemo")
def credit_memos() -> Document:
    """Search the credit memos: nobody ever wants money back here."""
    return _search([], _key, lambda row: row)


@blueprint.route("/rest/", defaults={"path": ""}, methods=["GET", "POST", "PUT", "DELETE"])
@blueprint.route("/rest/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
def no_route(path: str) -> Response:
    """Refuse what no route matches."""
    del path
    return refused(NO_ROUTE)
