"""The clock: which accounts are due, and one winner a minute."""

from __future__ import annotations

import datetime as dt

import pytest

from bridge.clock import due, due_accounts, tick
from bridge.db import db
from bridge.queues import Wakes
from bridge.settings import Book, Store, set_value
from tests.base.test_saved import tree

UTC = dt.UTC


@pytest.mark.parametrize(
    ("expression", "minute", "expected"),
    [
        ("* * * * *", dt.datetime(2026, 11, 25, 10, 7, tzinfo=UTC), True),
        ("*/5 * * * *", dt.datetime(2026, 11, 25, 10, 7, tzinfo=UTC), False),
        ("*/5 * * * *", dt.datetime(2026, 11, 25, 10, 5, tzinfo=UTC), True),
        ("30 2 * * *", dt.datetime(2026, 11, 25, 2, 30, tzinfo=UTC), True),
        ("0 0 29 2 *", dt.datetime(2028, 2, 29, 0, 0, tzinfo=UTC), True),
    ],
)
def test_a_minute_is_due_when_the_expression_names_it(expression, minute, expected):
    assert due(expression, minute) is expected


def test_the_schedule_is_read_in_the_shop_s_time_zone():
    store = Store("store:ny", "ny", 1, "us", 1, is_default=True, timezone="America/New_York")
    book = Book(
        {"website:us": "default", "store:ny": "website:us"},
        (store,),
        {"default": {"general.api_key": "key-one", "export.schedule": "0 8 * * *"}},
    )
    assert due_accounts(book, dt.datetime(2026, 11, 25, 13, 0, tzinfo=UTC))
    assert not due_accounts(book, dt.datetime(2026, 11, 25, 8, 0, tzinfo=UTC))


@pytest.mark.redis
def test_two_clocks_do_one_minute_once(bare_app, redis_client):
    from bridge.settings import save_tree

    save_tree(tree())
    set_value("default", "general.api_key", "key-one-0000", "ada")
    db.session.commit()
    wakes = Wakes(redis_client)
    first = tick(bare_app, redis_client, wakes, 1_800_000_000.0)
    second = tick(bare_app, redis_client, wakes, 1_800_000_001.0)
    assert len(first) == 1
    assert second == []
    assert (wakes.depth()["live"], wakes.depth()["history"]) == (1, 1)
    third = tick(bare_app, redis_client, wakes, 1_800_000_060.0)
    assert third == first


@pytest.fixture
def nightly(bare_app):
    from bridge.settings import save_tree

    save_tree(tree())
    set_value("default", "general.api_key", "key-one-0000", "ada")
    set_value("default", "export.schedule", "0 2 * * *", "ada")
    db.session.commit()
    return bare_app


def at(hour, minute, day=25):
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()


@pytest.mark.redis
def test_a_nightly_run_whose_clock_died_within_the_minute_is_made_up(nightly, redis_client):
    class Dead(Wakes):
        def wake(self, name, *args):
            raise SystemExit

    assert tick(nightly, redis_client, Wakes(redis_client), at(1, 59)) == []
    with pytest.raises(SystemExit):
        tick(nightly, redis_client, Dead(redis_client), at(2, 0))
    assert len(tick(nightly, redis_client, Wakes(redis_client), at(2, 3))) == 1
    assert tick(nightly, redis_client, Wakes(redis_client), at(2, 4)) == [], "once"


@pytest.mark.redis
def test_a_clock_that_was_set_back_goes_on_minute_by_minute(nightly, redis_client):
    tick(nightly, redis_client, Wakes(redis_client), at(9, 0, day=26))
    assert tick(nightly, redis_client, Wakes(redis_client), at(1, 59)) == []
    assert len(tick(nightly, redis_client, Wakes(redis_client), at(2, 0))) == 1
