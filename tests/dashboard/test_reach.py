"""Everybody reaches everything: by keyboard alone, by a screen reader, on a phone, and the live page with and without script."""

from __future__ import annotations

import time

import pytest

from bridge.db import db
from bridge.models import EventLog
from tests.dashboard.export_desk import furnish
from tests.dashboard.routes import pages
from tests.dashboard.test_in_browser import browse, chromium, origin, pytestmark  # noqa: F401 fixtures

FAULTS = """() => {
  const faults = [];
  const name = (one) => {
    const of = (one.getAttribute("aria-labelledby") || "").split(" ").filter(Boolean);
    const labels = [...(one.labels || [])].map((label) => label.textContent).join("");
    return (one.getAttribute("aria-label") || of.map((id) => (document.getElementById(id) || {}).textContent).join("") ||
      labels || (one.type === "submit" && one.value) || (one.matches("input, select, textarea") ? "" : one.textContent) || one.title || "").trim();
  };
  const hidden = (one) => one.closest("[aria-hidden=true]") || one.type === "hidden";
  for (const one of document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=group], nav, section"))
    if (!hidden(one) && !name(one) && !(one.matches("section") && one.querySelector("h2")))
      faults.push("no name: " + one.outerHTML.slice(0, 120));
  for (const one of document.querySelectorAll("img:not([alt]), svg:not([role]):not([aria-hidden])"))
    if (!one.closest("[role=img][aria-label], [aria-hidden=true]")) faults.push("no alt: " + one.outerHTML.slice(0, 80));
  for (const one of document.querySelectorAll("th:not([scope])")) faults.push("no scope: " + one.textContent);
  for (const one of document.querySelectorAll(".scroll:not([tabindex])")) faults.push("no keyboard: " + one.outerHTML.slice(0, 80));
  for (const one of document.querySelectorAll("[tabindex]")) if (one.tabIndex > 0) faults.push("order: " + one.outerHTML.slice(0, 80));
  for (const one of document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]"))
    for (const id of (one.htmlFor || one.getAttribute("aria-describedby") || one.getAttribute("aria-labelledby")).split(" "))
      if (!document.getElementById(id)) faults.push("names nothing: " + id);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("twice: " + id);
  if (document.querySelectorAll("h1").length !== 1) faults.push("h1: " + document.querySelectorAll("h1").length);
  if (document.querySelectorAll("main").length !== 1) faults.push("main");
  if (!document.documentElement.lang || !document.title) faults.push("language or title");
  return faults;
}"""


def add(board, name, summary, ago=1.0):
    with board.app_context():
        db.session.add(EventLog(id=name, at=time.time() - ago, type="order_placed", store="de", summary=summary))
        db.session.commit()


def test_every_control_of_every_page_has_a_name_and_every_page_its_landmarks(browse, board, signed_in, origin):  # noqa: F811
    furnish(board)
    page, client = browse("owner"), signed_in("owner")
    seen = 0
    for path in dict.fromkeys(pages(board)):
        answer = client.get(path, buffered=True)
        if (answer.status_code, answer.mimetype) == (200, "text/html"):
            page.goto(origin.partition("/_bridge")[0] + path)
            assert page.evaluate(FAULTS) == [], path
            seen += 1
    assert seen > 20


def test_a_person_is_added_and_removed_by_keyboard_alone(browse, origin):  # noqa: F811
    page = browse("owner")
    page.goto(f"{origin}/people")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"

    def tab_to(name):
        for _ in range(60):
            if page.evaluate("(document.activeElement.ariaLabel || document.activeElement.textContent).trim()") == name:
                return
            page.keyboard.press("Tab")
        raise AssertionError(name)

    for _ in range(60):
        if page.evaluate("document.activeElement.id") == "name":
            break
        page.keyboard.press("Tab")
    page.keyboard.type("mary")
    page.keyboard.press("Tab")
    page.keyboard.type("editor")
    page.keyboard.press("Enter")
    tab_to("Add this person")
    page.keyboard.press("Enter")
    page.get_by_text("It is shown this once").wait_for()
    page.locator("#content").focus()
    tab_to("Remove mary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("mary is removed and signed out everywhere.").wait_for()


def test_new_events_come_without_a_load_and_can_be_paused(browse, board, origin):  # noqa: F811
    add(board, "first", "order 1", ago=20)
    page = browse()
    page.goto(f"{origin}/live?view=de")
    page.get_by_text("New ones are added as they come").wait_for()
    page.evaluate("window.stillTheSamePage = true")
    add(board, "second", "<b>order 2</b>", ago=0)
    page.get_by_text("<b>order 2</b>").wait_for(timeout=15_000)
    assert page.evaluate("window.stillTheSamePage")
    assert page.locator("[data-event]").count() == 2, "each once"
    assert "order 2" in page.locator("[data-event]").first.inner_text()
    page.get_by_role("button", name="Pause").press("Enter")
    page.get_by_text("Paused", exact=True).wait_for()
    add(board, "third", "order 3", ago=0)
    page.get_by_role("button", name="Pause").press("Enter")
    page.get_by_text("order 3").wait_for(timeout=15_000)
    assert page.locator("[data-event]").count() == 3


def test_without_script_the_live_page_is_a_plain_list(browse, board, origin):  # noqa: F811
    add(board, "first", "order 1")
    page = browse(java_script_enabled=False)
    page.goto(f"{origin}/live")
    page.get_by_text("order 1").wait_for()
    page.get_by_label("Event", exact=True).select_option("identified")
    page.get_by_role("button", name="Filter").click()
    page.get_by_text("No event of the last 24 hours matches.").wait_for()
    assert not page.get_by_role("button", name="Pause").is_visible()


@pytest.mark.parametrize("path", ["/live", "/people"])
def test_live_and_people_fit_a_phone(browse, board, origin, path):  # noqa: F811
    add(board, "first", "order " + "1" * 60)
    page = browse("owner", viewport={"width": 360, "height": 780})
    page.goto(origin + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
