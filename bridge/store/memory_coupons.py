"""Rules and coupons of the shop in memory."""

from __future__ import annotations

import secrets
import string
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import msgspec

from bridge.errors import Refused
from bridge.store.promotions import CodeFormat, Coupon, Deleted, Rule

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

LETTERS = {"alphanum": string.ascii_uppercase + string.digits, "alpha": string.ascii_uppercase, "num": string.digits}


class Promotions(ABC):
    """Rules by id and coupons by code without case; behaves as a running Magento does with them."""

    clock: Callable[[], dt.datetime]

    def __init__(self) -> None:
        self.price_rules: dict[int, Rule] = {}
        self.coupons: dict[str, Coupon] = {}

    @abstractmethod
    def _call(self, name: str) -> None:
        """Note that a call was made; raises the fault that the shop is to have."""

    def rule(self, id_: int) -> Rule | None:
        """Return the rule, or None."""
        self._call("rule")
        return self.price_rules.get(id_)

    def rules(self) -> list[Rule]:
        """Return all rules, by id."""
        self._call("rules")
        return [self.price_rules[id_] for id_ in sorted(self.price_rules)]

    def make_coupons(self, rule_id: int, quantity: int, layout: CodeFormat) -> list[str]:
        """Make codes."""
        self._call("make_coupons")
        rule = self._open(rule_id)
        if quantity < 1 or layout.length < 1:
            raise Refused("The shop refuses it (One or more input exceptions have occurred).")
        made: list[str] = []
        while len(made) < quantity:
            code = _random(layout)
            if code.casefold() not in self.coupons:
                self._keep(rule, code, None)
                made.append(code)
        return made

    def insert_coupon(self, rule_id: int, code: str, expires_at: dt.datetime | None = None) -> Coupon:
        """Keep a code."""
        self._call("insert_coupon")
        rule = self._open(rule_id)
        if code.casefold() in self.coupons:
            raise Refused("The shop refuses it (%1 already exists).")
        return msgspec.structs.replace(self._keep(rule, code, expires_at), created_at=None)

    def find_coupons(
        self,
        rule_id: int | None = None,
        *,
        codes: Iterable[str] | None = None,
        beginning: str = "",
        after: int = 0,
    ) -> Iterator[Coupon]:
        """Yield coupons by id."""
        self._call("find_coupons")
        wanted = None if codes is None else {code.casefold() for code in codes}
        for key, coupon in sorted(self.coupons.items(), key=lambda item: item[1].id):
            fits = key in wanted if wanted is not None else key.startswith(beginning.casefold())
            if fits and coupon.id > after and rule_id in {None, coupon.rule_id}:
                yield coupon

    def coupon_page(self, rule_id: int | None, number: int, size: int) -> tuple[list[Coupon], int]:
        """Return a page by offset and the count of all."""
        self._call("coupon_page")
        found = sorted((one for one in self.coupons.values() if rule_id in {None, one.rule_id}), key=lambda one: one.id)
        return found[(number - 1) * size : number * size], len(found)

    def delete_coupons(self, codes: Iterable[str]) -> Deleted:
        """Delete codes."""
        self._call("delete_coupons")
        return Deleted(missing=tuple(code for code in codes if self.coupons.pop(code.casefold(), None) is None))

    def _open(self, rule_id: int) -> Rule:
        """Return a rule that takes codes; one that is off or over takes them too."""
        rule = self.price_rules.get(rule_id)
        if rule is None or not rule.auto:
            raise Refused("The shop refuses it (Error occurred when saving coupon: %1).")
        return rule

    def _keep(self, rule: Rule, code: str, expires_at: dt.datetime | None) -> Coupon:
        self.coupons[code.casefold()] = made = Coupon(
            id=max((one.id for one in self.coupons.values()), default=0) + 1,
            rule_id=rule.id,
            code=code,
            usage_limit=rule.uses_per_coupon,
            usage_per_customer=rule.uses_per_customer,
            expires_at=expires_at,
            created_at=self.clock().replace(microsecond=0),
        )
        return made


def _random(layout: CodeFormat) -> str:
    parts: list[str] = []
    for place in range(layout.length):
        if layout.every and place and place % layout.every == 0:
            parts.append(layout.delimiter)
        parts.append(secrets.choice(LETTERS[layout.kind]))
    return layout.prefix + "".join(parts) + layout.suffix
