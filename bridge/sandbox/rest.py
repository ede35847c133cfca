"""The admin REST API: store tree, people, content pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from bridge.sandbox import store_documents
from bridge.sandbox.rest_base import NO_ROUTE, Document, RestError, call, found, key, no_such_entity, refused
from bridge.sandbox.web import Response, request, shop_state

if TYPE_CHECKING:
    from bridge.sandbox.people import Customer
    from bridge.sandbox.search import Value

blueprint = Blueprint("shop_rest", __name__)

STORE, CUSTOMER = "Magento_Backend::store", "Magento_Customer::customer"
CUSTOMER_ATTRIBUTES = (
    "website_id", "store_id", "created_in", "prefix", "firstname", "middlename", "lastname", "suffix", "email",
    "group_id", "dob", "taxvat", "gender", "disable_auto_group_change",
)  # fmt: skip
GROUPS = ((0, "NOT LOGGED IN"), (1, "General"), (2, "Wholesale"), (3, "Retailer"))
PAGE_NAMES = (
    (1, "no-route", "404 Not Found"),
    (2, "home", "Home page"),
    (3, "about-us", "About Harbour & Pine"),
    (4, "delivery", "Delivery & Returns"),
)
MODULES = ("Magento_Store", "Magento_Catalog", "Magento_Customer", "Magento_Sales", "Magento_Newsletter")


@call(blueprint, "store/websites", STORE)
def websites() -> list[Document]:
    """Answer the websites."""
    return store_documents.websites()


@call(blueprint, "store/storeGroups", STORE)
def store_groups() -> list[Document]:
    """Answer the store groups."""
    return store_documents.store_groups()


@call(blueprint, "store/storeViews", STORE)
def store_views() -> list[Document]:
    """Answer the store views."""
    return store_documents.store_views()


@call(blueprint, "store/storeConfigs", STORE)
def store_configs() -> list[Document]:
    """Answer locale, currency and addresses of each store view."""
    asked = request.args.getlist("storeCodes[]")
    return [row for row in store_documents.store_configs(shop_state()) if not asked or row["code"] in asked]


@call(blueprint, "modules", "Magento_Backend::config")
def modules() -> list[str]:
    """Answer the names of the shop's modules."""
    return list(MODULES)


@call(blueprint, "directory/currency", None)
def currency() -> Document:
    """Answer the currencies of the view."""
    code = "EUR" if request.headers.get("Host", "").lower() == shop_state().options.eu_authority else "GBP"
    return {
        "base_currency_code": code,
        "base_currency_symbol": {"GBP": "£", "EUR": "€"}[code],
        "default_display_currency_code": code,
        "default_display_currency_symbol": {"GBP": "£", "EUR": "€"}[code],
        "available_currency_codes": [code],
        "exchange_rates": [{"currency_to": code, "rate": 1}],
    }


@call(blueprint, "directory/countries/<code_>", None)
def country(code_: str) -> Document:
    """Answer one country."""
    name = store_documents.COUNTRIES.get(code_)
    if name is None:
        raise RestError(404, "The country isn't available.")
    return {
        "id": code_,
        "two_letter_abbreviation": code_,
        "three_letter_abbreviation": store_documents.THREE_LETTERS[code_],
        "full_name_locale": name,
        "full_name_english": name,
    }


def customer_column(customer: Customer, name: str) -> Value:
    """Return a filterable value of a customer."""
    static: Document = {
        "entity_id": customer.id,
        "email": customer.email,
        "firstname": customer.firstname,
        "lastname": customer.lastname,
        "store_id": customer.view.id,
        "website_id": customer.view.website.id,
        "group_id": 1,
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
        "created_in": customer.view.name,
    }
    return key(static, name)


@call(blueprint, "customers/search", CUSTOMER)
def customers() -> Document:
    """Search the customers."""
    state = shop_state()
    rows = sorted(state.customers.values(), key=lambda one: one.id)
    try:
        return found(rows, customer_column, lambda one: store_documents.customer_document(state, one, listed=True))
    except RestError as error:
        # Customers are searched by attribute: an unknown one is the caller's fault here, not an internal error.
        if error.status != 500:
            raise
        raise RestError(400, "There is no such customer attribute.") from error


def _customer(id_: int) -> Customer:
    one = shop_state().customers.get(id_)
    if one is None:
        raise no_such_entity("customerId", id_)
    return one


@call(blueprint, "customers/<int:id_>", CUSTOMER)
def customer(id_: int) -> Document:
    """Answer one customer."""
    return store_documents.customer_document(shop_state(), _customer(id_))


@call(blueprint, "customers/<int:id_>/billingAddress", CUSTOMER)
def billing_address(id_: int) -> Document | None:
    """Answer a customer's default billing address, null without one."""
    one = _customer(id_)
    if one.default_address is None:
        return None
    return store_documents.customer_address(one, one.default_address, one.addresses[one.default_address])


@call(blueprint, "attributeMetadata/customer", None)
def customer_attributes() -> list[Document]:
    """Answer what a customer's account has in a stock shop."""
    return [{"attribute_code": code, "frontend_input": "text", "options": []} for code in CUSTOMER_ATTRIBUTES]


@call(blueprint, "customerGroups/search", "Magento_Customer::group")
def customer_groups() -> Document:
    """Search the customer groups."""
    rows: list[Document] = [
        {
            "id": id_,
            "code": name,
            "tax_class_id": 3,
            "tax_class_name": "Retail Customer",
        }
        for id_, name in GROUPS
    ]
    return found(rows, key, lambda row: row)


@call(blueprint, "cmsPage/search", "Magento_Cms::page")
def cms_pages() -> Document:
    """Search the content pages."""
    rows: list[Document] = [
        {
            "id": id_,
            "identifier": identifier,
            "title": title,
            "page_layout": "1column",
            "meta_keywords": "Page keywords",
            "meta_description": "Page description",
            "content_heading": title,
            "content": f"<p>{title}</p>",
            "creation_time": "2025-05-01 07:50:00",
            "update_time": "2025-05-01 07:50:00",
            "sort_order": "0",
            "layout_update_xml": "",
            "active": True,
        }
        for id_, identifier, title in PAGE_NAMES
    ]
    return found(rows, key, lambda row: row)


@call(blueprint, "taxRates/search", "Magento_Tax::manage_tax")
def tax_rates() -> Document:
    """Search the tax rates."""
    rates: list[Document] = [
        {"id": 1, "tax_country_id": "US", "tax_region_id": 12, "region_name": "CA", "tax_postcode": "*", "rate": 8.25,
         "code": "US-CA-*-Rate 1", "titles": []},
    ]  # fmt: skip
    return found(rates, key, lambda row: row)


@blueprint.route("/rest/", defaults={"path": ""}, methods=["GET", "POST", "PUT", "DELETE"])
@blueprint.route("/rest/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
def no_route(path: str) -> Response:
    """Refuse what no route matches."""
    del path
    return refused(NO_ROUTE)
