"""The dashboard in a real browser: its policy blocks nothing of ours, the script adds what it promises."""

from __future__ import annotations

import re
import threading

import pytest
from werkzeug.serving import make_server

from bridge.db import db
from bridge.events import EntityRef
from bridge.models import EventLog, Pending
from bridge.settings import load_book
from tests.browser.stack import wait_for
from tests.chromium import NEEDS_CHROMIUM, launch_shell
from tests.dashboard.desk import BASE, PASSWORD
from tests.dashboard.export_desk import furnish, send

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch_shell(playwright)
        yield browser
        browser.close()


@pytest.fixture
def origin(board):
    server = make_server("127.0.0.1", 0, board, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{BASE}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browse(chromium, origin):
    """Return a function giving a signed-in page in a context of its own; complaints of the browser fail the test."""
    complaints, contexts = [], []

    def make(name="editor", **options):
        context = chromium.new_context(base_url=origin, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{origin}/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{origin}/")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def test_the_home_page_renews_its_parts_while_it_is_looked_at(browse, board):
    page = browse()
    page.get_by_text("Ometria has refused nothing.").wait_for()
    # Not wait_for_function: what it waits with is evaluated in the page, which the page's policy forbids.
    wait_for(lambda: page.evaluate("document.querySelector('.only-light').naturalWidth > 0"), 10)
    page.evaluate("window.stillTheSamePage = true")
    with board.app_context():
        db.session.add(Pending(account="a", kind="order", entity="4711", state="refused", reason="<b>bold</b> reason"))
        db.session.add(EventLog(id="1" * 32, at=1_700_000_000, type="order_placed", summary="order 000000007"))
        db.session.commit()
    page.get_by_text("<b>bold</b> reason").wait_for(timeout=15_000)
    page.get_by_text("order 000000007").wait_for()
    assert page.evaluate("window.stillTheSamePage"), "without loading the page again"
    assert "2023-11-14" not in page.inner_text("[data-live=events] time"), "times are in the reader's zone and form"


def test_the_page_says_when_it_is_no_longer_renewed_and_when_it_is_again(browse):
    page = browse()
    page.get_by_text("Live", exact=True).first.wait_for()
    page.evaluate("() => { window.asked = fetch; window.fetch = () => Promise.reject(new TypeError('away')); }")
    page.get_by_text("Not updating").wait_for(timeout=15_000)
    page.evaluate("() => { window.fetch = window.asked; }")
    page.locator(".is-stale").wait_for(state="detached", timeout=15_000)


def test_a_ticked_box_locks_its_field_and_an_unticked_one_takes_the_keyboard(browse, board, origin):
    page = browse()
    page.goto(f"{origin}/settings/customers?scope=store:de")
    field = page.get_by_label("Customer namespace")
    assert field.is_disabled()
    page.locator('[name="default.customers.namespace"]').uncheck()
    assert field.is_enabled()
    page.keyboard.type("shop")
    page.keyboard.press("Enter")
    page.get_by_text("Customer namespace: empty → shop").wait_for()
    with board.app_context():
        assert load_book().values["store:de"] == {"customers.namespace": "shop"}


def test_the_scope_switcher_works_by_keyboard(browse, origin):
    page = browse()
    page.goto(f"{origin}/settings/general")
    page.locator(".switcher summary").focus()
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name=re.compile("Deutsch"))
    link.wait_for()
    page.keyboard.press("Escape")
    link.wait_for(state="hidden")
    page.keyboard.press("Enter")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/general?scope=store:de")


@pytest.mark.parametrize("path", ["/", "/settings/general?scope=store:de", "/password"])
def test_nothing_is_wider_than_a_phone(browse, origin, path):
    page = browse(viewport={"width": 360, "height": 780})
    page.goto(origin + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_text("Menu").click()
    page.get_by_role("link", name="Data export").click()
    page.get_by_role("heading", name="Data export").wait_for()


def test_the_colours_follow_the_system(browse):
    shades = []
    for scheme in ("light", "dark"):
        page = browse(color_scheme=scheme)
        assert page.locator(f".only-{scheme}").is_visible()
        shades.append(page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor"))
    assert shades[0] != shades[1]


def test_without_script_everything_can_be_read_and_saved(browse, board, origin):
    page = browse(java_script_enabled=False)
    page.goto(f"{origin}/settings/orders")
    page.locator('[name="default.orders.currency"]').uncheck()
    page.get_by_label("Currency type").select_option("both")
    page.get_by_role("button", name="Save config").click()
    page.get_by_text("Currency type: Local → Both").wait_for()
    with board.app_context():
        assert load_book().values["default"] == {"orders.currency": "both"}


def test_without_script_attributes_are_looked_up_and_rows_added_and_saved(browse, board, origin):
    furnish(board)
    page = browse(java_script_enabled=False)
    page.goto(f"{origin}/settings/products")
    page.get_by_role("button", name="Read attributes from the shop").click()
    page.get_by_text("Read from the shop").wait_for()
    page.locator('[name="default.products.mapping"]').uncheck()
    page.get_by_role("button", name="Add rows").click()
    page.locator('[name="products.mapping.7.attribute"]').fill("color")
    page.locator('[name="products.mapping.7.form"]').select_option("label")
    page.locator('[name="products.mapping.7.form"]').press("Tab")
    page.locator('[name="products.mapping.0.attribute"]').fill("material")
    page.locator('[name="products.mapping.0.attribute"]').press("Enter")
    page.get_by_text("Product data mapping: empty → material, color:label").wait_for()


def test_a_ticked_box_locks_a_whole_table_and_an_unticked_one_takes_the_keyboard(browse, board, origin):
    page = browse()
    page.goto(f"{origin}/settings/customers")
    cell = page.locator('[name="customers.mapping.0.attribute"]')
    assert cell.is_disabled()
    page.locator('[name="default.customers.mapping"]').uncheck()
    page.keyboard.type("hobby")
    page.keyboard.press("Enter")
    page.get_by_text("Customer data mapping: empty → hobby").wait_for()


CONFIGURATION_PAGES = ("/accounts", "/changes", "/settings-file", "/settings/products", "/settings/orders")


@pytest.mark.parametrize("path", CONFIGURATION_PAGES)
def test_a_page_of_the_configuration_fits_a_phone_and_obeys_the_policy(browse, board, origin, path):
    furnish(board)
    page = browse(viewport={"width": 360, "height": 780})
    page.goto(origin + path)
    assert page.locator("h1").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


EXPORT_PAGES = ("/records", "/records/order/4", "/logs/requests", "/logs/errors", "/comparison", "/history", "/ometria")


@pytest.mark.parametrize("path", EXPORT_PAGES)
def test_a_page_of_the_export_fits_a_phone_and_obeys_the_policy(browse, board, origin, path):
    furnish(board)
    with board.app_context():
        send(EntityRef("order", "4"))
    page = browse(viewport={"width": 360, "height": 780})
    page.goto(origin + path)
    assert page.locator("h1").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_script_a_record_is_found_and_a_comparison_begun(browse, board, origin):
    room = furnish(board)
    page = browse(java_script_enabled=False)
    page.goto(f"{origin}/records")
    page.get_by_label("What the shop calls it").fill("jane@example.com")
    page.get_by_label("Kind").select_option("contact")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("heading", name="Customer or subscriber customer:2").wait_for()
    assert "@" not in page.url
    assert '"email": "jane@example.com"' in page.get_by_label("The record now").inner_text()
    page.get_by_text("What each field follows").click()
    page.get_by_text("customers.newsletter_tracking").first.wait_for()
    page.goto(f"{origin}/comparison?kind=order")
    page.get_by_role("button", name="Compare only").click()
    page.get_by_text("The comparison has begun.").wait_for()
    assert room.wakes.woken == [("drift",)]


@pytest.mark.parametrize(("scheme", "colour"), [("dark", "rgb(18, 24, 30)"), ("light", "rgb(245, 246, 248)")])
def test_without_scripts_a_page_has_the_colours_that_the_browser_prefers(browse, board, scheme, colour):
    page = browse("viewer", java_script_enabled=False, color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == colour
    shown = page.evaluate("[...document.querySelectorAll('.chart')].map((one) => getComputedStyle(one).display)")
    assert shown == (["none", "block"] if scheme == "dark" else ["block", "none"])
