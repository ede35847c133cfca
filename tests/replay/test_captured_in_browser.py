"""Every recorded page in Chromium through the bridge, with the real tag and a stand-in of Ometria's script.

What each page must tell stands in `golden/told_of_pages.md`, written by hand; the table of `docs/tracking.md` is made from
what was received.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bridge.sandbox.listener import Listener
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from tests.chromium import NEEDS_CHROMIUM, launch_shell
from tests.replay.bridged import bridged, tracking_room
from tests.replay.library import NEEDS_CAPTURES
from tests.replay.shop import ReplayShop
from tests.replay.tag_cost import PRODUCTS, RECORDED, open_costs
from tests.replay.test_captured_pages import SAMPLES_WITHOUT_TAG, WITHOUT_TAG
from tests.replay.told_table import rows, written
from tests.tracking.conftest import ACCOUNT

pytestmark = NEEDS_CHROMIUM
OMETRIA = "ometria.test"
SHOPS = ("store.test", "eu.store.test")
ROW = re.compile(r"\| `(\S+)` \| (\w+) \| (\w+) \| (.*?) ?\|")
TOLD = (Path(__file__).parent / "golden" / "told_of_pages.md").read_text(encoding="utf-8")
TABLE = {row[1]: row.groups()[1:] for row in ROW.finditer(TOLD)}
OWN_TABLE = {
    "sample/home": ("homepage", "default", ""),
    "sample/category": ("listing", "default", "category 7, 5 products, page 2: 31 32"),
    "sample/product": ("product", "default", "product 31"),
    "sample/product_french": ("product", "fr", "product 31"),
    "sample/checkout": ("checkout", "default", ""),
    "sample/success": ("confirmation", "default", "order 000000077"),
    "sample/missing": ("none", "default", ""),
    "sample/account": ("none", "default", ""),
}
SIGNAL = re.compile(r"bridge: type \S+ by (\S+)")
# Told of before any script of the page runs.
LISTEN = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push([event.effectiveDirective, event.blockedURI.replace(/[?#].*/, ''), event.disposition]);
});
"""


def expected(told: str, path: str) -> tuple[dict, list[str]]:
    """Read the last column: the data of the page view, and the orders. A category's path is the page's own."""
    if found := re.fullmatch(r"product (\d+)", told):
        return {"pid": found[1]}, []
    if found := re.fullmatch(r"order (\d+)", told):
        return {}, [found[1]]
    found = re.fullmatch(r"(?:category (\d+)|search `(\w+)`)(?:, (\d+) products)?, page (\d+)(?:: ([\d ]+))?", told)
    if not found:
        assert not told
        return {}, []
    category, words, size, page, pids = found.groups()
    data = {"page": int(page), "pids": (pids or "").split()}
    if size:
        data["nitems"] = int(size)
    if category:
        data |= {
            "category_id": category,
            "category_path": category_path(path),
            "attributes": [{"id": category, "type": "category"}],
        }
    if words:
        data["search"] = words
    return data, []


def category_path(path: str) -> str:
    """The path below the store view's address, as the shop's own menu writes it."""
    return path.strip("/").removesuffix(".html")


class World:
    """The replay shop, bridge in front of it, Ometria's stand-in, and a browser for either way to the shop."""

    signals: Sequence[str] = ()

    def __init__(self, shop, received, browsers, playwright) -> None:
        self.playwright = playwright
        self.shop = shop
        self.received = received
        self.browsers = browsers

    def open(self, key, recorded, *, bridged=True):
        """Show a page to a new visitor; return its violations of policy and what Ometria was told."""
        self.received.reset()
        self.shop.show(recorded)
        context = self.browsers["bridged" if bridged else "direct"].new_context()
        try:
            context.add_init_script(LISTEN)
            page = context.new_page()
            console = []
            page.on("console", lambda message: console.append(message.text))
            host = f"http://{recorded.host.decode()}"
            # The tag then says by what it knows the page.
            context.add_cookies([{"name": "OMdebug", "value": "2_1", "url": host}] if bridged else [])
            page.goto(f"{host}{recorded.target.decode()}", wait_until="load")
            wanted = 2 if key in TELLS_MORE else 1
            limit = time.monotonic() + (10 if bridged and key in TELLING else 0.3)
            while len(self.events) < wanted and time.monotonic() < limit:
                page.wait_for_timeout(20)
            assert page.evaluate("document.body !== null")
            self.signals = [found[1] for text in console if (found := SIGNAL.match(text))]
            violations = [tuple(each) for each in page.evaluate("window.violations")]
            told = [text for text in console if "Content Security Policy" in text]
            return Counter(violations), Counter(map(without_place, told)), self.events
        finally:
            context.close()

    @property
    def events(self):
        events = self.received.snapshot(ACCOUNT)["events"]
        return sorted(events, key=lambda event: (event["sent"], event["seq"]))


