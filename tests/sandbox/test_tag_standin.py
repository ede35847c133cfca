"""The stand-in tag script in a real browser: the guards and traps that Ometria documents, one test each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask
import pytest

from bridge.sandbox.listener import Listener
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from tests.chromium import NEEDS_CHROMIUM, launch_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = NEEDS_CHROMIUM

ACCOUNT = "0123456789abcdef"
POLICY = "default-src 'none'; script-src 'self' {host}; img-src {host}"
ON_LOAD = "window.ometria = {onLoad: () => ometria.init('homepage', {}, 'default')};"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = launch_shell(playwright)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def ometria() -> Iterator[Listener]:
    listener = Listener("127.0.0.1", 0)
    listener.start(create_ometria(OmetriaOptions({"key": ACCOUNT})))
    yield listener
    listener.stop()


@pytest.fixture(scope="module")
def shop(ometria: Listener) -> Iterator[Listener]:
    """Pages whose script before the tag is the query's; no inline code is allowed, as in a strict shop."""
    app = flask.Flask("pages")

    @app.get("/page")
    def page() -> flask.Response:
        tag = f'<script async src="{ometria.url}/tags/{ACCOUNT}.js"></script>'
        script = f'<script src="/script?{flask.request.query_string.decode()}"></script>'
        body = '<body><input type="email" id="bx-mail"><input type="email" class="mine">'
        answer = flask.Response(f"<!doctype html><head>{script}{tag}</head>{body}", mimetype="text/html")
        answer.headers["Content-Security-Policy"] = POLICY.format(host=ometria.url)
        return answer

    @app.get("/script")
    def script() -> flask.Response:
        return flask.Response(flask.request.args.get("js", ""), mimetype="text/javascript")

    listener = Listener("127.0.0.1", 0)
    listener.start(app)
    yield listener
    listener.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


