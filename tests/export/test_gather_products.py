"""Rows of products -> outcomes: what is read beside the products themselves, and what a fault at it means."""

from __future__ import annotations

import msgspec
import pytest

from bridge.config import Config
from bridge.errors import Misconfigured, Stumbled
from bridge.events import EntityRef
from bridge.export.gather import Gatherer, Later, Ready
from bridge.export.ledger import Claimed
from bridge.store.memory import Memory
from tests.export import samples
from tests.export.books import make

pytestmark = pytest.mark.usefixtures("settings")


class Odd(Memory):
    """A shop that fails at attributes, or at the products in `broken`."""

    fails: Exception | None = None
    broken: tuple[str, ...] = ()

    def attributes(self, kind, names, view, *, fresh=False):
        if self.fails is not None:
            raise self.fails
        return super().attributes(kind, names, view, fresh=fresh)

    def fetch(self, refs, views=()):
        refs = list(refs)
        if any(ref.id in self.broken for ref in refs):
            raise Stumbled("The shop failed.", after=1)
        return super().fetch(refs, views)


@pytest.fixture
def shop():
    memory = Odd(samples.TREE, samples.ENTITIES)
    memory.labels.update(samples.LABELS)
    return memory


def gather(shop, *ids, **settings):
    account, book = make(**settings)
    rows = [
        Claimed(n, account.id, EntityRef("product", id_), "default", "live", 0, 0, False, "")
        for n, id_ in enumerate(ids)
    ]
    outcomes = Gatherer(shop, Config(secret_keys=("a-secret-key-for-tests-0123456789",)), account, book).gather(rows)
    return {one.row.ref.id: one for one in outcomes}


def body(outcome) -> dict:
    assert isinstance(outcome, Ready), outcome
    return msgspec.json.decode(outcome.record.body)


def test_a_variants_parent_is_read_for_its_page(shop):
    assert body(gather(shop, "13")["13"])["url"] == "http://store.test/hood.html"


def test_a_parent_that_is_read_anyway_is_not_read_again(shop):
    gather(shop, "17")
    shop.calls.clear()
    outcomes = gather(shop, "13", "17")
    assert body(outcomes["13"])["parent_id"] == "17"
    assert shop.calls.count("fetch") == 1


def test_a_variant_goes_without_a_page_where_the_shop_fails_at_its_parent(shop):
    gather(shop, "17")
    shop.broken = ("17",)
    record = body(gather(shop, "13")["13"])
    assert record["parent_id"] == "17"
    assert "url" not in record


def test_labels_are_those_of_the_shop(shop):
    record = body(gather(shop, "13", products__mapping=["color", "material:label"])["13"])
    assert record["attributes"][1:] == [
        {"type": "color", "id": "4", "label": "Red"},
        {"type": "material", "label": "Wool"},
        {"type": "material", "label": "Cotton"},
    ]


def test_where_the_shop_fails_at_labels_no_record_goes_without_them(shop):
    shop.fails = Stumbled("The shop failed at an attribute.", after=1)
    outcomes = gather(shop, "13", "1", products__mapping=["color"])
    assert {type(one) for one in outcomes.values()} == {Later}
    assert isinstance(gather(shop, "13")["13"], Ready), "without a mapping none are needed"


def test_a_missing_right_to_labels_stops_the_session(shop):
    shop.fails = Misconfigured("Give the right.")
    with pytest.raises(Misconfigured):
        gather(shop, "13", products__mapping=["color"])
