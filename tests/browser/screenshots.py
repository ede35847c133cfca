"""`make screenshots`: takes the pictures of the README and the docs, after a journey, so that there is something to see."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.journey import check_records, travel
from tests.browser.shopper import Shopper, launch
from tests.browser.stack import ROOT, Stack

IMAGES = ROOT / "docs" / "img"


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
                page.goto(stack.dashboard)
                page.get_by_label("Name").fill("owner")
                page.get_by_label("Password").fill(stack.password)
                page.get_by_role("button", name="Sign in").click()
                page.wait_for_load_state("networkidle")
                page.screenshot(path=str(IMAGES / "dashboard.png"))
                page.goto(f"{stack.dashboard}/_bridge/dashboard/settings/general")
                page.screenshot(path=str(IMAGES / "settings.png"))
                browser.close()
        finally:
            stack.stop()
    print(f"Written: {', '.join(sorted(path.name for path in IMAGES.glob('*.png')))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
