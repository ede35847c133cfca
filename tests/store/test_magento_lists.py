"""Walks past rows at which the shop fails, documents of orders, and the stock list."""

from __future__ import annotations

import datetime as dt

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.errors import Misconfigured, Retry, Stumbled
from bridge.events import EntityRef
from bridge.store.magento import Magento
from tests.export.serving import serve
from tests.store.scripted import Scripted
from tests.store.test_magento import START, listing, row

SITES = [{"id": 1, "code": "base"}]


@pytest.fixture
def shop():
    return Scripted()


@pytest.fixture
def magento(shop):
    with serve(shop) as url:
        yield Magento(Config(store_url=url, public_url="https://shop.example.test", store_token="token-0123456789"))


def failing(rows, broken, *, away=False):
    """Answer as a shop that fails at every page which holds one of the broken rows."""
    every = listing(rows)

    def answer(asked):
        if asked.path.endswith("store/websites"):
            return Response("{}", 500, mimetype="application/json") if away else SITES
        found = every(asked)
        if {one["entity_id"] for one in found["items"]} & broken:
            return Response('{"message":"Internal Error."}', 500, mimetype="application/json")
        return found

    return answer


def walked(magento, *, again=False):
    ids, broken, cursor = [], [], None
    for _ in range(500):
        try:
            page = magento.ids("order", cursor)
        except Stumbled:
            if not again:
                raise
            continue
        ids += [int(one.ref.id) for one in page.rows]
        broken += [int(ref.id) for ref in page.broken]
        cursor = page.cursor
        if cursor is None:
            return ids, broken
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize(
    ("numbers", "broken"),
    [
        (range(1, 251), {120}),
        (range(1, 251), {1}),
        (range(1, 251), {250}),
        (range(1, 251), {7, 8, 9, 200}),
        (range(1_000_000, 1_000_050), {1_000_020}),
        ([3, 90_000, 5_000_000, 5_000_001], {5_000_000}),
    ],
)
def test_a_walk_steps_over_broken_rows_and_names_them(magento, shop, numbers, broken):
    shop.answer = failing([row(number) for number in numbers], broken)
    ids, found = walked(magento)
    assert (ids, set(found)) == ([number for number in numbers if number not in broken], broken)
    lists = [asked for asked in shop.asked if asked.path.endswith("orders")]
    assert len(lists) < 150, "few questions, however far apart the ids are"


def test_a_range_that_is_said_to_be_empty_once_is_not_stepped_over(magento, shop):
    every = failing([row(number) for number in range(1, 251)], {120})
    said = set()

    def answer(asked):
        """Say of each question for orders that there are none, the first time."""
        question = (asked.path, tuple(asked.filters))
        if asked.path.endswith("orders") and question not in said:
            said.add(question)
            return {"items": [], "total_count": 0}
        return every(asked)

    shop.answer = answer
    assert walked(magento, again=True) == ([number for number in range(1, 251) if number != 120], [120])


def test_a_shop_that_is_away_has_no_broken_rows(magento, shop):
    shop.answer = failing([row(number) for number in range(1, 30)], {5}, away=True)
    with pytest.raises(Stumbled):
        magento.ids("order")


def test_a_shop_that_fails_at_every_row_has_no_broken_rows(magento, shop):
    numbers = set(range(1, 30))
    shop.answer = failing([row(number) for number in numbers], numbers)
    with pytest.raises(Retry):
        walked(magento)


def test_a_walk_by_days_asks_the_shop_for_them(magento, shop):
    magento.ids("order", since=START, until=START + dt.timedelta(days=1))
    assert ("created_at", "gteq", "2026-11-25 10:00:00") in shop.asked[0].filters
    assert ("created_at", "lteq", "2026-11-26 10:00:00") in shop.asked[0].filters


