"""The messages that the sandbox shop sends: an order, a new account. Own words, Magento's headers."""

from __future__ import annotations

from email.message import EmailMessage
from typing import TYPE_CHECKING

from markupsafe import escape

from bridge.sandbox.values import shown

if TYPE_CHECKING:
    from bridge.sandbox.options import ShopOptions
    from bridge.sandbox.state import Customer, Order

SENDER = "Harbour & Pine Outfitters"


def _message(options: ShopOptions, to: str, subject: str, body: str, marker: str) -> EmailMessage:
    message = EmailMessage()
    message["Date"] = options.clock()
    message["Subject"] = subject
    message["To"] = to
    message["From"] = f'"{SENDER}" <sales@example.com>'
    html = f"<!DOCTYPE html><html><head><title>{escape(subject)}</title></head><body>{body}</body>{marker}</html>"
    message.set_content(html, subtype="html", charset="utf-8", cte="quoted-printable")
    return message


def order_placed(options: ShopOptions, order: Order) -> EmailMessage:
    """Return the confirmation of an order. The marker names the kind as bridge's guide tells shops to do."""
    rows = "".join(
        f"<tr><td>{escape(item.quote_item.product.name)}</td><td>{item.quote_item.qty}</td>"
        f"<td>{shown(item.quote_item.row_total)}</td></tr>"
        for item in order.items
    )
    body = (
        f"<h1>Thank you, {escape(order.firstname)}</h1><p>We have your order {order.increment_id}.</p>"
        f"<table>{rows}</table><p>Total {shown(order.grand_total)}</p>"
    )
    marker = f"<!-- obx kind=order_new store=default order={order.increment_id} -->"
    return _message(options, order.email, f"{SENDER}: order {order.increment_id}", body, marker)


def account_created(options: ShopOptions, customer: Customer) -> EmailMessage:
    """Return the welcome for a new account."""
    link = f"{options.base_url}customer/account/"
    body = f'<h1>Hello {escape(customer.firstname)}</h1><p>Your account is open: <a href="{link}">{link}</a></p>'
    marker = f"<!-- obx kind=account_new store=default customer={customer.id} -->"
    return _message(options, customer.email, f"Welcome to {SENDER}", body, marker)
