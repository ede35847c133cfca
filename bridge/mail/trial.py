"""A test send of each kind: the merge fields of an invented order and customer, or of a real order, to one address.

The mail log has nothing of it; the call itself stands in the request log.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.mail.asked import AskedShop
from bridge.mail.decide import account_of
from bridge.mail.material import CANCELLED, ORDER_KINDS, Links, Material, Wanted, gather
from bridge.mail.payload import Native, compose, encoded
from bridge.mail.seen import sender_of
from bridge.mail.sending import Call, kept_of, log_row
from bridge.settings import MAIL_KINDS
from bridge.store import (
    Amounts,
    Customer,
    HistoryEntry,
    Image,
    Order,
    OrderDetails,
    OrderLine,
    PostalAddress,
    Product,
    ProductView,
    Shipment,
    ShippedLine,
    Track,
)
from bridge.writing import begin_write

if TYPE_CHECKING:
    from bridge.mail.mailer import Mailer
    from bridge.ometria import MailAnswer
    from bridge.settings import Book, Store

NUMBER = "TEST-000000001"
PRODUCT = "1"
MADE = dt.datetime(2026, 1, 15, 9, 30, tzinfo=dt.UTC)
PRICE, SHIPPING, DISCOUNT, PIECES = Decimal("24.50"), Decimal("5.00"), Decimal("4.00"), Decimal(2)
ADDRESS = PostalAddress(
    firstname="Test",
    lastname="Recipient",
    street=("1 Sample Street", "Flat 2", "Sample House"),
    company="Sample Company",
    city="London",
    region="Greater London",
    postcode="N1 1AA",
    country="GB",
    phone="020 7946 0000",
)


def send_test(own: Mailer, book: Book, kind: str, to: str, *, scope: str, order: str = "", sandbox: bool) -> MailAnswer:
    """Send one mail of a kind to an address and return Ometria's answer. Commits.

    ``scope`` is ``default`` (then the default store view is meant) or a store view's. ``order`` is the number of a
    real order with this e-mail. Raises :class:`Misconfigured` for what is missing, and what the shop raises.
    """
    view = next((one for one in book.stores if one.ref == scope), None) or book.default_store
    if view is None:
        raise Misconfigured("The store tree has not been read yet: run `bridge check`.")
    values, account = book.settings(view.ref), account_of(book, view)
    if account is None:
        raise Misconfigured(f"{view.ref} feeds no Ometria account: set general.api_key.")
    if not values[f"mail.{kind}.template_id"]:
        raise Misconfigured(f"{MAIL_KINDS[kind]} has no template id: set mail.{kind}.template_id.")
    wanted = Wanted(kind, to, order=order or NUMBER, products=(PRODUCT,))
    if order and kind in ORDER_KINDS:
        material = gather(wanted, AskedShop(own.shop, book.stores), view)
    else:
        material = invented(wanted, view)
    name, email = sender_of(kind, view.code)
    native = Native(sender_name=name, sender_email=email, subject=f"Test: {MAIL_KINDS[kind]}")
    body = compose(material, view, values, native, sandbox=sandbox)
    answer = own.ometria.send(account, encoded(body), lambda: True, rate=values["mail.requests_per_second"])
    begin_write()
    db.session.add(log_row(Call(account, answer, kept_of(body) if values["logging.requests"] else None)))
    db.session.commit()
    return answer


def invented(wanted: Wanted, view: Store) -> Material:
    """Return what a shop would tell of an order, a customer and a product that are nobody's."""
    shown = ProductView(name="Sample product", final_price=PRICE, url_key="sample", images=(Image(file="/sample.jpg"),))
    shipment = _shipment()
    return Material(
        wanted,
        details=_details(wanted, view, shipment) if wanted.kind in ORDER_KINDS else None,
        shipment=shipment if wanted.kind == "order_shipping" else None,
        customer=Customer(
            id="1", email=wanted.recipient, prefix="Mx", firstname=ADDRESS.firstname, lastname=ADDRESS.lastname
        ),
        products={PRODUCT: Product(id=PRODUCT, sku="SAMPLE-1", views={view.code: shown})},
        links=Links(
            reset=f"{view.link_url}customer/account/createPassword/?id=1&token=test",
            tracking=f"{view.link_url}shipping/tracking/popup?hash=test",
            unsubscribe=f"{view.link_url}productalert/unsubscribe/stockAll",
        ),
    )


def _shipment() -> Shipment:
    return Shipment(
        id="1",
        number="TEST-000000002",
        created_at=MADE,
        lines=(ShippedLine(line="1", product=PRODUCT, quantity=PIECES),),
        tracks=(Track(number="TRACK0001", title="Sample carrier", carrier="custom"),),
    )


def _details(wanted: Wanted, view: Store, shipment: Shipment) -> OrderDetails:
    return OrderDetails(
        order=_order(wanted, view),
        billing=ADDRESS,
        shipping=ADDRESS,
        payment="Sample payment",
        last_four="4242",
        delivery="Sample delivery",
        history=(HistoryEntry(comment="A sample comment", notified=True, created_at=MADE),),
        shipments=(shipment,),
    )


def _order(wanted: Wanted, view: Store) -> Order:
    state = CANCELLED if wanted.kind == "order_cancellation" else "processing"
    line = OrderLine(
        id="1",
        product=PRODUCT,
        sku="SAMPLE-1",
        name="Sample product",
        quantity=PIECES,
        local=Amounts(price=PRICE, price_with_tax=PRICE, row=PRICE * PIECES, tax=Decimal(0)),
    )
    return Order(
        id="1",
        number=NUMBER,
        store_id=view.id,
        status=state,
        state=state,
        email=wanted.recipient,
        firstname=ADDRESS.firstname,
        lastname=ADDRESS.lastname,
        local=Amounts(
            currency=view.currency,
            subtotal=PRICE * PIECES,
            shipping=SHIPPING,
            tax=Decimal(0),
            discount=-DISCOUNT,
            grand_total=PRICE * PIECES + SHIPPING - DISCOUNT,
        ),
        coupon="SAMPLE10",
        payment_method="sample",
        lines=(line,),
        created_at=MADE,
    )
