"""A mail of each sort in the structure of Magento's own templates, in words of ours: to try the recognition on.

Structure and links are those that contracts and captured mails show; the confusion table uses them when it is given no
folder.
"""

from __future__ import annotations

from email.message import EmailMessage
from typing import TYPE_CHECKING

from bridge.mail.markers import FIELDS
from bridge.mail.rules import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOP = "http://store.test/"
JANE = "jane@example.com"
ORDER_NUMBER = "000000012"
VALUES = {
    "{{var store.code}}": "default",
    "{{var order.increment_id}}": ORDER_NUMBER,
    "{{var order.state}}": "canceled",
    "{{var shipment.increment_id}}": "000000003",
    "{{var customer.id}}": "7",
}
_RESET = f"{SHOP}customer/account/createPassword/?id=7&amp;token=0123456789abcdef0123456789abcdef"
_DETAILS = (
    '<table class="order-details"><tr><td class="address-details"><h3>To</h3><p>Jane Doe<br>1 High Street</p></td>'
    '<td class="method-info"><h3>Paid</h3><dl class="payment-method"><dt>by cheque</dt></dl></td></tr></table>'
)
_INTRO = (
    '<table><tr class="email-intro"><td><p class="greeting">Jane Doe,</p><p>Here is news of your order.</p></td></tr>'
)


def _items(price: str = "", heading: str = "") -> str:
    cell = f'<td class="{price}"><span class="price">£5.00</span></td>' if price else ""
    head = f'<thead><tr><th class="item-info">What</th>{heading}</tr></thead>'
    totals = '<tfoot class="order-totals"><tr><th>All</th><td>£5.00</td></tr></tfoot>' if price else ""
    row = f'<tbody><tr><td class="item-info"><p>Bag</p></td><td class="item-qty">1</td>{cell}</tr></tbody>'
    return f'<table class="email-items">{head}{row}{totals}</table>'


def _paper(heading: str, below: str) -> str:
    return (
        f'{_INTRO}<tr class="email-summary"><td><h1>{heading}</h1></td></tr>'
        f'<tr class="email-information"><td>{below}</td></tr></table>'
    )


def _update(text: str = "A word about it.") -> str:
    return (
        f'<p class="greeting">Jane Doe,</p><p>Order #{ORDER_NUMBER} now has the status <strong>Gone</strong>.</p>'
        f'<table class="message-info"><tr><td>{text}</td></tr></table>'
    )


def _button(href: str) -> str:
    return f'<table class="button"><tr><td><p><a href="{href}">Go there</a></p></td></tr></table>'


def _alert(kind: str) -> str:
    each = "email" if kind == "stock" else "price"
    rows = "".join(
        f'<tr><td><a href="{SHOP}bag-{id_}.html">Bag</a></td>'
        f'<td><a href="{SHOP}productalert/unsubscribe/{each}/product/{id_}/">no more of it</a></td></tr>'
        for id_ in (12, 13)
    )
    return f'<table>{rows}</table><p><a href="{SHOP}productalert/unsubscribe/{kind}All/">no more of any</a></p>'


_SUBTOTAL = '<th class="item-subtotal">Sum</th>'
_NOTICE = (
    '<p class="greeting">Jane Doe,</p><p>It is changed. Not you? Write to <a href="mailto:help@store.test">us</a>.</p>'
)

BODIES: dict[str, str] = {
    "order_new": _paper(f'Order <span class="no-link">#{ORDER_NUMBER}</span>', _DETAILS + _items("item-price")),
    "order_update": _update(),
    "shipment_new": _paper(
        f"Shipment #000000003 of order #{ORDER_NUMBER}",
        f'<table class="shipment-track"><tr><td>Van: <a href="{SHOP}shipping/tracking/popup?hash=abc">1Z</a></td></tr>'
        f"</table>{_DETAILS}{_items()}",
    ),
    "password_forgot": f'<p class="greeting">Jane Doe,</p><p>Choose another password here:</p>{_button(_RESET)}',
    "password_changed": _NOTICE,
    "stock_alert": _alert("stock"),
    "account_new": (
        f'<p>Sign in on <a href="{SHOP}customer/account/">your page</a>:</p>'
        f'<table class="email-credentials"><tr><th>Mail:</th><td>{JANE}</td></tr></table>'
        f'<p>Forgotten it? Go <a href="{_RESET}">here</a> for another.</p>'
    ),
    "shipment_update": _update("It left the house."),
    "invoice_new": _paper(f"Bill #000000004 of order #{ORDER_NUMBER}", _DETAILS + _items("item-price", _SUBTOTAL)),
    "invoice_update": _update("It is paid."),
    "creditmemo_new": _paper(f"Refund #000000005 of order #{ORDER_NUMBER}", _DETAILS),
    "creditmemo_update": _update("It is on its way back."),
    "account_confirmation": f"<p>Confirm {JANE}:</p>"
    + _button(f"{SHOP}customer/account/confirm/?id=7&amp;key=0123456789"),
    "email_changed": _NOTICE,
    "email_password_changed": _NOTICE,
    "price_alert": _alert("price"),
    "newsletter_success": "<p>You are on the list.</p>",
    "newsletter_confirm": f'<p><a href="{SHOP}newsletter/subscriber/confirm/id/5/code/q4az0zhcsyws/">Yes</a></p>',
    "newsletter_unsubscribed": "<p>You are off the list.</p>",
    "wishlist_share": f'<p><a href="{SHOP}wishlist/shared/index/code/TOsLIr0DHpYYxpEtqCvU/">My list</a></p>',
    "other": "<p>Name: Jane</p><p>Comment: hello</p>",
}
"""Native mail -> the content of its body, between Magento's header and footer."""


def specimen(native: str, *, marked: bool = False) -> bytes:
    """Return a mail of a sort as the shop would send it, with its template's marker line or without."""
    subject = next(rule.pattern for rule in DEFAULTS if rule.native == native)
    made = EmailMessage()
    made["Date"] = "Wed, 25 Nov 2026 01:45:54 +0000"
    made["Subject"] = subject.replace("{store}", "Lab Store").replace("*", "Jane Doe's")
    made["To"] = f"Jane Doe <{JANE}>"
    made["From"] = "Lab Store <owner@store.test>"
    marker = ""
    if marked:
        marker = f"<!-- obx kind={native} {FIELDS[native]} -->"
        for variable, value in VALUES.items():
            marker = marker.replace(variable, value)
    made.set_content(
        "<!DOCTYPE html><html><head><style>.email-items {} .shipment-track {} .button {}</style></head>\n<body>\n"
        f'<table class="wrapper"><tr><td><a class="logo" href="{SHOP}"><img src="{SHOP}logo.png"></a></td></tr>'
        f"<tr><td><!-- Begin Content -->{BODIES[native]}<!-- End Content --></td></tr></table></body>{marker}</html>",
        subtype="html",
        cte="quoted-printable",
    )
    return made.as_bytes()


def specimens() -> Iterator[tuple[str, bytes]]:
    """Yield a name and a mail: every sort without a marker, the seven kinds with one too."""
    for native in BODIES:
        yield native, specimen(native)
    for native in FIELDS:
        yield f"marker_{native}", specimen(native, marked=True)
