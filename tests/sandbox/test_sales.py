"""What happens to orders: states, documents, times of change, mails."""

from __future__ import annotations

import re

import pytest


def post(shop, path, body=None):
    return shop.rest(f"V1/{path}", method="POST", json=body or {})


def order(shop, id_):
    return shop.rest(f"V1/orders/{id_}").json


def test_the_shop_starts_with_an_order_of_every_state(shop):
    states = {one.state for one in shop.state.orders.values()}
    assert states == {
        "new", "pending_payment", "payment_review", "processing", "complete", "closed", "canceled", "holded",
    }  # fmt: skip
    assert {one.view.code for one in shop.state.orders.values()} == {"default", "fr", "de"}


def test_an_edited_order_and_its_successor_name_each_other(shop):
    rows = shop.rest("V1/orders?searchCriteria=").json["items"]
    new = next(row for row in rows if row["increment_id"].endswith("-1"))
    old = next(row for row in rows if row["increment_id"] == new["original_increment_id"])
    assert (old["state"], old["relation_child_real_id"]) == ("canceled", new["increment_id"])
    assert (new["edit_increment"], new["relation_parent_real_id"]) == (1, old["increment_id"])
    assert (old["relation_child_id"], new["relation_parent_id"]) == (str(new["entity_id"]), str(old["entity_id"]))


def test_invoice_and_shipment_complete_an_order_and_send_their_mails(shop):
    shop.clock.advance(60)
    invoice = post(shop, "order/104/invoice", {"notify": True}).json
    assert order(shop, 104)["state"] == "processing"
    track = {"track_number": "1Z", "title": "UPS", "carrier_code": "ups"}
    shipment = post(shop, "order/104/ship", {"notify": True, "tracks": [track]}).json
    row = order(shop, 104)
    assert (row["state"], row["total_due"], row["items"][0]["qty_shipped"]) == ("complete", 0, 1)
    assert [mail["Subject"].split("Harbour")[0] for mail in shop.mails] == ["Invoice for your ", "Your "]
    number = shop.rest(f"V1/shipment/{shipment}").json["increment_id"]
    body = shop.mails[1].get_content()
    assert re.findall(r"#(\d{9})", body[: body.index("order-details")]) == [number, row["increment_id"]]
    assert 'class="shipment-track"' in body
    assert f"<!-- obx kind=shipment_new store=default order={row['increment_id']} shipment={number} -->" in body
    assert shop.rest(f"V1/invoices/{invoice}").json["grand_total"] == row["grand_total"]


@pytest.mark.parametrize(
    ("path", "body", "moves"),
    [
        ("order/104/invoice", {}, True),
        ("orders/104/hold", {}, True),
        ("orders/104/cancel", {}, True),
        ("order/109/refund", {}, True),
        ("order/104/ship", {}, True),
        ("order/109/ship", {"items": [{"order_item_id": 0, "qty": 1}]}, False),
        ("orders/113/comments", {"statusHistory": {"comment": "x", "is_customer_notified": 1}}, False),
        (
            "shipment/track",
            {"entity": {"parent_id": 603, "track_number": "1", "title": "t", "carrier_code": "c"}},
            False,
        ),
    ],
)
def test_what_moves_the_time_of_change_of_an_order(shop, path, body, moves):
    id_ = 111 if path == "shipment/track" else int(path.split("/")[1])
    if body.get("items"):
        body = {"items": [{"order_item_id": order(shop, id_)["items"][0]["item_id"], "qty": 1}]}
    before = order(shop, id_)["updated_at"]
    assert post(shop, path, body).status_code == 200
    assert (order(shop, id_)["updated_at"] != before) is moves


def test_a_cancellation_is_told_only_by_a_notified_comment(shop):
    assert post(shop, "orders/104/cancel").json is True
    assert shop.mails == []
    assert order(shop, 104)["status_histories"] == []
    entry = {"comment": "Sorry.", "is_customer_notified": 1, "is_visible_on_front": 1, "status": "canceled"}
    post(shop, "orders/104/comments", {"statusHistory": entry})
    (mail,) = shop.mails
    assert "<strong>Canceled</strong>" in mail.get_content()
    assert "<!-- obx kind=order_update store=default order=000000003 state=canceled -->" in mail.get_content()
    assert "email-items" not in mail.get_content()


@pytest.mark.parametrize(("id_", "path"), [(117, "cancel"), (112, "hold"), (104, "unhold")])
def test_what_an_order_in_this_state_cannot_do_is_false_with_200(shop, id_, path):
    answer = post(shop, f"orders/{id_}/{path}")
    assert (answer.status_code, answer.json) == (200, False)


def test_a_part_of_an_order_is_given_back(shop):
    line = order(shop, 109)["items"][0]
    asked = {"items": [{"order_item_id": line["item_id"], "qty": 1}], "arguments": {"shipping_amount": 0}}
    memo = shop.rest(f"V1/creditmemo/{post(shop, 'order/109/refund', asked).json}").json
    row = order(shop, 109)
    assert (memo["grand_total"], row["total_refunded"], row["state"]) == (line["price"], line["price"], "processing")
    assert [item["qty_refunded"] for item in row["items"]] == [1, 0]
    assert row["status_histories"][0]["entity_name"] == "creditmemo"


def test_a_refund_without_amounts_gives_the_shipping_back_too(shop):
    post(shop, "order/109/refund")
    row = order(shop, 109)
    assert (row["state"], row["total_refunded"]) == ("closed", row["grand_total"])


def test_what_is_sent_leaves_the_shelf_and_what_is_canceled_can_be_sold_again(shop):
    bag = shop.state.catalog.by_id[1]
    shelf, salable = shop.state.quantity(bag), shop.state.salable(bag)
    post(shop, "order/104/ship")
    assert (shop.state.quantity(bag), shop.state.salable(bag)) == (shelf - 1, salable)
    lantern = shop.state.catalog.by_id[202]
    before = shop.state.salable(lantern)
    shop.state.set_order_state(shop.state.orders[113], "new", "pending")
    for item in shop.state.orders[113].items:
        item.canceled = 0
        shop.state.reserved[item.quote_item.sku] += item.qty
    post(shop, "orders/113/cancel")
    assert shop.state.salable(lantern) == before
