"""Cart price rules and coupons as every platform gives them, and what may be unknown about a call for codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bridge.errors import Retry

if TYPE_CHECKING:
    import datetime as dt


class Unsure(Retry):
    """A call that changes something was sent, and whether it was done is not known: look before sending it again."""


class Rule(msgspec.Struct, frozen=True):
    """A cart price rule.

    Days are inclusive, in the shop's time zone. A use of 0 is no limit. ``coupon_type`` is Magento's word:
    ``NO_COUPON``, ``SPECIFIC_COUPON`` or ``AUTO``. ``raw`` is the rule as the shop sent it.
    """

    id: int
    name: str = ""
    active: bool = True
    coupon_type: str = "SPECIFIC_COUPON"
    auto: bool = True
    website_ids: tuple[int, ...] = ()
    group_ids: tuple[int, ...] = ()
    from_date: dt.date | None = None
    to_date: dt.date | None = None
    uses_per_coupon: int = 0
    uses_per_customer: int = 0
    times_used: int = 0
    raw: dict[str, Any] = msgspec.field(default_factory=dict)


class Coupon(msgspec.Struct, frozen=True):
    """A code in the shop. A limit of 0 is none. The answer to an insert has no ``created_at``."""

    id: int
    rule_id: int
    code: str
    usage_limit: int = 0
    usage_per_customer: int = 0
    times_used: int = 0
    expires_at: dt.datetime | None = None
    created_at: dt.datetime | None = None
    is_primary: bool | None = None
    type: int = 1


class CodeFormat(msgspec.Struct, frozen=True):
    """How codes that the shop makes look: ``length`` random letters, a delimiter after every ``every`` of them.

    ``kind`` is ``alphanum`` (A-Z 0-9), ``alpha`` (A-Z) or ``num`` (0-9); ``length`` counts neither prefix, suffix nor
    delimiters; ``every`` 0 is no delimiter.
    """

    kind: str = "alphanum"
    length: int = 12
    prefix: str = ""
    suffix: str = ""
    every: int = 0
    delimiter: str = "-"


class Deleted(msgspec.Struct, frozen=True):
    """What became of codes that were to be deleted, beyond those that are gone now."""

    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
