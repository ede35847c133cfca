"""The field rules of the later validation, each as one change to a record that is otherwise good."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bridge.sandbox.ometria_rules import faults_of, unknown_fields

CONTACT: dict[str, Any] = {
    "@type": "contact",
    "@collection": "customers",
    "@merge": True,
    "@add_to_lists": [1],
    "id": "7",
    "email": "ann@example.com",
    "customer_id": "7",
    "marketing_optin": "EXPLICITLY_OPTEDIN",
    "gender": "f",
    "date_of_birth": "1990-02-28",
    "country_id": "GB",
    "store_ids": ["default"],
    "timestamp_acquired": "2026-01-31T10:00:00Z",
    "timestamp_subscribed": "2026-01-31T10:00:00+01:00",
    "properties": {"tier": "gold"},
}
PRODUCT: dict[str, Any] = {
    "@type": "product",
    "id": "5",
    "title": "Bag",
    "sku": "B-5",
    "price": 12.5,
    "special_price": None,
    "is_active": True,
    "url": "https://shop.example.com/bag.html",
    "attributes": [{"type": "color", "id": "49", "label": "Black"}, {"type": "note", "value": "x", "label": "Note"}],
    "listings": [{"store": "default", "title": "Bag", "price": 12, "currency": "EUR", "is_active": True}],
}
ORDER: dict[str, Any] = {
    "@type": "order",
    "id": "000000001",
    "timestamp": "2026-01-31T10:00:00.123Z",
    "grand_total": 30,
    "discount": -2.5,
    "currency": "EUR",
    "store": "default",
    "is_valid": True,
    "customer": {"id": "7", "email": "ann@example.com"},
    "billing_address": {"city": "Leeds", "country_code": "GB"},
    "totals": {"base": {"currency": "EUR", "grand_total": 30}, "local": {"currency": "USD", "grand_total": 33}},
    "lineitems": [
        {
            "product_id": "5",
            "variant_id": "6",
            "quantity": 2,
            "unit_price": 15,
            "variant_options": [{"type": "size", "id": "170", "label": "L"}],
        }
    ],
}
EVENT: dict[str, Any] = {
    "@type": "custom_event",
    "id": "e1",
    "event_type": "wishlist",
    "timestamp": "2026-01-31T10:00:00Z",
    "identity_email": "ann@example.com",
}
GOOD = {record["@type"]: record for record in (CONTACT, PRODUCT, ORDER, EVENT)}
GONE = object()


def changed(record: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(record)
    *parents, name = path.split(" > ")
    inner: Any = copied
    for parent in parents:
        inner = inner[int(parent) if parent.isdigit() else parent]
    if value is GONE:
        del inner[name]
    else:
        inner[int(name) if name.isdigit() else name] = value
    return copied


@pytest.mark.parametrize("record_type", GOOD)
def test_a_good_record_has_no_fault_and_no_unknown_field(record_type: str) -> None:
    assert faults_of(GOOD[record_type]) == []
    assert unknown_fields(GOOD[record_type]) == []


@pytest.mark.parametrize(
    ("record_type", "path", "value"),
    [
        ("contact", "id", GONE),
        ("contact", "id", 7),
        ("contact", "id", ""),
        ("contact", "id", "ann@example.com"),
        ("contact", "email", GONE),
        ("contact", "email", "ann at example.com"),
        ("contact", "email", "ann@example"),
        ("contact", "@collection", "optin:sms"),
        ("contact", "@merge", "true"),
        ("contact", "@add_to_lists > 0", 1.5),
        ("contact", "marketing_optin", "YES"),
        ("contact", "marketing_optin", True),
        ("contact", "gender", "Female"),
        ("contact", "date_of_birth", "1990-02-30"),
        ("contact", "date_of_birth", "28/02/1990"),
        ("contact", "country_id", "gb"),
        ("contact", "store_ids", "default"),
        ("contact", "store_ids > 0", 1),
        ("contact", "phone_number", "0113 496 0000"),
        ("contact", "timestamp_acquired", "2026-01-31 10:00:00"),
        ("contact", "timestamp_acquired", "2026-01-31T10:00:00"),
        ("contact", "timestamp_acquired", "2026-02-31T10:00:00Z"),
        ("contact", "properties", {"note": "x" * 1000}),
        ("contact", "properties", ["gold"]),
        ("product", "title", GONE),
        ("product", "title", " "),
        ("product", "price", "12.50"),
        ("product", "price", True),
        ("product", "is_active", 1),
        ("product", "url", "/bag.html"),
        ("product", "attributes", {}),
        ("product", "attributes > 0", "black"),
        ("product", "attributes > 0 > type", GONE),
        ("product", "attributes > 0 > id", GONE),
        ("product", "attributes > 0 > id", 49),
        ("product", "listings > 0 > store", GONE),
        ("product", "listings > 0 > price", "12"),
        ("product", "listings > 0 > currency", "€"),
        ("order", "timestamp", GONE),
        ("order", "grand_total", GONE),
        ("order", "grand_total", "30.00"),
        ("order", "currency", "eur"),
        ("order", "currency", GONE),
        ("order", "is_valid", "true"),
        ("order", "customer > email", "nobody"),
        ("order", "customer > id", 7),
        ("order", "billing_address > country_code", "United Kingdom"),
        ("order", "totals > base > currency", GONE),
        ("order", "totals > local > grand_total", "33"),
        ("order", "lineitems > 0 > product_id", GONE),
        ("order", "lineitems > 0 > product_id", 5),
        ("order", "lineitems > 0 > quantity", "2"),
        ("order", "lineitems > 0 > quantity", GONE),
        ("order", "lineitems > 0 > unit_price", GONE),
        ("order", "lineitems > 0 > variant_options > 0 > label", GONE),
        ("custom_event", "event_type", GONE),
        ("custom_event", "identity_email", GONE),
        ("custom_event", "properties", {"note": "x" * 513}),
    ],
)
def test_one_bad_value_is_one_fault_at_its_path(record_type: str, path: str, value: Any) -> None:
    (fault,) = faults_of(changed(GOOD[record_type], path, value))
    assert fault.path == f"root > {path}"
    assert fault.message == "not a valid value"


def test_each_bad_value_is_named() -> None:
    record = changed(changed(ORDER, "grand_total", "30"), "lineitems > 0 > quantity", "2")
    assert [fault.path for fault in faults_of(record)] == ["root > grand_total", "root > lineitems > 0 > quantity"]


def test_a_forced_opt_in_needs_an_opt_in_to_force() -> None:
    forced = changed(changed(CONTACT, "@force_optin", True), "marketing_optin", GONE)
    assert [fault.path for fault in faults_of(forced)] == ["root > marketing_optin"]


def test_a_subtotal_does_for_a_line_without_unit_price() -> None:
    item = {"product_id": "5", "quantity": 2, "subtotal": 30}
    assert faults_of(changed(ORDER, "lineitems > 0", item)) == []


def test_a_phone_number_does_for_a_contact_without_email() -> None:
    contact = changed(changed(CONTACT, "email", GONE), "phone_number", "+441134960000")
    assert faults_of(contact) == []


@pytest.mark.parametrize(("length", "faults"), [(988, 0), (989, 1)])
def test_properties_of_a_contact_stay_under_a_thousand_characters(length: int, faults: int) -> None:
    # {"note":"…"} is 11 characters and the text.
    assert len(faults_of(changed(CONTACT, "properties", {"note": "é" * length}))) == faults
