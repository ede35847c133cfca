"""Reconciliation: what shop, ledger and Ometria's lists say, and only the difference sent again."""

from __future__ import annotations

import datetime as dt
import time

import msgspec
import pytest
from rq import Queue
from sqlalchemy import event, select, update

from bridge.db import db
from bridge.errors import Retry
from bridge.events import EntityRef, Subscribed
from bridge.export import drift, drift_report, history, jobs
from bridge.models import SentBody, SentRecord
from bridge.models_drift import DriftCount, DriftItem, DriftSeen
from bridge.queues import SERIALIZER
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.sandbox.ometria_state import Key
from bridge.settings import load_book
from tests.export import samples
from tests.export.conftest import KEYS
from tests.export.serving import serve
from tests.export.test_jobs import happen, owe, waiting

pytestmark = pytest.mark.redis
OMETRIA = "0123456789abcdef"
HOUR = 3600.0


@pytest.fixture(scope="module")
def ometria_app():
    """A fake Ometria without the limits, of which other tests tell."""
    app = create_ometria(OmetriaOptions(api_keys=KEYS, push_per_second=1000, data_per_second=1000, validation_delay=0))
    with serve(app) as url:
        yield app, url


@pytest.fixture
def exported(room, account, settings):
    """Everything was exported long ago."""
    settings(export__requests_per_second=100)
    for kind in drift.KINDS:
        history.begin(kind, "default")
        history.walk(kind, "default", room.shop, load_book(), 60)
    jobs.backlog(account.id)
    assert waiting() == {}
    long_ago()
    return room


def long_ago():
    """Make everything that was sent two days older than the shop's last change allows for being on its way."""
    db.session.execute(update(SentRecord).values(sent_at=time.time() - 2 * HOUR, state="confirmed"))
    db.session.commit()


def compare(room, kind, *, repair=True, **more):
    """Compare one kind to the end; return its report."""
    assert drift.begin(kind, repair=repair, **more)
    while drift.report(kind)["state"] == "running":
        drift.go_on(room.exporter, load_book())
    db.session.rollback()
    return drift.report(kind, every=True)


def figures(report):
    """Return the sums of a report's figures."""
    return {name: sum(row[name] for row in report["totals"]) for name in drift_report.FIGURES}


def wrong(kind):
    report = drift.report(kind)
    return {row["entity"] or row["record_id"]: row for row in drift_report.items(kind, report["done"]["run"])}


def forget(room, kind, id_, collection=""):
    """Let Ometria lose a record."""
    del room.received.records[Key(OMETRIA, kind, collection, id_)]


def newer(moment):
    """Return the bag as it is after a change at that moment."""
    return msgspec.structs.replace(samples.product("1", "BAG", "Newer", "34"), updated_at=moment)


def pushed(room):
    return [id_ for row in room.pushes() for id_ in row["ids"]]


@pytest.mark.parametrize("kind", drift.KINDS)
def test_where_all_agree_nothing_is_found_and_nothing_is_sent(exported, account, kind):
    before = pushed(exported)
    found = figures(compare(exported, kind))
    there = len(exported.records(kind))
    assert found == {"shop": there, "sent": there, "held": there, "missing": 0, "stale": 0, "extra": 0, "repaired": 0}
    jobs.backlog(account.id)
    assert pushed(exported) == before


def test_the_report_counts_by_store_view_and_day(exported):
    report = compare(exported, "order")
    rows = {(row["store"], row["day"]): row["shop"] for row in report["days"]}
    expected = {}
    for ref, order in exported.shop._entities.items():
        if ref.kind == "order":
            store = load_book().store(id=order.store_id).ref
            key = (store, order.created_at.date().isoformat())
            expected[key] = expected.get(key, 0) + 1
    assert rows == expected


def test_what_ometria_lost_is_missing_and_it_alone_is_sent_again(exported, account):
    forget(exported, "product", "1")
    before = pushed(exported)
    assert figures(compare(exported, "product"))["missing"] == 1
    assert wrong("product")["1"]["detail"] == "was sent, and Ometria does not have it"
    jobs.backlog(account.id)
    assert pushed(exported)[len(before) :] == ["1"]
    assert "1" in exported.records("product")


def test_what_differs_at_ometria_is_stale_names_the_fields_and_is_sent_again(exported, account):
    held = exported.received.records[Key(OMETRIA, "product", "", "1")]
    exported.received.records[Key(OMETRIA, "product", "", "1")] = {**held, "title": "Other", "price": 1}
    assert figures(compare(exported, "product"))["stale"] == 1
    assert wrong("product")["1"]["detail"] == "Ometria has other values of: title, price"
    jobs.backlog(account.id)
    assert exported.records("product")["1"]["title"] == held["title"]


