"""Who the visitor is, at the sandbox shop in Chromium: told after the shop's own word, once, and gone with the log-out."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from bridge.db import db
from bridge.models import IdentityClaim, Visitor
from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.sandbox_front import IDRIS, MAREN, PASSWORD
from tests.tracking.sandbox_visit import sandbox_shop

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def make_browser(tmp_path, chromium):
    """Return a function giving a visitor at a shop with these settings."""
    shops, browsers = [], []

    def make(**settings):
        shop = sandbox_shop(tmp_path, **settings)
        context = chromium.new_context()
        shops.append((shop, context))
        browsers.append(shop.__enter__()(context))
        return browsers[-1]

    yield make
    for shop, context in shops:
        context.close()
        shop.__exit__(None, None, None)
    assert [wrong for browser in browsers for wrong in browser.wrong] == []


def known(browser):
    """Return the e-mail that the server has of the visitor."""
    cookie = next(cookie["value"] for cookie in browser.context.cookies() if cookie["name"] == "bridge_visitor")
    return browser.room.tracking.observer._identities.known(cookie, None).email


def test_what_anybody_could_type_identifies_nobody_and_a_log_in_does(make_browser):
    browser = make_browser()
    browser.sign_in(password="wrong")
    browser.open("/customer/account/forgotpassword/")
    browser.page.fill("#email_address", IDRIS)
    browser.click("form.forget button.submit")
    browser.open("/contact/")
    browser.page.fill("form.contact [name=email]", IDRIS)
    browser.page.fill("form.contact [name=name]", "Somebody")
    browser.page.fill("form.contact [name=comment]", "Hello")
    browser.click("form.contact button[type=submit]")
    browser.check(browser.identities, [])
    browser.sign_in()
    browser.check(browser.identities, [MAREN])
    browser.open("/")
    browser.open("/customer/account/")
    browser.check(browser.identities, [MAREN])
    browser.click(".authorization-link a")
    browser.open("/")
    browser.check(lambda: known(browser), None)
    browser.check(browser.identities, [MAREN])


def test_a_log_in_by_script_a_newsletter_form_and_a_new_account_identify(make_browser):
    browser = make_browser()
    browser.open("/")
    browser.page.fill("#newsletter", "o'neill+news@example.com")
    browser.click("form.subscribe button")
    browser.check(browser.identities, ["o'neill+news@example.com"])
    browser.do(
        """([username, password]) => fetch('/customer/ajax/login', { method: 'POST',
        body: JSON.stringify({ username, password }),
        headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'XMLHttpRequest' } })""",
        [MAREN, PASSWORD],
    )
    browser.open("/")
    browser.check(browser.identities, ["o'neill+news@example.com", MAREN])
    browser.click(".authorization-link a")
    browser.open("/customer/account/create/")
    for name, value in {"firstname": "Ann", "lastname": "New", "email_address": "ann.new@example.com",
                        "password": "Harbour-2026", "password-confirmation": "Harbour-2026"}.items():  # fmt: skip
        browser.page.fill(f"#{name}", value)
    browser.click("form.form-create-account button.submit")
    browser.check(browser.identities, ["o'neill+news@example.com", MAREN, "ann.new@example.com"])


def test_a_changed_address_changes_the_identity_once(make_browser):
    browser = make_browser()
    browser.sign_in()
    browser.check(browser.identities, [MAREN])
    browser.open("/customer/account/edit/")
    browser.page.check("#change-email")
    browser.page.fill("#email", "maren.new@example.com")
    browser.page.fill("#current-password", "wrong")
    browser.click("button.save")
    browser.check(browser.identities, [MAREN])
    browser.open("/customer/account/edit/")
    browser.page.check("#change-email")
    browser.page.fill("#email", "maren.new@example.com")
    browser.page.fill("#current-password", PASSWORD)
    browser.click("button.save")
    browser.check(browser.identities, [MAREN, "maren.new@example.com"])
    browser.sign_in("maren.new@example.com")
    browser.open("/")
    browser.check(browser.identities, [MAREN, "maren.new@example.com"])


def test_who_was_logged_in_before_bridge_came_is_known_on_her_next_page(make_browser):
    browser = make_browser()
    browser.sign_in()
    browser.check(browser.identities, [MAREN])
    with browser.room.app.app_context():
        db.session.execute(delete(Visitor))
        db.session.execute(delete(IdentityClaim))
        db.session.commit()
    browser.context.clear_cookies(name="bridge_visitor")
    browser.page.evaluate(
        """() => { for (const area of [localStorage, sessionStorage]) {
        Object.keys(area).filter((key) => key.startsWith('bridge.')).forEach((key) => area.removeItem(key)); } }"""
    )
    browser.open("/bags.html")
    browser.check(browser.identities, [MAREN, MAREN])
    browser.open("/")
    browser.check(browser.identities, [MAREN, MAREN])


@pytest.mark.parametrize("wanted", [True, False])
def test_a_guest_at_the_checkout_is_known_where_the_setting_says_so(make_browser, wanted):
    browser = make_browser(tracking__identify_guest_checkout=wanted)
    browser.add("/quayside-holdall.html")
    browser.pay("greta.guest@example.com")
    browser.check(browser.identities, ["greta.guest@example.com"] if wanted else [])
