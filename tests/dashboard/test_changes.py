"""The audit log on the dashboard: what it shows, and taking a change back."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import delete

from bridge.db import db
from bridge.models import AuditLog, SentRecord
from bridge.settings import load_book, set_value, unset_value
from tests.dashboard.desk import API_KEY, BASE, token
from tests.dashboard.test_settings_form import text_of

PATH = f"{BASE}/changes"


@pytest.fixture(autouse=True)
def _fresh(board):
    """The log begins with the test: the users of the furnished database have lines of their own."""
    with board.app_context():
        db.session.execute(delete(AuditLog))
        db.session.commit()


@pytest.fixture
def given(board):
    def give(*steps):
        with board.app_context():
            for scope, key, value in steps:
                if value is None:
                    unset_value(scope, key, "ann")
                else:
                    set_value(scope, key, value, "ann")
            db.session.commit()

    return give


@pytest.fixture
def own(board):
    def read(scope="default"):
        with board.app_context():
            return dict(load_book().values.get(scope, {}))

    return read


def rows(client, query=""):
    page = client.get(PATH + query).get_data(as_text=True)
    return re.findall(r"<tr><td.*?</tr>", page, re.DOTALL)


def undo(client, line):
    answer = client.post(f"{PATH}/{line}/undo", data={"csrf_token": token(client, f"{BASE}/password")})
    return answer.status_code, text_of(client.get(PATH).get_data(as_text=True))


def test_the_newest_change_comes_first_with_who_where_and_from_what(signed_in, given):
    given(
        ("default", "orders.currency", "base"),
        ("store:de", "orders.currency", "both"),
        ("store:de", "orders.currency", None),
    )
    shown = [text_of(row) for row in rows(signed_in("viewer"))]
    assert [row.partition("ann ")[2].strip() for row in shown] == [
        "Deutsch Currency type orders.currency Both the value above",
        "Deutsch Currency type orders.currency the value above Both changed since",
        "Default Config Currency type orders.currency the value above Base",
    ]


def test_a_change_is_taken_back_and_that_too(signed_in, given, own):
    given(("store:de", "orders.valid_statuses", "complete"), ("store:de", "orders.valid_statuses", "complete, paid"))
    client = signed_in("editor")
    assert undo(client, 2)[1].count("Valid order statuses is as it was before.") == 1
    assert own("store:de") == {"orders.valid_statuses": ["complete"]}
    undo(client, 1)
    assert own("store:de") == {}, "before the first change the scope had no value of its own"
    undo(client, 4)
    assert own("store:de") == {"orders.valid_statuses": ["complete"]}
    assert len(rows(client)) == 5, "taking back is a change, too"
    assert "editor" in text_of(rows(client)[0])


def test_what_was_changed_since_is_left_alone(signed_in, given, own):
    given(("default", "export.max_per_run", "7"), ("default", "export.max_per_run", "8"))
    status, page = undo(signed_in("editor"), 1)
    assert status == 303
    assert "was changed again since" in page
    assert own() == {"export.max_per_run": 8}


def test_a_key_is_masked_and_cannot_come_back(signed_in, given, own):
    given(("default", "general.api_key", API_KEY), ("default", "general.api_key", "another-key-99998888"))
    client = signed_in("owner")
    page = client.get(PATH).get_data(as_text=True)
    assert API_KEY not in page
    assert "••••abcd" in page
    assert "/undo" not in page
    assert "is a key, which is not kept" in undo(client, 2)[1]
    assert own() == {"general.api_key": "another-key-99998888"}


def test_a_namespace_that_would_double_records_is_not_taken_back(signed_in, given, own, board):
    given(("default", "general.api_key", API_KEY), ("default", "customers.namespace", "shop"))
    with board.app_context():
        account = load_book().accounts()[0].id
        db.session.add(SentRecord(account=account, kind="contact", entity="customer:1", digest="x"))
        db.session.commit()
    page = undo(signed_in("editor"), 2)[1]
    assert "1 contact was sent already" in page
    assert own()["customers.namespace"] == "shop"


def test_templates_that_would_clash_are_not_taken_back(signed_in, given, own):
    given(
        ("default", "mail.stock_alert.template_id", "7"),
        ("default", "mail.stock_alert.template_id", "8"),
        ("default", "mail.order_shipping.template_id", "7"),
    )
    page = undo(signed_in("editor"), 2)[1]
    assert "template 7 is already that of" in page
    assert own()["mail.stock_alert.template_id"] == "8"


def test_lines_about_other_things_are_shown_and_have_no_undo(signed_in, board):
    with board.app_context():
        db.session.add(AuditLog(who="<b>x</b>", what="user bob <script>", before=None, after={"role": "viewer"}))
        db.session.commit()
    client = signed_in("editor")
    page = client.get(PATH).get_data(as_text=True)
    assert "role viewer" in page
    assert "<script>" not in page
    assert "<b>x" not in page
    assert "/undo" not in page
    answer = client.post(f"{PATH}/1/undo", data={"csrf_token": token(client, f"{BASE}/password")})
    assert answer.status_code == 404


def test_older_lines_are_on_the_next_page_each_once_and_one_person_can_be_asked_for(signed_in, given):
    given(*[("default", "export.max_per_run", str(number)) for number in range(1, 61)])
    given(*[("store:de", "export.max_per_run", str(number)) for number in range(1, 61)])
    client = signed_in("viewer")
    seen, query = [], "?who=ann"
    while query:
        page = client.get(PATH + query).get_data(as_text=True)
        seen += [text_of(row) for row in rows(client, query)]
        found = re.search(r'href="[^"]*(\?[^"]+)" rel="next"', page)
        query = found.group(1).replace("&amp;", "&") if found else ""
    assert len(seen) == len(set(seen)) == 120
    assert rows(client, "?who=bob") == []


def test_a_viewer_takes_nothing_back(signed_in, given, own):
    given(("default", "orders.currency", "both"))
    client = signed_in("viewer")
    assert "/undo" not in client.get(PATH).get_data(as_text=True)
    assert undo(client, 1)[0] == 403
    assert own() == {"orders.currency": "both"}
