"""Coupons in a real browser: a pool is made, codes are generated, downloaded and revoked; its policy blocks nothing."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from bridge.coupons import alerts, jobs, pools
from bridge.coupons.insert import insert
from bridge.coupons.room import EXTENSION, Room
from bridge.db import db
from bridge.store import CodeFormat, Rule, keep_tree
from bridge.store.memory import Memory
from tests.chromium import NEEDS_CHROMIUM, launch_shell
from tests.coupons.till import Wakes
from tests.dashboard.desk import BASE, PASSWORD
from tests.export import samples

PICTURES = os.environ.get("BRIDGE_TEST_PICTURES")
"""A folder: what is seen is kept there, for people to look at."""

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def shop(board):
    shop = Memory(samples.TREE)
    groups = (0, 1, 2, 3)
    shop.price_rules = {
        2: Rule(id=2, name="Welcome, 15 % off", website_ids=(1,), group_ids=groups, uses_per_coupon=1),
        3: Rule(id=3, name="Summer that was", active=False, website_ids=(1,), group_ids=groups),
        5: Rule(id=5, name="Win back", website_ids=(1,), group_ids=groups),
    }
    board.extensions[EXTENSION] = Room(shop, Wakes())
    with board.app_context():
        keep_tree(samples.TREE, secure=False)
        db.session.commit()
        pools.make_pool("Summer", 3, CodeFormat(), stock=100, expiry_days=0, who="test")
        pools.make_pool("Win back", 5, CodeFormat(prefix="BACK-"), stock=50, expiry_days=14, who="test")
        insert(shop.price_rules[2], ["OM7Q2K9XWAP0", "OMHJ2LK8D0QZ"], "api-1")
        alerts.watch(fresh=True)
        jobs.stock.refill()
    return shop


@pytest.fixture
def page(board, shop):
    from playwright.sync_api import sync_playwright

    server = make_server("127.0.0.1", 0, board, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    origin, complaints = f"http://127.0.0.1:{server.server_port}{BASE}", []
    with sync_playwright() as playwright:
        browser = launch_shell(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{origin}/sign-in")
        page.get_by_label("Name").fill("editor")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{origin}/")
        yield page
        browser.close()
    server.shutdown()
    thread.join()
    server.server_close()
    # A form that was refused in words is answered with 422, which the browser counts as a fault.
    assert [line for line in complaints if "status of 422" not in line] == []


def seen(page, name):
    """Nothing is wider than the window; keep a picture where one is wanted."""
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} at {width}"
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)


@pytest.mark.timeout(180)
def test_a_pool_from_its_making_to_its_last_code(page, shop):
    page.get_by_role("link", name="Pools").click()
    page.get_by_text("cannot be used since").wait_for()
    seen(page, "pools")
    page.get_by_label("Name of the pool").fill("Welcome")
    page.get_by_label("Cart price rule (id)").fill("2")
    page.get_by_label("Days until a code expires").fill("30")
    page.get_by_label("Prefix").fill("OM-")
    page.get_by_label("A dash after every").fill("4")
    page.get_by_role("button", name="Make the pool").click()
    page.get_by_text("The pool Welcome is made.").wait_for()
    page.get_by_label("Codes to give out").fill("12")
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("12 of 12 codes are given out.").wait_for()
    made = [one.code for one in shop.coupons.values() if one.code.startswith("OM-")]
    assert len(made) == 12
    seen(page, "pool")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert {line.partition(",")[0] for line in lines[1:]} == set(made)
    page.get_by_label("Codes to revoke, one a line").fill("\n".join([*made[:2], "SAVE10"]))
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("2 codes are revoked. 1 were left").wait_for()
    assert not {code.casefold() for code in made[:2]} & set(shop.coupons)
    page.get_by_label("Codes to give out").fill("0")
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("0 codes cannot be made: ask for at least 1.").wait_for()
    page.get_by_label("Codes kept in stock").fill("25")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The pool is changed.").wait_for()
