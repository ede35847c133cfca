"""The actions of the signed API about rules and coupons: what each does in the shop, and what it answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from bridge.coupons.arguments import ApiError, page_of
from bridge.coupons.shapes import coupon_row, rule_row, store_row

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from bridge.coupons.arguments import Arguments
    from bridge.settings import Book, Settings
    from bridge.settings import Store as StoreView
    from bridge.store import Coupon, Rule, Store

VERSION: Final = "Ometria_Magento2_Extension/2.6.12"
"""The release of the old module whose calls are answered: what the other side goes by."""
GENERATED: Final = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A signed call that was let in: the store view it addressed, the settings there, and what it asks for."""

    store: StoreView | None
    settings: Settings
    book: Book
    arguments: Arguments


class Kept(Protocol):
    """What became of codes that were put into the shop: all that are not refused are in it."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Code -> why it is not."""


class Codes(Protocol):
    """The ledger's side: puts codes into the shop and takes them out, and remembers each."""

    def insert(self, rule: Rule, codes: Sequence[str], request_id: str, expiry: dt.datetime | None) -> Kept:
        """Put codes under a rule; the same request gives the same answer. Raises ``Retry`` and ``Refused``."""

    def removed(self, codes: Sequence[str]) -> None:
        """Note that codes were taken out of the shop."""


class CouponActions:
    """What Ometria asks about rules and coupons."""

    def __init__(self, shop: Store, codes: Codes) -> None:
        self._shop = shop
        self._codes = codes

    def all(self) -> dict[str, Callable[[Asked], Any]]:
        """Return the actions by the name that the path has for them."""
        return {
            "version": self.version,
            "stores": self.stores,
            "salesrules_items": self.rules,
            "salesrules_items_coupons": self.coupons,
            "salesrules_insert_coupons": self.insert,
            "salesrules_delete_coupons": self.delete,
        }

    def version(self, asked: Asked) -> dict[str, str]:
        """Say what is answering."""
        del asked
        return {"version": VERSION}

    def stores(self, asked: Asked) -> list[dict[str, Any]]:
        """Return the store views, without the administration's own."""
        del asked
        return [store_row(view) for view in self._shop.tree().views]

    def rules(self, asked: Asked) -> list[dict[str, Any]] | dict[str, int]:
        """Return cart price rules, by ``rule_id``, ``ids`` and ``website_ids`` where they are given, in pages."""
        arguments = asked.arguments
        wanted, sites = arguments.numbers("ids"), arguments.numbers("website_ids")
        if arguments.given("rule_id"):
            one = self._shop.rule(arguments.whole("rule_id", low=1))
            found = [one] if one else []
        else:
            found = self._shop.rules()
        rows = [
            rule
            for rule in found
            if (wanted is None or rule.id in wanted) and (sites is None or set(sites) & set(rule.website_ids))
        ]
        if arguments.flag("count"):
            return {"count": len(rows)}
        return [rule_row(rule) for rule in page_of(rows, arguments)]

    def coupons(self, asked: Asked) -> list[dict[str, Any]] | dict[str, int]:
        """Return coupons, of one rule where ``rule_id`` is given, in pages."""
        arguments = asked.arguments
        number, size = arguments.page()
        rule_id = arguments.whole("rule_id", low=1) if arguments.given("rule_id") else None
        if arguments.flag("count"):
            return {"count": self._shop.coupon_page(rule_id, 1, 1)[1]}
        return [coupon_row(coupon) for coupon in self._shop.coupon_page(rule_id, number, size)[0]]

    def insert(self, asked: Asked) -> list[dict[str, Any]]:
        """Put codes into the shop and return the rows of those that are in it: one bad code does not stop the others.

        Where none is, the reasons are the error. The limits that a call names are the rule's own in Magento whatever
        is sent, so they are checked and go no further. The same codes with the same limits and expiry are the same
        request, however often it is sent.
        """
        arguments = asked.arguments
        rule_id, codes = arguments.whole("rule_id", low=1), arguments.texts("codes")
        limits = [str(arguments.whole(name, 0)) for name in ("usage_limit", "usage_limit_per_customer")]
        expiry = arguments.moment("expiration_date")
        if expiry is not None and expiry <= arguments.now:
            raise ApiError(400, "expiration_date is over already.")
        rule = self._shop.rule(rule_id)
        if rule is None:
            raise ApiError(404, f"The shop has no cart price rule {rule_id}.")
        asked_for = [str(rule_id), *codes, *limits, arguments.moment_said("expiration_date")]
        kept = self._codes.insert(rule, codes, _request_id(asked_for), expiry)
        reasons = dict.fromkeys(kept.refused.values())
        wanted = [code for code in dict.fromkeys(codes) if code not in kept.refused]
        rows = self._rows(rule_id, wanted)
        there = {row.code.casefold() for row in rows}
        gone = [code for code in wanted if code.casefold() not in there]
        if gone:
            # The request was answered before, and its codes were taken out since: this is a new one.
            anew = self._codes.insert(rule, gone, _request_id([*asked_for, arguments.now.isoformat()]), expiry)
            reasons |= dict.fromkeys(anew.refused.values())
            rows = self._rows(rule_id, wanted)
        if not rows:
            raise ApiError(422, " ".join(reasons) or "No code was taken.")
        return [coupon_row(coupon) for coupon in rows]

    def _rows(self, rule_id: int, codes: Sequence[str]) -> list[Coupon]:
        """Return the shop's own rows, in the order of the call."""
        found = {coupon.code.casefold(): coupon for coupon in self._shop.find_coupons(rule_id, codes=codes)}
        return [found[code.casefold()] for code in codes if code.casefold() in found]

    def delete(self, asked: Asked) -> dict[str, list[str]]:
        """Take codes out of the shop: those of the rule that is named and were made or inserted, and no others.

        The old module took out any rule's codes; one of another rule, and a rule's own fixed code, has failed here.
        """
        arguments = asked.arguments
        rule_id, codes = arguments.whole("rule_id", low=1), list(dict.fromkeys(arguments.texts("codes")))
        there = {coupon.code.casefold(): coupon for coupon in self._shop.find_coupons(codes=codes)}
        mine = [code for code in codes if _may_go(there.get(code.casefold()), rule_id)]
        failed = [code for code in codes if code.casefold() in there and code not in set(mine)]
        missing = [code for code in codes if code.casefold() not in there]
        if mine:
            told = self._shop.delete_coupons(mine)
            failed, missing = [*failed, *told.failed], [*missing, *told.missing]
        gone = [code for code in mine if code not in failed]
        self._codes.removed(gone)
        return {
            "deleted_coupons": [code for code in gone if code not in missing],
            "missing_coupons": missing,
            "failed_coupons": failed,
        }


def _may_go(coupon: Coupon | None, rule_id: int) -> bool:
    return coupon is not None and coupon.rule_id == rule_id and coupon.type == GENERATED


def _request_id(said: Sequence[str]) -> str:
    """Return the id of a request for codes: the same for the same words, whenever and however signed."""
    return f"api-{hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:32]}"
