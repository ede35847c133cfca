"""Test sends: what Ometria gets, and what is kept of it."""

from __future__ import annotations

import pytest

from bridge.db import db
from bridge.mail.trial import send_test
from bridge.models import RequestLog
from bridge.settings import MAIL_KINDS, load_book
from tests.mail.mail_room import mail_room, switch_on


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        switch_on("off")
        yield made


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_a_test_of_each_kind_goes_out_whatever_the_mode_and_stands_in_the_request_log_alone(room, kind):
    answer = send_test(room.mailer, load_book(), kind, "staff@example.com", scope="default", sandbox=False)
    assert answer.outcome == "accepted"
    assert [mail["to"]["email"] for mail in room.sent()] == ["staff@example.com"]
    assert room.rows() == []
    (row,) = db.session.query(RequestLog).all()
    assert (row.kind, row.outcome, row.records, row.request_id) == ("mail", "accepted", 1, answer.request_id)
    assert "staff@example.com" not in room.everything_stored()
