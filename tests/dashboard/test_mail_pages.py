"""The mail log as a page: what went which way and why, counted by day, filtered, and sent again by editors."""

from __future__ import annotations

import html
import re
import time
from types import SimpleNamespace

import pytest

from bridge.db import db
from bridge.mail.mailer import EXTENSION
from bridge.models_mail import MailDelivery, MailLetter
from tests.coupons.till import Wakes
from tests.dashboard.desk import BASE, token

DAY = 86_400
PAGE = f"{BASE}/mail"


@pytest.fixture
def now(monkeypatch):
    """Noon of a day, so that the rows of a test are of the same day."""
    moment = time.time() // DAY * DAY + DAY / 2
    monkeypatch.setattr("bridge.dashboard.mail_pages.time.time", lambda: moment)
    return moment


@pytest.fixture
def mails(board, now):
    """A letter with an original still there, and what became of mails of several kinds and days."""
    board.extensions[EXTENSION] = SimpleNamespace(wakes=Wakes())
    with board.app_context():
        letter = MailLetter(spool="1", place="relay-0123456789ab", spooled=True, subject="x")
        db.session.add(letter)
        db.session.flush()
        rows = [
            (
                "welcome",
                {"kind": "account_creation", "route": "ometria", "state": "sent", "why": "recognised by marker"},
            ),
            ("order", {"kind": "order_confirmation", "route": "ometria", "state": "uncertain", "letter": letter.id}),
            ("twin", {"kind": "order_confirmation", "route": "ometria", "state": "sent", "twin": True}),
            ("other", {"route": "relay", "state": "sent", "why": "<b>none</b> of ann@example.com"}),
            ("waits", {"state": "new", "letter": letter.id}),
            ("old", {"kind": "stock_alert", "route": "relay", "state": "refused", "at": now - 2 * DAY}),
            ("ancient", {"kind": "stock_alert", "route": "relay", "state": "refused", "at": now - 20 * DAY}),
        ]
        for name, values in rows:
            row = {"key": name, "recipient": f"{name}@example.com", "at": now, "products": [], **values}
            db.session.add(MailDelivery(**row))
        db.session.commit()
        return {name: number for number, (name, _) in enumerate(rows, 1)}


def words(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def recipients(client, query=""):
    text = client.get(f"{PAGE}{query}").get_data(as_text=True)
    return re.findall(r"<td>(\w)•••@example.com", text)


def send_again(client, number, by="relay"):
    form = {"csrf_token": token(client, PAGE), "by": by}
    return client.post(f"{PAGE}/{number}/again", data=form, follow_redirects=True)


def test_without_mails_the_page_says_so(signed_in):
    text = words(signed_in("viewer").get(PAGE))
    assert "No mail came yet." in text
    assert "No mail came in this time." in text


def test_the_log_shows_way_decision_and_reason_the_newest_first_with_masked_addresses(mails, signed_in):
    client = signed_in("viewer")
    page = client.get(PAGE)
    text = words(page)
    assert recipients(client) == ["a", "o", "w", "o", "t", "o", "w"]
    assert "recognised by marker" in text
    assert "<b>none</b> of a•••@example.com" in text
    assert "Its file lies in spool place relay-0123456789ab ." in text
    assert "Ometria's sandbox" in text
    assert "ann@" not in page.get_data(as_text=True)
    assert "/again" not in page.get_data(as_text=True)


def test_mails_are_counted_by_day_and_kind_with_the_sandbox_apart(mails, signed_in, now):
    text = signed_in("viewer").get(PAGE).get_data(as_text=True)
    table = text[text.index("By day and kind") : text.index("</table>")]
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr><td.*?</tr>", table)]
    today, before = (time.strftime("%Y-%m-%d", time.gmtime(now - age)) for age in (0, 2 * DAY))
    assert [(row[0], *row[-6:]) for row in rows] == [
        (today, "0", "1", "0", "1", "0", "0"),
        (today, "1", "0", "0", "0", "0", "0"),
        (today, "0", "0", "1", "0", "0", "1"),
        (before, "0", "0", "0", "0", "1", "0"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?kind=account_creation", ["w"]),
        ("?kind=other", ["w", "o"]),
        ("?state=refused", ["a", "o"]),
        ("?kind=order_confirmation&state=uncertain", ["o"]),
        ("?state=void", []),
        ("?day={two days ago}", ["o"]),
        ("?day={two days ago}&state=sent", []),
    ],
)
def test_the_log_is_filtered_by_kind_state_and_day(mails, signed_in, now, query, found):
    query = query.replace("{two days ago}", time.strftime("%Y-%m-%d", time.gmtime(now - 2 * DAY)))
    assert recipients(signed_in("viewer"), query) == found


@pytest.mark.parametrize("query", ["?kind=<b>", "?state=open", "?day=yesterday", "?day=99999-01-01"])
def test_a_filter_that_is_none_is_told_and_nothing_is_left_out(mails, signed_in, query):
    client = signed_in("viewer")
    assert client.get(f"{PAGE}{query}").status_code == 400
    assert len(recipients(client, query)) == 7


def test_older_ones_are_on_the_next_page(mails, board, signed_in, now):
    with board.app_context():
        for number in range(60):
            row = {"key": f"k{number}", "recipient": "z@example.com", "at": now, "products": [], "state": "sent"}
            db.session.add(MailDelivery(**row))
        db.session.commit()
    client = signed_in("viewer")
    page = client.get(f"{PAGE}?state=sent").get_data(as_text=True)
    older = html.unescape(re.search(r'href="([^"]+)" rel="next"', page).group(1))
    assert len(recipients(client, "?state=sent")) == 50
    assert recipients(client, older[len(PAGE) :]) == ["z"] * 10 + ["o", "t", "w"]


def test_an_editor_sends_a_mail_again_and_the_worker_is_woken(mails, board, signed_in):
    answer = send_again(signed_in("editor"), mails["order"])
    assert f"Mail {mails['order']} is sent again as the original." in words(answer)
    with board.app_context():
        row = db.session.get(MailDelivery, mails["order"])
        assert (row.state, row.route, row.why) == ("waiting", "relay", "sent again by hand")
        assert board.extensions[EXTENSION].wakes.woken == ["mail"]


def test_what_cannot_be_sent_again_is_told(mails, board, signed_in):
    client = signed_in("editor")
    answer = send_again(client, mails["other"])
    assert (answer.status_code, "is gone since it was handed over" in words(answer)) == (422, True)
    assert send_again(client, mails["waits"]).status_code == 422
    assert "There is no mail 999" in words(send_again(client, 999))
    assert board.extensions[EXTENSION].wakes.woken == []


def test_a_viewer_may_not_send_again(mails, board, signed_in):
    assert send_again(signed_in("viewer"), mails["order"]).status_code == 403
    with board.app_context():
        assert db.session.get(MailDelivery, mails["order"]).state == "uncertain"
