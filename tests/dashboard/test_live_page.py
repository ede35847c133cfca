"""The live page: a plain list that can be filtered, and the same as server-sent events."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import get_args

import pytest

from bridge.clock import BEAT
from bridge.dashboard import live_page
from bridge.db import db
from bridge.events import AnyEvent
from bridge.models import EventLog
from bridge.proxy.counters import REASONS, counters
from tests.dashboard.desk import BASE, FakeRedis, sign_in, token

LIVE = f"{BASE}/live"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(live_page, "POLL_SECONDS", 0.02)


def add(board, name, *, ago=1.0, kind="order_placed", view="default", summary="order 7"):
    with board.app_context():
        db.session.add(EventLog(id=name, at=time.time() - ago, type=kind, store=view, summary=summary))
        db.session.commit()


def told(text):
    """Return the events of a stream's text."""
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


def test_the_list_shows_the_newest_events_of_a_day_masked_and_works_without_script(board, signed_in):
    add(board, "old", ago=90_000, summary="long gone")
    add(board, "first", ago=60, summary="order 1 of jane.doe@example.com")
    add(board, "second", ago=5, summary="order 2")
    page = signed_in("viewer").get(LIVE).get_data(as_text=True)
    assert page.index("order 2") < page.index("order 1")
    assert "long gone" not in page
    assert "jane.doe@example.com" not in page
    assert "j•••@example.com" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"a", "b", "c"}),
        ("?kind=order_placed", {"a", "c"}),
        ("?view=de", {"b", "c"}),
        ("?kind=order_placed&view=de", {"c"}),
        ("?kind=logged_out", set()),
        ("?kind=%27%20OR%201%3D1", set()),
    ],
)
def test_events_are_filtered_by_kind_and_store_view_in_the_list_and_in_the_stream(board, signed_in, query, shown):
    add(board, "a", summary="event a")
    add(board, "b", kind="identified", view="de", summary="event b")
    add(board, "c", view="de", summary="event c")
    client = signed_in("viewer")
    page = client.get(LIVE + query).get_data(as_text=True)
    assert {name for name in "abc" if f"event {name}" in page} == shown
    assert ("data-events-none hidden>" in page) is bool(shown)
    assert {one["id"] for one in told(client.get(f"{LIVE}/events{query}").get_data(as_text=True))} == shown


def test_every_kind_of_event_can_be_chosen(signed_in):
    page = signed_in("viewer").get(LIVE).get_data(as_text=True)
    assert len(live_page.EVENT_KINDS) == len(get_args(AnyEvent))
    for kind in live_page.EVENT_KINDS:
        assert f'<option value="{kind}">{kind.replace("_", " ")}</option>' in page
    for view in ("default", "de", "out"):
        assert f'<option value="{view}">' in page


def test_a_stream_tells_each_event_once_as_it_comes_and_ends_in_time(board, signed_in, monkeypatch):
    monkeypatch.setattr(live_page, "HOLD_SECONDS", 3.0)
    add(board, "before", ago=10)
    answer = signed_in("viewer").get(f"{LIVE}/events?after={time.time() - 20!r}", headers=STREAM)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    parts = iter(answer.response)
    assert next(parts) == b"retry: 3000\n\n"
    assert [one["id"] for one in told(next(parts).decode())] == ["before"]
    add(board, "after", ago=0, summary="order\n\nid: forged of jane.doe@example.com")
    add(board, "late", ago=5)
    text = b"".join(parts).decode()
    assert sorted(one["id"] for one in told(text)) == ["after", "late"]
    assert "jane.doe@" not in text
    assert "\nid: forged" not in text


def test_a_stream_goes_on_after_the_last_event_that_a_browser_saw(board, signed_in):
    add(board, "seen", ago=100)
    add(board, "next", ago=50)
    client = signed_in("viewer")
    mark = repr(time.time() - 60)
    text = client.get(f"{LIVE}/events?after=1", headers={"Last-Event-ID": mark}).get_data(as_text=True)
    assert [one["id"] for one in told(text)] == ["next"]
    for wrong in ("", "x", "inf", "nan", "-1e400", "9e99"):
        assert client.get(f"{LIVE}/events?after={wrong}").status_code == 200, wrong


def test_an_event_of_a_clock_that_runs_ahead_does_not_hide_the_others(board, signed_in, monkeypatch):
    monkeypatch.setattr(live_page, "HOLD_SECONDS", 2.0)
    add(board, "ahead", ago=-5_000)
    parts = iter(signed_in("viewer").get(f"{LIVE}/events", headers=STREAM).response)
    next(parts)
    assert told(next(parts).decode())[0]["id"] == "ahead"
    add(board, "usual", ago=0)
    assert [one["id"] for one in told(b"".join(parts).decode())] == ["usual"]


