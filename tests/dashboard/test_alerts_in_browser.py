"""Alerts in a real browser: what goes wrong appears while somebody looks, and the page fits a telephone."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from bridge.db import db
from bridge.models_alerts import Alert, AlertNotice
from bridge.settings import set_value
from tests.dashboard.test_in_browser import browse, chromium, origin, pytestmark

__all__ = ["browse", "chromium", "origin", "pytestmark"]
PICTURES = os.environ.get("BRIDGE_TEST_PICTURES")
"""A folder: what is seen is kept there, for people to look at."""
SENTENCE = "Live changes of Main Website have waited 42 minutes for Ometria (1234 wait)."


def begin(app):
    """Let one thing be wrong and another be over, told and not told."""
    now = time.time()
    with app.app_context():
        rows = (("backlog", "Main Website", SENTENCE, 0.0), ("clock_stopped", "The clock", "It stood.", now - 60))
        for number, (kind, subject, sentence, ended) in enumerate(rows, 1):
            key = f"{kind}:{number}"
            own = {"id": number, "key": key, "kind": kind, "subject": subject, "sentence": sentence}
            db.session.add(Alert(**own, began_at=now - 600, ended_at=ended))
            db.session.flush()
            told = {"event": "began", "tries": number, "told_at": now - 500}
            db.session.add(AlertNotice(alert=number, channel="email", state="told", **told))
        reason = "The webhook answered with status 500."
        db.session.add(AlertNotice(alert=1, channel="webhook", event="began", state="waiting", tries=4, reason=reason))
        set_value("default", "alerts.email", "ann@shop.test", "test")
        set_value("default", "alerts.webhook", "https://127.0.0.1/T0KEN", "test")
        db.session.commit()


def seen(page, name):
    """Nothing is wider than the window; keep a picture where one is wanted."""
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} at {width}"
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)


@pytest.mark.parametrize("path", ["/", "/live"])
def test_what_goes_wrong_appears_while_somebody_looks(browse, board, origin, path):
    page = browse("viewer")
    page.goto(f"{origin}{path}")
    assert page.get_by_text(SENTENCE).count() == 0
    begin(board)
    page.get_by_text(SENTENCE).wait_for(timeout=20_000)
    seen(page, f"alerts-on-{path.strip('/') or 'home'}")
    page.get_by_role("link", name="All alerts").click()
    page.get_by_role("heading", name="Alerts").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_and_the_settings_of_alerts_fit_every_screen(browse, board, origin, scheme):
    begin(board)
    page = browse(color_scheme=scheme)
    page.get_by_role("link", name="Alerts").first.click()
    page.get_by_text(SENTENCE).wait_for()
    seen(page, f"alerts-{scheme}")
    assert page.get_by_role("button", name=re.compile("^Send a test ?: Webhook")).is_visible()
    page.goto(f"{origin}/settings/alerts")
    page.get_by_label("Shop hours").wait_for()
    seen(page, f"alerts-settings-{scheme}")
