"""The seven kinds, each by each trigger of the guide: sandbox shop -> relay -> jobs -> fake Ometria."""

from __future__ import annotations

import re

import pytest

from bridge.db import db
from bridge.events import PasswordReset
from bridge.models import RequestLog
from bridge.sandbox import mails
from bridge.settings import set_value
from tests.mail.mail_room import TEMPLATES, mail_room, states, switch_on

GUEST, ANN = "gus@example.com", "ann@example.com"
RESET = re.compile(r'href="([^"]*createPassword[^"]*)"')


@pytest.fixture
def room(tmp_path, redis_client, relay, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch, relay=relay) as made:
        switch_on()
        yield made


def only(room, kind):
    """Run the jobs; return the one mail of a kind that Ometria took. Nothing was relayed, nothing is left."""
    room.work()
    assert [row for row in states(room) if row[0] == kind] == [(kind, "ometria", "sent")], [
        row.why for row in room.rows()
    ]
    (mail,) = [one for one in room.sent() if str(one["template_id"]) == TEMPLATES[kind]]
    assert mail["sandbox"] is False
    assert mail["transactional"] is True
    assert room.spooled() == []
    return mail


def forget(room):
    """Begin the part of a test that counts: what came before is sent and forgotten."""
    room.work()
    room.received.mails.clear()
    for row in room.rows():
        db.session.delete(row)
    db.session.commit()


def place(room, email=GUEST):
    visitor = room.visitor()
    visitor.add(6)
    return room.state.orders[int(visitor.order(email))]


def reset_link(room):
    """Return the link in the newest mail of the shop."""
    return RESET.search(room.mails[-1].get_content())[1].replace("&amp;", "&")


def ship(room, order, **more):
    tracks = [{"track_number": "LAB0001", "title": "DHL", "carrier_code": "dhl"}]
    return room.rest(f"order/{order.entity_id}/ship", {"notify": True, "tracks": tracks, **more})


def test_order_confirmation_a_the_order_is_placed_on_the_storefront(room):
    order = place(room)
    mail = only(room, "order_confirmation")
    assert mail["to"]["email"] == GUEST
    assert mail["from"] == {"email": "sales@example.com", "name": "Harbour & Pine Outfitters Sales"}
    assert mail["subject"] == "Your Harbour & Pine Outfitters order confirmation"
    data = mail["data"]
    assert data["details"]["orderID"] == order.increment_id
    assert data["totals"]["grandTotalRaw"] == float(order.grand_total)
    assert data["totals"]["grandTotal"] == f"£{order.grand_total:.2f}"
    assert data["totals"]["subTotal"] == data["totals"]["subtotal"]
    (line,) = data["products"]
    assert line["title"].endswith("Pot & Lid")
    assert line["url"].startswith("http://shop.test/")
    assert line["imageUrl"].startswith("http://shop.test/media/catalog/product/")
    assert line["imageUrl"] == line["imageURL"]
    assert data["shipping"]["address1"] == "1 Test Street"
    assert data["shipping"]["country"] == "United Kingdom"
    assert data["payment"]["paymentMethod"] == "Check / Money order"
    assert data["contact"]["email"] == GUEST
    assert room.relayed() == []


def test_order_confirmation_b_staff_send_it_again(room):
    order = place(room)
    forget(room)
    room.rest(f"orders/{order.entity_id}/emails", {})
    mail = only(room, "order_confirmation")
    assert mail["data"]["details"]["orderID"] == order.increment_id
    assert room.relayed() == []


def test_order_cancellation_staff_cancel_and_notify_the_customer(room):
    order = place(room)
    forget(room)
    room.rest(f"orders/{order.entity_id}/cancel", {})
    comment = {"comment": "Sorry, sold out", "is_customer_notified": 1, "is_visible_on_front": 1, "status": "canceled"}
    room.rest(f"orders/{order.entity_id}/comments", {"statusHistory": comment})
    mail = only(room, "order_cancellation")
    assert mail["data"]["details"]["state"] == "canceled"
    assert mail["data"]["details"]["comment"] == "Sorry, sold out"
    assert room.relayed() == []


