"""What the shop answers while jobs run, read by the real client: rows wait, or are set aside with a reason; none is lost."""

from __future__ import annotations

import dataclasses
import re
import time

import pytest
from flask import current_app
from sqlalchemy import update

from bridge.config import Config
from bridge.db import db
from bridge.events import EntityRef
from bridge.export import cursors, history, jobs, ledger
from bridge.models import Pending
from bridge.settings import load_book
from bridge.store.magento import Magento
from tests.export import samples
from tests.export.test_jobs import owe, waiting
from tests.replay.library import CAPTURES, NEEDS_CAPTURES, SAMPLES, calls
from tests.replay.rest_shop import RestShop

OWN, RECORDED = calls(SAMPLES / "rest"), calls(CAPTURES / "rest")
SITES = [{"id": 0, "code": "admin"}, {"id": 1, "code": "base"}, {"id": 2, "code": "europe"}]
CONFIGS = [{"id": 1, "code": "default", "website_id": 1, "default_display_currency_code": "GBP"}]
BAG = {"id": 1, "sku": "BAG", "name": "Bag", "price": 34, "extension_attributes": {"website_ids": [1]}}
JANE = {"id": 2, "email": "jane@example.com", "website_id": 1, "store_id": 1, "firstname": "Jane", "lastname": "Doe"}
PRODUCT, CONTACT, ORDER = EntityRef("product", "1"), EntityRef("contact", "customer:2"), EntityRef("order", "4")


def order(number: int) -> dict:
    line = {"item_id": number, "product_id": 1, "sku": "BAG", "product_type": "simple", "qty_ordered": 1, "price": 34}
    return {
        "entity_id": number,
        "increment_id": f"1{number:08d}",
        "store_id": 1,
        "status": "pending",
        "customer_email": "guest@example.com",
        "order_currency_code": "GBP",
        "base_currency_code": "GBP",
        "grand_total": 34,
        "base_grand_total": 34,
        "subtotal": 34,
        "base_subtotal": 34,
        "created_at": "2026-11-25 01:00:00",
        "updated_at": "2026-11-25 01:00:00",
        "items": [line],
    }


def listing(*found: dict, key: str = "entity_id"):
    """Answer a list as the shop does for the ids asked for, or for those greater than one, at most a page of them."""

    def answer(query: str):
        kept = list(found)
        for field, value, word in re.findall(r"\[field\]=([^&]*)&[^&]*\[value\]=([^&]*)&[^&]*type\]=(\w+)", query):
            name = key if field == "entity_id" else field
            if word in {"eq", "in"}:
                kept = [row for row in kept if str(row[name]) in value.split(",")]
            elif word == "gt":
                kept = [row for row in kept if row[name] > int(value)]
            elif word == "lteq" and field == "entity_id":
                kept = [row for row in kept if row[name] <= int(value)]
        return {"items": kept[: int(re.search(r"pageSize\]=(\d+)", query)[1])], "total_count": len(kept)}

    return answer


@pytest.fixture
def real_shop(room):
    """The room with the client of Magento, in front of a shop of three entities in a tree of two websites."""
    made = RestShop(
        routes={
            "store/websites": SITES,
            "store/storeConfigs": CONFIGS,
            "orders": listing(order(4)),
            "customers/search": listing(JANE, key="id"),
            "customers/2": JANE,
            "products": listing(BAG, key="id"),
            "products-render-info": {"items": []},
        }
    )
    store = Magento(Config(store_url=made.url, store_token="token-0123456789"))
    current_app.extensions["bridge.export"] = dataclasses.replace(room.exporter, store=store)
    yield made
    made.close()


def due_again():
    db.session.execute(update(Pending).values(due_at=0))
    db.session.commit()


def whole_shop(*names: tuple[str, str, float, bool]):
    """(own sample, the same as captured, seconds, whether a person must change something)."""
    for own, captured, seconds, noted in names:
        yield pytest.param(OWN[own], seconds, noted, id=own)
        if captured:
            yield pytest.param(RECORDED.get(captured), seconds, noted, id=captured, marks=NEEDS_CAPTURES)


@pytest.mark.parametrize(
    ("recorded", "seconds", "noted"),
    list(
        whole_shop(
            ("maintenance", "error_503_maintenance", 30, False),
            ("busy", "", 120, False),
            ("internal", "error_500_filter_unknown_field", 30, False),
            ("no_criteria", "error_400_search_no_criteria", 300, False),
            ("unbalanced_fields", "orders_fields_unbalanced", 60, False),
            ("no_rows", "page_out_of_range_returns_200", 60, False),
            ("used_nonce", "", 1, False),
            ("no_token", "error_401_no_token", 60, True),
            ("wrong_signature", "", 60, True),
            ("no_route", "error_404_route", 60, True),
            ("not_acceptable", "", 60, True),
            ("websites_xml", "store_websites_accept_xml", 60, True),
        )
    ),
)
def test_a_shop_that_answers_so_to_everything_stops_the_session_and_nothing_is_lost(
    room, account, real_shop, recorded, seconds, noted
):
    repair = real_shop.fail(recorded)
    owe(account, ORDER, CONTACT, PRODUCT)
    began = time.time()
    jobs.session(account.id)
    kept = waiting()
    assert set(kept) == {("order", "4"), ("contact", "customer:2"), ("product", "1")}
    assert {(row.state, row.attempts, row.reason) for row in kept.values()} == {("waiting", 0, "")}
    assert all(began + seconds <= row.due_at <= time.time() + seconds for row in kept.values())
    assert room.pushes() == []
    assert bool(cursors.read("shop")) is noted

    repair()
    due_again()
    jobs.session(account.id)
    assert waiting() == {}
    assert set(room.records("order")) == {"100000004"}
    assert set(room.records("contact")) == {"2"}
    assert set(room.records("product")) == {"1"}
    assert cursors.read("shop") == {}


