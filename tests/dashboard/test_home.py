"""The home page over real rows."""

from __future__ import annotations

import re
import time

import pytest

from bridge.db import db
from bridge.models import EventLog, Pending, RequestLog
from bridge.settings import account_id, set_value
from tests.dashboard.desk import API_KEY, BASE

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
ACCOUNT = account_id(API_KEY)


@pytest.fixture
def busy(board):
    """One row of each kind, with hostile text wherever text comes from outside."""
    with board.app_context():
        set_value("website:base", "general.api_key", API_KEY, "test")
        pending = [("contact", "customer:1", "live"), ("contact", "customer:2", "history"), ("product", "3", "history")]
        for kind, entity, lane in pending:
            db.session.add(Pending(account=ACCOUNT, kind=kind, entity=entity, lane=lane))
        db.session.add(
            Pending(
                account=ACCOUNT,
                kind="order",
                entity=SCRIPT,
                scope="store:de",
                state="refused",
                reason=f"bad {SCRIPT} of ann.smith@example.com",
            )
        )
        db.session.add(
            RequestLog(
                account=ACCOUNT,
                kind="order",
                records=1234,
                status=200,
                outcome="accepted",
                milliseconds=87,
                message=SCRIPT,
            )
        )
        db.session.add(
            RequestLog(account="gone", kind="order", records=1, status=0, outcome="retry", message="to bob@example.com")
        )
        db.session.add(
            EventLog(id="1" * 32, at=time.time(), type="order_placed", store="de", summary=f"{SCRIPT} c.d@example.com")
        )
        db.session.commit()


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_an_empty_home_page_says_so_in_words(signed_in):
    text = text_of(signed_in("viewer").get(f"{BASE}/").get_data(as_text=True))
    for words in (
        "Ometria has refused nothing.",
        "Nothing has been sent yet.",
        "No visitor has done anything yet",
        "0 in the last 24 hours",
    ):
        assert words in text


@pytest.mark.usefixtures("busy")
def test_the_home_page_shows_what_waits_was_sent_and_was_seen(signed_in):
    text = text_of(signed_in("viewer").get(f"{BASE}/").get_data(as_text=True))
    for words in (
        "Customers Live 1 Historical 1 Refused 0",
        "Products Live 0 Historical 1 Refused 0",
        "Orders Live 0 Historical 0 Refused 1",
        "1,234 in the last 24 hours",
        "Main Website order 1,234 200 87 ms accepted",
        "no longer set order 1 none 0 ms retry",
        "Main Website Deutsch bad",
        "order placed de",
    ):
        assert words in text, words


@pytest.mark.usefixtures("busy")
def test_stored_script_text_stays_text(signed_in):
    answer = signed_in("owner").get(f"{BASE}/")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;{{7*7}}"
    parts = dict(part.split('"', 1) for part in page.split('data-live="')[1:])
    assert {name: text.count(escaped) for name, text in parts.items() if escaped in text} == {
        "refused": 2,
        "requests": 1,
        "events": 1,
    }


@pytest.mark.usefixtures("busy")
def test_no_key_and_no_e_mail_address_is_in_the_page(signed_in):
    for part in ("", "?part=live"):
        page = signed_in("owner").get(f"{BASE}/{part}").get_data(as_text=True)
        assert API_KEY not in page
        assert ACCOUNT not in page
        for address in ("ann.smith@example.com", "bob@example.com", "c.d@example.com"):
            assert address not in page
        assert "a•••@example.com" in page


@pytest.mark.usefixtures("busy")
def test_the_live_part_is_what_the_page_itself_shows(signed_in):
    client = signed_in("viewer")
    page, live = (client.get(f"{BASE}/{part}").get_data(as_text=True) for part in ("", "?part=live"))
    assert "<html" not in live
    parts = re.findall(r'data-live="(\w+)"', live)
    assert (
        parts
        == re.findall(r'data-live="(\w+)"', page)
        == ["alerts", "waiting", "chart", "neighbours", "refused", "requests", "events"]
    )


def test_a_global_account_is_called_so(board, signed_in):
    with board.app_context():
        set_value("default", "global.api_key", API_KEY, "test")
        db.session.add(RequestLog(account=ACCOUNT, kind="order", records=1, status=200, outcome="accepted"))
        db.session.commit()
    assert "Default Config (global)" in signed_in("viewer").get(f"{BASE}/").get_data(as_text=True)


def test_the_page_works_without_redis(make_app):
    from tests.dashboard.desk import sign_in

    client = make_app(None).test_client()
    sign_in(client, "viewer")
    assert "Redis does not answer" in client.get(f"{BASE}/").get_data(as_text=True)
