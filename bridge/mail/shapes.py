"""Which native mails a body can be, by its structure alone: a table of shapes, most telling first.

Facts: the measured marks of the captured mails and the structural section of the mail contract. A shape names every
native mail that looks so; ``proves`` says that no other mail of the shop does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.mail.marks import FUNCTIONAL, Marks

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Shape:
    """A structure. ``firm`` ones stand against a marker that says something else; the others are only likely."""

    name: str
    natives: frozenset[str]
    fits: Callable[[Marks, str], bool]
    firm: bool = True


def _only(marks: Marks, *sorts: str) -> bool:
    """Return whether of the telling links there are these and no others."""
    return not (marks.sorts() & FUNCTIONAL) - set(sorts)


def _has(marks: Marks, *blocks: str) -> bool:
    return set(blocks) <= marks.blocks


def _lacks(marks: Marks, *blocks: str) -> bool:
    return not set(blocks) & marks.blocks


def _order_new(marks: Marks, _recipient: str) -> bool:
    """One number in the heading and an item table with prices; an invoice's table has subtotals or two numbers."""
    return (
        len(marks.headings) == 1
        and _has(marks, "items", "prices")
        and _lacks(marks, "tracks", "subtotals")
        and _only(marks)
    )


def _shipment_new(marks: Marks, _recipient: str) -> bool:
    """Two numbers in the heading, and the tracking table, which is there also when it has no rows."""
    return (
        len(marks.headings) == 2
        and _has(marks, "tracks")
        and _lacks(marks, "prices", "totals")
        and _only(marks, "tracking")
    )


def _paper_new(marks: Marks, _recipient: str) -> bool:
    return (
        len(marks.headings) == 2 and _lacks(marks, "tracks") and ("details" in marks.blocks or "items" in marks.blocks)
    )


def _update(marks: Marks, _recipient: str) -> bool:
    """One number in the text, in one sentence with a status in bold; no heading, no items. All four updates look so."""
    return (
        not marks.has_heading
        and len(marks.numbers) == 1
        and marks.labelled == marks.numbers
        and _lacks(marks, "items", "details", "tracks")
        and _only(marks)
    )


def _resets(marks: Marks) -> bool:
    return len({link.url for link in marks.of_sort("reset")}) == 1 and _only(marks, "reset")


def _forgot(marks: Marks, recipient: str) -> bool:
    """The reset link is a line of its own (a button); no account page, and the address is not told."""
    return (
        _resets(marks)
        and all(link.alone for link in marks.of_sort("reset"))
        and "account" not in marks.sorts()
        and not marks.shows(recipient)
    )


def _welcome(marks: Marks, recipient: str) -> bool:
    """A reset link inside a sentence, and a list with the address to sign in with. Also of accounts that staff made."""
    return _resets(marks) and not any(link.alone for link in marks.of_sort("reset")) and marks.lists(recipient)


def _bare_welcome(marks: Marks, recipient: str) -> bool:
    """As a welcome whose reset link the merchant has taken out: the account page and the address are left.

    A footer may hold both, below a short mail that is sent in the same moment: only a subject or marker tells them.
    """
    return "account" in marks.sorts() and marks.lists(recipient) and not marks.numbers and _only(marks)


def _confirm_account(marks: Marks, _recipient: str) -> bool:
    return "confirm_account" in marks.sorts()


def _stock_alert(marks: Marks, _recipient: str) -> bool:
    """A link to end all stock alerts, or those of a product; some links of products are the same in price alerts."""
    return bool(marks.products()) and bool(marks.of_sort("stock_alerts")) and _only(marks, "stock_alerts", "alert")


def _price_alert(marks: Marks, _recipient: str) -> bool:
    return "price_alerts" in marks.sorts()


def _confirm_newsletter(marks: Marks, _recipient: str) -> bool:
    return "confirm_newsletter" in marks.sorts()


def _wishlist(marks: Marks, _recipient: str) -> bool:
    return "wishlist" in marks.sorts()


def _plain(marks: Marks) -> bool:
    return (
        bool(marks.text.strip())
        and not marks.numbers
        and not marks.has_heading
        and _lacks(marks, "items", "details", "tracks", "message")
        and _only(marks)
        and "account" not in marks.sorts()
    )


def _notice(marks: Marks, recipient: str) -> bool:
    """A few sentences with an address to write to: what tells that something of the account was changed."""
    return _plain(marks) and "mailto" in marks.sorts() and not marks.shows(recipient)


def _short(marks: Marks, _recipient: str) -> bool:
    return _plain(marks)


PAPERS = frozenset({"invoice_new", "creditmemo_new"})
UPDATES = frozenset({"order_update", "shipment_update", "invoice_update", "creditmemo_update"})
NOTICES = frozenset({"password_changed", "email_changed", "email_password_changed"})
SHORT = frozenset({"newsletter_success", "newsletter_unsubscribed", "other"})

SHAPES: tuple[Shape, ...] = (
    Shape("confirm account", frozenset({"account_confirmation"}), _confirm_account),
    Shape("confirm newsletter", frozenset({"newsletter_confirm"}), _confirm_newsletter),
    Shape("wishlist", frozenset({"wishlist_share"}), _wishlist),
    Shape("price alert", frozenset({"price_alert"}), _price_alert),
    Shape("stock alert", frozenset({"stock_alert"}), _stock_alert),
    Shape("order", frozenset({"order_new"}), _order_new),
    Shape("shipment", frozenset({"shipment_new"}), _shipment_new),
    Shape("paper", PAPERS, _paper_new),
    Shape("reset", frozenset({"password_forgot"}), _forgot, firm=False),
    Shape("welcome", frozenset({"account_new"}), _welcome, firm=False),
    Shape("bare welcome", SHORT | {"account_new"}, _bare_welcome, firm=False),
    Shape("update", UPDATES, _update, firm=False),
    Shape("notice", NOTICES | SHORT, _notice, firm=False),
    Shape("short", SHORT, _short, firm=False),
)
"""All shapes; the first that fits is the body's."""

NO_SHAPE = Shape("none", frozenset(), lambda _marks, _recipient: False, firm=False)


def shape_of(marks: Marks, recipient: str) -> Shape:
    """Return the shape of a body for the one it is sent to; :data:`NO_SHAPE` where nothing fits."""
    return next((shape for shape in SHAPES if shape.fits(marks, recipient)), NO_SHAPE)
