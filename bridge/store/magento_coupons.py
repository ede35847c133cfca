"""Magento's cart price rules and coupons over REST.

Facts: coupon limits are the rule's, whatever is sent; the expiration date is kept and does not stop a coupon; codes
compare without case; a refusal's ``parameters`` may hold a path of the server and are not told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import Refused
from bridge.store import magento_read as read
from bridge.store.magento_faults import ODD_SECONDS, NotTaken, NotThere, later
from bridge.store.magento_lists import every_route, rows_of
from bridge.store.magento_search import Filter, criteria, in_lists, moment, one_of
from bridge.store.promotions import CodeFormat, Coupon, Deleted, Rule, Unsure

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from bridge.store.magento_lists import Lists
    from bridge.store.magento_rest import Rest

PAGE = 300
IN_MOST = 100
GENERATED = 1
"""Type of a coupon on a rule with auto generation; 0 is a rule's own code."""


class Coupons:
    """The calls about rules and coupons."""

    def __init__(self, rest: Rest, lists: Lists) -> None:
        self._rest = rest
        self._lists = lists

    def rule(self, id_: int) -> Rule | None:
        """Return the rule, or None where the shop has none with this id."""
        try:
            answer = self._rest.get(f"salesRules/{int(id_)}")
        except NotThere:
            return None
        found = rule(read.table(answer.data))
        if found is None or found.id != id_:
            raise later("The shop answered another thing than the rule that was asked for", ODD_SECONDS)
        return found

    def rules(self) -> list[Rule]:
        """Return all rules, by id."""
        return [found for raw in self._lists.rows("salesRules/search", "rule_id", [], PAGE) if (found := rule(raw))]

    def make(self, rule_id: int, quantity: int, layout: CodeFormat) -> list[str]:
        """Let the shop make codes; return those it says it made, which may be fewer. See :class:`Unsure`."""
        spec = {
            "rule_id": rule_id,
            "format": layout.kind,
            "quantity": quantity,
            "length": layout.length,
            "prefix": layout.prefix,
            "suffix": layout.suffix,
            "delimiter_at_every": layout.every,
            "delimiter": layout.delimiter,
        }
        data = self._post("coupons/generate", {"couponSpec": spec})
        if not isinstance(data, list):
            raise _unsure("The shop answered a request for codes without a list")
        return [code for code in data if isinstance(code, str) and code]

    def insert(self, rule_id: int, code: str, expires_at: dt.datetime | None) -> Coupon:
        """Put a code of our own into the shop. Raises :class:`Refused` for one that it does not take."""
        wanted: dict[str, Any] = {"rule_id": rule_id, "code": code, "type": GENERATED, "is_primary": False}
        if expires_at is not None:
            wanted["expiration_date"] = moment(expires_at)
        found = coupon(read.table(self._post("coupons", {"coupon": wanted})))
        if found is None or found.code.casefold() != code.casefold():
            raise _unsure("The shop answered another thing than the code that was inserted")
        return found

    def find(
        self,
        rule_id: int | None,
        codes: Iterable[str] | None,
        beginning: str,
        after: int,
    ) -> Iterator[Coupon]:
        """Yield coupons by id, each once; see :meth:`bridge.store.Store.find_coupons`."""
        only: list[Filter] = [] if rule_id is None else [("rule_id", "eq", str(rule_id))]
        if codes is not None:
            for part in in_lists(dict.fromkeys(codes), IN_MOST):
                wanted = {code.casefold() for code in part}
                raws = self._lists.rows("coupons/search", "coupon_id", [*only, one_of("code", part)], PAGE)
                yield from (found for found in _coupons(raws) if found.code.casefold() in wanted)
            return
        if beginning:
            # An underscore in it stands for any letter, so that more may come than begins so.
            only.append(("code", "like", f"{beginning}%"))
        for found in _coupons(self._lists.rows("coupons/search", "coupon_id", only, PAGE, after=after)):
            if found.code.casefold().startswith(beginning.casefold()):
                yield found

    def page(self, rule_id: int | None, number: int, size: int) -> tuple[list[Coupon], int]:
        """Return a page by offset, as Ometria asks for them, and the count of all; past the end it is empty."""
        only: list[Filter] = [] if rule_id is None else [("rule_id", "eq", str(rule_id))]
        if number > 1:
            _, total = self._lists.page("coupons/search", only, ("coupon_id",), 1, None)
            if (number - 1) * size >= total:
                return [], total
        query = criteria(only, sort=("coupon_id",), size=size, page=number)
        with every_route():
            raws, total = rows_of(self._rest.get("coupons/search", query))
        return list(_coupons(iter(raws))), total

    def delete(self, codes: Iterable[str]) -> Deleted:
        """Delete codes, of whatever rule; those that there are not are told, not refused."""
        wanted = list(dict.fromkeys(codes))
        if not wanted:
            return Deleted()
        data = self._post("coupons/deleteByCodes", {"codes": wanted, "ignoreInvalidCoupons": True})
        answer = read.table(data)
        if "missing_items" not in answer or "failed_items" not in answer:
            raise _unsure("The shop answered a deletion without saying what was deleted")
        return Deleted(missing=_texts(answer["missing_items"]), failed=_texts(answer["failed_items"]))

    def _post(self, route: str, body: dict[str, Any]) -> Any:
        try:
            with every_route():
                return self._rest.post(route, body).data
        except NotTaken as error:
            raise Refused(f"The shop refuses it ({error.said or '400'}).") from None