def without_place(text: str) -> str:
    """A message of the console without the policy that it quotes, which differs by Ometria's hosts."""
    return re.sub(r"directive .*? Either", "directive … Either", re.sub(r'"[^"]*"', '"…"', text))


@contextmanager
def open_world(folder):
    """Start all of it, with what bridge keeps in this folder."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with ExitStack() as stack:
        shop = ReplayShop()
        stack.callback(shop.close)
        ometria = Listener("127.0.0.1", 0)
        app = create_ometria(OmetriaOptions(api_keys={"key": ACCOUNT}))
        ometria.start(app)
        stack.callback(ometria.stop)
        room = stack.enter_context(tracking_room(folder, ometria_tag_url=f"http://{OMETRIA}/tags/{{account_id}}.js"))
        proxy = stack.enter_context(
            bridged("edge", shop.url, tags=room.tracking.tags, observer=room.tracking.observer, app=room.app)
        )
        playwright = stack.enter_context(sync_api.sync_playwright())
        browsers = {}
        for way, port in (("bridged", proxy.port), ("direct", shop.port)):
            rules = [f"MAP {host} 127.0.0.1:{port}" for host in SHOPS]
            # Nothing else is to be had: neither the network's hosts nor the machine's.
            rules += [f"MAP {OMETRIA} 127.0.0.1:{ometria.port}", "MAP * ~NOTFOUND"]
            browsers[way] = launch_shell(playwright, f"--host-resolver-rules={','.join(rules)}")
            stack.callback(browsers[way].close)
        yield World(shop, app.extensions["received"], browsers, playwright)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with open_world(tmp_path_factory.mktemp("room")) as made:
        yield made


@pytest.fixture(scope="module")
def costs(tmp_path_factory, world):
    with open_costs(tmp_path_factory.mktemp("costs"), world.playwright) as made:
        yield made


TELLING = {**TABLE, **OWN_TABLE}
TELLS_MORE = {key for key, row in TELLING.items() if row[2].startswith("order ")}
SILENT = sorted(
    key
    for key, page in RECORDED.items()
    if key not in TELLING
    and page.status in {200, 404, 503}
    and page.method == b"GET"
    and b"html" in page.value(b"content-type")
)


def cases(keys):
    return [pytest.param(key, marks=() if key.startswith("sample/") else NEEDS_CAPTURES) for key in keys]


@pytest.mark.parametrize("key", cases(TELLING))
def test_a_page_is_told_as_what_it_is_and_breaks_no_policy(world, key):
    kind, view, told = TELLING[key]
    data, orders = expected(told, urlsplit(RECORDED[key].target.decode()).path)
    violations, console, events = world.open(key, RECORDED[key])
    (first, *others) = events
    assert first["type"] == "pageview"
    seen = {name: value for name, value in first["d"].items() if name not in {"type", "rurl"}}
    assert (first["d"]["type"] or "none", first["site"], seen) == (kind, view, data)
    assert [(event["type"], event["d"]["tid"]) for event in others] == [("transaction", order) for order in orders]
    assert urlsplit(first["url"]).netloc == RECORDED[key].host.decode()
    if key in TABLE:
        assert rows(key, world.signals, events) == [row for row in written() if row.startswith(f"| `{key}` |")]
    alone, console_alone, nothing = world.open(key, RECORDED[key], bridged=False)
    assert nothing == []
    assert violations - alone == Counter()
    assert console - console_alone == Counter()


@pytest.mark.parametrize("key", cases(SILENT))
def test_a_page_without_the_tag_tells_nothing(world, key):
    violations, _, events = world.open(key, RECORDED[key])
    assert events == []
    alone, _, _ = world.open(key, RECORDED[key], bridged=False)
    assert violations - alone == Counter()


def test_violations_are_seen_where_there_are_some(world):
    """The comparison above would prove nothing if the browser reported none."""
    violations, console, _ = world.open("sample/checkout", RECORDED["sample/checkout"])
    assert violations == {("script-src-elem", "inline", "enforce"): 1}
    assert sum(console.values()) == 1


@pytest.mark.parametrize(
    "theme", [pytest.param("sample"), *(pytest.param(t, marks=NEEDS_CAPTURES) for t in ("luma", "breeze"))]
)
def test_every_recorded_page_is_in_the_table_or_gets_no_tag(theme):
    silent = {"sample": SAMPLES_WITHOUT_TAG, "luma": WITHOUT_TAG, "breeze": {}}[theme]
    known = {f"{theme}/{name}" for name in silent} | {key for key in TELLING if key.startswith(f"{theme}/")}
    assert {key for key in RECORDED if key.startswith(f"{theme}/")} - known == (
        {"luma/head_home"} if theme == "luma" else set()
    )


# ---- what the tag costs a page ---------------------------------------------------------------------------------------

COSTED = cases(PRODUCTS)
TIMES_MOST = 5
TIMELINE = """
window.entries = [];
for (const type of ['layout-shift', 'resource']) {
  new PerformanceObserver((list) => entries.push(...list.getEntries().map((entry) => entry.toJSON()))).observe({ type, buffered: true });
}
"""


@pytest.mark.parametrize("key", COSTED)
def test_the_tag_takes_no_more_of_the_main_thread_than_a_few_of_the_calls_that_it_must_make(costs, key):
    """Processor time in Chromium's trace, as a ratio in one run: `python -m tests.replay.tag_cost` gives milliseconds."""
    must = min(costs.bare() for _ in range(4))
    taken = []
    while len(taken) < 5 and (not taken or min(taken) >= TIMES_MOST * must):
        taken.append(costs.traced(RECORDED[key]))
    assert 0 < min(taken) < TIMES_MOST * must, (taken, must)


