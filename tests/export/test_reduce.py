"""Records above the limit: what is left out, in which order, and what stays."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
import structlog

from bridge.errors import Refused
from bridge.export.mapping import RECORD_BYTES, mapped
from bridge.export.records import Attribute, Contact, LineItem, Order, Product, VariantOption, encode

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


def body(record):
    found = mapped(record).body
    assert len(found) <= RECORD_BYTES
    return msgspec.json.decode(found)


def product(**more):
    return Product(id="1", title="Bag", price=Decimal(5), **more)


def test_a_record_that_fits_is_left_as_it_is():
    record = product(properties={"note": "x"}, attributes=[Attribute(type="color", id="4")])
    assert mapped(record).body == encode(record)


def test_custom_properties_go_first():
    large = product(properties={"text": "é" * 30_001}, attributes=[Attribute(type="color", id="4")])
    found = body(large)
    assert "properties" not in found
    assert found["attributes"] == [{"type": "color", "id": "4"}]


def test_as_many_attributes_stay_as_fit_the_first_ones():
    every = [Attribute(type="category", id=str(number), label="é" * 50) for number in range(1000)]
    kept = body(product(attributes=every))["attributes"]
    assert [int(one["id"]) for one in kept] == list(range(len(kept)))
    one_more = product(attributes=every[: len(kept) + 1])
    assert len(encode(one_more)) > RECORD_BYTES, "not one fewer than must be"


def test_an_order_keeps_every_line():
    option = VariantOption(type="size", id="1", label="L" * 400)
    lines = [LineItem(product_id=str(number), quantity=Decimal(1), variant_options=[option]) for number in range(200)]
    order = Order(
        id="1", timestamp=NOW, grand_total=Decimal(9), currency="GBP", is_valid=True, store="default", lineitems=lines
    )
    found = body(order)
    assert len(found["lineitems"]) == 200
    assert "variant_options" not in found["lineitems"][0]


def test_a_contact_gives_up_its_properties():
    assert "properties" not in body(Contact(collection="customers", id="1", properties={"text": "x" * 61_000}))


def test_an_id_that_looks_like_an_address_is_in_no_log_however_large_its_record():
    with structlog.testing.capture_logs() as written, pytest.raises(Refused, match="e-mail"):
        mapped(Product(id="anna@x.test", properties={"text": "x" * 61_000}))
    assert "anna" not in str(written)


def test_what_is_too_large_without_them_is_set_aside_with_its_size():
    with pytest.raises(Refused, match=r"6\d{4} bytes"):
        mapped(Product(id="1", title="x" * 61_000))
