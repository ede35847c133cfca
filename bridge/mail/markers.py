"""The marker line that a merchant adds to the templates: what it says, and the lines to copy.

A line in a mail's own template names the kind and decides alone. One line in the common header template only prints
which variables the mail has; it narrows the mail down, and the structure decides between what is left. Both were
proven on a running Magento 2.4.6: comments survive, and end up between ``</body>`` and ``</html>``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.mail.natives import KIND_OF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.mail.letter import Letter

MARKERS_MOST = 10
LONGEST = 2000

_COMMENT = re.compile(r"<!--[ \t]*obx[ \t\r\n]{1,40}((?:(?!-->).){0,2000}?)-->", re.DOTALL)
_LINE = re.compile(r"\[obx[ \t]+([^\[\]\r\n]{1,2000})\]")
_FIELD = re.compile(r"([a-z]{2,20})=(\S*)")
_VALUE = re.compile(r"[A-Za-z0-9_./-]{0,64}")


@dataclass(frozen=True, slots=True, repr=False)
class Marker:
    """A marker line's fields. ``kind`` is empty in the line of a header template; ``says`` is all that it can be."""

    fields: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return a field's value; empty where the variable printed nothing, or no code or id."""
        value = self.fields.get(name, "")
        return value if _VALUE.fullmatch(value) else ""

    @property
    def kind(self) -> str:
        """The native mail that the line names."""
        return self.get("kind")

    @property
    def says(self) -> frozenset[str] | None:
        """The native mails that the line leaves; None when it says nothing of that."""
        if "kind" in self.fields:
            return frozenset({self.kind} & KIND_OF.keys())
        there = {name for name in self.fields if self.get(name)}
        for wanted, natives in _BY_FIELDS:
            if wanted <= there:
                return natives
        return None


_BY_FIELDS: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (frozenset(wanted.split()), frozenset(natives.split()))
    for wanted, natives in (
        ("creditmemo", "creditmemo_new creditmemo_update"),
        ("invoice", "invoice_new invoice_update"),
        ("shipment", "shipment_new shipment_update"),
        ("order comment", "order_update"),
        ("order", "order_new order_update"),
        ("alert", "stock_alert price_alert"),
        ("customer rp", "password_forgot account_new account_confirmation"),
        ("customer", "password_changed email_changed email_password_changed account_confirmation"),
    )
)
"""Variables that a header's line has printed -> the native mails that have them; the first that fits.

``comment`` is empty when the text is: an order update may then look like a new order. A shipment that is made with a
text has one too. ``rp`` is set for a forgotten password and for every welcome, not when a password was changed.
"""


def markers(letter: Letter) -> tuple[Marker, ...]:
    """Return the marker lines of a letter: comments of the HTML body, and the last line of a plain one.

    What a visitor types is escaped in HTML, and in a plain mail it is never the last line: nobody can write a marker
    into a mail of the shop.
    """
    found = [match[1] for match in _COMMENT.finditer(letter.html)][:MARKERS_MOST]
    if not letter.html.strip():
        lines = [line.strip() for line in letter.text.splitlines() if line.strip()]
        last = _LINE.fullmatch(lines[-1]) if lines and len(lines[-1]) < LONGEST else None
        found += [last[1]] if last else []
    # Of a field that is there twice the first counts: the kind comes first, whatever a later variable printed.
    return tuple(Marker(dict(reversed(_FIELD.findall(text)))) for text in found)


# ---- the lines to copy ---------------------------------------------------------------------------------------------

_STORE = "store={{var store.code}}"
_ORDER = "order={{var order.increment_id}}"
_CUSTOMER = "customer={{var customer.id}}"

FIELDS = {
    "order_new": f"{_STORE} {_ORDER}",
    "order_update": f"{_STORE} {_ORDER} state={{{{var order.state}}}}",
    "shipment_new": f"{_STORE} {_ORDER} shipment={{{{var shipment.increment_id}}}}",
    "password_forgot": f"{_STORE} {_CUSTOMER}",
    "password_changed": f"{_STORE} {_CUSTOMER}",
    "account_new": f"{_STORE} {_CUSTOMER}",
    "stock_alert": _STORE,
}
"""Native mail -> the fields of its line; all of them resolve in Magento's strict template mode."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of Magento that needs a line: its name in the administration, its id, and its setting."""

    native: str
    name: str
    id: str
    path: str


TEMPLATES: tuple[Template, ...] = tuple(
    Template(*row)
    for row in (
        ("order_new", "New Order", "sales_email_order_template", "sales_email/order/template"),
        ("order_new", "New Order for Guest", "sales_email_order_guest_template", "sales_email/order/guest_template"),
        ("order_update", "Order Update", "sales_email_order_comment_template", "sales_email/order_comment/template"),
        (
            "order_update",
            "Order Update for Guest",
            "sales_email_order_comment_guest_template",
            "sales_email/order_comment/guest_template",
        ),
        ("shipment_new", "New Shipment", "sales_email_shipment_template", "sales_email/shipment/template"),
        (
            "shipment_new",
            "New Shipment for Guest",
            "sales_email_shipment_guest_template",
            "sales_email/shipment/guest_template",
        ),
        (
            "password_forgot",
            "Forgot Password",
            "customer_password_forgot_email_template",
            "customer/password/forgot_email_template",
        ),
        (
            "password_forgot",
            "Remind Password",
            "customer_password_remind_email_template",
            "customer/password/remind_email_template",
        ),
        (
            "password_changed",
            "Reset Password",
            "customer_password_reset_password_template",
            "customer/password/reset_password_template",
        ),
        (
            "account_new",
            "New Account",
            "customer_create_account_email_template",
            "customer/create_account/email_template",
        ),
        (
            "account_new",
            "New Account Without Password",
            "customer_create_account_email_no_password_template",
            "customer/create_account/email_no_password_template",
        ),
        (
            "account_new",
            "New Account Confirmed",
            "customer_create_account_email_confirmed_template",
            "customer/create_account/email_confirmed_template",
        ),
        (
            "stock_alert",
            "Stock Alert",
            "catalog_productalert_email_stock_template",
            "catalog/productalert/email_stock_template",
        ),
    )
)
"""Every template of the seven kinds, in the order of the administration."""


def line(native: str, *, plain: bool = False) -> str:
    """Return the line to add at the end of a template's body; ``plain`` for a template that is no HTML."""
    text = f"obx kind={native} {FIELDS[native]}"
    return f"[{text}]" if plain else f"<!-- {text} -->"


def header_line() -> str:
    """Return the one line for the common header template."""
    parts = (
        ("order.increment_id", "order={{var order.increment_id}}"),
        ("order.state", "state={{var order.state}}"),
        ("shipment.increment_id", "shipment={{var shipment.increment_id}}"),
        ("invoice.increment_id", "invoice={{var invoice.increment_id}}"),
        ("creditmemo.increment_id", "creditmemo={{var creditmemo.increment_id}}"),
        ("comment", "comment=1"),
        ("customer.id", "customer={{var customer.id}}"),
        ("customer.rp_token", "rp=1"),
        ("alertGrid", "alert=1"),
    )
    printed = "".join(f"{{{{depend {name}}}}} {text}{{{{/depend}}}}" for name, text in parts)
    return f"<!-- obx {_STORE}{printed} -->"
