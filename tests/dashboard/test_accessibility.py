"""axe-core over every page of the dashboard: light and dark, on a desk and on a phone, full, empty and in error.

axe-core comes from an installed package and is put into the pages by the browser, past their policy, for these tests
only. Each finding is printed; serious and critical ones fail. `test_by_tab` walks through each page by Tab alone.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from bridge.auth import login_required
from bridge.dashboard import frame
from tests.dashboard.desk import BASE, PASSWORD, FakeRedis
from tests.dashboard.made import fill
from tests.dashboard.routes import pages, rules
from tests.dashboard.test_in_browser import chromium, origin  # noqa: F401 fixtures
from tests.dashboard.test_in_browser import pytestmark as browser_marks

pytestmark = [*browser_marks, pytest.mark.timeout(600)]

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "light phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
    "dark phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}
RULES = {
    "light": None,
    "dark": ["color-contrast", "link-in-text-block"],
    "light phone": ["color-contrast", "link-in-text-block"],
    "dark phone": None,
}
"""What each look is asked: everything once at each width, and what follows from colours in the other scheme."""
NO_PAGES = {"asset", "coupon_file", "live_events", "log_file", "sent_chart", "settings_yaml"}
"""Endpoints that answer files, pictures and streams."""
STATES = (
    "/logs/requests?since=yesterday",
    "/logs/requests?text=nothing+has+this",
    "/logs/errors?kind=order",
    "/live?kind=identified",
    "/mail?day=yesterday",
    "/mail?kind=other",
    "/changes?who=nobody",
    "/coupons/1?request=ask-1",
    "/comparison?kind=order&state=stale",
    "/settings/products?scope=store:de",
    "/settings/general?scope=website:base",
    "/mail/setup?first=1",
    "/record",
)
"""Pages in another state than their address alone gives; the last one is none."""
RUN_AXE = """async (rules) => {
  const found = await axe.run(document, {
    resultTypes: ["violations"],
    runOnly: rules || ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return found.violations.map((one) => ({
    id: one.id, impact: one.impact, help: one.help,
    nodes: one.nodes.map((node) => node.target.join(" ") + " | " + node.html.slice(0, 160) + " | " + node.failureSummary.slice(0, 300)),
  }));
}"""


@pytest.fixture
def board(make_app, redis_values):
    """An application with one more address for each error page."""
    app = make_app(FakeRedis(redis_values))
    show = login_required()(lambda code: (frame.error_page(code, "The sentence of this error."), 200))
    app.add_url_rule("/shown-error/<int:code>", "shown_error", show)
    return app


@pytest.fixture
def look(chromium, origin):  # noqa: F811
    """Return a function giving a signed-in page that carries axe-core. What error pages say in the console is no fault."""
    contexts = []

    def make(name, **options):
        context = chromium.new_context(base_url=origin, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{origin}/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{origin}/")
        context.add_init_script(AXE_SCRIPT)
        return page

    yield make
    for context in contexts:
        context.close()


def findings(page, where, rules=None):
    """Return what axe-core has against the page that is open, each a line; the lesser ones are printed only."""
    bad = []
    for one in page.evaluate(RUN_AXE, rules):
        lines = [f"{where}: {one['impact']} {one['id']}: {one['help']}: {node}" for node in one["nodes"]]
        print(*lines, sep="\n")
        if one["impact"] in {"serious", "critical"}:
            bad += lines
    return bad


def html_pages(board, client):
    """Return every address that answers a page, and each endpoint that has one."""
    found, endpoints = [], set()
    adapter = board.url_map.bind("localhost")
    for path in dict.fromkeys(pages(board)):
        answer = client.get(path, buffered=True)
        if answer.mimetype == "text/html" and answer.status_code in {200, 404}:
            found.append(path)
            if answer.status_code == 200:
                endpoints.add(adapter.match(path.partition("?")[0])[0].removeprefix("dashboard."))
    return found, endpoints


def test_every_page_of_the_url_map_is_among_those_that_are_looked_at(board, signed_in):
    fill(board)
    found, endpoints = html_pages(board, signed_in("owner"))
    asked = {rule.endpoint.removeprefix("dashboard.") for rule in rules(board) if "GET" in (rule.methods or ())}
    assert asked - endpoints == {*NO_PAGES, "sign_in"}, "a page that the enumeration does not reach"
    assert len(found) > 30


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOKS)
def test_axe_has_nothing_serious_against_any_page(board, look, origin, signed_in, name):  # noqa: F811
    fill(board)
    found, _ = html_pages(board, signed_in("owner"))
    page, bad = look("owner", **LOOKS[name]), []
    start = origin.removesuffix(BASE)
    codes = (*frame.TITLES, 418) if name == "light" else (404, 418)  # all have one template
    errors = [f"/shown-error/{code}" for code in codes]
    for path in [*found, *(BASE + state for state in STATES), *errors]:
        page.goto(start + path)
        bad += findings(page, f"{name} {path}", RULES[name])
    assert bad == []


@pytest.mark.slow
def test_every_page_fits_a_phone_without_moving_sideways(board, look, origin, signed_in):  # noqa: F811
    fill(board)
    found, _ = html_pages(board, signed_in("owner"))
    page, wide = look("owner", viewport={"width": 360, "height": 780}), {}
    start = origin.removesuffix(BASE)
    for path in [*found, *(BASE + state for state in STATES)]:
        page.goto(start + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide[path] = width
    assert wide == {}


@pytest.mark.parametrize("name", LOOKS)
def test_axe_has_nothing_serious_against_forms_that_were_refused(board, look, origin, name):  # noqa: F811
    fill(board)
    page, bad = look("owner", **LOOKS[name]), []

    def send(path, **typed):
        page.goto(origin + path)
        for field, value in typed.items():
            page.locator(f'main [name="{field.replace("__", ".")}"]').first.fill(value)
        page.locator("main form[method=post] [type=submit]").last.click()
        page.wait_for_load_state()
        bad.extend(findings(page, f"{name} {path} refused"))

    send("/records", id="none-of-these")
    send("/password", present="wrong wrong wrong", new="a new one of my own", again="another one instead")
    send("/people", name="owner")
    send("/coupons", name="Another", rule_id="two")
    for path in ("/logs/requests?status=9&since=x", "/coupons/log?until=x", "/mail?day=x"):
        page.goto(origin + path)
        bad.extend(findings(page, f"{name} {path} refused"))
    page.context.clear_cookies()
    page.goto(f"{origin}/sign-in")
    bad += findings(page, f"{name} /sign-in")
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("nothing like it")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    bad += findings(page, f"{name} /sign-in refused")
    assert bad == []


def test_axe_has_nothing_serious_against_a_dashboard_with_nothing_in_it_yet(board, look, origin, signed_in):  # noqa: F811
    found, _ = html_pages(board, signed_in("viewer"))
    page, bad = look("viewer"), []
    for path in [path for path in found if "/settings/" not in path]:
        page.goto(origin.removesuffix(BASE) + path)
        bad += findings(page, path)
    assert bad == []


def test_axe_is_at_work(look, origin):  # noqa: F811
    page = look("owner")
    page.goto(f"{origin}/people")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input><img src=\"data:,\">')")
    assert {"label", "image-alt"} <= {line.split(": ")[1].split()[1] for line in findings(page, "made bad")}