def test_a_change_that_was_never_sent_is_stale(exported, account):
    later = dt.datetime.now(dt.UTC)
    exported.shop.put(newer(later))
    before = pushed(exported)
    assert figures(compare(exported, "product"))["stale"] == 1
    assert wrong("product")["1"]["detail"] == "changed in the shop, and the change was not sent"
    jobs.backlog(account.id)
    assert pushed(exported)[len(before) :] == ["1"]


def test_a_product_that_was_touched_and_gives_the_same_record_is_no_difference(exported):
    exported.shop.put(msgspec.structs.replace(samples.BAG, updated_at=dt.datetime.now(dt.UTC)))
    assert figures(compare(exported, "product"))["stale"] == 0


def test_an_entity_that_no_signal_told_is_missing_and_is_sent(exported, account):
    order = next(one for ref, one in exported.shop._entities.items() if ref.kind == "order")
    exported.shop.put(msgspec.structs.replace(order, id="77", number="000000077"))
    assert figures(compare(exported, "order"))["missing"] == 1
    assert wrong("order")["77"]["detail"] == "was never sent"
    jobs.backlog(account.id)
    assert "000000077" in exported.records("order")
    assert figures(compare(exported, "order"))["missing"] == 0


def test_what_no_history_ever_covered_is_not_missing(room, account):
    history.begin("order", "default", since=dt.date(2027, 1, 1))
    history.walk("order", "default", room.shop, load_book(), 60)
    found = figures(compare(room, "order"))
    assert (found["shop"] > 0, found["missing"]) == (True, 0)


def test_what_waits_or_was_just_sent_is_no_difference(exported, account):
    forget(exported, "product", "1")
    forget(exported, "product", "13")
    owe(account, EntityRef("product", "1"))
    db.session.execute(update(SentRecord).where(SentRecord.entity == "13").values(sent_at=time.time()))
    db.session.commit()
    assert figures(compare(exported, "product"))["missing"] == 0


def test_a_record_that_was_set_aside_is_shown_with_its_reason_and_left_alone(exported, account):
    exported.received.faults.plan({"refuse": {"type": "product", "id": "1", "message": "not a valid value"}})
    owe(account, EntityRef("product", "1"), force=True)
    jobs.session(account.id)
    jobs.upkeep()
    assert waiting()["product", "1"].state == "refused"
    report = compare(exported, "product")
    assert figures(report)["repaired"] == 0
    assert wrong("product")["1"]["detail"].startswith("set aside: ")


def test_a_product_that_left_the_shop_is_extra_until_it_is_withdrawn(exported, account):
    exported.shop.remove(EntityRef("product", "1"))
    assert figures(compare(exported, "product"))["extra"] == 1
    jobs.backlog(account.id)
    assert exported.records("product")["1"]["is_active"] is False
    long_ago()
    assert figures(compare(exported, "product"))["extra"] == 0


def test_an_order_that_left_the_shop_is_shown_for_no_push_can_delete_it(exported, account):
    order = next(ref for ref in exported.shop._entities if ref.kind == "order")
    exported.shop.remove(order)
    before = pushed(exported)
    found = figures(compare(exported, "order"))
    assert (found["extra"], found["repaired"]) == (1, 0)
    jobs.backlog(account.id)
    assert pushed(exported) == before


def test_what_somebody_else_sent_to_ometria_is_extra_and_left_alone(exported, account):
    key = Key(OMETRIA, "order", "", "OLD-1")
    exported.received.records[key] = {
        "@type": "order",
        "id": "OLD-1",
        "store": "fr",
        "timestamp": "2020-02-03T04:05:06Z",
    }
    report = compare(exported, "order")
    found = figures(report)
    assert (found["extra"], found["repaired"]) == (1, 0)
    row = wrong("order")["OLD-1"]
    assert (row["store"], row["day"], row["detail"]) == (
        "fr",
        "2020-02-03",
        "Ometria has it, and it was never sent from here",
    )


def test_what_the_old_module_sent_is_taken_over_not_called_strange(exported, account):
    db.session.execute(SentRecord.__table__.delete().where(SentRecord.entity == "1", SentRecord.kind == "product"))
    db.session.commit()
    found = figures(compare(exported, "product"))
    assert (found["stale"], found["extra"], found["missing"]) == (1, 0, 0)
    assert wrong("product")["1"]["detail"].startswith("Ometria has it from somewhere else")
    jobs.backlog(account.id)
    assert db.session.get(SentRecord, (account.id, "product", "1")) is not None


def test_subscribers_are_compared_though_the_shop_lists_none(exported, account):
    happen(exported, Subscribed(email="new@x.test", store="default", at=time.time() - HOUR))
    jobs.session(account.id)
    long_ago()
    (id_,) = [
        one["id"] for one in exported.received.records_of(OMETRIA, "contact") if one["@collection"] == "subscribers"
    ]
    assert figures(compare(exported, "contact"))["missing"] == 0
    forget(exported, "contact", id_, "subscribers")
    assert figures(compare(exported, "contact"))["missing"] == 1
    jobs.backlog(account.id)
    assert Key(OMETRIA, "contact", "subscribers", id_) in exported.received.records


