"""The coupon log: who asked for codes, when, and what came of it; filtered, a page at a time, without a code."""

from __future__ import annotations

import html
import re

import pytest

from bridge.dashboard import coupon_log
from bridge.db import db
from bridge.models_coupons import CouponPool, CouponRequest
from tests.dashboard.desk import BASE

SCRIPT = "<script>alert(1)</script> of ann.smith@example.com"
NOW = 1_790_000_000.0


@pytest.fixture
def asked(board):
    """Four requests of two pools and of none; two at the same moment."""
    with board.app_context():
        for id_, name in ((1, "Welcome"), (2, "Birthday")):
            db.session.add(CouponPool(id=id_, name=name, rule_id=5))
        db.session.flush()
        rows = [
            ("r1", "generate", 1, "done", "", 0),
            ("r2", "insert", None, "done", "", 60),
            ("r3", "generate", 2, "failed", SCRIPT, 60),
            ("r4", "generate", 2, "open", "", 120),
        ]
        for id_, kind, pool, state, reason, later in rows:
            own = {"mark": "m", "rule_id": 5, "wanted": 3, "who": SCRIPT, "refused": {"SECRET-1": "taken"}}
            row = CouponRequest(id=id_, kind=kind, pool=pool, state=state, reason=reason, at=NOW + later, **own)
            row.done_at = NOW + later + 1.25 if state == "done" else 0
            db.session.add(row)
        db.session.commit()


def shown(client, query=""):
    answer = client.get(f"{BASE}/coupons/log{query}")
    return answer.status_code, html.unescape(answer.get_data(as_text=True))


def ids(page):
    return re.findall(r'<td class="code id"[^>]*>([^<]*)</td>', page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["r4", "r3", "r2", "r1"]),
        ("?pool=2", ["r4", "r3"]),
        ("?pool=9", []),
        ("?state=failed", ["r3"]),
        ("?state=nonsense", ["r4", "r3", "r2", "r1"]),
        ("?kind=insert", ["r2"]),
        ("?pool=2&state=open", ["r4"]),
        ("?since=2026-09-21T14:14:00Z", ["r4", "r3", "r2"]),
        ("?until=2026-09-21T14:14:00Z", ["r1"]),
    ],
)
def test_requests_are_filtered_and_the_newest_come_first(asked, signed_in, query, found):
    status, page = shown(signed_in("viewer"), query)
    assert (status, ids(page)) == (200, found)


def test_each_line_tells_who_when_and_what_came_of_it_and_no_code(asked, signed_in):
    answer = signed_in("editor").get(f"{BASE}/coupons/log").get_data(as_text=True)
    assert "<script>alert" not in answer
    assert "ann.smith@example.com" not in answer
    assert "SECRET-1" not in answer
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer))
    assert "Welcome 5" in text
    assert "1.2 s" in text
    assert "1 code was not taken." in text


@pytest.mark.parametrize("query", ["", "?pool=2", "?state=done"])
@pytest.mark.parametrize("most", [1, 2])
def test_pages_lose_none_although_two_came_at_once(asked, signed_in, monkeypatch, query, most):
    client, found, seen = signed_in("viewer"), [], 0
    whole = ids(shown(client, query)[1])
    monkeypatch.setattr(coupon_log, "PAGE", most)
    monkeypatch.setattr(coupon_log, "LOOKED", most)
    page = shown(client, query)[1]
    while True:
        found += ids(page)
        following = re.search(r'<a href="[^"]*/coupons/log([^"]*)" rel="next">', page)
        seen += 1
        if following is None:
            break
        assert seen < 9
        page = shown(client, following.group(1))[1]
    assert found == whole


def test_a_time_that_is_none_is_told_and_all_is_shown(asked, signed_in):
    status, page = shown(signed_in("viewer"), "?since=soon")
    assert (status, len(ids(page))) == (400, 4)
    assert "A time is 30m, 24h or 7d" in page


@pytest.mark.parametrize("query", ["?pool=x", "?pool=99999999999999999999", "?before=x"])
def test_an_address_that_nobody_made_is_not_found(asked, signed_in, query):
    assert shown(signed_in("viewer"), query)[0] == 404


def test_an_empty_log_says_so(board, signed_in):
    assert "Nobody has asked for codes yet." in shown(signed_in("viewer"))[1]
