"""Private data of the visitor: ``customer/section/load``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint
from markupsafe import escape

from bridge.sandbox.product_documents import product_url
from bridge.sandbox.quote_documents import cart_section
from bridge.sandbox.store_documents import COUNTRIES
from bridge.sandbox.web import (
    Response,
    ajax_answer,
    base_url,
    request,
    shop_state,
    shown_view,
    store_view,
    url,
    visitor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.people import Session
    from bridge.sandbox.state import ShopState

blueprint = Blueprint("shop_sections", __name__)

Section = dict[str, Any]


def _customer(state: ShopState, session: Session) -> Section:
    customer = state.customers.get(session.customer_id or 0)
    if customer is None:
        return {}
    return {
        "fullname": f"{customer.firstname} {customer.lastname}",
        "firstname": customer.firstname,
        "websiteId": str(customer.view.website.id),
    }


def _messages(_state: ShopState, session: Session) -> Section:
    messages, session.messages = session.messages, []
    return {"messages": messages}


def _last_ordered(state: ShopState, session: Session) -> Section:
    customer = state.customers.get(session.customer_id or 0)
    orders = state.orders_of(customer)[:1] if customer else []
    return {
        "items": [
            {
                "id": str(item.id),
                "name": item.quote_item.product.name,
                "url": product_url(base_url(), item.quote_item.product),
                "is_saleable": state.is_salable(item.quote_item.product),
                "product_id": str(item.quote_item.product.id),
            }
            for order in orders
            for item in order.items
        ]
    }


def _captcha(state: ShopState, _session: Session) -> Section:
    forms = ("payment_processing_request", "user_login", "sales_rule_coupon_request")
    return {form: {"isRequired": False, "timestamp": state.timestamp()} for form in forms}


def _compare(_state: ShopState, _session: Session) -> Section:
    listing = url("catalog/product_compare/index/")
    return {
        "count": 0,
        "countCaption": "0 items",
        "listUrl": listing,
        "items": [],
        "websiteId": str(store_view().website.id),
    }


SECTIONS: dict[str, Callable[[ShopState, Session], Section]] = {
    "messages": _messages,
    "customer": _customer,
    "compare-products": _compare,
    "last-ordered-items": _last_ordered,
    "cart": lambda state, session: cart_section(state, state.quote_of(session), shown_view()),
    "directory-data": lambda _state, _session: {code: {"name": name} for code, name in COUNTRIES.items()},
    "captcha": _captcha,
    "instant-purchase": lambda _state, _session: {"available": False},
    "loggedAsCustomer": lambda _state, _session: {},
    "persistent": lambda _state, _session: {},
    "review": lambda _state, _session: {"nickname": "", "title": "", "detail": ""},
    "wishlist": lambda _state, _session: {"counter": None, "items": []},
    "recently_viewed_product": lambda _state, _session: {"count": 0, "items": []},
    "recently_compared_product": lambda _state, _session: {"count": 0, "items": []},
    "product_data_storage": lambda _state, _session: {},
    "paypal-billing-agreement": lambda _state, _session: {},
}


@blueprint.get("/customer/section/load/")
def load() -> Response:
    """Answer the asked sections, or all; each with ``data_id`` in Unix seconds. An unknown name is 400."""
    asked = request.args.get("sections", "")
    names = [name for name in asked.split(",") if name] or list(SECTIONS)
    for name in names:
        if name not in SECTIONS:
            return ajax_answer({"message": f"There is no section {escape(name)}."}, 400)
    state, session = shop_state(), visitor()
    return ajax_answer({name: {**SECTIONS[name](state, session), "data_id": state.timestamp()} for name in names})
