"""The second table of ``docs/tracking.md``: what the fake Ometria received of a visit to each front of the sandbox.

``python -m tests.tracking.told_flows`` goes through them in Chromium with bridge in between and writes the table anew.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.tracking.sandbox_front import MAREN, PASSWORD
from tests.tracking.sandbox_visit import sandbox_shop
from tests.tracking.test_tag_js_fronts import HOLDALL, ORDER

DOCS = Path(__file__).resolve().parents[2] / "docs" / "tracking.md"
BEGIN, END = "<!-- flows -->\n", "<!-- /flows -->"
HEAD = "| Front | What the visitor does | Signal | Call | Payload |\n| --- | --- | --- | --- | --- |\n"
CALLS = {
    "pageview": "init",
    "identify": "identify",
    "addtobasket": "trackAddToBasket",
    "setbasket": "setBasket",
    "transaction": "trackTransaction",
    "checkout": "trackCheckout",
}
"""In the order in which a step's calls are listed: it is Ometria's own of a page's calls."""
SIGNALS = {
    "identify": "the shop's answer to a log-in",
    "addtobasket": "the cart grew",
    "setbasket": "the cart's data",
    "transaction": "the order's number",
    "checkout": "the step in the address",
}
DRAWN = {"id", "url", "uiid"}
"""What is another in each run."""
SIGNAL = re.compile(r"bridge: (?:type \S+ by (.+)|route \S+ (\w+))$")


def opening(path):
    return lambda browser: browser.open(path)


def pressing(selector):
    return lambda browser: browser.click(selector)


def doing(script, *arguments):
    return lambda browser: browser.do(script, *arguments)


def use_coupon(browser):
    browser.page.fill("#coupon_code", "SAVE10")
    browser.click("#discount-coupon-form .action.apply")


# Hyvä's checkouts post to pages of the shop, whose answers renew this cookie; the REST calls here do not.
ORDER_AND_RENEW = f"() => ({ORDER})().then(() => {{ document.cookie = 'private_content_version=ordered; path=/'; }})"
BUTTON = "#product-addtocart-button"
FLOWS = {
    "luma": {
        "opens the home page": opening("/"),
        "opens a category": opening("/bags.html"),
        "searches": opening("/catalogsearch/result/?q=mug"),
        "opens a product": opening("/quayside-holdall.html"),
        "adds it": pressing(BUTTON),
        "opens the cart": opening("/checkout/cart/"),
        "gives a coupon": use_coupon,
        "goes through the checkout": lambda browser: browser.pay(),
        "logs in": lambda browser: browser.sign_in(),
        "opens what is not there": opening("/no-such-page"),
    },
    "hyva": {
        "opens the home page": opening("/"),
        "opens a category": opening("/bags.html"),
        "opens a product": opening("/quayside-holdall.html"),
        "adds it": pressing(BUTTON),
        "orders": doing(ORDER_AND_RENEW),
        "comes to the confirmation": opening("/checkout/onepage/success/"),
    },
    "graphql": {
        "opens the home page": opening("/"),
        "goes to a category": doing("front.go('/bags.html')"),
        "goes to a product": doing("front.go('/quayside-holdall.html')"),
        "adds it": doing(HOLDALL),
        "goes to the cart": doing("front.go('/cart')"),
        "logs in": doing("([email, password]) => front.logIn(email, password)", [MAREN, PASSWORD]),
        "chooses the shipping": doing("front.ship('')"),
        "orders": doing("front.order('')"),
    },
}


def rows(front, folder, chromium):
    """Go through a front's flow as a new visitor; return a line for each call, as the table has it."""
    lines = []
    with sandbox_shop(folder, front=front) as visitor:
        context = chromium.new_context()
        browser, heard = visitor(context), []
        context.add_cookies([{"name": "OMdebug", "value": "2_1", "url": browser.url}])
        browser.page.on("console", lambda message: heard.append(message.text))
        try:
            known = 0
            for step, act in FLOWS[front].items():
                heard.clear()
                act(browser)
                browser.settle()
                events = browser.events(*CALLS)
                signals = [found[1] or f"route {found[2]}" for text in heard if (found := SIGNAL.match(text))]
                lines += _lines(front, step, events[known:], signals)
                known = len(events)
        finally:
            context.close()
        assert browser.wrong == []
    return lines


def _lines(front, step, events, signals):
    views = [signal for signal in signals if signal != "nothing"] or ["nothing"]
    kinds = list(CALLS)
    told = []
    for event in sorted(events, key=lambda event: kinds.index(event["type"])):
        signal = SIGNALS.get(event["type"]) or (views.pop(0) if len(views) > 1 else views[0])
        told.append(f"| {front} | {step} | {_marked(signal)} | {_call(event)} | {_payload(event)} |")
    return told


def _marked(signal):
    return signal if " " in signal or signal == "nothing" else f"`{signal}`"


def _call(event):
    view = [event["d"].get("type") or "null"] if event["type"] == "pageview" else []
    return " ".join([f"`{CALLS[event['type']]}`", *view])


def _payload(event):
    told = {name: value for name, value in event["d"].items() if name not in {"type", "rurl"}}
    told |= dict.fromkeys(DRAWN & set(told), "…")
    if "tid" in told:
        told["tid"] = re.sub(r"\d", "0", told["tid"])
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(", ", ": "))
    return f"`{text}`" if told else ""


def written():
    """Return the lines that the page has."""
    return DOCS.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].splitlines()


def main() -> int:
    """Write the table."""
    from playwright.sync_api import sync_playwright

    from tests.chromium import launch_shell

    lines = []
    with sync_playwright() as playwright:
        chromium = launch_shell(playwright)
        for front in FLOWS:
            with TemporaryDirectory() as folder:
                lines += rows(front, Path(folder), chromium)
        chromium.close()
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(before + BEGIN + HEAD + "\n".join(lines) + "\n" + END + rest.partition(END)[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
