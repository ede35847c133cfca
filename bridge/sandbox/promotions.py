"""Cart price rules and their coupons."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = {
    "alphanum": string.ascii_uppercase + string.digits,
    "alpha": string.ascii_uppercase,
    "num": string.digits,
}
LONGEST_CODE = 255


@dataclass
class Rule:
    """A cart price rule: a percentage off the cart, with a code of its own or with generated ones."""

    id: int
    name: str
    label: str
    percent: Decimal
    is_auto: bool = False
    is_active: bool = True
    website_ids: tuple[int, ...] = (1, 2)
    uses_per_coupon: int = 0
    uses_per_customer: int = 0
    from_date: str | None = None
    to_date: str | None = None
    coupon_type: str = "SPECIFIC_COUPON"
    times_used: int = 0


@dataclass
class Coupon:
    """A code. ``type`` 0 is the rule's own code, 1 a generated or inserted one; type 0 has no ``created_at``."""

    id: int
    rule_id: int
    code: str
    usage_limit: int
    usage_per_customer: int
    type: int
    is_primary: bool | None = None
    created_at: str | None = None
    expiration_date: str | None = None
    times_used: int = 0


class CouponError(Exception):
    """The request cannot be done; ``parameters`` fill the placeholders of the message."""

    def __init__(self, message: str, *parameters: str) -> None:
        super().__init__(message)
        self.message = message
        self.parameters = list(parameters)


class CouponBook:
    """All rules and coupons."""

    def __init__(self) -> None:
        self.rules = {
            1: Rule(1, "Ten percent off", "10% off", Decimal(10)),
            2: Rule(2, "Welcome", "Welcome gift", Decimal(15), is_auto=True, uses_per_coupon=1, uses_per_customer=1),
            3: Rule(3, "Summer that was", "Summer", Decimal(20), is_auto=True, is_active=False, to_date="2024-08-31"),
            4: Rule(4, "From the third piece", "", Decimal(0), coupon_type="NO_COUPON", website_ids=(1,)),
        }
        self.coupons = {1: Coupon(1, 1, "SAVE10", 0, 0, 0, is_primary=True)}
        self._next = 2

    def find(self, code: str) -> Coupon | None:
        """Find a coupon; codes compare without case."""
        wanted = code.strip().lower()
        return next((found for found in self.coupons.values() if found.code.lower() == wanted), None)

    def usable(self, code: str, website_id: int, today: str) -> tuple[Coupon, Rule] | None:
        """Return coupon and rule when a visitor may use a code now. A coupon's own expiration date does not matter."""
        coupon = self.find(code)
        if coupon is None or (coupon.usage_limit and coupon.times_used >= coupon.usage_limit):
            return None
        rule = self.rules[coupon.rule_id]
        in_time = (rule.from_date or "") <= today <= (rule.to_date or "9999")
        return (coupon, rule) if rule.is_active and website_id in rule.website_ids and in_time else None

    def _rule(self, rule_id: int, doing: str) -> Rule:
        rule = self.rules.get(rule_id)
        if rule is None:
            raise CouponError(f"Error occurred when {doing}: %1", f"No such entity with rule_id = {rule_id}")
        return rule

    def insert(self, rule_id: int, code: str, type_: int, now: str, expiration_date: str | None = None) -> Coupon:
        """Keep a code as it is. Limits are the rule's, whatever was asked. Raises CouponError."""
        rule = self._rule(rule_id, "saving coupon")
        if self.find(code):
            raise CouponError("%1 already exists.", "Coupon with the same code")
        if rule.is_auto != (type_ == 1):
            wrong = "only allows auto" if rule.is_auto else "does not allow auto"
            raise CouponError("Error occurred when saving coupon: %1", f"Specified rule {wrong} generated coupons")
        return self._keep(rule, code, now, expiration_date)

    def generate(self, rule_id: int, quantity: int, length: int, *, layout: Layout, now: str) -> list[str]:
        """Make codes by Magento's pattern; a rule that is off or over makes them too. Raises CouponError."""
        rule = self._rule(rule_id, "generating coupons")
        if not rule.is_auto:
            problem = "Specified rule does not allow automatic coupon generation"
            raise CouponError("Error occurred when generating coupons: %1", problem)
        if quantity <= 0 or length <= 0:
            raise CouponError("One or more input exceptions have occurred.")
        codes: list[str] = []
        while len(codes) < quantity:
            # A length that gives too few codes grows without notice.
            width = length if len(codes) * 10 < len(layout.letters) ** length else length + 2
            code = layout.code(width)
            if self.find(code) is None:
                self._keep(rule, code[:LONGEST_CODE], now)
                codes.append(code)
        return codes

    def _keep(self, rule: Rule, code: str, now: str, expiration_date: str | None = None) -> Coupon:
        coupon = Coupon(
            self._next,
            rule.id,
            code,
            rule.uses_per_coupon,
            rule.uses_per_customer,
            1,
            created_at=now,
            expiration_date=expiration_date,
        )
        self._next += 1
        self.coupons[coupon.id] = coupon
        return coupon

    def delete(self, codes: list[str], *, ignore_invalid: bool) -> list[str]:
        """Delete codes; return those that there were not. Strict: one unknown code, and nothing is deleted."""
        found = {code: self.find(code) for code in codes}
        missing = [code for code, coupon in found.items() if coupon is None]
        if missing and not ignore_invalid:
            raise CouponError("Some coupons are invalid.")
        for coupon in found.values():
            if coupon is not None:
                self.coupons.pop(coupon.id, None)
        return missing


@dataclass(frozen=True)
class Layout:
    """What generated codes look like."""

    format: str = "alphanum"
    prefix: str = ""
    suffix: str = ""
    every: int = 0
    delimiter: str = "-"

    @property
    def letters(self) -> str:
        """Letters to choose from; an empty format is alphanum, an unknown one a KeyError."""
        return FORMATS[self.format or "alphanum"]

    def code(self, length: int) -> str:
        """Return a random code."""
        return self.prefix + "".join(self._letters(length)) + self.suffix

    def _letters(self, length: int) -> Iterator[str]:
        for place in range(length):
            if self.every and place and place % self.every == 0:
                yield self.delimiter
            yield secrets.choice(self.letters)