@pytest.mark.parametrize("broken", [{60}, {1}, {120}, {59, 60, 61}])
@pytest.mark.parametrize("apart", [0, 7])
def test_changes_are_listed_past_a_broken_row(magento, shop, broken, apart):
    shop.answer = failing([row(number, number * apart) for number in range(1, 121)], broken)
    found = [int(one.ref.id) for one in magento.changed_since("order", START, START + dt.timedelta(hours=1))]
    assert found == [number for number in range(1, 121) if number not in broken]


class TestPapers:
    def test_documents_of_each_kind_lead_to_their_orders(self, magento, shop):
        def answer(asked):
            kind = asked.path.rsplit("/", 1)[1]
            number = {"shipments": 1, "invoices": 2, "creditmemos": 3}[kind]
            item = {"entity_id": number, "order_id": 40 + number, "store_id": 1, "created_at": "2026-11-25 10:00:05"}
            return {"items": [item, {"entity_id": 9}], "total_count": 2}

        shop.answer = answer
        found = list(magento.papers(START, START + dt.timedelta(minutes=5)))
        assert [(one.id, one.order.ref) for one in found] == [
            ("shipment:1", EntityRef("order", "41")),
            ("invoice:2", EntityRef("order", "42")),
            ("credit_memo:3", EntityRef("order", "43")),
        ]
        assert found[0].order.updated_at == START + dt.timedelta(seconds=5)
        assert ("created_at", "gteq", "2026-11-25 10:00:00") in shop.asked[0].filters

    def test_many_come_page_by_page_each_once(self, magento, shop):
        rows = [
            {"entity_id": number, "order_id": number, "store_id": 1, "created_at": "2026-11-25 10:00:05"}
            for number in range(1, 251)
        ]
        every = listing(rows)
        shop.answer = lambda asked: every(asked) if "shipments" in asked.path else {"items": [], "total_count": 0}
        assert [one.id for one in magento.papers(START, START + dt.timedelta(hours=1))] == [
            f"shipment:{number}" for number in range(1, 251)
        ]

    def test_a_missing_right_is_named(self, magento, shop):
        shop.answer = lambda _: Response(
            '{"message":"The consumer isn\'t authorized to access %resources.",'
            '"parameters":{"resources":"Magento_Sales::shipment"}}',
            401,
            mimetype="application/json",
        )
        with pytest.raises(Misconfigured, match="Magento_Sales::shipment"):
            list(magento.papers(START, START))


class TestStock:
    def levels(self, magento):
        found, cursor = [], None
        for _ in range(50):
            page = magento.stock("base", cursor)
            found += [(level.sku, level.salable) for level in page.rows]
            cursor = page.cursor
            if cursor is None:
                return found
        raise AssertionError("the list does not end")

    def shelves(self, count, most=10_000, *, repeats=False):
        rows = [{"sku": f"S{number:04d}", "is_salable": number % 2 == 0} for number in range(count)]

        def answer(asked):
            size = int(asked.one("searchCriteria[pageSize]"))
            if size > most:
                return Response('{"message":"Maximum SearchCriteria pageSize is %1"}', 400)
            start = (int(asked.one("searchCriteria[currentPage]")) - 1) * size
            page = rows[start : start + size] or (rows[-size:] if repeats else [])
            return {"items": page, "total_count": len(page)}

        return answer

    @pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 900])
    def test_every_level_comes_once_though_the_count_is_the_pages(self, magento, shop, count):
        shop.answer = self.shelves(count)
        found = self.levels(magento)
        assert [sku for sku, _ in found] == [f"S{number:04d}" for number in range(count)]
        assert all(salable == (int(sku[1:]) % 2 == 0) for sku, salable in found)

    def test_a_page_limit_is_met(self, magento, shop):
        shop.answer = self.shelves(250, most=100)
        assert len(self.levels(magento)) == 250

    def test_a_shop_that_repeats_its_last_page_is_noticed(self, magento, shop):
        shop.answer = self.shelves(600, repeats=True)
        assert len(self.levels(magento)) == 600

    def test_a_shop_without_the_list_says_so(self, magento, shop):
        shop.answer = lambda _: Response('{"message":"Request does not match any route."}', 404)
        assert magento.stock("base") is None
