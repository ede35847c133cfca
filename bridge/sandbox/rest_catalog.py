"""The admin REST API: products, attributes, categories, as the path's store code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from bridge.sandbox import product_documents, store_documents
from bridge.sandbox.attributes import ATTRIBUTES
from bridge.sandbox.render_info import render_info as render_row
from bridge.sandbox.rest_base import (
    NO_PRODUCT,
    Document,
    RestError,
    body,
    call,
    criteria,
    found,
    inner,
    key,
    no_such_entity,
    required,
)
from bridge.sandbox.search import search
from bridge.sandbox.views import VIEW_BY_ID, VIEWS
from bridge.sandbox.web import catalog, request, shop_state

if TYPE_CHECKING:
    from bridge.sandbox.goods import Product
    from bridge.sandbox.search import Value

blueprint = Blueprint("shop_rest_catalog", __name__)

PRODUCTS, CATEGORIES = "Magento_Catalog::products", "Magento_Catalog::categories"
ATTRIBUTE = "Magento_Catalog::attributes_attributes"


def product_column(product: Product, name: str) -> Value:
    """Return a filterable value of a product."""
    if name in {"store_id", "store"}:
        return [str(view.id) for view in VIEWS if view.website.id in product.websites]
    if name == "website_id":
        return [str(id_) for id_ in product.websites]
    if name == "category_id":
        return [str(id_) for id_ in product.categories]
    if name in {"price", "special_price", "weight"}:
        amount = getattr(product, name)
        return None if amount is None else str(amount)
    static: Document = {
        "entity_id": product.id,
        "sku": product.sku,
        "name": product.name,
        "status": product.status,
        "attribute_set_id": 4,
        "visibility": product.visibility,
        "type_id": product.type_id,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
        "url_key": product.url_key,
        **{one.code: product.options.get(one.code) for one in ATTRIBUTES if one.options},
    }
    return key(static, name)


@call(blueprint, "products", PRODUCTS)
def products() -> Document:
    """Search the products."""
    state, seen = shop_state(), catalog()
    return found(
        seen.products,
        product_column,
        lambda product: product_documents.product_document(state, seen, product, single=False),
    )


def the_product(sku: str) -> Product:
    """Find a product by its SKU. Raises RestError 404."""
    product = catalog().by_sku.get(sku)
    if product is None:
        raise RestError(404, NO_PRODUCT)
    return product


@call(blueprint, "products", PRODUCTS, "POST")
def save_product() -> Document:
    """Refuse to make products: the assortment is fixed. Bodies are read, so that their faults show."""
    product = the_product(str(inner(body(), "product").get("sku")))
    return product_documents.product_document(shop_state(), catalog(), product, single=True)


@call(blueprint, "products/<path:sku>", PRODUCTS)
def product(sku: str) -> Document:
    """Answer one product, with its stock item."""
    return product_documents.product_document(shop_state(), catalog(), the_product(sku), single=True)


@call(blueprint, "products/<path:sku>/media", PRODUCTS)
def media(sku: str) -> list[Document]:
    """Answer the pictures of a product."""
    return [product_documents.gallery_entry(the_product(sku))]


@call(blueprint, "products/<path:sku>/links/associated", PRODUCTS)
def associated(sku: str) -> list[Document]:
    """Answer the members of a grouped product."""
    return product_documents.grouped_links(catalog(), the_product(sku))


@call(blueprint, "bundle-products/<path:sku>/options/all", PRODUCTS)
def bundle_options(sku: str) -> list[Document]:
    """Answer the options of a bundle."""
    return product_documents.bundle_options(catalog(), the_product(sku))


@call(blueprint, "products/attributes", ATTRIBUTE)
def attributes() -> Document:
    """Search the product attributes."""
    rows = [store_documents.attribute_document(one) for one in ATTRIBUTES]
    return found(rows, key, lambda row: row)


@call(blueprint, "products/attributes/<code_>", ATTRIBUTE)
def attribute(code_: str) -> Document:
    """Answer one product attribute with its options."""
    for one in ATTRIBUTES:
        if code_ in {one.code, str(one.id)}:
            return store_documents.attribute_document(one)
    raise RestError(404, 'There is no attribute "%1".', [code_])


@call(blueprint, "products/attributes/<code_>/options", ATTRIBUTE)
def attribute_options(code_: str) -> list[Document]:
    """Answer the options of a product attribute."""
    known = (store_documents.attribute_options(one) for one in ATTRIBUTES if code_ in {one.code, str(one.id)})
    return next(known, [])


@call(blueprint, "configurable-products/<path:sku>/children", PRODUCTS)
def children(sku: str) -> list[Document]:
    """Answer the variants of a configurable product; an empty list for any other."""
    return [product_documents.child_document(child) for child in catalog().children(the_product(sku))]


@call(blueprint, "configurable-products/<path:sku>/options/all", PRODUCTS)
def configurable_options(sku: str) -> list[Document]:
    """Answer the super attributes of a configurable product."""
    return product_documents.configurable_options(catalog(), the_product(sku))


@call(blueprint, "categories", CATEGORIES)
def categories() -> Document:
    """Answer the category tree."""
    return store_documents.category_tree(catalog())


@call(blueprint, "categories/list", CATEGORIES)
def category_list() -> Document:
    """Search the categories."""

    def column(row: Document, name: str) -> Value:
        return key({**row, "entity_id": row["id"], "is_active": row.get("is_active")}, name)

    return found(store_documents.category_rows(catalog()), column, lambda row: row)


@call(blueprint, "categories/<int:id_>", CATEGORIES)
def category(id_: int) -> Document:
    """Answer one category."""
    for one in catalog().categories:
        if one.id == id_:
            return store_documents.category_document(catalog(), one)
    raise no_such_entity("id", id_)


@call(blueprint, "categories/<int:id_>/products", CATEGORIES)
def category_products(id_: int) -> list[Document]:
    """Answer the SKUs of a category."""
    return [
        {"sku": product.sku, "position": 0, "category_id": str(id_)}
        for product in catalog().products
        if id_ in product.categories
    ]


@call(blueprint, "products-render-info", None)
def render_info() -> Document:
    """Answer shown prices, addresses and pictures of what can be bought in a view. Needs no token."""
    asked = criteria()
    for name in ("storeId", "currencyCode"):
        if not request.args.get(name):
            raise required(name)
    text = request.args["storeId"]
    view = VIEW_BY_ID.get(int(text)) if text.isdigit() else None
    if view is None:
        raise RestError(404, "There is no store view with this id.")
    state, seen = shop_state(), shop_state().catalogs[view.code]
    shown = [one for one in seen.products if one.is_shown_in(view.website.id) and state.is_salable(one)]
    page, _ = search(shown, product_column, asked)
    currency, base_url = request.args["currencyCode"], state.base_url(view)
    return {"items": [render_row(seen, base_url, row, currency) for row in page]}
