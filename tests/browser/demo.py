"""`make demo-journey`: plays the journey slowly, for a person to watch.

With a screen the browser is visible; without one the steps are told as they happen and the pictures lie in the folder
that is named at the end.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.journey import STEPS, check_events, check_records, travel
from tests.browser.shopper import Shopper, launch
from tests.browser.stack import Stack
from tests.chromium import CHROMIUM


def main() -> int:
    """Play it; return the exit code."""
    if CHROMIUM is None:
        print("Chromium is missing: install the package chromium, or run `make test` once as a user who may.")
        return 1
    visible = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    folder = Path(tempfile.mkdtemp(prefix="bridge-journey-"))
    stack = Stack(folder / "var").start()
    print(
        f"Shop {stack.shop}  ·  fake Ometria {stack.ometria}  ·  dashboard {stack.dashboard} (owner {stack.password})"
    )
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright, headless=not visible, slow_ms=400 if visible else 0)
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            shopper = Shopper(page, stack.shop)
            for number, step in enumerate(travel(shopper), 1):
                page.screenshot(path=str(folder / f"{number:02}-{step.name.replace(' ', '-')}.png"))
                caused = ", ".join(kind for kind, _ in step.causes)
                print(f"{number:2}/{len(STEPS)}  {step.name:18} -> {caused}", flush=True)
                page.wait_for_timeout(1500 if visible else 100)
            print("Waiting for the records …", flush=True)
            check_events(stack, shopper)
            check_records(stack, shopper)
            print(
                f"Ometria holds orders {', '.join(shopper.orders)}, their products and the customer: all as promised."
            )
            browser.close()
    finally:
        stack.stop()
    if not visible:
        print(f"Pictures: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
