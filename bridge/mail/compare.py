"""Sandbox mode: the shop's own mail beside what Ometria was given. Values in, values out.

The result names what was compared and whether it was found, nothing of the contents.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bridge.mail.letter import same_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.mail.letter import Letter
    from bridge.mail.marks import Marks

LINK_FIELDS = {"resetURL": "reset", "trackingURL": "tracking", "unsubscribeURL": "stock_alerts"}
"""Field of the data -> the sort of the link that it must be in the mail."""
AMOUNTS = ("grandTotal", "subTotal", "totalShippingCost")
"""The first stands in every mail with amounts; whether the others do, with tax or without, is the shop's choice."""

_FIGURE = re.compile(r"\d[\d.,'\u00a0\u202f ]*\d|\d")


def compare(body: dict[str, Any], letter: Letter, marks: Marks, recipient: str) -> dict[str, Any]:
    """Return what agrees: ``recipient``, ``subject``, and each amount and link by the name of its field.

    ``same``, ``other``, or ``absent`` where one of the two has none. ``alike`` sums up: nothing is ``other``.
    """
    found: dict[str, Any] = {
        "recipient": "same" if same_address(body["to"]["email"], recipient) else "other",
        "subject": _subject(body, letter),
        "amounts": dict(_amounts(body["data"].get("totals") or {}, marks.text)),
        "links": dict(_links(body["data"], marks)),
    }
    states = [found["recipient"], found["subject"], *found["amounts"].values(), *found["links"].values()]
    return found | {"alike": "other" not in states}


def _subject(body: dict[str, Any], letter: Letter) -> str:
    if "subject" not in body or not letter.subject:
        return "absent"
    return "same" if body["subject"] == letter.subject else "other"


def _amounts(totals: dict[str, Any], text: str) -> Iterator[tuple[str, str]]:
    """Yield whether each sum stands in the mail, whatever the way in which it writes numbers."""
    figures = {_cents(one) for one in _FIGURE.findall(text)}
    for name in AMOUNTS:
        amount = totals.get(f"{name}Raw")
        if amount:
            there = f"{amount:.2f}".replace(".", "").lstrip("0") in figures
            yield name, "same" if there else ("other" if name == AMOUNTS[0] and figures else "absent")


def _cents(figure: str) -> str:
    """Return the digits of a written amount down to the cent: ``1.234,5`` and ``1,234.50`` are ``123450``."""
    parts = re.split(r"[^\d]+", figure.strip())
    last = parts[-1] if len(parts) > 1 else ""
    whole = "".join(parts[:-1]) if len(last) in {1, 2} else "".join(parts)
    return whole.lstrip("0") + (last.ljust(2, "0") if len(last) in {1, 2} else "00")


def _links(data: dict[str, Any], marks: Marks) -> Iterator[tuple[str, str]]:
    contained = [("resetURL", data), ("unsubscribeURL", data), ("trackingURL", data.get("shipping") or {})]
    for name, place in contained:
        url = place.get(name)
        there = {link.url for link in marks.of_sort(LINK_FIELDS[name])}
        if url:
            yield name, "same" if url in there else "other"
        elif there:
            yield name, "absent"
