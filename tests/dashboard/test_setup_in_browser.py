"""The check list in a real browser: a click, the result that comes by itself, light, dark and a phone's width."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.dashboard import check_notes
from bridge.dashboard.check_notes import Kept
from bridge.db import db
from bridge.mail import seen
from bridge.mail.letter import Mailbox
from bridge.models_coupons import CouponPool
from bridge.settings import set_value
from tests.dashboard import test_in_browser
from tests.dashboard.export_desk import furnish

browse, chromium, origin = test_in_browser.browse, test_in_browser.chromium, test_in_browser.origin
pytestmark = test_in_browser.pytestmark
PICTURES = os.environ.get("BRIDGE_TEST_PICTURES")
"""A folder: what is seen is kept there, for people to look at."""
WAYS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 800}},
}


@pytest.fixture
def room(board):
    found = furnish(board)
    with board.app_context():
        seen.note("order_confirmation", "de", 1_700_000_000.0, Mailbox("Acme", "sales@example.com"), marked=True)
        look = {"rule_id": 4, "kind": "alphanum", "checked_at": 1_700_000_000}
        db.session.add(CouponPool(name="Autumn", problem="The rule is switched off: set Active to Yes.", **look))
        set_value("default", "consent.mode", "cookie", "test")
        db.session.commit()
    return found


def test_a_check_is_asked_for_by_a_click_and_its_result_comes_by_itself(room, board, browse, origin):
    page = browse()
    page.goto(f"{origin}/setup")
    page.locator("#shop").get_by_role("button", name="Check now: Shop").click()
    page.get_by_text("The check has been asked for.").wait_for()
    page.locator("#shop").get_by_text("it waits for a worker").wait_for()
    page.evaluate("window.stillTheSamePage = true")
    with board.app_context():
        check_notes.begin("shop")
        check_notes.end("shop", [Kept("shop", "fail", "<b>The shop</b> does not answer.")])
    page.get_by_text("<b>The shop</b> does not answer.").wait_for(timeout=15_000)
    page.locator("#shop").get_by_text("Last checked").wait_for()
    assert page.evaluate("window.stillTheSamePage"), "without loading the page again"


@pytest.mark.parametrize("way", WAYS)
def test_the_pages_fit_their_width(room, browse, origin, way):
    page = browse(**WAYS[way])
    for name in ("setup", "setup/from-module"):
        page.goto(f"{origin}/{name}")
        page.locator("h1").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        if PICTURES:
            picture = Path(PICTURES) / f"{name.replace('/', '-')}-{way}.png"
            page.screenshot(path=str(picture), full_page=True)


def test_without_scripts_the_buttons_work_and_the_page_leads_to_its_result(room, browse, origin):
    page = browse(java_script_enabled=False)
    page.goto(f"{origin}/setup")
    page.get_by_role("button", name="Check everything now").click()
    page.get_by_text("The check has been asked for.").wait_for()
    page.locator("#mail").get_by_role("link", name="Look again").click()
    page.wait_for_url("**/setup#mail")
    assert ("check", "mail") in room.wakes.woken
