"""Records of every kind: their ids, the names of stores, their size. Kind by kind: `test_map_*.py`."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from bridge.errors import Refused
from bridge.export.mapping import (
    contact_record,
    mapped,
    order_record,
    product_record,
    with_parent,
)
from bridge.export.names import digits
from tests.export import samples
from tests.export.books import make, sent


def shown(entity, *codes: str):
    """Give a sample product the views of these store views."""
    return msgspec.structs.replace(entity, views=dict.fromkeys(codes, entity.views[""]))


def changed(entity, **view):
    ((code, old),) = entity.views.items()
    return msgspec.structs.replace(entity, views={code: msgspec.structs.replace(old, **view)})


def test_amounts_are_plain_digits():
    assert digits(Decimal("1E+2")) == Decimal(100)
    assert str(digits(Decimal("1E+2"))) == "100"


def test_ids_carry_the_namespace_everywhere():
    account, book = make(
        products__namespace="uk", products__namespace_separator=":", orders__namespace="o-", customers__namespace="c-"
    )
    variant = with_parent(shown(samples.VARIANT, "default"), ("17", "HOOD"))
    assert sent(product_record(variant, account, book))["parent_id"] == "uk:17"
    record = sent(order_record(samples.JANES_ORDER, account, book))
    assert (record["id"], record["customer"]["id"]) == ("o-100000005", "c-2")
    line = sent(order_record(samples.GUEST_ORDER, account, book))["lineitems"][0]
    assert (line["product_id"], line["variant_id"]) == ("uk:17", "uk:13")
    contact = sent(contact_record(samples.JANE, account, book))
    assert contact["id"] == contact["customer_id"] == "c-2"


def test_the_store_is_named_by_code_or_by_number():
    account, book = make(general__store_id_kind="id")
    assert order_record(samples.GUEST_ORDER, account, book).store == "1"
    assert product_record(shown(samples.BAG, "default"), account, book).listings[0].store == "1"
    assert contact_record(samples.JANE, account, book).store_ids == ["1"]


def test_an_id_that_looks_like_an_address_is_refused():
    account, book = make(products__id_attribute="sku")
    product = msgspec.structs.replace(shown(samples.BAG, "default"), sku="me@x.test")
    with pytest.raises(Refused, match="id"):
        mapped(product_record(product, account, book))


def test_the_size_of_a_record_is_measured_in_bytes():
    account, book = make()
    with pytest.raises(Refused, match="60000"):
        mapped(product_record(changed(shown(samples.BAG, "default"), name="é" * 30_000), account, book))
    assert mapped(product_record(changed(shown(samples.BAG, "default"), name="é" * 10_000), account, book))
