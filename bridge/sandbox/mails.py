"""The mails that the sandbox shop sends at each native moment: kinds and structure as a stock 2.4.6, own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import escape

from bridge.sandbox.mail_parts import SENDER, Letter, details, items_table, message, totals
from bridge.sandbox.product_documents import product_url
from bridge.sandbox.values import shown

if TYPE_CHECKING:
    from email.message import EmailMessage

    from bridge.sandbox.goods import Product
    from bridge.sandbox.orders import Document, Note, Order
    from bridge.sandbox.people import Customer, Subscriber
    from bridge.sandbox.state import ShopState
    from bridge.sandbox.views import StoreView

__all__ = ["SENDER", "account", "alert", "newsletter", "order_placed", "order_update", "paper", "paper_update"]


def _of_order(state: ShopState, order: Order, subject: str, body: str, marker: str = "") -> EmailMessage:
    name = f"{order.firstname} {order.lastname}"
    return message(state, Letter(order.view, order.email, name, subject, body, "sales", marker))


def _store(order: Order) -> str:
    return f"store={order.view.code} order={order.increment_id}"


def order_placed(state: ShopState, order: Order) -> EmailMessage:
    """Return the confirmation of an order. The marker names the kind as bridge's guide tells shops to do."""
    rows = [
        (
            line.quote_item.product.name,
            line.quote_item.sku,
            line.qty,
            shown(line.quote_item.row_total, order.view.money),
        )
        for line in order.items
    ]
    account_link = f'<a href="{state.base_url(order.view)}customer/account/">account</a>' if order.customer_id else ""
    body = (
        f"<p>Thank you, {escape(order.firstname)}. {account_link}</p>"
        f'<table><tr class="email-summary"><td><h1>Order <span class="no-link">#{order.increment_id}</span></h1>'
        "</td></tr>"
        f"</table>{details(order)}{items_table(rows, css='item-price', totals=totals(order))}"
    )
    return _of_order(state, order, "Your %store order confirmation", body, f"kind=order_new {_store(order)}")


def _update_body(order: Order, text: str) -> str:
    """Return what all update mails have: one number, the status in bold, the comment."""
    remark = f'<table class="message-info"><tr><td>{escape(text)}</td></tr></table>' if text else ""
    return (
        f'<p>{escape(order.firstname)},</p><p>order <span class="no-link">#{order.increment_id}</span> is now '
        f"<strong>{escape(order.status.replace('_', ' ').title())}</strong>.</p>{remark}"
    )


def order_update(state: ShopState, order: Order, note: Note) -> EmailMessage:
    """Return what tells a customer of a history entry; the only trace of a cancellation."""
    marker = f"kind=order_update {_store(order)} state={order.state}"
    return _of_order(state, order, "Update to your %store order", _update_body(order, note.text), marker)


NEW = {
    "invoices": "Invoice for your %store order",
    "shipments": "Your %store order has shipped",
    "credit_memos": "Credit memo for your %store order",
}
UPDATES = {
    "invoices": "Update to your %store invoice",
    "shipments": "Update to your %store shipment",
    "credit_memos": "Update to your %store credit memo",
}


def paper(state: ShopState, kind: str, document: Document) -> EmailMessage:
    """Return the mail about a new invoice, shipment or credit memo (``kind`` is the order's list that it is in)."""
    order = document.order
    rows = [
        (line.quote_item.product.name, line.quote_item.sku, qty, shown(line.quote_item.price * qty, order.view.money))
        for _, line, qty in document.rows
    ]
    body = (
        f'<h1>#<span class="no-link">{document.increment_id}</span> for order <span class="no-link">'
        f"#{order.increment_id}</span></h1>{details(order)}"
    ).replace('<h1>#<span class="no-link">', '<h1><span class="no-link">#')
    marker = ""
    if kind == "shipments":
        body += _tracks(state, document) + items_table([(*row[:3], "") for row in rows], css="item-sku")
        marker = f"kind=shipment_new {_store(order)} shipment={document.increment_id}"
    elif kind == "invoices":
        body += items_table(rows, css="item-subtotal", totals=totals(order))
    return _of_order(state, order, NEW[kind], body, marker)


def _tracks(state: ShopState, document: Document) -> str:
    link = f"{state.base_url(document.order.view)}shipping/tracking/popup?hash="
    rows = "".join(
        f'<tr><td>{escape(track.title)}: <a href="{link}{track.id:08d}">{escape(track.number)}</a></td></tr>'
        for track in document.tracks
    )
    return f'<table class="shipment-track"><thead><tr><th>Parcels</th></tr></thead><tbody>{rows}</tbody></table>'


def paper_update(state: ShopState, kind: str, document: Document, note: Note) -> EmailMessage:
    """Return the mail about a comment on an invoice, shipment or credit memo."""
    return _of_order(state, document.order, UPDATES[kind], _update_body(document.order, note.text))


def _reset_link(state: ShopState, customer: Customer) -> str:
    base_url = state.base_url(customer.view)
    return f"{base_url}customer/account/createPassword/?id={customer.id}&amp;token={customer.reset_token}"


