"""The browsers of the tests: Chromium, and its headless shell, which is the same engine without a window around it.

The shell spends a third of the processor time on a new page, so most tests take it where it is installed. What a shell
leaves out (the way back to a kept page, pages made ready early), and whole journeys, are tested with Chromium itself.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHELL = shutil.which("chromium-headless-shell") or CHROMIUM

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: install the package chromium"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run"]


def launch_shell(playwright: Playwright, *flags: str) -> Browser:
    """Return a browser without a window: the headless shell, or Chromium where there is none."""
    return playwright.chromium.launch(executable_path=SHELL, args=[*FLAGS, *flags])
