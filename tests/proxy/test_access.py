"""The lines of the access log."""

from __future__ import annotations

import re

from structlog.testing import capture_logs

from bridge.proxy import access
from bridge.proxy.access import AccessLog
from bridge.proxy.exchange import RequestHead


def test_a_line_names_nobody(tmp_path):
    log = AccessLog(tmp_path / "access.log")
    log.note(
        RequestHead(b"GET", b"/customer/account/createPassword/token/abc?id=7&email=jane@example.com"), 200, 0.0124, ""
    )
    log.note(RequestHead(b"POST", b"/rest/\xe9\x07/V1"), 0, 3, "cut")
    log.flush()
    first, second = log.path.read_text().splitlines()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z GET /customer/account 200 0\.012 ok", first)
    assert second.endswith("Z POST /rest/?? - 3.000 cut")


def test_a_file_that_was_rotated_is_let_go(tmp_path):
    log = AccessLog(tmp_path / "access.log")
    for name in (b"/a", b"/b"):
        log.note(RequestHead(b"GET", name), 200, 0, "")
        log.flush()
        log.path.rename(tmp_path / name.decode().strip("/"))
    assert "/a" in (tmp_path / "a").read_text()
    assert "/a" not in (tmp_path / "b").read_text()


def test_a_disk_that_takes_nothing_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(access, "WAITING_LIMIT", 3)
    log = AccessLog(tmp_path / "none" / "access.log")
    for _ in range(5):
        log.note(RequestHead(), 200, 0, "")
    with capture_logs() as lines:
        log.flush()
        log.flush()
    assert [line["lines"] for line in lines] == [3, 2]
