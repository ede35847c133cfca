"""A walk through every page of the dashboard by Tab alone: all is reached, and where the focus is can be seen."""

from __future__ import annotations

import pytest

from tests.dashboard.desk import BASE
from tests.dashboard.made import fill
from tests.dashboard.test_accessibility import board, html_pages, look, pytestmark  # noqa: F401 fixtures
from tests.dashboard.test_in_browser import chromium, origin  # noqa: F401 fixtures

REACHABLE = """() => {
  const seen = (one) => one.checkVisibility({visibilityProperty: true}) && one.getClientRects().length > 0;
  const radios = new Set();
  const wanted = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((one) => !one.matches(":disabled") && one.type !== "hidden" && one.tabIndex >= 0 && seen(one))
    .filter((one) => one.type !== "radio" || (!radios.has(one.name) && radios.add(one.name)));
  wanted.forEach((one, place) => one.setAttribute("data-place", place));
  return wanted.map((one) => one.outerHTML.slice(0, 120));
}"""
FOCUSED = """async () => {
  await new Promise((done) => requestAnimationFrame(done));
  const one = document.activeElement, box = one.getBoundingClientRect(), look = getComputedStyle(one);
  const ring = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1 && !/, 0\\)$/.test(look.outlineColor);
  return {
    place: one.getAttribute("data-place"), html: one.outerHTML.slice(0, 120),
    shown: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight,
    // The browser marks the part of a date field that has the focus; its style cannot be asked for.
    marked: ring || one.type === "date" || look.boxShadow !== "none",
  };
}"""


def walk(page):
    """Press Tab until the focus comes round; return what it did not reach, and where it was not to be seen."""
    left = dict(enumerate(page.evaluate(REACHABLE)))
    hidden = []
    for _ in range(2 * len(left) + 20):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at["place"] is None:
            if not left:
                break
            continue
        if not (at["shown"] and at["marked"]):
            hidden.append(at["html"])
        left.pop(int(at["place"]), None)
        if not left:
            break
    return list(left.values()), hidden


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_everything_of_every_page_is_reached_by_tab_and_its_focus_is_seen(board, look, origin, signed_in, width):  # noqa: F811
    fill(board)
    found, _ = html_pages(board, signed_in("owner"))
    few = [path for path in found if "/settings/" not in path or path.endswith(("/general", "/products", "/export"))]
    page, faults = look("owner", viewport={"width": width, "height": 900}, reduced_motion="reduce"), {}
    for path in few:
        page.goto(origin.removesuffix(BASE) + path)
        missed, hidden = walk(page)
        if missed or hidden:
            faults[path] = {"not reached": missed, "focus not seen": hidden}
    assert faults == {}