class TestARightThatEnds:
    """The shop grants orders and refuses customers, from some moment on."""

    def test_every_row_waits_uncounted_and_the_right_is_named(self, room, account, real_shop):
        repair = real_shop.fail(OWN["no_token"], "customers/search")
        owe(account, ORDER, CONTACT, PRODUCT)
        jobs.session(account.id)
        assert {(row.state, row.attempts) for row in waiting().values()} == {("waiting", 0)}
        assert len(waiting()) == 3
        assert "Magento_Sales::actions_view" in cursors.read("shop")["problem"]
        repair()
        due_again()
        jobs.session(account.id)
        assert waiting() == {}
        assert set(room.records("contact")) == {"2"}


class TestOneEntity:
    """The shop fails at one order, or refuses the query for it, and answers all else."""

    @pytest.fixture(params=["internal", "no_criteria"])
    def broken(self, request, real_shop):
        good = listing(order(4), order(5), order(666))
        failure = OWN[request.param]

        def answer(query: str):
            return failure if "666" in query else good(query)

        real_shop.fail(answer, "orders")
        return lambda: real_shop.fail(good, "orders")

    def test_it_stands_alone_is_set_aside_with_its_reason_and_can_be_sent_later(self, room, account, broken):
        owe(account, EntityRef("order", "666"), ORDER, EntityRef("order", "5"))
        jobs.session(account.id)
        assert set(room.records("order")) == {"100000004", "100000005"}
        (row,) = waiting().values()
        assert (row.entity, row.state, row.attempts) == ("666", "waiting", 1)
        for _ in range(4):
            due_again()
            jobs.session(account.id)
        (row,) = waiting().values()
        assert row.state == "refused"
        assert re.search(r"failed \(500\) at orders|query for orders \(400: ", row.reason)
        broken()
        assert ledger.retry_refused() == 1
        jobs.session(account.id)
        assert waiting() == {}
        assert "100000666" in room.records("order")

    def test_a_customer_that_is_gone_meanwhile_is_not_sent(self, room, account, real_shop):
        real_shop.fail(OWN["no_such_customer"], "customers/2")
        owe(account, CONTACT, ORDER)
        jobs.session(account.id)
        assert waiting() == {}
        assert room.records("contact") == {}
        assert set(room.records("order")) == {"100000004"}


class TestWalks:
    """A walk or a poll that meets an error goes on from where it was."""

    @pytest.mark.parametrize(
        ("name", "noted"), [("maintenance", False), ("internal", False), ("no_rows", False), ("no_token", True)]
    )
    def test_a_history_walk_keeps_its_place(self, room, account, real_shop, name, noted):
        good = listing(*(order(number) for number in range(1, 251)))
        # After the first page the shop fails at whatever it is asked, so that no single order is to blame.
        real_shop.fail(lambda query: good(query) if "value]=0&" in query else OWN[name], "orders")
        history.begin("order", "default")
        jobs.history("order", "default")
        note = cursors.read("history:order:default")
        assert (note["state"], note["after"].partition("/")[0], note["seen"]) == ("running", "100", 100)
        assert len(waiting()) == 100
        assert bool(cursors.read("shop")) is noted
        real_shop.fail(good, "orders")
        jobs.history("order", "default")
        assert cursors.read("history:order:default")["state"] == "done"
        assert {entity for _, entity in waiting()} == {str(number) for number in range(1, 251)}

    @pytest.mark.parametrize(
        "name", ["maintenance", "internal", "no_rows", "unbalanced_fields", "websites_xml", "no_token", "no_criteria"]
    )
    def test_a_poll_finds_later_what_it_could_not_read(self, room, account, real_shop, name):
        cursors.save(jobs.TREE, {"at": time.time()})
        mark = {"mark": samples.at(1).isoformat(), "seen": {}, "at": None}
        cursors.save("poll:order", mark)
        repair = real_shop.fail(OWN[name], "orders")
        jobs.poll()
        assert not [entity for kind, entity in waiting() if kind == "order"]
        # Where orders alone may be to blame, the changes of the other kinds are seen all the same.
        assert bool(waiting()) is (name in {"internal", "no_criteria"})
        assert cursors.read("poll:order")["mark"] == mark["mark"]
        repair()
        jobs.poll()
        assert ("order", "4") in waiting()

    @pytest.mark.parametrize("name", ["maintenance", "unbalanced_fields", "no_criteria", "no_route", "no_token"])
    def test_a_tree_that_cannot_be_read_leaves_the_one_that_is_kept(self, room, account, real_shop, name):
        before = [store.code for store in load_book().stores]
        real_shop.fail(OWN[name], "store/websites")
        jobs.poll()
        assert [store.code for store in load_book().stores] == before == ["default", "fr", "de"]