ACCOUNT = {
    "welcome": ("Welcome to %store", "general", "account_new"),
    "welcome_no_password": ("Welcome to %store", "general", "account_new"),
    "welcome_confirmed": ("Welcome to %store", "general", "account_new"),
    "confirmation": ("Please confirm your %store account", "general", ""),
    "forgot": ("Reset your %store password", "support", "password_forgot"),
    "remind": ("Reset your %store password", "support", "password_forgot"),
    "password": ("Your %store password has been changed", "support", "password_changed"),
    "email": ("Your %store email has been changed", "support", ""),
    "email_password": ("Your %store email and password has been changed", "support", ""),
}


def account(state: ShopState, customer: Customer, kind: str, to: str = "") -> EmailMessage:
    """Return a mail of the account family; ``kind`` is a key of ACCOUNT, ``to`` another address than the customer's."""
    subject, identity, name = ACCOUNT[kind]
    marker = f"kind={name} store={customer.view.code} customer={customer.id}" if name else ""
    body = f"<p>{escape(customer.name)},</p>{_account_body(state, customer, kind)}"
    letter = Letter(customer.view, to or customer.email, customer.name, subject, body, identity, marker)
    return message(state, letter)


def _account_body(state: ShopState, customer: Customer, kind: str) -> str:
    base_url, link = state.base_url(customer.view), _reset_link(state, customer)
    if kind in {"forgot", "remind"}:
        button = f'<table class="button"><tr><td><a href="{link}">Go</a></td></tr></table>'
        return f"<p>Here is the way to a new password.</p>{button}"
    if kind == "confirmation":
        key = f"id={customer.id}&amp;key={customer.confirmation}&amp;back_url="
        href = f"{base_url}customer/account/confirm/?{key}"
        return f'<p>One step is left.</p><table class="button"><tr><td><a href="{href}">Confirm</a></td></tr></table>'
    if kind.startswith("welcome"):
        password = "" if kind == "welcome_no_password" else "<li>Password: the one you chose</li>"
        return (
            f'<p>Your <a href="{base_url}customer/account/">account</a> is open.</p>'
            f'<ul class="email-credentials"><li>E-mail: {escape(customer.email)}</li>{password}</ul>'
            f'<p>Forgotten it already? <a href="{link}">Choose another password</a>.</p>'
        )
    return (
        '<p>We have changed it, as you asked. Was it not you? Write to <a href="mailto:support@example.com">us</a>.</p>'
    )


def alert(state: ShopState, customer: Customer, view: StoreView, products: list[Product], *, kind: str) -> EmailMessage:
    """Return a ``stock`` or ``price`` alert about products."""
    base_url = state.base_url(view)
    rows = "".join(
        f'<tr><td><a href="{product_url(base_url, product)}">{escape(product.name)}</a> '
        f'<span class="price">{shown(product.final_price, view.money)}</span> '
        f'<a href="{base_url}productalert/unsubscribe/email/product/{product.id}/type/{kind}/">no more of this</a>'
        "</td></tr>"
        for product in products
    )
    last = f'<a href="{base_url}productalert/unsubscribe/{kind}All">no more alerts</a>'
    body = f"<p>{escape(customer.name)},</p><table>{rows}</table><p>{last}</p>"
    subject = "Products back in stock alert" if kind == "stock" else "Products price changed alert"
    marker = f"kind=stock_alert store={view.code}" if kind == "stock" else ""
    return message(state, Letter(view, customer.email, customer.name, subject, body, "general", marker))


NEWSLETTER = {
    "success": ("Newsletter subscription success", "general"),
    "confirm": ("Newsletter subscription confirmation", "support"),
    "un": ("Newsletter unsubscription success", "support"),
}


def newsletter(state: ShopState, subscriber: Subscriber, kind: str) -> EmailMessage:
    """Return a mail to a subscriber: ``success``, ``confirm`` (with the link) or ``un``."""
    subject, identity = NEWSLETTER[kind]
    body = "<p>You are on the list.</p>" if kind == "success" else "<p>You are off the list.</p>"
    if kind == "confirm":
        path = f"newsletter/subscriber/confirm/id/{subscriber.id}/code/{subscriber.code}/"
        body = f'<p>Yes, I want letters: <a href="{state.base_url(subscriber.view)}{path}">confirm</a></p>'
    return message(state, Letter(subscriber.view, subscriber.email, "", subject, body, identity))


def wish_list(state: ShopState, customer: Customer, to: str, text: str) -> EmailMessage:
    """Return a shared wish list."""
    link = f"{state.base_url(customer.view)}wishlist/shared/index/code/{customer.id:032d}/"
    body = f'<p>{escape(text)}</p><p><a href="{link}">The list</a></p>'
    subject = f"Take a look at {customer.name}'s Wish List"
    return message(state, Letter(customer.view, to, "", subject, body, "general"))


def contact(state: ShopState, view: StoreView, email: str, text: str) -> EmailMessage:
    """Return what the contact form sends to the shop's staff."""
    letter = Letter(
        view, "contact@example.com", "", "Contact Form", f"<p>{escape(text)}</p>", "custom2", reply_to=email
    )
    return message(state, letter)
