"""Observers of orders: the calls that place them, and the pages that confirm them.

A confirmation page is the only sign of an order that another site took the payment for. It is shown for placed orders
alone: a refused or cancelled payment ends at the cart or at a page of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from bridge.events import AnyEvent, Identified, OrderPlaced
from bridge.tracking.bodies import Odd
from bridge.tracking.proofs import answer_json, guest_email, number_of, order_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

    from bridge.tracking.wire import Exchange

_SUCCEEDED = '.orders-succeed a[href*="/order_id/"], .multicheckout.success a[href*="/order_id/"]'
_ORDER_LINK = re.compile(r"/order_id/([0-9]{1,20})(?:/|$)")


def placed_by_guest(exchange: Exchange) -> Iterator[AnyEvent]:
    """A guest's ``payment-information`` or ``order``: the entity id, as a quoted string or a number."""
    order = order_id(exchange)
    if order is None:
        return
    yield OrderPlaced(order=order, guest=True)
    email = guest_email(exchange)
    if email is not None:
        yield Identified(email=email, source="checkout")


def placed_by_customer(exchange: Exchange) -> Iterator[AnyEvent]:
    """The same for a customer who is logged in."""
    order = order_id(exchange)
    if order is not None:
        yield OrderPlaced(order=order, guest=False)


def named_at_checkout(exchange: Exchange) -> Iterator[AnyEvent]:
    """The steps of a guest's checkout before the order; taken only where the setting allows it."""
    email = guest_email(exchange) if answer_json(exchange) is not None else None
    if email is not None:
        yield Identified(email=email, source="checkout")


def confirmed(exchange: Exchange) -> Iterator[AnyEvent]:
    """``checkout/onepage/success``: a customer's order is linked, a guest's is a number alone."""
    page = _page(exchange)
    if page is None:
        return
    linked = page.css_first(".checkout-success a.order-number")
    if linked is not None:
        yield _order(linked, guest=False)
        return
    number = page.css_first(".checkout-success p > span")
    if number is None:
        raise Odd("no order number")
    yield _order(number, guest=True)


def confirmed_several(exchange: Exchange) -> Iterator[AnyEvent]:
    """``multishipping/checkout/success`` and ``results``: one order for each address; failed ones stand elsewhere."""
    page = _page(exchange)
    if page is not None:
        for linked in page.css(_SUCCEEDED):
            yield _order(linked, guest=False)


def _page(exchange: Exchange) -> LexborHTMLParser | None:
    """Return a page that was shown; None for a redirect, as the shop answers when there is no order to show."""
    if exchange.response.status != 200 or exchange.request.method != b"GET":
        return None
    if not exchange.response_body:
        raise Odd("page too long")
    return LexborHTMLParser(exchange.response_body.decode("utf-8", "replace"))


def _order(node: LexborNode, *, guest: bool) -> OrderPlaced:
    number = number_of(node.text(strip=True))
    link = _ORDER_LINK.search(node.attributes.get("href") or "")
    if number is None:
        raise Odd("no order number")
    return OrderPlaced(order=link.group(1) if link else None, number=number, guest=guest)