def test_a_stream_ends_when_the_person_may_no_longer_look(board, signed_in):
    client, owner = signed_in("viewer"), signed_in("owner")
    parts = iter(client.get(f"{LIVE}/events", headers=STREAM).response)
    next(parts)
    next(parts)
    people = owner.get(f"{BASE}/people").get_data(as_text=True)
    number = people.partition("New password for viewer")[0].rpartition("/people/")[2].partition('"')[0]
    form = {"csrf_token": token(owner, f"{BASE}/people"), "action": "password"}
    assert owner.post(f"{BASE}/people/{number}", data=form).status_code == 200
    add(board, "secret", ago=0)
    assert told(b"".join(parts).decode()) == []


def test_a_stream_is_made_in_any_thread(board, signed_in):
    """The proxy's fast adaptor moves a stream to a thread of its own after the first part."""
    add(board, "one")
    parts = iter(signed_in("viewer").get(f"{LIVE}/events", headers={}).response)
    next(parts)
    found = []
    thread = threading.Thread(target=lambda: found.extend(parts))
    thread.start()
    thread.join(10)
    assert [one["id"] for one in told(b"".join(found).decode())] == ["one"]


def test_more_streams_than_a_process_holds_are_told_to_ask_again(board, signed_in, monkeypatch):
    monkeypatch.setattr(live_page, "_free", threading.BoundedSemaphore(1))
    add(board, "one")
    client = signed_in("viewer")
    first = client.get(f"{LIVE}/events", headers=STREAM)
    held = iter(first.response)
    next(held)
    second = client.get(f"{LIVE}/events", headers=STREAM).get_data(as_text=True)
    assert second.startswith("retry: 3000\n\n")
    assert [one["id"] for one in told(second)] == ["one"]
    held.close()
    assert live_page._free.acquire(blocking=False), "a stream that is left gives its place back"


def test_pages_without_the_tag_are_counted_by_reason(signed_in):
    client = signed_in("viewer")
    before = dict(live_page.passed()["reasons"]).get(live_page.REASONS["killed"], 0)
    for _ in range(3):
        counters.not_injected("killed")
    counters.injected()
    assert dict(live_page.passed()["reasons"])[live_page.REASONS["killed"]] == before + 3
    page = client.get(LIVE).get_data(as_text=True)
    assert "Without it: switched off by the kill file" in page
    assert set(live_page.REASONS) == set(REASONS)


def test_page_types_of_the_last_hour_are_shown_as_about_as_many(make_app):
    shop = FakeRedis({})
    shop.hashes[f"bridge:views:{int(time.time() // 60) - 3}"] = {b"product": b"1", b"listing": b"230"}
    client = make_app(shop).test_client()
    sign_in(client, "viewer")
    page = client.get(LIVE).get_data(as_text=True)
    shown = re.findall(r'<tr><td>(\w+)</td><td class="num">([\d,]+)</td></tr>', page)
    assert shown == [("listing", "2,300"), ("product", "10")]


def test_page_types_are_not_known_without_redis(make_app):
    client = make_app(None).test_client()
    sign_in(client, "viewer")
    page = client.get(LIVE).get_data(as_text=True)
    assert page.count("Not known while Redis is away.") == 2, "the clock's line says so, too"


def test_the_parts_beside_the_events_are_renewed_alone(board, redis_values, signed_in):
    redis_values[BEAT] = b"1000000"
    add(board, "a")
    add(board, "b", kind="identified")
    add(board, "c", kind="identified", ago=4_000)
    part = signed_in("viewer").get(f"{LIVE}?part=live").get_data(as_text=True)
    assert "<html" not in part
    assert "look at the log of `bridge clock`" in part
    assert '<span class="tag">identified</span> 1' in part
    with board.app_context():
        assert live_page.hour(time.time()) == {"identified": 1, "order_placed": 1}


def test_the_newest_events_are_read_by_their_time_and_never_by_a_scan(board):
    with board.app_context():
        for wanted in (live_page.Filter(), live_page.Filter("identified", "de")):
            seen = []
            db.event.listen(db.engine, "before_cursor_execute", lambda *call, seen=seen: seen.append(call[2:4]))
            wanted.rows(time.time() - 86_400)
            statement, values = seen[-1]
            plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            index = (
                r"ix_event_log_(?:type \(type|store \(store)=\? AND at>" if wanted.kind else r"ix_event_log_at \(at>"
            )
            assert re.search(f"USING INDEX {index}", str(plan)), plan
