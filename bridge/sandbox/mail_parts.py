"""How the sandbox shop's mails are built: Magento's headers and structural marks, own words."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from typing import TYPE_CHECKING

from markupsafe import escape

from bridge.sandbox.values import shown
from bridge.sandbox.words import translate

if TYPE_CHECKING:
    from bridge.sandbox.orders import Order
    from bridge.sandbox.state import ShopState
    from bridge.sandbox.views import StoreView

SENDER = "Harbour & Pine Outfitters"
IDENTITIES = {
    "sales": (f"{SENDER} Sales", "sales@example.com"),
    "general": (SENDER, "hello@example.com"),
    "support": (f"{SENDER} Support", "support@example.com"),
    "custom2": ("Custom 2", "custom2@example.com"),
}


@dataclass(frozen=True)
class Letter:
    """What a mail says and to whom. ``marker`` is the comment that a shop puts in its template for bridge."""

    view: StoreView
    to: str
    name: str
    subject: str
    body: str
    identity: str
    marker: str = ""
    reply_to: str = ""


def message(state: ShopState, letter: Letter) -> EmailMessage:
    """Write a letter as Magento writes one: a single HTML part, no Message-ID, headers in its order."""
    made = EmailMessage()
    made["Date"] = state.options.clock()
    made["MIME-Version"] = "1.0"
    subject = translate(letter.subject, letter.view.language, store=SENDER)
    logo = f'<td class="header"><a class="logo" href="{state.base_url(letter.view)}">{escape(SENDER)}</a></td>'
    html = (
        f"<!DOCTYPE html><html><head><title>{escape(subject)}</title></head><body>"
        f'<table class="wrapper"><tr><td><table class="main"><tr>{logo}</tr>'
        f'<tr><td class="main-content">{letter.body}</td></tr>'
        f'<tr><td class="footer"><p>{escape(SENDER)}</p></td></tr></table></td></tr></table>'
        f"</body>{f'<!-- obx {letter.marker} -->' if letter.marker else ''}</html>"
    )
    made.set_content(html, subtype="html", charset="utf-8", cte="quoted-printable", disposition="inline")
    made["Subject"] = subject
    made["To"] = MailAddress(letter.name, addr_spec=letter.to)
    name, address = IDENTITIES[letter.identity]
    made["From"] = MailAddress(name, addr_spec=address)
    if letter.reply_to:
        made["Reply-To"] = letter.reply_to
    return made


def items_table(rows: list[tuple[str, str, int, str]], *, css: str, totals: str = "") -> str:
    """Return an item table; ``rows`` are name, SKU, pieces and amount."""
    lines = "".join(
        f'<tbody><tr><td class="item-info"><p class="product-name">{escape(name)}</p>'
        f'<p class="sku">SKU: {escape(sku)}</p></td>'
        f'<td class="item-qty">{qty}</td><td class="{css}"><span class="price">{amount}</span></td></tr></tbody>'
        for name, sku, qty, amount in rows
    )
    return f'<table class="email-items">{lines}{totals}</table>'


def totals(order: Order) -> str:
    """Return the totals below an item table."""
    amount = shown(order.grand_total, order.view.money)
    return f'<tfoot class="order-totals"><tr class="grand_total"><th>Total</th><td>{amount}</td></tr></tfoot>'


def details(order: Order) -> str:
    """Return addresses and methods of an order."""
    address = order.shipping_address or order.billing_address
    where = ", ".join([*address.street, address.postcode, address.city, address.country_id])
    return (
        f'<table class="order-details"><tr><td class="address-details"><p>{escape(where)}</p></td>'
        f'<td class="method-info"><p>{escape(order.payment_method)}</p></td></tr></table>'
    )
