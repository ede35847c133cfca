"""The logs as pages: filtered, older ones on the next page, masked, and as files."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import time

import pytest

from bridge.db import db
from bridge.models import Pending, RequestLog
from bridge.settings import account_id, set_value
from tests.dashboard.desk import API_KEY, BASE

ACCOUNT = account_id(API_KEY)
BODY = [{"@type": "order", "id": "7", "customer": {"email": "a•••@example.com"}}]
NOW = 1_790_000_000.0
NO_ID = "\u2013"
"""What stands for a call that brought no request id."""


@pytest.fixture
def logged(board):
    """Three calls and a record that was set aside, with hostile and personal text where text comes from outside."""
    with board.app_context():
        set_value("default", "general.api_key", API_KEY, "test")
        rows = [
            ("order", 200, "accepted", "req-1", "", NOW, BODY),
            ("contact", 400, "refused", "req-2", "bad <b>name</b> of ann@example.com", NOW + 60, None),
            ("product", 0, "retry", "", "=cmd() did not answer", NOW + 120, None),
        ]
        for kind, status, outcome, request_id, message, at, body in rows:
            row = {"kind": kind, "status": status, "outcome": outcome, "request_id": request_id, "at": at, "body": body}
            db.session.add(RequestLog(account=ACCOUNT, records=1, milliseconds=12, message=message, **row))
        reason = "no e-mail in bob@example.com"
        db.session.add(Pending(account=ACCOUNT, kind="contact", entity="customer:2", state="refused", reason=reason))
        db.session.commit()


def shown(client, address):
    answer = client.get(f"{BASE}/logs/{address}")
    return answer.status_code, html.unescape(answer.get_data(as_text=True))


def requests_of(page):
    """Return the request ids of the calls on a page, in their order."""
    return re.findall(r'<td class="code id"[^>]*>([^<]*)</td>', page)


def test_the_request_log_shows_every_call_the_newest_first(logged, signed_in):
    status, page = shown(signed_in("viewer"), "requests")
    assert (status, requests_of(page)) == (200, [NO_ID, "req-2", "req-1"])
    assert "Records set aside" not in page


@pytest.mark.parametrize(
    ("status", "found"), [("200", ["req-1"]), ("4xx", ["req-2"]), ("none", [NO_ID]), ("", [NO_ID, "req-2", "req-1"])]
)
def test_the_log_and_its_file_are_filtered_by_status(logged, signed_in, status, found):
    client = signed_in("viewer")
    assert requests_of(shown(client, f"requests?status={status}")[1]) == found
    text = client.get(f"{BASE}/logs/requests/file.csv?status={status}").get_data(as_text=True)
    assert [row["request_id"] or NO_ID for row in csv.DictReader(io.StringIO(text))] == found


def test_a_status_that_is_none_is_told_and_the_log_is_shown_all_the_same(logged, signed_in):
    client = signed_in("viewer")
    status, page = shown(client, "requests?status=abc")
    assert (status, requests_of(page)) == (400, [NO_ID, "req-2", "req-1"])
    assert "A status is a number such as 429" in page
    assert client.get(f"{BASE}/logs/requests/file.csv?status=abc").status_code == 400


def test_the_error_log_shows_what_was_not_accepted_and_what_was_set_aside(logged, signed_in):
    _, page = shown(signed_in("viewer"), "errors")
    assert requests_of(page) == [NO_ID, "req-2"]
    assert f'href="{BASE}/records/contact/customer:2"' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=order", ["req-1"]),
        ("outcome=refused", ["req-2"]),
        ("request_id=req-1", ["req-1"]),
        ("text=did+not", [NO_ID]),
        (f"account={ACCOUNT}&kind=contact", ["req-2"]),
        ("account=other", []),
        ("since=2026-09-21T13:20:30&until=2026-09-21T13:21:30", []),
        ("text=%25", []),
    ],
)
def test_a_filter_takes_what_was_asked_for(logged, signed_in, query, found):
    assert requests_of(shown(signed_in("viewer"), f"requests?{query}")[1]) == found


def test_moments_choose_a_span(logged, signed_in):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW + 30))
    assert requests_of(shown(signed_in("viewer"), f"requests?since={stamp}")[1]) == [NO_ID, "req-2"]
    assert requests_of(shown(signed_in("viewer"), f"requests?until={stamp}")[1]) == ["req-1"]


def test_a_time_that_is_none_is_said_and_the_rest_of_the_filter_stays(logged, signed_in):
    status, page = shown(signed_in("viewer"), "requests?since=yesterday&kind=order")
    assert status == 400
    assert "A time is 30m, 24h or 7d" in page
    assert requests_of(page) == ["req-1"]


def test_text_from_outside_stays_text_and_addresses_are_masked(logged, signed_in):
    page = signed_in("viewer").get(f"{BASE}/logs/errors").get_data(as_text=True)
    assert "<b>name" not in page
    assert "ann@example.com" not in page
    assert "bob@example.com" not in page
    assert "a•••@example.com" in page


def test_a_body_that_was_kept_can_be_opened(logged, signed_in):
    _, page = shown(signed_in("viewer"), "requests?request_id=req-1")
    (body,) = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert json.loads(body) == BODY


def test_older_calls_are_on_the_next_page_each_once(logged, board, signed_in):
    with board.app_context():
        for number in range(60):
            db.session.add(RequestLog(account=ACCOUNT, kind="order", outcome="accepted", request_id=f"more-{number}"))
        db.session.commit()
    client, address, seen = signed_in("viewer"), "requests?kind=order", []
    while address:
        _, page = shown(client, address)
        seen += requests_of(page)
        following = re.search(r'href="[^"]*/logs/([^"]*)" rel="next"', page)
        address = following[1] if following else ""
    assert seen == [f"more-{number}" for number in reversed(range(60))] + ["req-1"]


class TestFiles:
    def test_csv_is_filtered_and_computes_nothing(self, logged, signed_in):
        answer = signed_in("viewer").get(f"{BASE}/logs/errors/file.csv?kind=product")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="bridge-errors.csv"'
        assert answer.headers["Cache-Control"] == "no-store"
        (row,) = csv.DictReader(io.StringIO(answer.get_data(as_text=True)))
        assert (row["outcome"], row["message"]) == ("retry", "'=cmd() did not answer")

    def test_json_has_the_bodies(self, logged, signed_in):
        text = signed_in("viewer").get(f"{BASE}/logs/requests/file.jsonl?request_id=req-1").get_data(as_text=True)
        assert json.loads(text)["body"] == BODY

    @pytest.mark.parametrize("path", ["other/file.csv", "requests/file.xml", "requests/file.csv?since=never"])
    def test_other_files_there_are_none(self, logged, signed_in, path):
        assert signed_in("viewer").get(f"{BASE}/logs/{path}").status_code in {400, 404}

    def test_nobody_gets_one_without_signing_in(self, logged, client):
        assert client.get(f"{BASE}/logs/requests/file.csv").status_code == 302


def test_an_empty_log_says_so(board, signed_in):
    assert "Nothing has been sent yet." in shown(signed_in("viewer"), "requests")[1]
    assert "No call has failed." in shown(signed_in("viewer"), "errors")[1]
    assert shown(signed_in("viewer"), "other")[0] == 404
