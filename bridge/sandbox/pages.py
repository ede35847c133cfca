"""Home, categories, search, products, content pages, pictures and static files of the sandbox shop."""

from __future__ import annotations

from datetime import UTC, datetime
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort
from werkzeug.security import safe_join

from bridge.sandbox.art import picture
from bridge.sandbox.folders import sandbox_folder
from bridge.sandbox.product_documents import bundle_rows, configurable_config, image_url, product_url
from bridge.sandbox.values import inline_json, number, uenc
from bridge.sandbox.web import Response, base_url, catalog, page, request, say_in, shop_state, store_view, url

if TYPE_CHECKING:
    from bridge.sandbox.goods import Category, Product

blueprint = Blueprint("shop_pages", __name__)

CMS_PAGES = {
    "about-us": ("About Harbour & Pine", "about"),
    "delivery": ("Delivery & Returns", "delivery"),
}


def tile(product: Product, here: str) -> dict[str, Any]:
    """Return what a listing shows of a product; ``here`` is the page that it stands on."""
    state, products, here_url = shop_state(), catalog(), base_url()
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "blurb": product.blurb,
        "url": product_url(here_url, product),
        "image": image_url(here_url, product, "category_page_grid"),
        "final": products.lowest_price(product),
        "regular": product.regular_price,
        "amount": number(products.lowest_price(product)),
        "from": product.is_composite,
        "action": f"{here_url}checkout/cart/add/uenc/{uenc(here)}/product/{product.id}/",
        "salable": state.is_salable(product),
    }


def listed(category: Category | None = None) -> list[Product]:
    """Return the products that a listing may show: visible and in stock, as the shop's default setting says."""
    state, website_id = shop_state(), store_view().website.id
    return [
        product
        for product in catalog().products
        if product.is_shown_in(website_id)
        and state.is_salable(product)
        and (category is None or category.id in product.categories)
    ]


@blueprint.get("/")
def home() -> Response:
    """Show the home page."""
    wanted = (17, 1, 4, 5, 23, 6, 2, 9)
    products = [product for product in listed() if product.id in wanted]
    tiles = [tile(product, url()) for product in sorted(products, key=lambda found: wanted.index(found.id))]
    return page(
        "home.html",
        cacheable=True,
        title="Home page",
        body_class="cms-home cms-index-index page-layout-1column",
        tiles=tiles,
    )


@blueprint.get("/<url_key>.html")
def by_url_key(url_key: str) -> Response:
    """Show a category or a product, whichever has this URL key."""
    category = next((found for found in catalog().categories if found.url_key == url_key), None)
    if category is not None:
        return _category(category)
    product = catalog().by_url_key.get(url_key)
    if product is None:
        abort(404)
    return _product(product)


def _category(category: Category) -> Response:
    classes = f"page-with-filter page-products categorypath-{category.url_key} category-{category.url_key}"
    here = url(f"{category.url_key}.html")
    return page(
        "category.html",
        cacheable=True,
        title=category.name,
        category=category,
        body_class=f"{classes} catalog-category-view page-layout-2columns-left",
        tiles=[tile(product, here) for product in listed(category)],
    )


def _product(product: Product) -> Response:
    config = configurable_config(shop_state(), catalog(), base_url(), product) if product.children else None
    return page(
        "product.html",
        cacheable=True,
        title=product.name,
        product=product,
        body_class=f"{_type_class(product)}catalog-product-view product-{product.url_key} page-layout-1column",
        body_attributes='itemtype="http://schema.org/Product" itemscope="itemscope"',
        tile=tile(product, product_url(base_url(), product)),
        image=image_url(base_url(), product),
        axes=list(config["attributes"].values()) if config else [],
        sp_config=inline_json(config) if config else None,
        bundle=bundle_rows(shop_state(), catalog(), product),
        members=[tile(member, url()) for member in catalog().associated(product)],
        amount=number(catalog().lowest_price(product)),
        crumbs=[found for found in catalog().categories if found.id in product.categories][:1],
        here=uenc(product_url(base_url(), product)),
    )


def _type_class(product: Product) -> str:
    return f"page-product-{product.type_id} " if product.is_composite else ""


@blueprint.get("/catalogsearch/result/")
def search_result() -> Response:
    """Show what was found for ``?q=``."""
    words = request.args.get("q", "").strip()
    found = [
        product
        for product in listed()
        if words and words.lower() in f"{product.name} {product.sku} {product.blurb}".lower()
    ]
    here = url("catalogsearch/result/")
    return page(
        "search.html",
        cacheable=True,
        title=say_in("Search results for: '%words'", words=words),
        words=words,
        body_class="page-products page-with-filter catalogsearch-result-index page-layout-2columns-left",
        tiles=[tile(product, here) for product in found],
    )


@blueprint.get("/<any('about-us', 'delivery', 'home'):identifier>")
def cms_page(identifier: str) -> Response:
    """Show a content page. The home page under its own address is a content page too."""
    title, name = CMS_PAGES.get(identifier, ("Home page", "about"))
    return page(
        "cms.html",
        cacheable=True,
        title=title,
        name=name,
        body_class=f"cms-{identifier} cms-page-view page-layout-1column",
    )


def not_found(_error: Any = None) -> Response:
    """Show the page for addresses that lead nowhere, with status 404."""
    return page(
        "not_found.html",
        cacheable=True,
        status=404,
        title="404 Not Found",
        body_class="cms-no-route cms-noroute-index page-layout-2columns-right",
    )


@blueprint.get("/media/catalog/product/<path:file>")
def media(file: str) -> Response:
    """Draw a product's picture; any cache hash is as good as any other."""
    wanted = file.rsplit("/", 1)[-1]
    for product in shop_state().catalog.products:
        if product.image_file.endswith(f"/{wanted}"):
            answer = Response(picture(product.art), mimetype="image/svg+xml")
            answer.headers["Cache-Control"] = "max-age=31536000, public"
            return answer
    return Response("", 404, mimetype="text/plain")


@blueprint.get("/static/<path:file>")
def static_file(file: str) -> Response:
    """Serve the shop's own scripts and styles, cacheable for a year as behind the sample nginx."""
    path = safe_join(str(sandbox_folder("static")), file)
    if path is None or not Path(path).is_file():
        abort(404)
    answer = Response(Path(path).read_bytes(), mimetype=guess_type(path)[0])
    answer.last_modified = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
    answer.add_etag(weak=True)
    answer.headers["Cache-Control"] = "public, max-age=31536000"
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    answer.make_conditional(request)
    return answer
