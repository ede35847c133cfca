"""What each account was sent last."""

from __future__ import annotations

import pytest

from bridge.events import EntityRef
from bridge.export import sent
from bridge.export.mapping import Mapped

pytestmark = pytest.mark.usefixtures("database")


def test_the_id_that_an_entity_was_sent_with_is_kept_by_account_and_kind():
    product, order = EntityRef("product", "1"), EntityRef("order", "1")
    sent.keep("a", [(product, Mapped("product", "uk:BAG", "/uk:BAG", b"{}"), "r-1")])
    sent.keep("a", [(order, Mapped("order", "000001", "/000001", b"{}"), "r-2")])
    sent.keep("b", [(product, Mapped("product", "1", "/1", b"{}"), "r-3")])
    unknown = EntityRef("product", "2")
    assert sent.record_ids("a", [product, order, unknown]) == {product: "uk:BAG", order: "000001"}
    assert sent.record_ids("b", [product, order]) == {product: "1"}
    assert sent.record_ids("a", []) == {}


def test_many_entities_are_looked_up_in_parts():
    refs = [EntityRef("product", str(number)) for number in range(1, 1202)]
    sent.keep("a", [(ref, Mapped("product", f"p{ref.id}", f"/p{ref.id}", b"{}"), "r") for ref in refs])
    assert sent.record_ids("a", refs) == {ref: f"p{ref.id}" for ref in refs}
