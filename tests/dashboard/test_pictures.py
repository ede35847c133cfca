"""Every page of the dashboard has a picture, and the documentation shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dashboard.desk import BASE
from tests.dashboard.routes import rules

ROOT = Path(__file__).resolve().parents[2]
NO_SCREENS = {"asset", "coupon_file", "live_events", "log_file", "sent_chart", "settings_yaml"}
"""What is no page: files, a picture, a stream."""


def test_each_page_has_a_picture_that_the_documentation_shows(board):
    pytest.importorskip("playwright.sync_api")
    from tests.browser.screenshots import ON_THE_WAY, SCREENS

    adapter = board.url_map.bind("localhost")
    screens = SCREENS | ON_THE_WAY
    shown = {adapter.match(BASE + path.partition("?")[0], method="GET")[0] for path in screens.values()}
    pages = {rule.endpoint for rule in rules(board) if "GET" in (rule.methods or ())}
    assert pages - shown == {f"dashboard.{name}" for name in NO_SCREENS}
    told = set(re.findall(r"\(img/([\w-]+)\.png\)", (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")))
    assert told == set(screens)
    assert [name for name in screens if not (ROOT / "docs" / "img" / f"{name}.png").is_file()] == []
