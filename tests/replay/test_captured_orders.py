"""Every order that a stock Magento was recorded with, through the real client to the record that Ometria receives."""

from __future__ import annotations

import json

import pytest

from bridge.events import EntityRef
from bridge.export.gather import Dropped, Ready
from tests.replay.captured_shop import GOLDEN, captured_orders, captured_room, golden
from tests.replay.library import NEEDS_CAPTURES

pytestmark = NEEDS_CAPTURES

ORDERS = captured_orders()
EACH = [(name, id_) for name, found in ORDERS.items() for id_ in found] or [("none", "none")]
SETTINGS = {
    "base": {"orders__currency": "base"},
    "both": {"orders__currency": "both"},
    "children": {"orders__bundle_lines": "children"},
    "mapped": {
        "orders__mapping": [
            "discount_description=promotion",
            "total_item_count",
            "billing_address.city=town",
            "remote_ip=ip_address",
            "protect_code",
            "payment.cc_last4",
        ]
    },
}
"""The second part of a golden file's name -> what is set for it."""
NAMES = sorted(path.name.removesuffix(".json") for path in (GOLDEN / "orders").glob("*.json"))
PLAIN = {golden("orders", name)["id"]: name for name in NAMES if "." not in name}
VARIANTS = [name for name in NAMES if "." in name]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with captured_room(tmp_path_factory.mktemp("orders")) as made:
        yield made


@pytest.fixture
def shown(room):
    """Put one recorded order into the shop and return its reference."""

    def show(name: str, id_: str) -> EntityRef:
        room.shop.orders = {id_: ORDERS[name][id_]}
        return EntityRef("order", id_)

    yield show
    assert room.shop.unknown == [], "bridge asked for what was not recorded"


def number(name: str, id_: str) -> str:
    return json.loads(ORDERS[name][id_])["increment_id"]


def recording_of(golden_name: str) -> tuple[str, str]:
    """Return the recording and the id of the order that a golden record is of."""
    wanted = golden("orders", golden_name)["id"]
    return next((name, id_) for name, id_ in EACH if number(name, id_) == wanted)


def test_the_recordings_hold_the_orders_that_are_known():
    assert len(EACH) >= 20
    assert len({number(*each) for each in EACH}) >= 16


@pytest.mark.parametrize(("name", "id_"), EACH)
def test_each_captured_order_has_a_golden_record_and_becomes_it(room, shown, name, id_):
    assert number(name, id_) in PLAIN, f"{name} has an order without a golden record"
    assert room.record(shown(name, id_)) == golden("orders", PLAIN[number(name, id_)])


@pytest.mark.parametrize("name", sorted(PLAIN.values()))
def test_each_golden_record_is_of_a_captured_order(name):
    assert recording_of(name)


@pytest.mark.parametrize("name", VARIANTS)
def test_an_order_follows_the_settings_of_its_golden_record(room, shown, name):
    record = room.record(shown(*recording_of(name)), **SETTINGS[name.partition(".")[2]])
    assert record == golden("orders", name)


@pytest.mark.parametrize(("name", "id_"), EACH)
def test_an_order_in_two_currencies_has_a_golden_record_for_each_choice(name, id_):
    raw = json.loads(ORDERS[name][id_])
    if raw["order_currency_code"] != raw["base_currency_code"]:
        assert {f"{PLAIN[raw['increment_id']]}.{kind}" for kind in ("base", "both")} <= set(VARIANTS)


def test_the_choices_of_currency_have_golden_records():
    assert {name.partition(".")[2] for name in VARIANTS} == set(SETTINGS)


@pytest.mark.parametrize(("name", "id_"), EACH)
def test_an_order_goes_to_the_account_of_its_store_view_and_to_the_global_one(room, shown, name, id_):
    expected = golden("orders", PLAIN[number(name, id_)])
    views = {f"store:{view.code}": {"general.api_key": f"key-{view.code}-01"} for view in room.tree.stores}
    book = room.book({"default": {"global.api_key": "key-global-01"}} | views)
    accounts = book.accounts()
    assert len(accounts) == 4
    ref = shown(name, id_)
    for account in accounts:
        outcome = room.outcome(ref, account, book)
        if account.is_global or account.owner == f"store:{expected['store']}":
            assert isinstance(outcome, Ready)
            assert json.loads(outcome.record.body)["id"] == expected["id"]
        else:
            assert isinstance(outcome, Dropped)


@pytest.mark.parametrize(("name", "id_"), EACH)
def test_the_lines_of_an_order_sum_up_to_its_subtotal(room, shown, name, id_):
    for settings in SETTINGS.values():
        record = room.record(shown(name, id_), **settings)
        assert sum(line["subtotal"] for line in record["lineitems"]) == record["subtotal"]
        assert -sum(line["discount"] for line in record["lineitems"]) == record["discount"]
