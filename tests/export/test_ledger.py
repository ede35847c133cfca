"""The ledger, also with several sessions at once, on each database."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import event, select

from bridge.db import db, engine_options, vault
from bridge.events import EntityRef
from bridge.export import ledger
from bridge.export.ledger import Owed
from bridge.models import Pending
from tests.export.postgres_server import start_postgres, why_not
from tests.schema import create_tables


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    if reason := why_not():
        pytest.skip(reason)
    with start_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def app(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'l.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")
    app = Flask("bridge-test")
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url))
    vault.use(["a-secret-key-for-tests-0123456789"])
    db.init_app(app)
    with app.app_context():
        db.drop_all()
        create_tables()
        yield app
        db.session.remove()
        db.engine.dispose()


def ref(number: int, kind: str = "product") -> EntityRef:
    return EntityRef(kind, str(number))


def owe(*numbers: int, lane: str = "live", account: str = "a", now: float | None = None, **more) -> None:
    ledger.add([Owed(account, ref(number)) for number in numbers], lane, now=now, **more)
    db.session.commit()


def row(number: int) -> Pending:
    db.session.rollback()
    return db.session.scalars(select(Pending).where(Pending.entity == str(number))).one()


def test_ten_edits_are_one_row(app):
    for _ in range(10):
        owe(1)
    (claimed,) = ledger.claim("a", 10)
    assert claimed.generation == 10
    assert ledger.done([claimed]) == 1
    assert ledger.counts() == []


def test_the_same_entity_is_owed_to_each_account(app):
    owe(1)
    owe(1, account="b")
    assert len(ledger.claim("a", 10)) == len(ledger.claim("b", 10)) == 1


def test_live_rows_go_before_older_history_rows(app):
    owe(1, 2, lane="history", now=time.time() - 60)
    owe(3)
    assert [one.ref.id for one in ledger.claim("a", 2)] == ["3", "1"]


def test_a_live_row_upgrades_a_waiting_history_row_and_not_the_other_way(app):
    owe(1, lane="history")
    owe(1)
    owe(1, lane="history")
    (claimed,) = ledger.claim("a", 10)
    assert (claimed.lane, claimed.generation) == ("live", 2)


def test_a_claimed_row_is_nobody_elses_until_its_lease_ends(app):
    owe(1, now=1000)
    (first,) = ledger.claim("a", 10, lease=60, now=1000)
    assert ledger.claim("a", 10, now=1059) == []
    (second,) = ledger.claim("a", 10, now=1061)
    assert first.token != second.token


def test_who_lost_the_lease_can_neither_finish_nor_extend_nor_free_the_row(app):
    owe(1, now=1000)
    (first,) = ledger.claim("a", 10, lease=60, now=1000)
    (second,) = ledger.claim("a", 10, now=1061)
    assert ledger.extend([first], now=1062) == []
    assert ledger.done([first]) == 0
    ledger.give_back([first], 0, count_attempt=True, now=1062)
    ledger.refuse([(first, "no")])
    assert ledger.extend([second], now=1063) == [second]
    assert (row(1).state, row(1).attempts) == ("waiting", 0)
    assert ledger.done([second]) == 1


def test_an_extended_lease_holds_longer(app):
    owe(1, now=1000)
    claimed = ledger.claim("a", 10, lease=60, now=1000)
    ledger.extend(claimed, lease=60, now=1050)
    assert ledger.claim("a", 10, now=1100) == []
    assert len(ledger.claim("a", 10, now=1111)) == 1


def test_a_change_during_the_push_is_pushed_again(app):
    owe(1)
    (first,) = ledger.claim("a", 10)
    owe(1)
    assert ledger.claim("a", 10) == [], "the row stays with its session until that has ended"
    assert ledger.done([first]) == 0
    (second,) = ledger.claim("a", 10)
    assert second.generation == first.generation + 1
    assert ledger.done([second]) == 1


def test_a_change_during_the_push_outlives_a_refusal_and_a_delay(app):
    owe(1)
    (first,) = ledger.claim("a", 10)
    owe(1)
    ledger.refuse([(first, "no")])
    (second,) = ledger.claim("a", 10)
    owe(1)
    ledger.give_back([second], 3600, count_attempt=True)
    (third,) = ledger.claim("a", 10)
    assert third.attempts == 0


def test_a_row_given_back_is_due_later_and_counts_only_what_was_its_fault(app):
    owe(1, 2, now=1000)
    first, second = ledger.claim("a", 10, now=1000)
    ledger.give_back([first], 30, count_attempt=True, now=1000)
    ledger.give_back([second], 30, count_attempt=False, now=1000)
    assert ledger.claim("a", 10, now=1029) == []
    assert [one.attempts for one in ledger.claim("a", 10, now=1031)] == [1, 0]


def test_a_refused_row_waits_until_it_changes(app):
    owe(1)
    ledger.refuse([(ledger.claim("a", 10)[0], "not a valid value")])
    assert ledger.claim("a", 10) == []
    assert (row(1).state, row(1).reason) == ("refused", "not a valid value")
    owe(1)
    (again,) = ledger.claim("a", 10)
    assert again.attempts == 0
    assert row(1).reason == ""


def test_a_history_walk_gives_a_refused_row_another_chance(app):
    owe(1)
    ledger.refuse([(ledger.claim("a", 10)[0], "no")])
    owe(1, lane="history")
    assert len(ledger.claim("a", 10)) == 1


def test_refused_rows_are_tried_again_on_wish(app):
    owe(1, 2)
    ledger.refuse([(one, "no") for one in ledger.claim("a", 10)])
    assert ledger.retry_refused("b") == 0
    assert ledger.retry_refused("a", "product") == 2
    assert len(ledger.claim("a", 10)) == 2


def test_a_late_refusal_does_not_touch_a_row_that_waits_already(app):
    owe(1)
    ledger.refuse_late(Owed("a", ref(1)), "late")
    ledger.refuse_late(Owed("a", ref(2)), "late")
    db.session.commit()
    assert (row(1).state, row(2).state) == ("waiting", "refused")


def test_a_claim_takes_only_the_lanes_and_entities_that_are_asked_for(app):
    ledger.add([Owed("a", ref(1)), Owed("a", ref(2, "order"))], "live")
    ledger.add([Owed("a", ref(3))], "history")
    db.session.commit()
    assert [one.ref for one in ledger.claim("a", 10, lanes=("history",))] == [ref(3)]
    assert ledger.claim("a", 10, only=()) == []
    wanted = {ref(2, "order"), ref(1, "order"), ref(9)}
    assert [one.ref for one in ledger.claim("a", 10, only=wanted)] == [ref(2, "order")], "kind and id, not one of them"
    assert [one.ref for one in ledger.claim("a", 10)] == [ref(1)]


def test_what_changed_meanwhile_stays_and_what_did_not_goes_in_one_batch(app):
    owe(1, 2, 3)
    rows = ledger.claim("a", 3)
    owe(2)
    assert ledger.done(rows) == 2
    (left,) = ledger.claim("a", 3)
    assert (left.ref, left.generation) == (ref(2), 2)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_each_question_of_a_session_is_answered_from_an_index(app):
    """With a million rows waiting a claim must not sort them, nor look for live ones among the history."""
    seen: list[str] = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def keep(_connection, cursor, statement, parameters, *_) -> None:
        if statement.startswith("SELECT"):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            seen.extend(line[3] for line in plan)

    ledger.claim("a", 10)
    ledger.claim("a", 10, only={ref(1), ref(2, "order")})
    ledger.due_live()
    ledger.history_waits("product", 100)
    ledger.owing_accounts()
    lines = [line for line in seen if "pending" in line]
    assert len(lines) >= 5
    assert not [line for line in lines if line.startswith("SCAN")], lines
    sorts = [line for line in seen if "ORDER BY" in line]
    assert len(sorts) <= 2, "only what is asked for by name is put in order"


def test_rows_move_to_the_accounts_now_in_force_and_stay_where_there_is_none(app):
    ledger.add([Owed("old", ref(1), "store:fr"), Owed("old", ref(2), "store:de")], "history")
    ledger.add([Owed("y", ref(1), "store:fr")], "live")
    db.session.commit()
    assert sorted(ledger.scopes_of("old")) == ["store:de", "store:fr"]
    assert ledger.rehome("old", {"store:fr": ["y", "g"], "store:de": []}) == 1
    found = {(one.account, one.kind, one.lane): one.count for one in ledger.counts()}
    assert found == {
        ("old", "product", "history"): 1,
        ("g", "product", "history"): 1,
        ("y", "product", "live"): 1,
    }


def test_many_sessions_at_once_take_each_row_exactly_once(app):
    owe(*range(200))
    taken: Counter[int] = Counter()
    start = threading.Barrier(4)

    def session() -> None:
        with app.app_context():
            start.wait()
            while rows := ledger.claim("a", 7):
                taken.update(one.id for one in rows)
                assert ledger.done(rows) == len(rows)
            db.session.remove()

    threads = [threading.Thread(target=session) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(taken.values()) == {1}
    assert len(taken) == 200
    assert ledger.counts() == []


def test_changes_that_arrive_while_sessions_work_are_never_lost(app):
    """Each entity is changed forty times while two sessions empty the ledger: what is sent last is the last change."""
    versions = dict.fromkeys(range(10), 0)
    sent = dict.fromkeys(range(10), 0)
    lock = threading.Lock()
    finished = threading.Event()

    def writer() -> None:
        with app.app_context():
            for _ in range(40):
                for number in versions:
                    with lock:
                        versions[number] += 1
                    owe(number)
            db.session.remove()
        finished.set()

    def session() -> None:
        with app.app_context():
            while True:
                last = finished.is_set()
                rows = ledger.claim("a", 3)
                for one in rows:
                    with lock:
                        read = versions[int(one.ref.id)]
                    time.sleep(0.001)
                    with lock:
                        sent[int(one.ref.id)] = read
                ledger.done(rows)
                if last and not rows:
                    break
            db.session.remove()

    threads = [threading.Thread(target=work) for work in (writer, session, session)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in ledger.claim("a", 100):
        sent[int(one.ref.id)] = versions[int(one.ref.id)]
    assert sent == versions == dict.fromkeys(range(10), 40)
