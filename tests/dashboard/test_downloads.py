"""Files that are written while they are read: whole, in whatever thread, and with no connection held meanwhile."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.event import listens_for

from bridge.dashboard import downloads
from bridge.db import db
from bridge.models import RequestLog
from bridge.models_coupons import CouponCode, CouponPool
from tests.dashboard.desk import BASE
from tests.dashboard.export_desk import account, furnish


@pytest.fixture
def filled(board, monkeypatch):
    monkeypatch.setattr(downloads, "LINES_AT_ONCE", 3)
    furnish(board)
    with board.app_context():
        db.session.add(CouponPool(id=1, name="summer", rule_id=1))
        db.session.flush()
        for number in range(20):
            db.session.add(RequestLog(account=account(), kind="order", outcome="refused", message=f"line {number}"))
            code = {"id": number + 1, "key": f"k{number}", "code": f"line {number}"}
            db.session.add(CouponCode(**code, rule_id=1, pool=1, state="given", request=None))
        db.session.commit()
    return board


PATHS = ("/logs/requests/file.csv", "/logs/errors/file.jsonl", "/coupons/1/codes.csv")


@pytest.mark.parametrize("path", PATHS)
def test_a_file_goes_on_in_another_thread_where_a_client_is_slow(filled, signed_in, path):
    parts = iter(signed_in("owner").get(BASE + path).response)
    found = [next(parts)]
    thread = threading.Thread(target=lambda: found.extend(parts))
    thread.start()
    thread.join(30)
    text = b"".join(found).decode()
    assert len(found) > 5
    assert all(f"line {number}" in text for number in range(20))


@pytest.mark.parametrize("path", PATHS)
def test_no_connection_is_held_while_a_piece_waits(filled, signed_in, path):
    client, held = signed_in("owner"), []
    with filled.app_context():
        engine = db.engine
    listens_for(engine, "checkout")(lambda *_: held.append(1))
    listens_for(engine, "checkin")(lambda *_: held.pop())
    parts = iter(client.get(BASE + path).response)
    for _ in range(3):
        next(parts)
        assert held == []
