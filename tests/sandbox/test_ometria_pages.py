"""The page of the fake Ometria in a real browser: it keeps itself current and leaves the reader's place alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from bridge.sandbox.listener import Listener
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.sandbox.ometria_pages import address, clock_time, visitors_of
from tests.chromium import CHROMIUM, launch_shell

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ometria() -> Iterator[Listener]:
    listener = Listener("127.0.0.1", 0)
    listener.start(create_ometria(OmetriaOptions({"key": "0123456789abcdef"}, validation_delay=0)))
    yield listener
    listener.stop()


def push(ometria: Listener, product_id: str) -> None:
    record = {"@type": "product", "id": product_id, "title": f"Bag {product_id}"}
    requests.post(f"{ometria.url}/v2/push", json=[record], headers={"X-Ometria-Auth": "key"}, timeout=10)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: install the package chromium")
def test_the_page_shows_a_new_record_by_itself_and_keeps_an_opened_one_open(ometria: Listener) -> None:
    from playwright.sync_api import sync_playwright

    push(ometria, "1")
    with sync_playwright() as playwright:
        browser = launch_shell(playwright)
        page = browser.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(ometria.url)
        page.click("#product-1 > summary")
        push(ometria, "2")
        page.wait_for_selector("#product-2")
        assert page.locator("#product-1").evaluate("each => each.open") is True
        assert page.locator("#product-2").evaluate("each => each.open") is False
        assert problems == []
        page.click("text=Forget all")
        page.wait_for_selector("#product-1", state="detached")
        browser.close()


def test_without_scripts_the_page_loads_itself_anew(ometria: Listener) -> None:
    page = requests.get(ometria.url, timeout=10).text
    assert '<noscript><meta http-equiv="refresh"' in page


def event(n: int, cid: str, sent: float, seq: int, uiid: str | None = None) -> dict[str, Any]:
    return {"n": n, "cid": cid, "sent": sent, "seq": seq, "uiid": uiid}


def test_events_are_told_in_the_order_in_which_the_page_sent_them() -> None:
    arrived = [event(1, "a", 20, 2, "ann@example.com"), event(2, "a", 10, 1), event(3, "b", 5, 1)]
    visitors = visitors_of(arrived)
    assert [visitor["cid"] for visitor in visitors] == ["b", "a"]
    assert [each["n"] for each in visitors[1]["events"]] == [2, 1]
    assert [visitor["identity"] for visitor in visitors] == [None, "ann@example.com"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://shop/a.html?x=1#top", "/a.html?x=1"),
        ("http://shop", "/"),
        ("http://[broken", "http://[broken"),
        ("http://shop/" + "x" * 500, "/" + "x" * 119 + "…"),
    ],
)
def test_an_address_is_shortened_to_what_tells_pages_apart(url: str, shown: str) -> None:
    assert address(url) == shown


def test_a_time_is_shortened_to_the_time_of_day() -> None:
    assert clock_time("2026-01-31T12:34:56.789Z") == "12:34:56"
