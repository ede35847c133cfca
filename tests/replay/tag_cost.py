"""What the tag takes of a page's main thread, read from Chromium's trace.

``python -m tests.replay.tag_cost`` measures the recorded product pages and writes ``docs/figures/tag.json``; run it on
a machine that does nothing else. A trace counts processor time apart from waiting, which is what is told here.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.replay.library import Recorded

OURS = "/_bridge/"
TRACED = ["devtools.timeline", "v8", "disabled-by-default-v8.compile"]
SCRIPTS = {"RunMicrotasks", "EvaluateScript", "FunctionCall", "v8.compile", "v8.callFunction"}
FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures" / "tag.json"
PRODUCTS = ("sample/product", "luma/product_configurable", "breeze/product_configurable")
RUNS = 20
# What no tag can do without: Ometria's script, one question, a look into storage and into the cookies.
BARE = """<!doctype html><html><head><script>
document.head.append(Object.assign(document.createElement('script'), { src: '/bare.js', async: true }));
window.asked = fetch('/bare.json', { cache: 'no-store' });
localStorage.getItem('bare'); document.cookie;
</script></head><body></body></html>"""


def milliseconds(trace: bytes, part: str) -> float:
    """Return the processor time that scripts took on main threads whose address has this part.

    Runs of microtasks are counted whoever's they are, because the trace does not say.
    """
    events = json.loads(trace)["traceEvents"]
    main = {
        (e["pid"], e["tid"]) for e in events if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"
    }
    found = [
        event
        for event in events
        if event.get("ph") == "X"
        and (event["pid"], event["tid"]) in main
        and event["name"] in SCRIPTS
        and (event["name"] == "RunMicrotasks" or part in json.dumps(event.get("args", {})))
    ]
    assert any(event["name"] == "EvaluateScript" for event in found), "the trace shows no such script"
    total, end = 0, {}
    for event in sorted(found, key=lambda event: (event["ts"], -event["dur"])):
        thread = (event["pid"], event["tid"])
        if event["ts"] >= end.get(thread, 0):
            total += event.get("tdur", event["dur"])
            end[thread] = event["ts"] + event["dur"]
    return total / 1000


def traced(world: Any, recorded: Recorded) -> float:
    """Open a recorded page through bridge while Chromium writes a trace; return what the tag took."""
    world.received.reset()
    world.shop.show(recorded)
    browser = world.browsers["bridged"]
    context = browser.new_context()
    try:
        page = context.new_page()
        browser.start_tracing(page=page, categories=TRACED)
        page.goto(f"http://{recorded.host.decode()}{recorded.target.decode()}", wait_until="load")
        limit = time.monotonic() + 10
        while not world.events and time.monotonic() < limit:
            page.wait_for_timeout(20)
        page.wait_for_timeout(300)
        return milliseconds(browser.stop_tracing(), OURS)
    finally:
        context.close()


def bare(browser: Browser) -> float:
    """Return what a page takes that does only what every tag must."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.route("**/bare.*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.route("**/bare", lambda route: route.fulfill(body=BARE, content_type="text/html"))
        browser.start_tracing(page=page, categories=TRACED)
        page.goto("http://store.test/bare", wait_until="load")
        page.wait_for_timeout(100)
        return milliseconds(browser.stop_tracing(), "store.test/bare")
    finally:
        context.close()


def main() -> int:
    """Measure, print and write the figures; 1 where a page takes five milliseconds or more."""
    from tests.replay.test_captured_in_browser import RECORDED, open_world

    keys = [key for key in PRODUCTS if key in RECORDED]
    with TemporaryDirectory() as folder, open_world(Path(folder)) as world:
        runs = {key: [traced(world, RECORDED[key]) for _ in range(RUNS)] for key in keys}
        must = [bare(world.browsers["direct"]) for _ in range(RUNS)]
    figures = {
        key: {"median_ms": round(statistics.median(taken), 2), "least_ms": round(min(taken), 2), "runs": len(taken)}
        for key, taken in {**runs, "what every tag must do": must}.items()
    }
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(FIGURES.read_text(encoding="utf-8"))
    return int(any(figures[key]["median_ms"] >= 5 for key in keys))


if __name__ == "__main__":
    sys.exit(main())
