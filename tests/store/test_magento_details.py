"""Orders as their mails show them: from recorded answers of a stock Magento, and from JSON that says little."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bridge.store.magento_details import details, postal, shipment
from tests.replay.library import CAPTURES, NEEDS_CAPTURES


def recorded(name):
    return json.loads((CAPTURES / "rest" / f"{name}.json").read_text(), parse_float=Decimal)


class TestRecorded:
    pytestmark = NEEDS_CAPTURES

    def test_an_order_names_its_methods_and_its_whole_addresses(self):
        found = details(recorded("order_pending_guest"), [])
        raw = recorded("order_pending_guest")
        assert found.order.number == raw["increment_id"]
        assert found.payment == raw["payment"]["additional_information"][0]
        assert found.delivery == raw["shipping_description"]
        assert found.billing.street == tuple(line for line in raw["billing_address"]["street"] if line)
        assert found.billing.phone == raw["billing_address"]["telephone"]
        assert found.shipping.country == "GB"
        assert found.shipments == ()

    def test_a_cancelled_order_tells_what_the_customer_was_told(self):
        found = details(recorded("order_canceled_with_notified_comment"), [])
        assert found.order.state == "canceled"
        (entry,) = found.history
        assert (entry.comment, entry.status, entry.notified) == ("Sorry", "canceled", True)
        assert entry.created_at.isoformat() == "2026-11-25T02:36:51+00:00"

    def test_a_shipment_has_its_numbers_and_pieces(self):
        found = shipment(recorded("shipment_two_tracks"))
        assert [(track.number, track.title, track.carrier) for track in found.tracks] == [
            ("LAB0001", "DHL", "dhl"),
            ("LAB0002", "DHL", "dhl"),
        ]
        assert all(line.quantity > 0 and line.line and line.product for line in found.lines)

    def test_an_order_without_delivery_has_no_address_for_it(self):
        found = details(recorded("order_virtual_only"), [])
        assert found.shipping is None
        assert found.billing is not None


def test_history_is_the_newest_first_and_shipments_the_oldest():
    raw = {
        "entity_id": 1,
        "increment_id": "1",
        "status_histories": [{"entity_id": 3, "comment": "old"}, {"entity_id": 12, "comment": "new"}],
    }
    found = details(raw, [{"entity_id": 10, "increment_id": "B"}, {"entity_id": 9, "increment_id": "A"}])
    assert [entry.comment for entry in found.history] == ["new", "old"]
    assert [one.number for one in found.shipments] == ["A", "B"]


@pytest.mark.parametrize("value", [None, {}, [], ""])
def test_no_address_is_none(value):
    assert postal(value) is None


def test_a_street_may_be_one_text():
    assert postal({"street": "1 High Street\nFlat 2", "country_id": "GB"}).street == ("1 High Street", "Flat 2")


def test_an_order_that_says_nothing_of_itself_is_no_error():
    empty = {"entity_id": 1, "payment": None, "status_histories": None, "extension_attributes": []}
    found = details(empty, [{"entity_id": 1, "tracks": None, "items": [{}]}])
    assert (found.payment, found.delivery, found.last_four, found.history) == (None, None, None, ())
    assert found.shipments[0].lines[0].quantity == 0
