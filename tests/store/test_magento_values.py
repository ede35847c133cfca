"""Which of Magento's values a merchant may map, and under what names."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.store.magento_values import customer_values, order_values


def test_a_customers_attributes_have_the_shops_own_codes():
    raw = {
        "id": 2,
        "group_id": 1,
        "created_in": "English",
        "taxvat": "",
        "suffix": None,
        "disable_auto_group_change": 0,
        "addresses": [
            {"city": "Paris", "default_shipping": True},
            {"city": "Rome", "default_billing": True, "street": ["Via 1", "2"], "region": {"region": "Lazio"}},
        ],
        "extension_attributes": {"is_subscribed": True, "company_attributes": {"status": 1}},
        "custom_attributes": [
            {"attribute_code": "tier", "value": "2"},
            {"attribute_code": "brands", "value": ["5", "7"]},
            {"attribute_code": "weight", "value": Decimal("1.50")},
            {"attribute_code": "files", "value": [{"name": "x"}]},
            {"value": "no code"},
        ],
    }
    assert customer_values(raw) == {
        "id": 2,
        "group_id": 1,
        "created_in": "English",
        "disable_auto_group_change": 0,
        "is_subscribed": True,
        "tier": "2",
        "brands": ("5", "7"),
        "weight": Decimal("1.50"),
        "billing_address.city": "Rome",
        "billing_address.default_billing": True,
        "billing_address.street": ("Via 1", "2"),
        "billing_address.region": "Lazio",
        "shipping_address.city": "Paris",
        "shipping_address.default_shipping": True,
    }


def test_an_orders_own_fields_and_its_addresses_have_names_and_its_secrets_none():
    raw = {
        "entity_id": 9,
        "protect_code": "secret",
        "total_qty_ordered": 3,
        "discount_description": "10% off",
        "items": [{"sku": "A"}],
        "payment": {"method": "checkmo", "po_number": "77", "cc_last4": "4242", "additional_information": ["Cheque"]},
        "billing_address": {"company": "Acme", "protect_code": "x"},
        "extension_attributes": {
            "gift": "1",
            "shipping_assignments": [{"shipping": {"method": "flatrate", "address": {"city": "Rome"}}}],
        },
    }
    assert order_values(raw) == {
        "entity_id": 9,
        "total_qty_ordered": 3,
        "discount_description": "10% off",
        "gift": "1",
        "billing_address.company": "Acme",
        "shipping_address.city": "Rome",
        "shipping.method": "flatrate",
        "payment.method": "checkmo",
        "payment.po_number": "77",
    }


@pytest.mark.parametrize("odd", [None, "", [], 7])
def test_parts_that_are_absent_or_of_another_type_are_none(odd):
    raw = {"extension_attributes": odd, "custom_attributes": odd, "addresses": odd, "billing_address": odd}
    assert {name for name in customer_values(raw) if "." in name} == set()
    assert {name for name in order_values(raw) if "." in name} == set()
