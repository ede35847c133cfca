"""Every customer that a stock Magento was recorded with, and guest subscribers, to the record that Ometria receives."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import people
from bridge.export.gather import Dropped, Ready
from tests.replay.captured_shop import GOLDEN, SECRET, captured_customers, captured_room, golden
from tests.replay.library import NEEDS_CAPTURES

pytestmark = NEEDS_CAPTURES

CUSTOMERS = captured_customers()
EACH = [(name, id_) for name, found in CUSTOMERS.items() for id_ in found] or [("none", "none")]
SETTINGS = {
    "mapped": {
        "customers__mapping": [
            "created_in",
            "group_id=group",
            "group_id=group_number:id",
            "billing_address.city=town",
            "billing_address.telephone=phone_number",
        ]
    }
}
NAMES = sorted(path.name.removesuffix(".json") for path in (GOLDEN / "contacts").glob("customer_*.json"))
PLAIN = {golden("contacts", name)["id"]: name for name in NAMES if "." not in name}
GUESTS = {"default": "nina@example.com", "fr": "nadine@example.com", "de": "nora@example.com"}
"""Store view -> who subscribed there without an account in the recorded sessions."""
JOINED = dt.datetime(2026, 11, 25, 3, 0, 0, 250_000, tzinfo=dt.UTC).timestamp()
LEFT = dt.datetime(2026, 11, 26, 4, 0, 0, 750_000, tzinfo=dt.UTC).timestamp()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with captured_room(tmp_path_factory.mktemp("contacts")) as made:
        yield made


@pytest.fixture
def own_room(tmp_path):
    """A room whose database has seen nobody yet."""
    with captured_room(tmp_path) as made:
        made.shop.customers = {id_: body for found in CUSTOMERS.values() for id_, body in found.items()}
        yield made


@pytest.fixture
def shown(room):
    """Put one recorded customer into the shop and return its reference."""

    def show(name: str, id_: str) -> EntityRef:
        room.shop.customers = {id_: CUSTOMERS[name][id_]}
        return EntityRef("contact", f"customer:{id_}")

    yield show
    assert room.shop.unknown == [], "bridge asked for what was not recorded"


def note(email: str, store: str, status: int | None, at: float) -> EntityRef:
    ref = EntityRef("contact", f"subscriber:{people.note(email, store, status, at, [SECRET])}")
    db.session.commit()
    return ref


def test_the_recordings_hold_the_customers_that_are_known():
    assert {"customer_one", "customers_me", "customers_search"} <= CUSTOMERS.keys()
    assert len(CUSTOMERS["customers_search"]) == 7


@pytest.mark.parametrize(("name", "id_"), EACH)
def test_each_captured_customer_has_a_golden_record_and_becomes_it(room, shown, name, id_):
    assert id_ in PLAIN, f"{name} has a customer without a golden record"
    assert room.record(shown(name, id_)) == golden("contacts", PLAIN[id_])


@pytest.mark.parametrize("name", sorted(PLAIN.values()))
def test_each_golden_record_is_of_a_captured_customer(name):
    assert golden("contacts", name)["id"] in {id_ for _, id_ in EACH}


@pytest.mark.parametrize("name", [name for name in NAMES if "." in name])
def test_a_customer_follows_the_settings_of_its_golden_record(room, shown, name):
    record = room.record(shown("customer_one", "2"), **SETTINGS[name.partition(".")[2]])
    assert record == golden("contacts", name)


@pytest.mark.parametrize(("name", "id_"), EACH)
def test_a_customer_goes_to_the_account_of_its_store_view_and_to_the_global_one(room, shown, name, id_):
    (view,) = golden("contacts", PLAIN[id_])["store_ids"]
    views = {f"store:{one.code}": {"general.api_key": f"key-{one.code}-01"} for one in room.tree.stores}
    book = room.book({"default": {"global.api_key": "key-global-01"}} | views)
    ref = shown(name, id_)
    for account in book.accounts():
        outcome = room.outcome(ref, account, book)
        if account.is_global or account.owner == f"store:{view}":
            assert isinstance(outcome, Ready)
            assert json.loads(outcome.record.body)["id"] == id_
        else:
            assert isinstance(outcome, Dropped)


@pytest.mark.parametrize("view", GUESTS)
def test_a_guest_subscriber_of_each_store_view_joins_and_leaves(own_room, view):
    ref = note(GUESTS[view], view, 1, JOINED)
    assert own_room.record(ref) == golden("contacts", f"subscriber_{view}")
    assert note(GUESTS[view], view, 3, LEFT) == ref
    assert own_room.record(ref) == golden("contacts", f"subscriber_{view}.left")


def test_a_guest_is_one_subscriber_in_all_store_views_of_a_website_and_another_one_in_the_next(own_room):
    first = note(GUESTS["fr"], "fr", 1, JOINED)
    assert note(GUESTS["fr"], "de", 3, LEFT) == first
    assert own_room.record(first) == golden("contacts", "subscriber_fr.left")
    other = note(GUESTS["fr"], "default", 1, JOINED)
    assert other != first
    assert own_room.record(other)["marketing_optin"] == "EXPLICITLY_OPTEDIN"
    assert own_room.record(first)["marketing_optin"] == "EXPLICITLY_OPTEDOUT"


@pytest.mark.parametrize("status", [2, 4])
def test_who_has_not_confirmed_yet_is_no_contact(own_room, status):
    ref = note(GUESTS["de"], "de", status, JOINED)
    book = own_room.book()
    assert isinstance(own_room.outcome(ref, book.accounts()[0], book), Dropped)


def test_a_subscription_that_was_seen_gives_the_account_its_time(own_room):
    ref = note("roni@example.com", "default", 1, JOINED)
    expected = golden("contacts", "customer_1") | {"timestamp_subscribed": "2026-11-25T03:00:00Z"}
    assert own_room.record(ref) == expected
    assert own_room.record(EntityRef("contact", "customer:1")) == expected


def test_an_account_that_left_is_opted_out_with_the_time_and_one_that_never_joined_is_not(own_room):
    note("elise@example.com", "de", 3, LEFT)
    record = own_room.record(EntityRef("contact", "customer:6"))
    assert record == golden("contacts", "customer_6") | {
        "marketing_optin": "EXPLICITLY_OPTEDOUT",
        "timestamp_unsubscribed": "2026-11-26T04:00:00Z",
    }
    assert own_room.record(EntityRef("contact", "customer:5")) == golden("contacts", "customer_5")


def test_the_status_of_one_website_says_nothing_of_another(own_room):
    note("elise@example.com", "default", 3, LEFT)
    assert own_room.record(EntityRef("contact", "customer:6")) == golden("contacts", "customer_6")