def test_a_word_about_an_order_that_is_not_cancelled_stays_the_shops_own(room):
    order = place(room)
    forget(room)
    comment = {"comment": "We are packing", "is_customer_notified": 1, "status": "pending"}
    room.rest(f"orders/{order.entity_id}/comments", {"statusHistory": comment})
    room.work()
    assert room.sent() == []
    assert room.relayed_to() == [GUEST]
    assert room.row().why == "the order is not cancelled"


def test_order_shipping_a_the_shipment_is_made_with_a_copy_by_mail(room):
    order = place(room)
    forget(room)
    ship(room, order)
    mail = only(room, "order_shipping")
    shipping = mail["data"]["shipping"]
    assert (shipping["trackingID"], shipping["carrier"]) == ("LAB0001", "DHL")
    assert "shipping/tracking/popup" in shipping["trackingURL"]
    assert shipping["shipmentID"] == order.shipments[0].increment_id
    assert [line["quantityRaw"] for line in mail["data"]["products"]] == [1]


def test_order_shipping_b_staff_send_the_tracking_information(room):
    order = place(room)
    shipment = ship(room, order, notify=False)
    forget(room)
    room.rest(f"shipment/{shipment}/emails", {})
    assert only(room, "order_shipping")["data"]["shipping"]["trackingID"] == "LAB0001"


def test_forgot_password_a_the_customer_asks_on_the_storefront(room):
    room.visitor().register(ANN)
    forget(room)
    room.visitor().post("/customer/account/forgotpasswordpost/", {"email": ANN})
    mail = only(room, "forgot_password")
    assert mail["data"]["resetURL"] == mail["data"]["resetUrl"] == reset_link(room)
    assert mail["data"]["token"] == room.state.customer_by_email(ANN, 1).reset_token
    assert mail["data"]["contact"]["firstname"] == "Ann"
    assert room.relayed() == []


def test_forgot_password_b_staff_ask_for_the_customer(room):
    room.visitor().register(ANN)
    forget(room)
    room.rest("customers/password", {"email": ANN, "template": "email_reminder", "websiteId": 1}, "PUT")
    assert only(room, "forgot_password")["data"]["resetURL"] == reset_link(room)


def test_password_updated_after_the_forgot_flow_though_the_shop_sends_nothing(room):
    room.visitor().register(ANN)
    forget(room)
    customer = room.state.customer_by_email(ANN, 1)
    # The proxy has seen the reset call; the shop names the customer by its id alone.
    event = PasswordReset(customer=str(customer.id), host="shop.test", store="default")
    for _ in range(2):
        room.mailer.take_events([event])
        db.session.commit()
    mail = only(room, "password_updated")
    assert mail["to"] == {"email": ANN, "name": "Ann Reg"}
    assert room.relayed() == []


def test_password_updated_in_the_account_is_the_shops_mail_and_not_told_twice(room):
    room.visitor().register(ANN)
    forget(room)
    customer = room.state.customer_by_email(ANN, 1)
    room.state.options.mail(mails.account(room.state, customer, "password"))
    assert only(room, "password_updated")["to"]["email"] == ANN
    room.mailer.take_events([PasswordReset(email=ANN, store="default")])
    db.session.commit()
    room.work()
    assert len(room.sent()) == 1
    assert [row[2] for row in states(room)] == ["sent", "void"]


def test_stock_alert_a_product_comes_back(room):
    visitor = room.visitor()
    visitor.register(ANN)
    product = next(one for one in room.state.catalogs["default"].products if one.type_id == "simple")
    room.rest("inventory/source-items", {"sourceItems": [source(product, 0)]})
    forget(room)
    customer = room.state.customer_by_email(ANN, 1)
    room.state.alerts.append(("stock", customer.id, product.id, customer.view))
    room.rest("inventory/source-items", {"sourceItems": [source(product, 7)]})
    mail = only(room, "stock_alert")
    (shown,) = mail["data"]["products"]
    assert (shown["id"], shown["sku"], shown["title"]) == (str(product.id), product.sku, product.name)
    assert shown["price"].startswith("£")
    assert "productalert/unsubscribe/stockAll" in mail["data"]["unsubscribeURL"]


