"""The admin REST API: cart price rules and coupons, with the quirks that a running 2.4.6 showed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask import Blueprint

from bridge.sandbox.promotions import Coupon, CouponError, Layout, Rule
from bridge.sandbox.rest_base import Document, RestError, body, call, flat, found, inner, key, no_such_entity
from bridge.sandbox.values import number
from bridge.sandbox.web import shop_state

if TYPE_CHECKING:
    from bridge.sandbox.search import Value

blueprint = Blueprint("shop_rest_promotions", __name__)

QUOTE = "Magento_SalesRule::quote"
RULE = "Magento\\SalesRule\\Model\\Rule\\Condition\\"


def _condition(name: str) -> Document:
    return {"condition_type": f"{RULE}{name}", "aggregator_type": "all", "operator": None, "value": True}


def rule_document(rule: Rule) -> Document:
    """Return a rule as ``salesRules/{id}`` gives it; what is empty is left out."""
    document: Document = {
        "rule_id": rule.id,
        "name": rule.name,
        "store_labels": [{"store_id": 0, "store_label": rule.label}] if rule.label else [],
        "website_ids": list(rule.website_ids),
        "customer_group_ids": [0, 1, 2, 3],
        "uses_per_customer": rule.uses_per_customer,
        "is_active": rule.is_active,
        "condition": _condition("Combine"),
        "action_condition": _condition("Product\\Combine"),
        "stop_rules_processing": False,
        "is_advanced": True,
        "sort_order": 0,
        "simple_action": "by_percent",
        "discount_amount": number(rule.percent),
        "discount_step": 0,
        "apply_to_shipping": False,
        "times_used": rule.times_used,
        "is_rss": False,
        "coupon_type": rule.coupon_type,
        "use_auto_generation": rule.is_auto,
        "uses_per_coupon": rule.uses_per_coupon,
    }
    if rule.from_date:
        document["from_date"] = rule.from_date
    if rule.to_date:
        document["to_date"] = rule.to_date
    return document


@call(blueprint, "salesRules/search", QUOTE)
def rules() -> Document:
    """Search the rules."""
    return found(list(shop_state().book.rules.values()), _rule_column, rule_document)


def _rule_column(rule: Rule, name: str) -> Value:
    return key(flat(rule_document(rule), "from_date", "to_date"), name)


@call(blueprint, "salesRules/<int:id_>", QUOTE)
def rule(id_: int) -> Document:
    """Answer one rule."""
    one = shop_state().book.rules.get(id_)
    if one is None:
        raise no_such_entity("rule_id", id_)
    return rule_document(one)


def coupon_document(coupon: Coupon, *, listed: bool) -> Document:
    """Return a coupon; a single answer has no ``created_at``."""
    document: Document = {
        "coupon_id": coupon.id,
        "rule_id": coupon.rule_id,
        "code": coupon.code,
        "usage_limit": coupon.usage_limit,
        "usage_per_customer": coupon.usage_per_customer,
        "times_used": coupon.times_used,
        "is_primary": coupon.is_primary,
        "type": coupon.type,
    }
    if coupon.expiration_date:
        document["expiration_date"] = coupon.expiration_date
    if listed and coupon.created_at:
        document["created_at"] = coupon.created_at
    return document


def _coupon_column(coupon: Coupon, name: str) -> Value:
    return key(flat(coupon_document(coupon, listed=True), "created_at", "expiration_date"), name)


@call(blueprint, "coupons/search", QUOTE)
def coupons() -> Document:
    """Search the coupons."""
    rows = list(shop_state().book.coupons.values())
    return found(rows, _coupon_column, lambda one: coupon_document(one, listed=True))


@call(blueprint, "coupons/<int:id_>", QUOTE)
def coupon(id_: int) -> Document:
    """Answer one coupon."""
    one = shop_state().book.coupons.get(id_)
    if one is None:
        raise no_such_entity("coupon_id", id_)
    return coupon_document(one, listed=False)


@call(blueprint, "coupons/<int:id_>", QUOTE, "DELETE")
def delete_coupon(id_: int) -> bool:
    """Delete one coupon."""
    if shop_state().book.coupons.pop(id_, None) is None:
        raise no_such_entity("coupon_id", id_)
    return True


def _refuse(error: CouponError) -> NoReturn:
    raise RestError(400, error.message, error.parameters or None) from error


@call(blueprint, "coupons", QUOTE, "POST")
def insert_coupon() -> Document:
    """Insert a code; its limits are overwritten by the rule's, its expiration date is kept."""
    asked, state = inner(body(), "coupon"), shop_state()
    expires = asked.get("expiration_date")
    try:
        made = state.book.insert(
            int(asked.get("rule_id") or 0),
            str(asked.get("code") or ""),
            int(asked.get("type") or 0),
            state.now(),
            str(expires) if expires else None,
        )
    except CouponError as error:
        _refuse(error)
    return coupon_document(made, listed=False)


@call(blueprint, "coupons/generate", QUOTE, "POST")
def generate_coupons() -> list[str]:
    """Generate codes."""
    asked, state = inner(body(), "coupon_spec"), shop_state()
    layout = Layout(
        str(asked.get("format") or ""),
        str(asked.get("prefix") or ""),
        str(asked.get("suffix") or ""),
        int(asked.get("delimiter_at_every") or 0),
        str(asked.get("delimiter") or "-"),
    )
    quantity, length = int(asked.get("quantity") or 0), int(asked.get("length") or 0)
    try:
        return state.book.generate(
            int(asked.get("rule_id") or 0), quantity, length, layout=layout, now=state.now()
        )  # fmt: skip
    except CouponError as error:
        _refuse(error)
    except KeyError as error:
        problem = "Warning: Undefined array key in vendor/module-sales-rule/Helper/Coupon.php"
        raise RestError(400, "Error occurred when generating coupons: %1", [problem]) from error


@call(blueprint, "coupons/deleteByCodes", QUOTE, "POST")
def delete_by_codes() -> Document:
    """Delete codes; answer those that there were not."""
    asked: dict[str, Any] = body()
    codes = [str(code) for code in asked.get("codes") or []]
    ignore = bool(asked.get("ignore_invalid_coupons", True))
    try:
        missing = shop_state().book.delete(codes, ignore_invalid=ignore)
    except CouponError as error:
        _refuse(error)
    return {"failed_items": [], "missing_items": missing}