def test_a_key_that_may_not_read_leaves_shop_and_ledger_to_compare(exported, account, monkeypatch):
    forget(exported, "product", "1")
    monkeypatch.setattr(exported.exporter.ometria, "records", lambda *_: None)
    report = compare(exported, "product")
    found = figures(report)
    assert (found["held"], found["missing"], found["extra"]) == (0, 0, 0)
    assert report["done"]["accounts"][account.id] == {"read": False, "doubt": False}
    exported.shop.put(msgspec.structs.replace(samples.BAG, id="90", sku="NEW"))
    assert figures(compare(exported, "product"))["missing"] == 1


def test_a_report_repairs_nothing(exported, account):
    forget(exported, "product", "1")
    found = figures(compare(exported, "product", repair=False))
    assert (found["missing"], found["repaired"], waiting()) == (1, 0, {})


def test_what_a_second_sending_did_not_mend_is_shown_and_not_sent_for_ever(exported, account):
    key = Key(OMETRIA, "product", "", "1")
    for round_ in range(4):
        exported.received.records[key] = {**exported.received.records[key], "title": "Kept by Ometria"}
        found = figures(compare(exported, "product"))
        assert (round_, found["stale"], found["repaired"]) == (round_, 1, 1 if round_ == 0 else 0)
        jobs.backlog(account.id)
        long_ago()
    assert wrong("product")["1"]["detail"].endswith("; it was sent again before, to no effect")
    exported.shop.put(newer(dt.datetime.now(dt.UTC)))
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    long_ago()
    exported.received.records[key] = {**exported.received.records[key], "title": "Kept by Ometria"}
    assert figures(compare(exported, "product"))["repaired"] == 1, "another version has another chance"


def test_a_list_that_lacks_most_is_not_believed_unless_a_person_asks(exported, account):
    for number in range(100, 130):
        exported.shop.put(msgspec.structs.replace(samples.BAG, id=str(number), sku=f"M{number}"))
    owe(account, *(EntityRef("product", str(number)) for number in range(100, 130)), lane="history")
    jobs.backlog(account.id)
    long_ago()
    for number in range(100, 130):
        forget(exported, "product", str(number))
    found = figures(compare(exported, "product"))
    assert (found["missing"], found["repaired"]) == (30, 0)
    assert "nothing is repaired by itself" in wrong("product")["100"]["detail"]
    assert figures(compare(exported, "product", asked=True))["repaired"] == 30


def test_a_shop_that_lists_nothing_is_not_believed_and_the_last_report_stays(exported):
    good = compare(exported, "product")["done"]["run"]
    exported.shop._entities.clear()
    report = compare(exported, "product")
    assert (report["state"], report["reason"]) == ("failed", drift.EMPTY)
    assert report["done"]["run"] == good
    assert waiting() == {}


def test_days_choose_what_is_compared(exported):
    orders = [one for ref, one in exported.shop._entities.items() if ref.kind == "order"]
    old = msgspec.structs.replace(
        orders[0], id="66", number="000000066", created_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )
    exported.shop.put(old)
    day = dt.date(2020, 1, 1)
    found = figures(compare(exported, "order", since=day, until=day))
    assert (found["shop"], found["missing"], found["extra"]) == (1, 1, 0)


def test_a_comparison_of_a_day_reads_of_the_ledger_what_was_made_on_it(exported):
    """Between two orders of a day may lie a million of others that were sent."""
    orders = [one for ref, one in exported.shop._entities.items() if ref.kind == "order"]
    made = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    exported.shop.put(msgspec.structs.replace(orders[0], created_at=made))
    read = []
    watch = lambda row, _context, _names=None: read.append(row.entity)  # noqa: E731 two events take it
    for name in ("load", "refresh"):
        event.listen(SentRecord, name, watch)
    try:
        found = figures(compare(exported, "order", since=made.date(), until=made.date()))
    finally:
        for name in ("load", "refresh"):
            event.remove(SentRecord, name, watch)
    assert (found["shop"], found["sent"]) == (1, 1)
    assert set(read) == {orders[0].id}


