"""The request log and the error log: filtered, written as CSV and JSON, masked; and the detail in the log file."""

from __future__ import annotations

import csv
import io
import json

import pytest
import structlog

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.events import EntityRef
from bridge.export import jobs, log_search
from bridge.export.log_search import Wanted, as_csv, as_json, lines, moment, set_aside
from bridge.models import RequestLog
from tests.export import samples
from tests.export.test_jobs import owe


@pytest.fixture
def log(database):
    """Three calls: accepted, retried, refused."""
    rows = [
        RequestLog(at=1000.0, account="a1", kind="product", records=2, status=200, outcome="accepted", request_id="r1"),
        RequestLog(at=2000.0, account="a1", kind="order", status=503, outcome="retry", message="Try later"),
        RequestLog(at=3000.0, account="a2", kind="contact", status=400, outcome="refused", message="=cmd|'/c calc'!A1"),
    ]
    db.session.add_all(rows)
    db.session.commit()
    return rows


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ({}, ["contact", "order", "product"]),
        ({"account": "a1"}, ["order", "product"]),
        ({"kind": "order"}, ["order"]),
        ({"outcome": "accepted"}, ["product"]),
        ({"request_id": "r1"}, ["product"]),
        ({"text": "later"}, ["order"]),
        ({"status": (503, 503)}, ["order"]),
        ({"status": (400, 599)}, ["contact", "order"]),
        ({"status": (0, 0)}, []),
        ({"text": "%"}, []),
        ({"since": 2000.0}, ["contact", "order"]),
        ({"since": 1000.0, "until": 2000.0}, ["product"]),
        ({"errors": True}, ["contact", "order"]),
        ({"errors": True, "account": "a2"}, ["contact"]),
    ],
)
def test_lines_are_filtered_and_the_newest_come_first(log, wanted, kinds):
    assert [row["kind"] for row in lines(Wanted(**wanted))] == kinds


@pytest.mark.parametrize(
    ("text", "found"), [("429", (429, 429)), ("4xx", (400, 499)), (" 5XX ", (500, 599)), ("none", (0, 0))]
)
def test_a_status_is_a_number_a_class_or_none(text, found):
    assert log_search.statuses(text) == found


@pytest.mark.parametrize("text", ["42", "4x", "600", "099", "-200", "ok", "200,201", "4xx or 5xx"])
def test_no_status_is_told_in_a_sentence(text):
    with pytest.raises(Misconfigured, match="A status is a number such as 429"):
        log_search.statuses(text)


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_no_more_lines_than_asked_for_and_pages_lose_none(log, monkeypatch, most):
    monkeypatch.setattr(log_search, "PAGE", 1)
    assert [row["kind"] for row in lines(Wanted(), most)] == ["contact", "order", "product"][:most]


def test_a_table_for_a_spreadsheet_holds_no_formula(log):
    rows = list(csv.DictReader(io.StringIO("".join(as_csv(lines(Wanted()))))))
    assert [row["time"] for row in rows] == [
        "1970-01-01T00:50:00.000Z",
        "1970-01-01T00:33:20.000Z",
        "1970-01-01T00:16:40.000Z",
    ]
    assert rows[0]["message"] == "'=cmd|'/c calc'!A1"
    assert rows[2]["status"] == "200"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30m", 10_000 - 1800), ("2h", 10_000 - 7200), ("1970-01-01T00:00:10", 10), ("1970-01-02", 86_400), ("1970-01-01T01:00:00+01:00", 0)],
)  # fmt: skip
def test_a_time_is_so_long_ago_or_a_moment_in_utc(text, expected):
    assert moment(text, now=10_000) == expected


def test_what_is_no_time_is_refused_with_a_sentence():
    with pytest.raises(Misconfigured, match="30m, 24h or 7d"):
        moment("yesterday")


@pytest.mark.redis
class TestWritten:
    @pytest.fixture
    def customer(self, room, account):
        room.received.plan_faults({"refuse": {"type": "contact", "id": "2", "at_once": True}})
        owe(account, EntityRef("contact", "customer:2"))

    def test_bodies_are_masked_and_only_there_when_request_logging_is_on(self, room, account, settings, customer):
        settings(logging__requests="yes")
        jobs.session(account.id)
        text = "".join(as_json(lines(Wanted())))
        first = json.loads(text.splitlines()[0])
        assert first["body"][0]["email"] == "j•••@example.com"
        assert "jane@" not in text
        assert "Doe" not in text

    def test_the_error_log_holds_failed_calls_and_records_set_aside(self, room, account, customer):
        jobs.session(account.id)
        assert [row["outcome"] for row in lines(Wanted(errors=True))] == ["refused"]
        (row,) = set_aside(Wanted(), 10)
        assert (row["kind"], row["entity"]) == ("contact", "customer:2")
        assert set_aside(Wanted(kind="order"), 10) == []
        assert set_aside(Wanted(text="no such text"), 10) == []

    @pytest.mark.parametrize("on", [True, False])
    def test_error_logging_adds_masked_detail_to_the_log_file(self, room, account, settings, customer, on):
        settings(logging__errors=on)
        with structlog.testing.capture_logs() as written:
            jobs.session(account.id)
        found = {row["event"]: row for row in written}
        assert ("request to Ometria failed" in found) is on
        assert ("record set aside" in found) is on
        if on:
            detail = found["request to Ometria failed"]
            assert detail["records"][0]["email"] == "j•••@example.com"
            assert detail["status"] == 200
            assert found["record set aside"]["entity"] == "customer:2"
        assert samples.JANE.email not in str(written)
