"""Store tree, categories, attributes and customers in the shapes of Magento's REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.sandbox.views import VIEWS, WEBSITES, StoreView, views_of

if TYPE_CHECKING:
    from bridge.sandbox.catalog import Catalog
    from bridge.sandbox.goods import Attribute, Category
    from bridge.sandbox.people import Address, Customer
    from bridge.sandbox.state import ShopState

Document = dict[str, Any]

COUNTRIES = {
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IT": "Italy",
    "NL": "Netherlands",
    "US": "United States",
}
THREE_LETTERS = {
    "DE": "DEU", "ES": "ESP", "FR": "FRA", "GB": "GBR", "IE": "IRL", "IT": "ITA", "NL": "NLD", "US": "USA",
}  # fmt: skip
CATEGORY_DATES = {"created_at": "2025-05-01 07:55:00", "updated_at": "2025-05-01 07:55:00"}


def websites() -> list[Document]:
    """Answer ``store/websites``."""
    return [
        {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0},
        *({"id": site.id, "code": site.code, "name": site.name, "default_group_id": site.id} for site in WEBSITES),
    ]


def store_groups() -> list[Document]:
    """Answer ``store/storeGroups``."""
    return [
        {"id": 0, "website_id": 0, "root_category_id": 0, "default_store_id": 0, "name": "Default", "code": "default"},
        *(
            {
                "id": site.id,
                "website_id": site.id,
                "root_category_id": 2,
                "default_store_id": views_of(site)[0].id,
                "name": site.group_name,
                "code": site.group_code,
            }
            for site in WEBSITES
        ),
    ]


def store_views() -> list[Document]:
    """Answer ``store/storeViews``."""
    rows = [
        {
            "id": view.id,
            "code": view.code,
            "name": view.name,
            "website_id": view.website.id,
            "store_group_id": view.website.id,
            "is_active": 1,
        }
        for view in VIEWS
    ]
    admin = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0, "is_active": 1}
    return [rows[0], admin, *rows[1:]]


def store_configs(state: ShopState) -> list[Document]:
    """Answer ``store/storeConfigs``."""
    return [_store_config(view, state.base_url(view)) for view in VIEWS]


def _store_config(view: StoreView, base_url: str) -> Document:
    urls = {
        "base_url": base_url,
        "base_link_url": base_url,
        "base_static_url": f"{base_url}static/",
        "base_media_url": f"{base_url}media/",
    }
    return {
        "id": view.id,
        "code": view.code,
        "website_id": view.website.id,
        "locale": view.locale,
        "base_currency_code": view.currency,
        "default_display_currency_code": view.currency,
        "timezone": "Europe/London",
        "weight_unit": "kgs",
        **urls,
        **{f"secure_{key}": value for key, value in urls.items()},
    }


def category_tree(catalog: Catalog) -> Document:
    """Answer ``categories``."""
    return {
        "id": 2,
        "parent_id": 1,
        "name": "Default Category",
        "is_active": True,
        "position": 1,
        "level": 1,
        "product_count": 0,
        "children_data": _branches(catalog, 2),
    }


def _branches(catalog: Catalog, parent_id: int) -> list[Document]:
    return [
        {
            "id": found.id,
            "parent_id": parent_id,
            "name": found.name,
            "is_active": True,
            "position": found.position,
            "level": found.level,
            "product_count": sum(found.id in product.categories for product in catalog.products),
            "children_data": _branches(catalog, found.id),
        }
        for found in catalog.categories
        if found.parent_id == parent_id
    ]


def category_rows(catalog: Catalog) -> list[Document]:
    """Return every category as ``categories/list`` gives it, the two roots included."""
    roots = [
        {
            "id": 1,
            "parent_id": 0,
            "name": "Root Catalog",
            "position": 0,
            "level": 0,
            "children": "2",
            **CATEGORY_DATES,
            "path": "1",
            "include_in_menu": True,
            "custom_attributes": _attributes(path="1", children_count="5"),
        },
        {
            "id": 2,
            "parent_id": 1,
            "name": "Default Category",
            "is_active": True,
            "position": 1,
            "level": 1,
            "children": ",".join(str(found.id) for found in catalog.categories if found.parent_id == 2),
            **CATEGORY_DATES,
            "path": "1/2",
            "include_in_menu": True,
            "custom_attributes": _attributes(display_mode="PRODUCTS", path="1/2", children_count="4"),
        },
    ]
    return [*roots, *(category_document(catalog, found) for found in catalog.categories)]


def category_document(catalog: Catalog, found: Category) -> Document:
    """Return one category as ``categories/{id}`` gives it."""
    below = [str(child.id) for child in catalog.categories if child.parent_id == found.id]
    return {
        "id": found.id,
        "parent_id": found.parent_id,
        "name": found.name,
        "is_active": True,
        "position": found.position,
        "level": found.level,
        "children": ",".join(below),
        **CATEGORY_DATES,
        "path": found.path,
        "include_in_menu": True,
        "custom_attributes": _attributes(
            description=f"<p>{found.blurb}</p>",
            is_anchor="1",
            path=found.path,
            children_count=str(len(below)),
            url_key=found.url_key,
            url_path=found.url_key,
        ),
    }


def _attributes(**values: str) -> list[Document]:
    return [{"attribute_code": code, "value": value} for code, value in values.items()]


def attribute_options(found: Attribute) -> list[Document]:
    """Answer ``products/attributes/{code}/options``: labels in alphabetical order after a blank one."""
    if not found.options:
        return []
    ordered = sorted(found.options, key=lambda option: option.label)
    return [{"label": " ", "value": ""}, *({"label": option.label, "value": str(option.id)} for option in ordered)]


def attribute_document(found: Attribute) -> Document:
    """Answer ``products/attributes/{code}``."""
    selectable = bool(found.options)
    document = {
        "extension_attributes": {"is_pagebuilder_enabled": False},
        "is_wysiwyg_enabled": False,
        "is_html_allowed_on_front": found.frontend_input == "textarea",
        "used_for_sort_by": False,
        "is_filterable": selectable,
        "is_filterable_in_search": False,
        "is_used_in_grid": selectable,
        "is_visible_in_grid": False,
        "is_filterable_in_grid": selectable,
        "position": 0,
        "apply_to": [],
        "is_searchable": "1",
        "is_visible_in_advanced_search": "0",
        "is_comparable": "1" if selectable else "0",
        "is_used_for_promo_rules": "0",
        "is_visible_on_front": "1" if selectable else "0",
        "used_in_product_listing": "0",
        "is_visible": True,
        "scope": found.scope,
        "attribute_id": found.id,
        "attribute_code": found.code,
        "frontend_input": found.frontend_input,
        "entity_type_id": "4",
        "is_required": False,
        "options": attribute_options(found),
        "is_user_defined": found.is_user_defined,
        "default_frontend_label": found.label,
        "frontend_labels": [],
        "backend_type": found.backend_type,
    }
    if selectable:
        document["source_model"] = "Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Table"
        document["default_value"] = ""
    return {**document, "is_unique": "0", "validation_rules": []}


def customer_document(state: ShopState, customer: Customer, *, listed: bool = False) -> Document:
    """Return a customer as ``customers/{id}`` and ``customers/me`` give it; what is empty is left out.

    ``listed`` is for ``customers/search``, which reads the newsletter list by address over all websites.
    """
    website_id = customer.view.website.id
    subscribed = (
        state.is_listed_subscribed(customer.email) if listed else state.is_subscribed(customer.email, website_id)
    )
    document: Document = {"id": customer.id, "group_id": 1}
    if customer.default_address is not None:
        document["default_billing"] = document["default_shipping"] = str(customer.default_address)
    return {
        **document,
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
        "created_in": customer.view.name,
        "email": customer.email,
        "firstname": customer.firstname,
        "lastname": customer.lastname,
        "store_id": customer.view.id,
        "website_id": website_id,
        "addresses": [
            customer_address(customer, address_id, address) for address_id, address in customer.addresses.items()
        ],
        "disable_auto_group_change": 0,
        "extension_attributes": {"is_subscribed": subscribed},
    }


def customer_address(customer: Customer, address_id: int, address: Address) -> Document:
    """Return an address of a customer's book."""
    document: Document = {
        "id": address_id,
        "customer_id": customer.id,
        "region": {"region_code": None, "region": None, "region_id": 0},
        "region_id": 0,
        "country_id": address.country_id,
        "street": list(address.street),
    }
    if address.company:
        document["company"] = address.company
    document.update(
        telephone=address.telephone,
        postcode=address.postcode,
        city=address.city,
        firstname=address.firstname,
        lastname=address.lastname,
    )
    if address_id == customer.default_address:
        document["default_shipping"] = document["default_billing"] = True
    return document
