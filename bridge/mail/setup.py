"""What the set-up page shows: for each kind and store view what was seen of it, what is set, and what is still missing.

Facts only: which templates need which line, which setting of Magento lets the mail go out, from whom it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from bridge.db import db
from bridge.mail.markers import TEMPLATES, header_line, line
from bridge.mail.natives import NATIVE_OF
from bridge.models_mail import MailSeen
from bridge.settings import MAIL_KINDS, is_placeholder, shared_template

if TYPE_CHECKING:
    from bridge.settings import Book, Settings, Store

SWITCHES: dict[str, tuple[str, ...]] = {
    "order_confirmation": ("Sales > Sales Emails > Order > Enabled (sales_email/order/enabled)",),
    "order_cancellation": ("Sales > Sales Emails > Order Comments > Enabled (sales_email/order_comment/enabled)",),
    "order_shipping": ("Sales > Sales Emails > Shipment > Enabled (sales_email/shipment/enabled)",),
    "forgot_password": (
        (
            "Customers > Customer Configuration > Password Options > Forgot Email Template "
            "(customer/password/forgot_email_template)"
        ),
    ),
    "password_updated": (
        (
            "Customers > Customer Configuration > Password Options > Reset Password Template "
            "(customer/password/reset_password_template)"
        ),
    ),
    "stock_alert": (
        (
            "Catalog > Catalog > Product Alerts > Allow Alert When Product Comes Back in Stock "
            "(catalog/productalert/allow_stock)"
        ),
        "Catalog > Catalog > Product Alerts Run Settings > Frequency (catalog/productalert_cron/frequency)",
    ),
    "account_creation": (
        (
            "Customers > Customer Configuration > Create New Account Options > Default Welcome Email "
            "(customer/create_account/email_template)"
        ),
    ),
}
"""Kind -> what in *Stores > Configuration* lets the shop send the mail at all."""
ALL_OFF = "Advanced > System > Mail Sending Settings > Disable Email Communications (system/smtp/disable)"


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """A template of Magento and the line that goes at the end of its body, for HTML and for plain text."""

    name: str
    id: str
    path: str
    html: str
    plain: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How one kind stands in one store view. Times are Unix seconds, 0 for never.

    ``seen_sender`` is the address of the shop's own mails, ``sender`` the one that Ometria will be given;
    ``placeholder`` says that this is an address of the installation. ``missing`` are sentences, empty when all is well.
    """

    kind: str
    store: str
    seen: int
    last_at: float
    marked_at: float
    seen_sender: str
    seen_name: str
    sender: str
    placeholder: bool
    template_id: str
    enabled: bool
    missing: tuple[str, ...]


def template_lines(kind: str) -> list[TemplateLine]:
    """Return the templates of a kind, each with its line to copy."""
    native = NATIVE_OF[kind]
    found = [one for one in TEMPLATES if one.native == native]
    return [TemplateLine(one.name, one.id, one.path, line(native), line(native, plain=True)) for one in found]


def common_line() -> str:
    """Return the one line for the common header template, which does for most kinds."""
    return header_line()


def standings(book: Book, first: int = 0, most: int | None = None) -> list[Standing]:
    """Return a row for each store view and kind, in the order of the tree and of the guide.

    Of the store views at most ``most`` are taken, beginning with number ``first``.
    """
    views = book.stores[first : None if most is None else first + most]
    # Their columns are encrypted: those of views that are not shown are not opened.
    rows = db.session.scalars(select(MailSeen).where(MailSeen.store.in_([view.code for view in views])))
    seen = {(row.kind, row.store): row for row in rows}
    return [
        _standing(kind, view, book.settings(view.ref), seen.get((kind, view.code)))
        for view in views
        for kind in MAIL_KINDS
    ]


def _standing(kind: str, view: Store, values: Settings, seen: MailSeen | None) -> Standing:
    sender = values[f"mail.{kind}.sender_email"] or (seen.sender if seen else "")
    return Standing(
        kind=kind,
        store=view.code,
        seen=seen.count if seen else 0,
        last_at=seen.last_at if seen else 0.0,
        marked_at=seen.marked_at if seen else 0.0,
        seen_sender=seen.sender if seen else "",
        seen_name=seen.sender_name if seen else "",
        sender=sender,
        placeholder=bool(sender) and is_placeholder(sender),
        template_id=values[f"mail.{kind}.template_id"],
        enabled=values[f"mail.{kind}.enabled"],
        missing=tuple(_missing(kind, values, seen, sender)),
    )


def _missing(kind: str, values: Settings, seen: MailSeen | None, sender: str) -> list[str]:
    told = []
    if seen is None:
        switches = " and ".join(SWITCHES[kind])
        told.append(f"The shop's own mail was never seen here: see {switches}, and {ALL_OFF}.")
    elif not seen.marked_at:
        told.append("Its template has no marker line yet: it is recognised by structure, where that is sure.")
    if values[f"mail.{kind}.enabled"] and not values[f"mail.{kind}.template_id"]:
        told.append("It is enabled without a template id, so the shop's own mail goes out.")
    if other := shared_template(values, kind):
        told.append(f"{MAIL_KINDS[other]} has the same template id, so the shop's own mail goes out.")
    if sender and is_placeholder(sender):
        told.append(f"{sender} is a placeholder of the installation: Ometria sends only for domains set up there.")
    return told
