"""What the tag takes of a page's main thread, read from Chromium's trace.

``python -m tests.replay.tag_cost`` measures the recorded product pages and writes ``docs/figures/tag.json``; run it on
a machine that does nothing else. A trace counts processor time apart from waiting, which is what is told here.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from bridge.sandbox.listener import Listener
from tests.chromium import CHROMIUM, FLAGS
from tests.replay.bridged import bridged, tracking_room
from tests.replay.library import BREEZE, CAPTURES, SAMPLES, pages
from tests.replay.shop import ReplayShop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

    from tests.replay.library import Recorded

OURS = "/_bridge/"
OTHERS = "ometria.test"
TRACED = ["devtools.timeline", "v8", "blink.user_timing"]
SCRIPTS = {"RunMicrotasks", "EvaluateScript", "FunctionCall", "v8.compile", "v8.callFunction"}
FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures" / "tag.json"
PRODUCTS = ("sample/product", "luma/product_configurable", "breeze/product_configurable")
FOLDERS = {"sample": SAMPLES / "pages", "luma": CAPTURES / "pages", "breeze": BREEZE / "pages"}
RECORDED = {f"{theme}/{name}": page for theme, folder in FOLDERS.items() for name, page in pages(folder).items()}
RUNS = 12
SETTLED = 1.5
"""Seconds after which a page of this machine has told its view."""
# What Ometria's own script does with a call is its own affair, and would be counted with the tag that makes the call:
# this one takes the calls, says so, and does nothing.
STUB = "Object.assign(ometria, { init() { performance.mark('told'); }, identify() {} }); ometria.onLoad();"
# What no tag can do without: Ometria's script, one question, a look into storage and into the cookies.
BARE = """<!doctype html><html><head><script src="/bare.js" async></script></head><body></body></html>"""
BARE_SCRIPT = """
document.head.append(Object.assign(document.createElement('script'), { src: '/stub.js', async: true }));
window.asked = fetch('/bare.json', { cache: 'no-store' });
window.ometria = { onLoad() { this.init(); } };
localStorage.getItem('bare'); document.cookie;
"""
ANSWERS = {
    "/bare": (BARE, "text/html"),
    "/bare.js": (BARE_SCRIPT, "text/javascript"),
    "/bare.json": ("{}", "text/json"),
}


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


class Costs:
    """A browser, the replay shop behind bridge, and an Ometria whose script does nothing."""

    def __init__(self, shop: ReplayShop, browser: Browser) -> None:
        self.shop = shop
        self._browser = browser

    def traced(self, recorded: Recorded) -> float:
        """Open a recorded page through bridge while Chromium writes a trace; return what the tag took."""
        self.shop.show(recorded)
        return milliseconds(self._trace(f"http://{recorded.host.decode()}{recorded.target.decode()}"), OURS)

    def bare(self) -> float:
        """Return what a page takes that does only what every tag must."""
        return milliseconds(self._trace(f"http://{OTHERS}/bare"), "/bare")

    def _trace(self, url: str) -> bytes:
        """Open a page in a context of its own while a trace is written.

        Nobody is attached to the page: each request would then have a stack trace taken, and for that the tag be read
        a second time.
        """
        browser = self._browser
        session = browser.new_browser_cdp_session()
        context = session.send("Target.createBrowserContext")["browserContextId"]
        browser.start_tracing(categories=TRACED)
        try:
            session.send("Target.createTarget", {"url": url, "browserContextId": context})
            time.sleep(SETTLED)
        finally:
            trace = browser.stop_tracing()
            session.send("Target.disposeBrowserContext", {"browserContextId": context})
            session.detach()
        assert b'"told"' in trace, "the view was not told"
        return trace


def _others(environ: Any, start: Any) -> Any:
    body, kind = ANSWERS.get(Request(environ).path, (STUB, "text/javascript"))
    return Response(body, content_type=kind)(environ, start)


@contextmanager
def open_costs(folder: Path, playwright: Playwright | None = None) -> Iterator[Costs]:
    """Start all of it, with what bridge keeps in this folder; a process has but one Playwright, which may be given."""
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        shop, others = ReplayShop(), Listener("127.0.0.1", 0)
        stack.callback(shop.close)
        others.start(_others)
        stack.callback(others.stop)
        room = stack.enter_context(tracking_room(folder, ometria_tag_url=f"http://{OTHERS}/tags/{{account_id}}.js"))
        proxy = stack.enter_context(
            bridged("edge", shop.url, tags=room.tracking.tags, observer=room.tracking.observer, app=room.app)
        )
        playwright = playwright or stack.enter_context(sync_playwright())
        rules = [f"MAP {host} 127.0.0.1:{proxy.port}" for host in ("store.test", "eu.store.test")]
        rules += [f"MAP {OTHERS} 127.0.0.1:{others.port}", "MAP * ~NOTFOUND"]
        flags = [*FLAGS, f"--host-resolver-rules={','.join(rules)}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        stack.callback(browser.close)
        yield Costs(shop, browser)


def main() -> int:
    """Measure, print and write the figures; 1 where a page takes five milliseconds or more."""
    recorded = {key: RECORDED[key] for key in PRODUCTS if key in RECORDED}
    with TemporaryDirectory() as folder, open_costs(Path(folder)) as costs:
        runs = {key: [costs.traced(page) for _ in range(RUNS)] for key, page in recorded.items()}
        must = [costs.bare() for _ in range(RUNS)]
    figures = {
        key: {"median_ms": round(statistics.median(taken), 2), "least_ms": round(min(taken), 2), "runs": len(taken)}
        for key, taken in {**runs, "what every tag must do": must}.items()
    }
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(FIGURES.read_text(encoding="utf-8"))
    return int(any(figures[key]["median_ms"] >= 5 for key in recorded))


if __name__ == "__main__":
    sys.exit(main())
