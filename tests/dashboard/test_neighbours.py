"""Each neighbour in each state, in words that say what to do."""

from __future__ import annotations

import re
import time

import pytest
import redis

from bridge.clock import BEAT
from bridge.dashboard.neighbours import neighbours
from bridge.db import db
from bridge.export.session import SHOP
from bridge.models import Cursor, Scope
from tests.dashboard.desk import FakeRedis


class GoneRedis:
    def get(self, _key):
        raise redis.ConnectionError


@pytest.fixture
def inside(board):
    with board.app_context():
        yield


@pytest.fixture
def lines(inside, tmp_path):
    def read(connection=None, accounts=None, kill_file=tmp_path / "no-injection"):
        found = neighbours(connection, kill_file, accounts or {})
        return {line.name: (line.state, line.sentence) for line in found}

    return read


@pytest.mark.parametrize("connection", [None, GoneRedis()])
def test_redis_away(lines, connection):
    found = lines(connection)
    assert found["Redis"][0] == "bad"
    assert "nothing is sent" in found["Redis"][1]
    assert found["Clock"] == ("warn", "Not known while Redis is away.")


@pytest.mark.parametrize(
    ("beat", "state", "words"),
    [
        (lambda: str(time.time() - 30).encode(), "good", "Ticks every minute."),
        (lambda: str(time.time() - 400).encode(), "bad", "Last ticked 7 minutes ago"),
        (lambda: b"not a number", "bad", "start it with `bridge clock`"),
        (lambda: None, "bad", "start it with `bridge clock`"),
    ],
)
def test_the_clock(lines, beat, state, words):
    found = lines(FakeRedis({BEAT: beat()}))
    assert found["Redis"] == ("good", "Answers.")
    assert found["Clock"][0] == state
    assert words in found["Clock"][1]


def test_the_shop_is_known_or_not(lines):
    assert lines()["Shop"] == ("good", "2 websites, 3 store views known.")
    for level in ("store", "website"):
        db.session.execute(db.delete(Scope).where(Scope.level == level))
    assert lines()["Shop"][0] == "warn"
    assert "bridge check" in lines()["Shop"][1]


def test_the_database_is_asked(lines):
    state, sentence = lines()["Database"]
    assert state == "good"
    assert re.fullmatch(r"Answers in \d+\.\d ms \(\w+\)\.", sentence)


def test_a_shop_that_has_not_answered_for_ten_minutes_is_told_where_it_is_asked(lines):
    for kind, age in (("order", 1500), ("papers", 660)):
        db.session.add(Cursor(name=f"poll:{kind}", data={}, updated_at=time.time() - age))
    db.session.flush()
    assert lines()["Shop"][0] == "good", "without an account nothing is polled"
    silent = "Has not answered for 11 minutes: run `bridge check` to see why."
    assert lines(accounts={"aaa": "Main"})["Shop"] == ("bad", silent)
    db.session.get(Cursor, "poll:order").updated_at = time.time() - 60
    db.session.flush()
    assert lines(accounts={"aaa": "Main"})["Shop"][0] == "good"


def test_what_the_shop_refused_is_told(lines):
    db.session.add(Cursor(name=SHOP, data={"problem": "The shop refuses the token: make another.", "at": time.time()}))
    db.session.flush()
    assert lines()["Shop"] == ("bad", "The shop refuses the token: make another.")


def test_accounts_absent_well_and_paused(lines):
    assert "set an API key" in lines()["Ometria"][1]
    accounts = {"aaa": "Main Website", "bbb": "Outlet"}
    assert lines(accounts=accounts)["Ometria"] == ("good", "2 accounts, none paused.")
    db.session.add(Cursor(name="account:aaa", data={"paused": ""}))
    db.session.add(Cursor(name="account:bbb", data={"paused": "Ometria refused the key: set another."}))
    db.session.add(Cursor(name="account:ccc", data={"paused": "An account of long ago."}))
    db.session.add(Cursor(name="account:ddd", data={"paused": "A pause that is over.", "until": time.time() - 1}))
    found = lines(accounts=accounts | {"ddd": "English"})
    assert found["Ometria, Outlet"] == ("bad", "Paused: Ometria refused the key: set another.")
    assert [name for name in found if name.startswith("Ometria")] == ["Ometria, Outlet"]


def test_the_kill_file_is_told(lines, tmp_path):
    assert "Tag" not in lines()
    (tmp_path / "no-injection").touch()
    assert lines()["Tag"] == (
        "warn",
        "Switched off by the file no-injection: pages pass unchanged until it is removed.",
    )