def timeline(world, key, way):
    """Open a page for a while; return how far it moved, and what each request of ours did to its rendering."""
    recorded = RECORDED[key]
    world.received.reset()
    world.shop.show(recorded)
    context = world.browsers[way].new_context()
    try:
        context.add_init_script(TIMELINE)
        page = context.new_page()
        page.goto(f"http://{recorded.host.decode()}{recorded.target.decode()}", wait_until="load")
        limit = time.monotonic() + 10
        while way == "bridged" and not world.events and time.monotonic() < limit:
            page.wait_for_timeout(20)
        page.wait_for_timeout(1000)
        entries = page.evaluate("entries")
    finally:
        context.close()
    moved = sum(entry["value"] for entry in entries if entry["entryType"] == "layout-shift")
    return moved, [e["renderBlockingStatus"] for e in entries if "/_bridge/" in e["name"] or "/tags/" in e["name"]]


@pytest.mark.parametrize("key", COSTED)
def test_nothing_of_ours_blocks_rendering_or_moves_what_is_shown(world, key):
    """A theme whose own scripts are not all there may move by itself, now and then: then it does so without bridge too."""
    moved, alone = [], []
    while not moved or (min(moved) > max(alone) and len(moved) < 4):
        far, blocking = timeline(world, key, "bridged")
        assert set(blocking) == {"non-blocking"}
        moved.append(far)
        far, blocking = timeline(world, key, "direct")
        assert blocking == []
        alone.append(far)
    assert min(moved) <= max(alone)
