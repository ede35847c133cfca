"""What was refused is said beside the field that it is about, which is marked, and what was typed stays."""

from __future__ import annotations

import html
import re

import pytest

from bridge.mail.mailer import EXTENSION, Mailer
from bridge.settings import MAIL_KINDS
from tests.dashboard.desk import BASE, PASSWORD, beside, token

ANSWERS = {
    "/logs/requests?since=x&text=a": ("since", "A time is 30m, 24h or 7d"),
    "/logs/errors?until=x&text=a": ("until", "A time is 30m, 24h or 7d"),
    "/logs/requests?status=9&text=a": ("status", "A status is a number such as 429"),
    "/coupons/log?since=x": ("since", "A time is 30m, 24h or 7d"),
    "/coupons/log?until=x": ("until", "A time is 30m, 24h or 7d"),
    "/mail?day=yesterday": ("day", "A day is written such as 2026-11-25"),
    "/mail?kind=none": ("kind", "There is no such kind of mail."),
    "/mail?state=none": ("state", "There is no such state of a mail."),
}


def only_there(page, name):
    """Return what is said beside the field; nothing else is marked, and it is said but once."""
    assert re.findall(r'id="wrong-([^"]+)"', page) == [name]
    assert page.count('aria-invalid="true"') == 1
    assert len(re.findall(r"<[^>]* autofocus[ >=]", page)) == 1, "a long page opens at the field"
    assert page.count('role="alert"') == 1
    return beside(page, name)


@pytest.mark.parametrize("path", ANSWERS)
def test_a_filter_that_was_refused_says_so_beside_its_field(board, signed_in, path):
    name, sentence = ANSWERS[path]
    answer = signed_in("viewer").get(BASE + path)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert only_there(page, name).strip().startswith(sentence)
    assert "text=a" not in path or 'name="text" value="a"' in page


@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({"since": "soon"}, "since", "A day is written as 2026-11-25."),
        ({"until": "late"}, "until", "A day is written as 2026-11-25."),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "since", "The first day must not be after the last."),
        ({"scope": "store:none"}, "scope", "There is no scope 'store:none'"),
    ],
)
def test_an_export_that_was_refused_says_so_beside_its_field(board, signed_in, typed, name, sentence):
    client = signed_in("editor")
    sent = {"csrf_token": token(client, f"{BASE}/history"), "kind": "order", "force": "1", **typed}
    answer = client.post(f"{BASE}/history", data=sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert only_there(page, name).strip().startswith(sentence)
    assert 'value="order" selected' in page
    assert re.search(r'name="force" value="1" checked', page)


@pytest.mark.parametrize(
    ("typed", "name", "sentence"),
    [
        ({"kind": "none"}, "kind", "Choose a kind of mail."),
        ({"email": "nobody"}, "email", "The recipient is not an e-mail address."),
        ({"scope": "store:none"}, "scope", "There is no scope 'store:none'"),
    ],
)
def test_a_test_mail_that_was_refused_says_so_beside_its_field(board, signed_in, typed, name, sentence):
    board.extensions[EXTENSION] = Mailer(**dict.fromkeys(Mailer.__dataclass_fields__))
    client = signed_in("editor")
    sent = {"kind": next(iter(MAIL_KINDS)), "email": "a@example.com", "order": "100045", **typed}
    answer = client.post(f"{BASE}/mail/test", data={"csrf_token": token(client, f"{BASE}/mail/setup"), **sent})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert only_there(page, name).strip().startswith(sentence)
    assert 'name="order" maxlength="64" value="100045"' in page


@pytest.mark.parametrize(
    ("present", "new", "again", "name", "sentence"),
    [
        (
            "wrong wrong wrong",
            "a new one of my own",
            "a new one of my own",
            "present",
            "The present password is not right.",
        ),
        (PASSWORD, "short", "short", "new", "A password takes "),
        (PASSWORD, "a new one of my own", "another one instead", "again", "The two new passwords differ."),
    ],
)
def test_a_password_that_was_refused_says_so_beside_its_field(board, signed_in, present, new, again, name, sentence):
    client = signed_in("viewer")
    sent = {"csrf_token": token(client, f"{BASE}/password"), "present": present, "new": new, "again": again}
    answer = client.post(f"{BASE}/password", data=sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert only_there(page, name).strip().startswith(sentence)
    assert not any(text in html.unescape(page) for text in (present, new, again))