def _unsure(said: str) -> Unsure:
    return Unsure(f"{said}; what it did is looked up before anything is sent again.", ODD_SECONDS)


def rule(raw: dict[str, Any]) -> Rule | None:
    """Return a rule from the shop's row, or None where it has no id."""
    id_ = read.whole(raw.get("rule_id"))
    if id_ is None:
        return None
    return Rule(
        id=id_,
        name=str(raw.get("name") or ""),
        active=read.flag(raw.get("is_active")),
        coupon_type=str(raw.get("coupon_type") or ""),
        auto=read.flag(raw.get("use_auto_generation")),
        website_ids=_wholes(raw.get("website_ids")),
        group_ids=_wholes(raw.get("customer_group_ids")),
        from_date=read.day(raw.get("from_date")),
        to_date=read.day(raw.get("to_date")),
        uses_per_coupon=read.whole(raw.get("uses_per_coupon")) or 0,
        uses_per_customer=read.whole(raw.get("uses_per_customer")) or 0,
        times_used=read.whole(raw.get("times_used")) or 0,
        raw=raw,
    )


def coupon(raw: dict[str, Any]) -> Coupon | None:
    """Return a coupon from the shop's row, or None where it lacks id, rule or code."""
    id_, rule_id, code = read.whole(raw.get("coupon_id")), read.whole(raw.get("rule_id")), raw.get("code")
    if id_ is None or rule_id is None or code is None:
        return None
    primary = raw.get("is_primary")
    return Coupon(
        id=id_,
        rule_id=rule_id,
        code=str(code),
        usage_limit=read.whole(raw.get("usage_limit")) or 0,
        usage_per_customer=read.whole(raw.get("usage_per_customer")) or 0,
        times_used=read.whole(raw.get("times_used")) or 0,
        expires_at=read.moment(raw.get("expiration_date")),
        created_at=read.moment(raw.get("created_at")),
        is_primary=None if primary is None else read.flag(primary),
        type=read.whole(raw.get("type")) or 0,
    )


def _coupons(raws: Iterator[dict[str, Any]]) -> Iterator[Coupon]:
    return (found for raw in raws if (found := coupon(raw)) is not None)


def _wholes(value: Any) -> tuple[int, ...]:
    found = (read.whole(one) for one in value) if isinstance(value, list) else ()
    return tuple(one for one in found if one is not None)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
