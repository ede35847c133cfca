"""Settings as a file on the dashboard: written, compared, brought in; keys neither go out nor come in."""

from __future__ import annotations

import io
import re

import pytest

from bridge.db import db
from bridge.models import Scope, SentRecord
from bridge.settings import load_book, set_value
from tests.dashboard.desk import API_KEY, BASE, read_form
from tests.dashboard.test_settings_form import text_of

PATH = f"{BASE}/settings-file"
FILE = "default:\n  orders.currency: both\nstore:de:\n  export.max_per_run: 7\n"


@pytest.fixture
def own(board):
    def read(scope="default"):
        with board.app_context():
            return dict(load_book().values.get(scope, {}))

    return read


@pytest.fixture
def given(board):
    def give(scope, key, value):
        with board.app_context():
            set_value(scope, key, value, "test")
            db.session.commit()

    return give


def send(client, page=None, **fields):
    form = read_form(page or client.get(PATH).get_data(as_text=True))
    return client.post(PATH, data=form | fields, content_type="multipart/form-data")


def test_the_file_holds_own_values_and_no_key(signed_in, given):
    given("default", "general.api_key", API_KEY)
    given("store:de", "orders.valid_statuses", "paid, complete")
    answer = signed_in("viewer").get(f"{PATH}/settings.yaml")
    assert answer.mimetype == "application/yaml"
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.get_data(as_text=True)
    assert text.endswith(
        "# default general.api_key is set.\nstore:de:\n  orders.valid_statuses:\n  - complete\n  - paid\n"
    )
    assert "om_live" not in text


def test_a_file_is_looked_at_and_then_brought_in(signed_in, own):
    client = signed_in("editor")
    answer = send(client, file=(io.BytesIO(FILE.encode()), "settings.yaml"), act="look")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "2 values change; nothing is changed yet" in text_of(page)
    assert "store:de export.max_per_run: (value above) -&gt; 7" in page
    assert own() == {}
    answer = send(client, page, text=FILE, act="import")
    assert answer.status_code == 303
    assert (own(), own("store:de")) == ({"orders.currency": "both"}, {"export.max_per_run": 7})
    assert "2 values changed." in client.get(PATH).get_data(as_text=True)


def test_the_file_brought_in_again_changes_nothing(signed_in, given):
    given("default", "orders.currency", "both")
    client = signed_in("editor")
    text = client.get(f"{PATH}/settings.yaml").get_data(as_text=True)
    assert "No values change" in text_of(send(client, text=text, act="look").get_data(as_text=True))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("default:\n  orders.currency: gold\n", "it takes one of local base both."),
        ("store:none:\n  orders.currency: both\n", "There is no scope"),
        ("x", "Line 1 of the file cannot be read"),
    ],
)
def test_what_cannot_be_is_said_and_the_text_stays(signed_in, own, text, sentence):
    answer = send(signed_in("editor"), text=text, act="import")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in text_of(page)
    assert text.rstrip("\n") in page
    assert own() == {}


@pytest.mark.parametrize(
    "text", [f"default:\n  general.api_key: {API_KEY}\n", f'default:\n  general.api_key: "{API_KEY}\n']
)
def test_a_key_in_the_file_is_refused_and_not_shown_again(signed_in, own, text):
    answer = send(signed_in("owner"), text=text, act="import")
    assert answer.status_code == 422
    assert API_KEY not in answer.get_data(as_text=True)
    assert own() == {}


def test_what_is_no_text_is_said(signed_in):
    answer = send(signed_in("editor"), file=(io.BytesIO(b"\xff\xfe\x00"), "x.yaml"), act="look")
    assert answer.status_code == 422
    assert "The file is no UTF-8 text." in answer.get_data(as_text=True)


def test_a_change_by_somebody_else_since_the_look_is_a_conflict(signed_in, own, given):
    client = signed_in("editor")
    page = send(client, text=FILE, act="look").get_data(as_text=True)
    given("default", "orders.currency", "base")
    answer = send(client, page, text=FILE, act="import")
    assert answer.status_code == 409
    assert "orders.currency: base -&gt; both" in answer.get_data(as_text=True)
    assert own() == {"orders.currency": "base"}
    assert send(client, answer.get_data(as_text=True), text=FILE, act="import").status_code == 303
    assert own() == {"orders.currency": "both"}


def test_records_that_would_exist_twice_are_asked_about(signed_in, own, given, board):
    given("default", "general.api_key", API_KEY)
    with board.app_context():
        account = load_book().accounts()[0].id
        db.session.add(SentRecord(account=account, kind="order", entity="4", digest="x"))
        db.session.commit()
    client, text = signed_in("editor"), "default:\n  orders.namespace: shop\n"
    page = send(client, text=text, act="import").get_data(as_text=True)
    assert "1 order was sent already" in text_of(page)
    assert "orders.namespace" not in own()
    assert send(client, page, text=text, act="import", sure="1").status_code == 303
    assert own()["orders.namespace"] == "shop"


def test_replacing_takes_away_what_the_file_lacks(signed_in, own, given):
    given("default", "orders.currency", "base")
    given("default", "general.api_key", API_KEY)
    client = signed_in("editor")
    assert send(client, text="default:\n  export.live: off\n", act="import", replace="1").status_code == 303
    assert own() == {"export.live": False, "general.api_key": API_KEY}


def test_values_of_a_store_view_that_is_gone_are_neither_written_nor_taken_away(signed_in, own, given, board):
    given("store:de", "orders.currency", "base")
    with board.app_context():
        db.session.delete(db.session.get(Scope, "store:de"))
        db.session.commit()
    client = signed_in("editor")
    text = client.get(f"{PATH}/settings.yaml").get_data(as_text=True)
    assert "store:de" not in text
    assert send(client, text=text, act="import", replace="1").status_code == 303
    assert own("store:de") == {"orders.currency": "base"}, "it may come back"


def test_a_viewer_brings_nothing_in(signed_in, own):
    client = signed_in("viewer")
    page = client.get(PATH).get_data(as_text=True)
    assert "<textarea" not in page
    crumb = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    assert client.post(PATH, data={"csrf_token": crumb, "text": FILE, "act": "import"}).status_code == 403
    assert own() == {}
