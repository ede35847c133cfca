"""Whether what Ometria holds of a record is what was sent. Values in, values out.

Ometria's read format is not documented, so only what both sides have is compared, and what is written otherwise but
means the same is the same: a moment with another offset, a number as text, letters of an address, the order of a list.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

PARTS_MOST = 200
"""Entries of a list up to which their order does not matter; longer ones are compared in order."""
BLANK: tuple[Any, ...] = (None, "", [], {})
DAY = 10


def differing(sent: dict[str, Any], held: dict[str, Any]) -> list[str]:
    """Return the names of the fields that both have and that differ; names only, no value of a person.

    Fields that begin with ``@`` are instructions, and what Ometria's list leaves out says nothing.
    """
    return [
        name
        for name, value in sent.items()
        if not name.startswith("@") and name in held and not _same(value, held[name], name)
    ]


def _same(sent: Any, held: Any, name: str = "") -> bool:
    if sent in BLANK and held in BLANK and not isinstance(sent, bool) and not isinstance(held, bool):
        return True
    if isinstance(sent, dict) and isinstance(held, dict):
        return all(_same(value, held[key], key) for key, value in sent.items() if key in held)
    if isinstance(sent, list) and isinstance(held, list):
        return _same_list(sent, held, name)
    if isinstance(sent, bool) or isinstance(held, bool):
        return sent is held
    return bool(_plain(sent, name) == _plain(held, name))


def _same_list(sent: list[Any], held: list[Any], name: str) -> bool:
    if len(sent) != len(held):
        return False
    if all(_same(one, other, name) for one, other in zip(sent, held, strict=True)):
        return True
    if len(sent) > PARTS_MOST:
        return False
    left = list(held)
    for one in sent:
        place = next((place for place, other in enumerate(left) if _same(one, other, name)), None)
        if place is None:
            return False
        left.pop(place)
    return True


def _plain(value: Any, name: str) -> Any:
    """Return a number as a number, a moment as a moment, and text as it is."""
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    if not isinstance(value, str):
        return value
    text = value.strip()
    if name == "email":
        return text.casefold()
    if len(text) > DAY and text[4:5] == "-" and text[DAY : DAY + 1] in {"T", " "}:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            return text
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return moment.astimezone(dt.UTC).replace(microsecond=0)
    return _number(text)


def _number(text: str) -> Any:
    """Return a text that is a plain amount as one: ``34.00`` is 34; an id such as ``007`` or ``1e3`` stays a text."""
    digits = text.removeprefix("-")
    whole, _, part = digits.partition(".")
    if not (whole.isdecimal() and (not part or part.isdecimal())) or (len(whole) > 1 and whole.startswith("0")):
        return text
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def place_of(held: dict[str, Any]) -> tuple[str, str]:
    """Return the store and the day (UTC) that a record of Ometria's names, empty where it names none."""
    listings = held.get("listings")
    first = listings[0] if isinstance(listings, list) and listings and isinstance(listings[0], dict) else {}
    ids = held.get("store_ids")
    store = held.get("store") or first.get("store") or (ids[0] if isinstance(ids, list) and ids else "")
    moment = held.get("timestamp") or held.get("timestamp_acquired") or ""
    day = moment[:DAY] if isinstance(moment, str) else ""
    try:
        dt.date.fromisoformat(day)
    except ValueError:
        day = ""
    return (store[:80] if isinstance(store, str) else ""), day