def source(product, quantity):
    return {"sku": product.sku, "source_code": "default", "quantity": quantity, "status": int(quantity > 0)}


def test_account_creation_a_the_customer_registers(room):
    room.visitor().register(ANN)
    mail = only(room, "account_creation")
    assert mail["to"] == {"email": ANN, "name": "Ann Reg"}
    assert mail["data"]["contact"]["accountURL"] == "http://shop.test/customer/account/"
    assert room.relayed() == []


def test_account_creation_b_staff_make_the_account(room):
    room.rest("customers", {"customer": {"email": ANN, "firstname": "Ann", "lastname": "Reg", "websiteId": 1}})
    mail = only(room, "account_creation")
    assert mail["data"]["setPasswordURL"] == reset_link(room)


def test_a_mail_of_the_french_view_is_told_in_its_own_ways(room):
    order = next(one for one in room.state.orders.values() if one.view.code == "fr")
    room.state.options.mail(mails.order_placed(room.state, order))
    mail = only(room, "order_confirmation")
    amount = f"{order.grand_total:,.2f}".replace(",", "\u202f").replace(".", ",")
    assert mail["data"]["totals"]["grandTotal"] == f"{amount}\u00a0€"
    assert mail["data"]["totals"]["grandTotalRaw"] == float(order.grand_total)


def test_mails_that_are_none_of_the_seven_go_on_as_they_came(room):
    order = place(room)
    forget(room)
    room.sink.taken.clear()
    room.rest(f"order/{order.entity_id}/invoice", {"notify": True})
    room.work()
    assert room.sent() == []
    (raw,) = room.relayed()
    received, _, original = raw.partition(b"\r\nDate: ")
    assert received.startswith(b"Received: from [127.0.0.1] by bridge.test")
    assert b"Date: " + original == room.mails[-1].as_bytes(policy=room.mails[-1].policy.clone(linesep="\r\n"))


def test_a_mail_that_tells_of_a_subscription_is_told_on_once_and_relayed(room):
    subscriber = room.state.subscribers[0]
    room.state.options.mail(mails.newsletter(room.state, subscriber, "success"))
    room.work()
    assert room.relayed_to() == [subscriber.email]
    (event,) = room.events
    assert (event.email, event.status, event.store) == (subscriber.email, "subscribed", subscriber.view.code)


def test_each_call_stands_in_the_request_log_without_what_it_said(room):
    set_value("default", "logging.requests", "1", "test")
    db.session.commit()
    order = place(room)
    only(room, "order_confirmation")
    (row,) = db.session.query(RequestLog)
    assert (row.kind, row.status, row.outcome, row.records) == ("mail", 200, "accepted", 1)
    assert row.request_id in row.message
    assert "details.orderID" in row.body["fields"]
    assert order.email not in str(row.body) + row.message


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_kind_that_is_off_or_has_no_template_goes_on_as_it_came(room, kind):
    set_value("default", f"mail.{kind}.enabled", "0", "test")
    db.session.commit()
    before = len(room.mails)
    order = place(room) if kind.startswith("order") else None
    if kind == "order_cancellation":
        room.rest(f"orders/{order.entity_id}/cancel", {})
        room.rest(f"orders/{order.entity_id}/comments", {"statusHistory": {"comment": "x", "is_customer_notified": 1}})
    elif kind == "order_shipping":
        ship(room, order)
    elif order is None:
        room.visitor().register(ANN)
        customer = room.state.customer_by_email(ANN, 1)
        made = {"forgot_password": "forgot", "password_updated": "password"}.get(kind)
        if made:
            room.state.options.mail(mails.account(room.state, customer, made))
        if kind == "stock_alert":
            product = room.state.catalogs["default"].products[0]
            room.state.options.mail(mails.alert(room.state, customer, customer.view, [product], kind="stock"))
    room.work()
    # Whether an update tells of a cancellation only the shop knows, and it is not asked in vain.
    (row,) = room.rows(native="order_update") if kind == "order_cancellation" else room.rows(kind=kind)
    assert (row.route, row.state) == ("relay", "sent")
    assert "is not enabled" in row.why or kind == "order_cancellation"
    assert len(room.sent()) + len(room.relayed()) == len(room.mails) - before
