"""A visitor's browser at the small shop of ``tag_shop``."""

from __future__ import annotations

import shutil
import time

import pytest

from bridge.events import Identified

CHROMIUM = shutil.which("chromium")
QUIET = 0.35

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium"),
]


# What Chromium says of a request that a test kept away, which it may still say when the test has gone on.
KEPT_AWAY = "Failed to load resource: net::ERR_FAILED"


def is_ours(url):
    """Whether the tag, or Ometria's script for it, is asked for, or asks."""
    return "/_bridge/" in url or "/tags/" in url


class Visit:
    """A visitor's browser at the shop; what is wrong on any of its pages is kept."""

    def __init__(self, context, shop, origin):
        self.context, self.shop, self.origin = context, shop, origin
        self.wrong = []
        self.waiting = set()
        self.page = self.tab()

    def tab(self):
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", self._heard)
        page.on("request", lambda request: self.waiting.add(request) if is_ours(request.url) else None)
        for ended in ("requestfinished", "requestfailed"):
            page.on(ended, lambda request: self.waiting.discard(request))
        # What a page asked for that was left is never answered.
        page.on("framenavigated", lambda _frame: self.waiting.clear())
        return page

    def _heard(self, message):
        if message.type == "error" and message.text != KEPT_AWAY:
            self.wrong.append(message.text)

    def open(self, path, page=None):
        (page or self.page).goto(self.origin + path)
        return self.settle()

    def do(self, script, page=None):
        (page or self.page).evaluate(script)
        return self.settle()

    def wait(self, name, number=1):
        """Wait until so many calls of this name were made and nothing more comes; return the arguments of each."""
        limit = time.monotonic() + 20
        while len(self.shop.named(name)) < number and time.monotonic() < limit:
            self.page.wait_for_timeout(50)
        self.settle()
        return self.shop.named(name)

    def settle(self):
        """Wait until nothing is asked for by the tag, and nothing has been called for a while; return all calls so far."""
        limit, known, since = time.monotonic() + 10, -1, time.monotonic()
        while time.monotonic() < limit:
            if len(self.shop.calls) != known or self.waiting:
                known, since = len(self.shop.calls), time.monotonic()
            elif time.monotonic() - since > QUIET:
                break
            self.page.wait_for_timeout(50)
        return self.shop.calls


def identify(visit, email):
    """Let the shop accept this e-mail for the visitor, as the observer does, and mark that a form was handled."""
    cookie = next(cookie for cookie in visit.context.cookies() if cookie["name"] == "bridge_visitor")
    visit.shop.room.tracking.observer._identities.identify(
        cookie["value"], None, Identified(email=email, source="login")
    )
    visit.context.add_cookies(
        [{"name": "private_content_version", "value": email.partition("@")[0], "url": visit.origin}]
    )


def lines(basket):
    return [(line["pid"], line.get("vid"), line["q"], line["tot"]) for line in basket["lis"]]