class Visit:
    """One page that fails the test when it has a script error that the test does not expect."""

    def __init__(self, page: Page, shop: Listener) -> None:
        self.page = page
        self._shop = shop
        self.errors: list[str] = []
        self.refused: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note_refusal)

    def _note_refusal(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.refused.append(message.text)

    def open(self, js: str = ON_LOAD, fragment: str = "", **query: str) -> Visit:
        from urllib.parse import urlencode

        self.page.goto(f"{self._shop.url}/page?{urlencode({'js': js, **query})}{fragment}", wait_until="load")
        return self

    def log(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.page.evaluate("ometria._log()")
        return events

    def types(self) -> list[str]:
        return [event["type"] for event in self.log()]

    def run(self, js: str) -> Any:
        return self.page.evaluate(js)

    def visitor(self) -> dict[str, str]:
        """Give the fields in the cookie `ometria`."""
        from urllib.parse import parse_qsl, unquote

        (cookie,) = (each for each in self.page.context.cookies() if each["name"] == "ometria")
        assert cookie["value"].startswith("2_")
        return dict(parse_qsl(unquote(cookie["value"][2:]), keep_blank_values=True))


@pytest.fixture
def visit(context: BrowserContext, shop: Listener) -> Iterator[Visit]:
    opened = Visit(context.new_page(), shop)
    yield opened
    assert opened.errors == []
    assert opened.refused == []


@pytest.fixture
def received(ometria: Listener) -> Callable[[], list[dict[str, Any]]]:
    import requests

    requests.post(f"{ometria.url}/reset", timeout=10)
    return lambda: requests.get(f"{ometria.url}/received.json", timeout=10).json()["events"]


def test_the_page_view_arrives_with_type_data_and_store(visit: Visit, received: Callable[[], list[Any]]) -> None:
    visit.open("window.ometria = {onLoad: () => ometria.init('product', {pid: '5', name: 'Café ☕'}, 'default')};")
    visit.page.wait_for_load_state("networkidle")
    (event,) = received()
    assert (event["type"], event["site"], event["account"]) == ("pageview", "default", ACCOUNT)
    assert event["d"] == {"pid": "5", "name": "Café ☕", "type": "product", "rurl": ""}
    assert event["url"] == visit.page.url
    assert event["cid"] == visit.visitor()["cid"]


def test_an_existing_object_is_kept(visit: Visit) -> None:
    visit.open("window.ometria = {raw_data: {store: 1}, onLoad() { this.called = true; }};")
    assert visit.run("[ometria.raw_data.store, ometria.called, typeof ometria.init]") == [1, True, "function"]


def test_a_stub_that_defines_init_stops_everything(visit: Visit) -> None:
    visit.open("window.ometria = {init: () => 'stub', onLoad() { this.called = true; }};")
    assert visit.run("[ometria.init(), ometria.called, typeof ometria.identify]") == ["stub", None, "undefined"]


def test_a_second_load_of_the_script_changes_nothing(visit: Visit, ometria: Listener) -> None:
    visit.open()
    visit.page.evaluate("first = ometria.init; calls = 0; ometria.onLoad = () => { calls += 1; }; null")
    visit.page.add_script_tag(url=f"{ometria.url}/tags/{ACCOUNT}.js")
    assert visit.run("[first === ometria.init, calls]") == [True, 0]


def test_without_cookies_nothing_is_called_or_sent(visit: Visit, received: Callable[[], list[Any]]) -> None:
    visit.page.add_init_script("Object.defineProperty(Navigator.prototype, 'cookieEnabled', {get: () => false})")
    visit.open("window.ometria = {onLoad() { this.called = true; }};")
    visit.run("ometria.init('homepage', {}, 'default'), ometria.trackAddToBasket('5')")
    assert visit.run("[ometria.called, ometria._log().length]") == [None, 0]
    assert received() == []


def test_the_script_sends_nothing_until_the_page_calls_init(visit: Visit) -> None:
    visit.open("")
    assert visit.types() == []


def test_calls_before_init_are_held_back_and_come_after_the_page_view(visit: Visit) -> None:
    visit.open(
        "window.order = []; window.onOmetriaLoaded = () => order.push(ometria._log().length);"
        "window.ometria = {onLoad: () => {"
        " ometria.identify('ann@example.com'); ometria.trackAddToBasket('5'); ometria.init('product', {pid: '5'}, 'x');"
        "}};"
    )
    assert visit.types() == ["pageview", "identify", "addtobasket"]
    assert visit.run("order") == [3]


def test_init_waits_for_the_body(visit: Visit, ometria: Listener) -> None:
    visit.open("")
    visit.run("window.kept = document.body; document.body.remove(); ometria.init('homepage', {}, 'x')")
    assert visit.types() == []
    visit.run("document.documentElement.append(kept)")
    # Asked from outside: the page's policy forbids the evaluation that waiting inside the page needs.
    for _ in range(100):
        if visit.types():
            break
        visit.page.wait_for_timeout(50)
    assert len(visit.types()) == 1


def test_a_second_init_is_a_second_page_view(visit: Visit) -> None:
    visit.open()
    visit.run("ometria.init('homepage', {}, 'default')")
    assert visit.types() == ["pageview", "pageview"]


def test_landing_is_turned_into_homepage(visit: Visit) -> None:
    visit.open("window.ometria = {onLoad: () => ometria.init('landing', {}, 'default')};")
    assert visit.log()[0]["d"]["type"] == "homepage"


def test_a_virtual_page_counts_only_when_its_address_changed(visit: Visit) -> None:
    visit.open()
    visit.run(
        "ometria.pageview(location.href, 'listing', {}); ometria.pageview('/other', 'listing', {category_id: '3'})"
    )
    assert visit.types() == ["pageview", "pageview"]
    assert visit.log()[1]["url"].endswith("/other")


@pytest.mark.parametrize("identity", ["", "ann", "ann@", "omid:", None, 5])
def test_what_is_no_identity_is_ignored(visit: Visit, identity: Any) -> None:
    visit.open()
    visit.page.evaluate("identity => ometria.identify(identity)", identity)
    assert visit.types() == ["pageview"]
    assert "uiid" not in visit.visitor()


def test_identify_is_sent_on_every_call_even_for_the_same_identity(visit: Visit) -> None:
    visit.open()
    visit.run("ometria.identify('ann@example.com', {name: 'Ann'}); ometria.identify('ann@example.com')")
    assert visit.types() == ["pageview", "identify", "identify"]
    assert visit.log()[1]["d"] == {"uiid": "ann@example.com", "profile": {"name": "Ann"}}
    assert visit.run("ometria.getIdentity()") == "ann@example.com"


def test_only_a_changed_identity_makes_a_new_visitor(visit: Visit) -> None:
    visit.open()
    anonymous = visit.visitor()["cid"]
    visit.run("ometria.identify('ann@example.com'); ometria.identify('ann@example.com')")
    assert visit.visitor()["cid"] == anonymous
    visit.run("ometria.identify('omid:77')")
    assert visit.visitor()["cid"] != anonymous
    assert [event["cid"] == anonymous for event in visit.log()] == [True, True, True, False]


def test_a_profile_is_sent_only_for_who_is_identified(visit: Visit) -> None:
    visit.open()
    visit.run("ometria.setProfileData({a: 1}); ometria.identify('a@example.com'); ometria.setProfileData({a: 1})")
    assert visit.types() == ["pageview", "identify", "profile"]


def basket(lines: str = "", total: Any = 0) -> str:
    return (
        "{const b = new ometria.Basket(); b.setId('77'); "
        f"b.setTotal({total}, 'EUR'); b.setUrl('http://shop/cart'); {lines} ometria.setBasket(b)}}"
    )


def test_a_basket_has_the_documented_shape(visit: Visit) -> None:
    visit.open()
    visit.run(basket("b.addLineItem('5', 2, 20.5, '6', {gift: 1}); b.addLineItem('7', 1, 9, {gift: 2});", 29.5))
    assert visit.log()[1]["d"] == {
        "id": "77",
        "total": 29.5,
        "size": 3,
        "cur": "EUR",
        "url": "http://shop/cart",
        "p": None,
        "lis": [
            {"pid": "5", "vid": "6", "q": 2, "tot": 20.5, "p": {"gift": 1}},
            {"pid": "7", "vid": None, "q": 1, "tot": 9, "p": {"gift": 2}},
        ],
    }


@pytest.mark.parametrize(("text", "number"), [("29.5", 29.5), ("€ 29.50", 29.5), ("1.234,50", 1.2345), ("none", 0)])
def test_amounts_as_text_are_stripped_to_digits_and_dot(visit: Visit, text: str, number: float) -> None:
    visit.open()
    visit.run(basket(f"b.addLineItem('5', '2', '{text}');", f"'{text}'"))
    sent = visit.log()[1]["d"]
    assert (sent["total"], sent["lis"][0]["tot"], sent["size"]) == (number, number, 2)


def test_a_basket_of_equal_size_and_total_is_not_sent_again(visit: Visit) -> None:
    visit.open()
    visit.run(basket("b.addLineItem('5', 2, 20);", 20))
    visit.run(basket("b.addLineItem('8', 2, 20);", 20))
    assert visit.types() == ["pageview", "setbasket"]
    visit.run(basket("b.addLineItem('8', 1, 20);", 20))
    assert visit.types() == ["pageview", "setbasket", "setbasket"]


def test_the_signature_of_the_basket_outlives_the_page(visit: Visit) -> None:
    visit.open()
    visit.run(basket("b.addLineItem('5', 2, 20);", 20))
    assert visit.visitor()["bskt"]
    visit.open()
    visit.run(basket("b.addLineItem('5', 2, 20);", 20))
    assert visit.types() == ["pageview"]


def test_an_empty_basket_is_sent_and_null_throws(visit: Visit) -> None:
    visit.open()
    visit.run(basket("b.addLineItem('5', 2, 20);", 20))
    visit.run("ometria.setBasket(new ometria.Basket())")
    assert visit.log()[-1]["d"]["lis"] == []
    assert (
        visit.run("(() => { try { ometria.setBasket(null); } catch (error) { return error.name; } })()") == "TypeError"
    )


def test_a_basket_changed_after_the_call_is_sent_as_it_was(visit: Visit) -> None:
    visit.open("")
    visit.run("{const b = new ometria.Basket(); ometria.setBasket(b); b.addLineItem('5', 1, 10);}")
    visit.run("ometria.init('homepage', {}, 'x')")
    assert visit.log()[1]["d"]["lis"] == []


def test_the_other_ways_to_fill_a_basket_work(visit: Visit) -> None:
    visit.open()
    visit.run(
        "{const b = new ometria.Basket(); b.setURL('u'); b.setProperties({a: 1}); b.setData({id: 'x'});"
        "ometria.setBasket(b)}"
    )
    sent = visit.log()[1]["d"]
    assert (sent["url"], sent["p"], sent["id"]) == ("u", {"a": 1}, "x")


def test_a_transaction_is_sent_as_often_as_it_is_called(visit: Visit) -> None:
    visit.open()
    visit.run("ometria.trackTransaction('000000001'); ometria.trackTransaction('000000001', {coupon: 'X'})")
    assert [event["d"] for event in visit.log()[1:]] == [{"tid": "000000001"}, {"tid": "000000001", "coupon": "X"}]


def test_the_remaining_calls_send_their_events(visit: Visit) -> None:
    visit.open()
    visit.run(
        "ometria.trackAddToBasket('5'); ometria.trackAddToBasket('5', 3, {vid: '6'}); ometria.trackCheckout(2);"
        "ometria.viewProduct('9'); ometria.track('wishlist', {pid: '5'})"
    )
    assert [(event["type"], event["channel"], event["d"]) for event in visit.log()[1:]] == [
        ("addtobasket", "web", {"pid": "5", "q": 1}),
        ("addtobasket", "web", {"pid": "5", "q": 3, "vid": "6"}),
        ("checkout", "web", {"stage": 2}),
        ("viewproduct", "web", {"pid": "9"}),
        ("wishlist", "custom", {"pid": "5"}),
    ]


def test_a_callback_is_called_once(visit: Visit) -> None:
    visit.open()
    visit.run("calls = 0; new Promise(done => ometria.track('wishlist', {}, () => { calls += 1; done(); }))")
    visit.page.wait_for_timeout(400)  # longer than the script waits for an image that does not come
    assert visit.run("calls") == 1


def test_the_cookie_lasts_a_year_on_the_whole_site(visit: Visit) -> None:
    visit.open()
    (cookie,) = (each for each in visit.page.context.cookies() if each["name"] == "ometria")
    assert cookie["path"] == "/"
    left = cookie["expires"] - visit.run("Date.now() / 1000")
    assert 364 < left / 86_400 < 366


def test_visitor_and_session_last_from_page_to_page(visit: Visit) -> None:
    visit.open()
    first = visit.log()[0]
    visit.open()
    second = visit.log()[0]
    assert (first["cid"], first["sid"]) == (second["cid"], second["sid"])
    assert (first["cnew"], second["cnew"]) == (True, False)
    assert (first["npv"], second["npv"]) == (1, 2)


def test_a_session_ends_after_half_an_hour(visit: Visit) -> None:
    visit.open()
    first = visit.log()[0]
    visit.page.add_init_script("{const now = Date.now; Date.now = () => now() + 1801 * 1000}")
    visit.open()
    second = visit.log()[0]
    assert first["cid"] == second["cid"]
    assert first["sid"] != second["sid"]
    assert (first["nses"], second["nses"]) == (1, 2)


def test_an_address_with_om_user_identifies_and_loses_it(visit: Visit) -> None:
    visit.open(om_user="ann@example.com")
    assert visit.types() == ["pageview", "identify"]
    assert "om_user" not in visit.page.url


def test_email_inputs_of_overlays_and_observed_ones_identify(visit: Visit) -> None:
    visit.open()
    visit.run("ometria.observeEmailInputs('.mine')")
    for selector, address in (("#bx-mail", "ann@example.com"), (".mine", "bob@example.com")):
        visit.page.fill(selector, address)
        visit.page.locator(selector).blur()
    assert [event["d"]["uiid"] for event in visit.log()[1:]] == ["ann@example.com", "bob@example.com"]


def test_the_debug_box_shows_events_until_it_is_switched_off(visit: Visit) -> None:
    visit.open(fragment="#om_debug")
    assert "pageview" in visit.page.inner_text("#ometria-debug")
    visit.page.goto("about:blank")
    visit.open()
    assert visit.page.locator("#ometria-debug").count() == 1
    visit.page.goto("about:blank")
    visit.open(fragment="#om_debug=off")
    assert visit.page.locator("#ometria-debug").count() == 0


def test_the_script_defines_no_module_where_a_loader_is(visit: Visit) -> None:
    visit.open("window.modules = 0; window.define = () => { modules += 1; }; window.define.amd = {};" + ON_LOAD)
    assert visit.run("modules") == 0
    assert visit.types() == ["pageview"]
