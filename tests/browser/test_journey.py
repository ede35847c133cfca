"""The journey in real Chromium through the proxy, and the same with processes killed on the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.journey import STEPS, check_events, check_records, travel
from tests.browser.shopper import Shopper, launch
from tests.chromium import NEEDS_CHROMIUM

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.slow]


@pytest.fixture
def shopper(stack):
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield Shopper(browser.new_page(), stack.shop)
        browser.close()


@pytest.mark.timeout(400)
def test_ometria_holds_exactly_what_the_shopper_did(stack, shopper):
    for _ in travel(shopper):
        pass
    check_events(stack, shopper)
    check_records(stack, shopper)
    assert shopper.problems == []


@pytest.mark.timeout(600)
def test_killing_worker_clock_and_web_on_the_way_changes_nothing(stack, shopper):
    names = [step.name for step in STEPS]
    kills = {
        names.index("mini cart"): "web",
        names.index("reload of success"): "worker",
        names.index("log in"): "clock",
    }

    def kill(number, _step):
        if number in kills:
            stack.kill(kills[number])

    for _ in travel(shopper, kill):
        pass
    check_events(stack, shopper)
    check_records(stack, shopper)
    assert shopper.problems == []
