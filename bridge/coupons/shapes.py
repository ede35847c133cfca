"""What Ometria reads: rules, coupons and stores under the names that Magento's own rows have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    from bridge.store import Coupon, Rule, StoreView


def rule_row(rule: Rule) -> dict[str, Any]:
    """Return a cart price rule: all that the shop told of it, the fields that it leaves out when empty as null."""
    return {
        "rule_id": rule.id,
        "name": rule.name,
        "store_labels": [],
        "description": None,
        "website_ids": list(rule.website_ids),
        "customer_group_ids": list(rule.group_ids),
        "from_date": _day(rule.from_date),
        "to_date": _day(rule.to_date),
        "uses_per_customer": rule.uses_per_customer,
        "is_active": rule.active,
        "coupon_type": rule.coupon_type,
        "use_auto_generation": rule.auto,
        "uses_per_coupon": rule.uses_per_coupon,
        "times_used": rule.times_used,
        **rule.raw,
    }


def coupon_row(coupon: Coupon) -> dict[str, Any]:
    """Return a coupon; ``created_at`` is null in the answer to an insert, as Magento tells none there."""
    return {
        "coupon_id": coupon.id,
        "rule_id": coupon.rule_id,
        "code": coupon.code,
        "usage_limit": coupon.usage_limit,
        "usage_per_customer": coupon.usage_per_customer,
        "times_used": coupon.times_used,
        "expiration_date": _time(coupon.expires_at),
        "is_primary": coupon.is_primary,
        "created_at": _time(coupon.created_at),
        "type": coupon.type,
    }


def store_row(view: StoreView) -> dict[str, Any]:
    """Return a store view; ``url`` is its address without TLS, as the old module gave it."""
    return {
        "id": view.id,
        "title": view.name,
        "group_id": view.group_id,
        "website_id": view.website_id,
        "url": view.base_url,
    }


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _time(moment: dt.datetime | None) -> str | None:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else None