class TestInterruptions:
    def test_a_comparison_that_was_killed_goes_on_where_it_was(self, exported, monkeypatch):
        exported.shop._page = 2
        whole = drift_report.count
        calls = []

        def dying(*given):
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            whole(*given)

        monkeypatch.setattr(drift_report, "count", dying)
        drift.begin("product", repair=True)
        with pytest.raises(KeyboardInterrupt):
            drift.go_on(exported.exporter, load_book())
        db.session.rollback()
        assert drift.report("product")["state"] == "running"
        while drift.report("product")["state"] == "running":
            drift.go_on(exported.exporter, load_book())
        there = len(exported.records("product"))
        found = figures(drift.report("product"))
        assert (found["shop"], found["held"]) == (there, there), "no page is counted twice or left out"

    def test_an_ometria_that_is_away_costs_only_time(self, exported, monkeypatch):
        whole = exported.exporter.ometria.records

        def away(*_):
            raise Retry("Ometria's list could not be read (500).")

        monkeypatch.setattr(exported.exporter.ometria, "records", away)
        drift.begin("product", repair=True)
        jobs.drift()
        assert drift.report("product")["state"] == "running"
        monkeypatch.setattr(exported.exporter.ometria, "records", whole)
        jobs.drift()
        report = drift.report("product")
        assert (report["state"], figures(report)["missing"]) == ("done", 0)

    def test_a_list_that_repeats_its_last_page_ends(self, exported, account, monkeypatch):
        page = exported.exporter.ometria.records(account, "product", 0)
        monkeypatch.setattr(exported.exporter.ometria, "records", lambda *_: page)
        found = figures(compare(exported, "product"))
        assert (found["held"], found["missing"]) == (len(page), 0)

    def test_a_shop_whose_clock_is_an_hour_ahead_shows_no_false_change(self, exported):
        ahead = dt.timedelta(hours=1)
        exported.shop.clock = lambda: dt.datetime.now(dt.UTC) + ahead
        moment = dt.datetime.fromtimestamp(time.time() - 2 * HOUR, dt.UTC) + ahead - dt.timedelta(minutes=1)
        exported.shop.put(newer(moment))
        assert figures(compare(exported, "product"))["stale"] == 0


class TestSchedule:
    def test_it_is_due_a_day_after_the_first_sending_and_then_each_day(self, exported):
        book, now = load_book(), time.time()
        assert not drift.due(book, now)
        assert drift.due(book, now + 25 * HOUR)
        compare(exported, "product")
        compare(exported, "contact")
        compare(exported, "order")
        assert not drift.due(book, now + 23 * HOUR)
        assert drift.due(book, now + 25 * HOUR)

    def test_it_is_off_where_that_is_set(self, exported, settings):
        settings(export__drift="off")
        assert not drift.due(load_book(), time.time() + 1000 * HOUR)

    def test_the_hours_and_the_mode_follow_the_settings(self, exported, account, settings):
        settings(export__drift="report", export__drift_hours=1)
        forget(exported, "product", "1")
        later = time.time() + 1.5 * HOUR
        drift.go_on(exported.exporter, load_book(), now=later)
        report = drift.report("product")
        assert (report["state"], report["done"]["repair"]) == ("done", False)
        assert figures(report)["missing"] == 1

    def test_upkeep_wakes_it(self, exported, settings):
        drift.begin("order", repair=True)
        jobs.upkeep()
        queue = Queue("upkeep", connection=exported.exporter.redis, serializer=SERIALIZER)
        assert "bridge.export.jobs.drift" in [job.func_name for job in queue.jobs]

    def test_it_waits_while_much_is_on_its_way(self, exported, account, monkeypatch):
        monkeypatch.setattr(drift, "BACKLOG", 1)
        owe(account, EntityRef("product", "1"), lane="history")
        drift.begin("product", repair=True)
        assert drift.go_on(exported.exporter, load_book()) == (False, set())
        assert drift.report("product")["state"] == "running"

    def test_one_at_a_time(self, exported):
        assert drift.begin("product", repair=True)
        assert not drift.begin("product", repair=True)


def test_only_ids_and_names_of_fields_are_kept_and_only_the_last_report(exported):
    held = exported.received.records[Key(OMETRIA, "contact", "customers", "2")]
    exported.received.records[Key(OMETRIA, "contact", "customers", "2")] = {**held, "firstname": "Zebulon"}
    compare(exported, "contact", repair=False)
    compare(exported, "contact", repair=False)
    assert db.session.scalars(select(DriftSeen)).all() == []
    assert len({row.run for row in db.session.scalars(select(DriftCount))}) == 1
    (item,) = db.session.scalars(select(DriftItem)).all()
    kept = " ".join(str(getattr(item, column.key)) for column in DriftItem.__table__.columns)
    assert "firstname" in item.detail
    assert not [word for word in ("Zebulon", held["firstname"], held["email"]) if word in kept]


def test_without_kept_bodies_ids_are_compared_and_values_are_not(exported, account):
    db.session.execute(SentBody.__table__.delete())
    db.session.commit()
    exported.received.records[Key(OMETRIA, "product", "", "1")]["title"] = "Other"
    forget(exported, "product", "13")
    found = figures(compare(exported, "product"))
    assert (found["missing"], found["stale"]) == (1, 0)
