"""A visitor's browser at the small shop of ``tag_shop``."""

from __future__ import annotations

import time

from playwright.sync_api import Error

from bridge.events import Identified

QUIET = 0.35


# What Chromium says of a request that a test kept away, which it may still say when the test has gone on.
KEPT_AWAY = "Failed to load resource: net::ERR_FAILED"


# Resolves when the page itself has had nothing to do for so long: on a busy machine its clock runs late with all it does,
# where a clock of the test's would not.
QUIET_PAGE = (
    "(quiet) => new Promise((done) => setTimeout(() => requestIdleCallback(() => done(), { timeout: 2000 }), quiet))"
)


def is_ours(url):
    """Whether the tag, or Ometria's script for it, is asked for, or asks, or a call is told."""
    return "/_bridge/" in url or "/tags/" in url or url.endswith("/calls")


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
        page.on("framenavigated", lambda frame: self.waiting.clear() if frame.parent_frame is None else None)
        return page

    def _heard(self, message):
        if message.type == "error" and message.text != KEPT_AWAY:
            self.wrong.append(message.text)

    def open(self, path, page=None):
        (page or self.page).goto(self.origin + path)
        return self.settle(page)

    def do(self, script, page=None):
        (page or self.page).evaluate(script)
        return self.settle(page)

    def wait(self, name, number=1):
        """Wait until so many calls of this name were made and nothing more comes; return the arguments of each."""
        limit = time.monotonic() + 20
        while len(self.shop.named(name)) < number and time.monotonic() < limit:
            self.page.wait_for_timeout(50)
        self.settle()
        return self.shop.named(name)

    def settle(self, page=None):
        """Wait until nothing is asked for by the tag, and nothing has been called for a while; return all calls so far."""
        limit, known = time.monotonic() + 20, -1
        while time.monotonic() < limit and (len(self.shop.calls) != known or self.waiting):
            known = len(self.shop.calls)
            self._be_quiet(page or self.page)
        return self.shop.calls

    def _be_quiet(self, page):
        try:
            page.evaluate(QUIET_PAGE, QUIET * 1000)
        except Error:
            # The page was left meanwhile, or has a policy of its own against this.
            page.wait_for_timeout(QUIET * 1000)


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
