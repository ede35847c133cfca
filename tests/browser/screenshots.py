"""`make screenshots`: takes the pictures of the README and the docs, after a journey, so that there is something to see."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.journey import check_records, travel
from tests.browser.shopper import Shopper, launch
from tests.browser.stack import ROOT, Stack

IMAGES = ROOT / "docs" / "img"
DASHBOARD = "/_bridge/dashboard"
SCREENS = {
    "dashboard": "/",
    "settings": "/settings/general",
    "mapping": "/settings/products",
    "accounts": "/accounts",
    "history": "/history",
    "comparison": "/comparison",
    "request-log": "/logs/requests",
    "mail-log": "/mail",
    "mail-setup": "/mail/setup",
    "coupons": "/coupons",
    "live": "/live",
    "alerts": "/alerts",
    "setup": "/setup",
    "from-module": "/setup/from-module",
    "people": "/people",
    "password": "/password",
    "records": "/records",
    "refused": "/refused",
    "error-log": "/logs/errors",
    "settings-file": "/settings-file",
    "ometria": "/ometria",
    "coupon-pool": "/coupons/1",
    "coupon-log": "/coupons/log",
    "changes": "/changes",
}
"""Name of a picture -> page of the dashboard; `docs/dashboard.md` shows them."""
ON_THE_WAY = {"sign-in": "/sign-in", "record": "/records/order/4"}
"""Pictures that are taken on the way, of these pages."""
SETTLED, DRAWN = 10_000, 1_500
"""Milliseconds for what was begun to get on, and for a page to draw its charts."""


def dashboard(page: Page, stack: Stack, order: str) -> None:
    """Take the screens of the dashboard, that of an order by its number among them."""
    page.goto(stack.dashboard)
    page.screenshot(path=str(IMAGES / "sign-in.png"))
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill(stack.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    page.goto(f"{stack.dashboard}{DASHBOARD}/coupons")
    page.get_by_label("Name of the pool").fill("Welcome")
    page.get_by_label("Cart price rule (id)").fill("2")
    page.get_by_label("Codes kept in stock").fill("20")
    page.get_by_role("button", name="Make the pool").click()
    page.get_by_role("button", name="Generate").click()
    for path, button in (
        ("/history", "Historical Data Export"),
        ("/comparison", "Compare only"),
        ("/setup", "Check everything"),
    ):
        page.goto(f"{stack.dashboard}{DASHBOARD}{path}")
        page.get_by_role("button", name=button).click()
        if path == "/history":
            page.get_by_role("button", name="Begin it").click()
        page.wait_for_timeout(SETTLED)
    for name, path in SCREENS.items():
        page.goto(f"{stack.dashboard}{DASHBOARD}{path}", wait_until="load")
        page.wait_for_timeout(DRAWN)
        page.screenshot(path=str(IMAGES / f"{name}.png"))
    page.goto(f"{stack.dashboard}{DASHBOARD}/records")
    page.get_by_label("Kind").select_option("order")
    page.locator("#id").fill(order)
    page.locator("#id").press("Enter")
    page.wait_for_load_state()
    page.screenshot(path=str(IMAGES / "record.png"))


def main() -> int:
    """Take them; return the exit code."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bridge-pictures-") as folder:
        stack = Stack(Path(folder) / "var").start()
        try:
            with sync_playwright() as playwright:
                browser = launch(playwright)
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                shopper = Shopper(page, stack.shop)
                for step in travel(shopper):
                    if step.name == "choose and add":
                        page.screenshot(path=str(IMAGES / "shop.png"))
                check_records(stack, shopper)
                page.goto(stack.ometria)
                page.screenshot(path=str(IMAGES / "fake-ometria.png"))
                dashboard(page, stack, shopper.orders[-1])
                browser.close()
        finally:
            stack.stop()
    print(f"Written: {', '.join(sorted(path.name for path in IMAGES.glob('*.png')))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
