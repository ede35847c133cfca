"""The tag in real Chromium where a visitor must agree first."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.conftest import ACCOUNT, make_book
from tests.tracking.tag_visit import identify

pytestmark = NEEDS_CHROMIUM

COOKIEBOT = "{stamp:'x',necessary:true,preferences:false,statistics:true,marketing:%s,ver:1}"
MODES = {
    "magento": ({}, "user_allowed_save_cookie", json.dumps({"1": 1}), json.dumps({"2": 1})),
    "cookiebot": ({}, "CookieConsent", COOKIEBOT % "true", COOKIEBOT % "false"),
    "cookie": (
        {"consent__cookie": "cmp.choice", "consent__pattern": "ads=(yes|all)"},
        "cmp.choice",
        "ads=yes",
        "ads=no",
    ),
}


def book_of(mode):
    values = MODES[mode][0] if mode in MODES else {"consent__cookie": "shop:consent"}
    return make_book(consent__mode=mode, **values)


def set_cookie(visit, name, value):
    """Set it as the consent tool's script does; wait until the tag has looked again."""
    visit.page.evaluate(
        "([name, value]) => { document.cookie = name + '=' + value + '; path=/' + (value ? '' : '; max-age=0'); }",
        [name, quote(value)],
    )
    visit.page.wait_for_timeout(700)
    return visit.settle()


def kept(visit):
    """Return the names of all that is kept in the browser and of cookies."""
    storage = visit.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    return {cookie["name"] for cookie in visit.context.cookies()}, [key for key in storage if key.startswith("bridge.")]


def watched(visit):
    requested = []
    visit.page.on("request", lambda request: requested.append(request.url.removeprefix(visit.origin)))
    return requested


@pytest.mark.parametrize("mode", MODES)
def test_before_consent_nothing_is_loaded_told_or_kept(make_visit, mode):
    visit = make_visit(book_of(mode))
    _, name, _, refused = MODES[mode]
    requested = watched(visit)
    visit.open("/product")
    assert set_cookie(visit, name, refused) == []
    visit.do("shop.add('5')")
    assert visit.shop.calls == []
    ours = [url for url in requested if url.startswith(("/_bridge/", "/tags/"))]
    assert len(ours) == 1
    assert ours[0].startswith("/_bridge/tag.js")
    assert kept(visit) == ({name}, [])


@pytest.mark.parametrize("mode", MODES)
def test_a_late_signal_tracks_the_page_once(make_visit, mode):
    visit = make_visit(book_of(mode))
    _, name, given, _ = MODES[mode]
    visit.open("/product")
    set_cookie(visit, name, given)
    assert visit.wait("init") == [["product", {"pid": "5"}, "default"]]
    assert len(visit.shop.calls) == 1
    set_cookie(visit, name, given)
    visit.do("shop.add('5')")
    assert [call[0] for call in visit.shop.calls] == ["init", "trackAddToBasket", "setBasket"]
    assert {"bridge_consent", "bridge_visitor"} <= kept(visit)[0]
    visit.open("/about")
    assert [call[0] for call in visit.shop.calls].count("init") == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_withdrawal_stops_all_calls_and_takes_away_what_was_set(make_visit, mode):
    visit = make_visit(book_of(mode))
    _, name, given, refused = MODES[mode]
    visit.open("/product")
    set_cookie(visit, name, given)
    visit.do("shop.add('5')")
    visit.page.evaluate("document.cookie = 'ometria=2_x; path=/'; document.cookie = 'ommage=trans:1; path=/'")
    visit.shop.forget()
    set_cookie(visit, name, refused)
    limit = time.monotonic() + 5
    while kept(visit)[0] != {name} and time.monotonic() < limit:
        visit.page.wait_for_timeout(50)
    assert kept(visit) == ({name}, [])
    visit.do("shop.add('5')")
    visit.do("history.pushState(null, '', '/listing')")
    visit.page.wait_for_timeout(700)
    assert visit.settle() == []
    assert kept(visit) == ({name}, [])
    # The answer that takes the cookie away is a refusal, which the browser's console shows.
    visit.wrong[:] = [wrong for wrong in visit.wrong if "403" not in wrong]


def test_consent_that_ended_while_the_visitor_was_away_is_noticed_on_the_next_page(make_visit):
    visit = make_visit(book_of("cookie"))
    visit.context.add_cookies([{"name": "bridge_consent", "value": "1", "url": visit.origin}])
    assert visit.open("/product") == []
    assert "bridge_consent" not in kept(visit)[0]
    visit.wrong.clear()


def test_outside_the_regulated_region_cookiebot_says_so(make_visit):
    visit = make_visit(book_of("cookiebot"))
    visit.context.add_cookies([{"name": "CookieConsent", "value": "-1", "url": visit.origin}])
    visit.open("/")
    assert visit.shop.named("init")


@pytest.mark.parametrize("target", ["window", "document"])
def test_an_event_of_the_page_gives_consent_for_the_next_pages_too_and_takes_it_away(make_visit, target):
    visit = make_visit(book_of("event"))
    assert visit.open("/") == []
    visit.do(f"{target}.dispatchEvent(new CustomEvent('shop:consent'))")
    # Two scripts are loaded before the page is told of; a visitor who leaves earlier has not been.
    visit.wait("init")
    visit.open("/about")
    assert [call[1] for call in visit.shop.calls] == ["homepage", "content"]
    visit.do(f"{target}.dispatchEvent(new CustomEvent('shop:consent', {{ detail: false }}))")
    visit.open("/about")
    assert len(visit.shop.calls) == 2
    visit.wrong.clear()


def test_an_identity_is_told_after_consent(make_visit):
    visit = make_visit(book_of("event"))
    visit.open("/")
    visit.do("window.dispatchEvent(new CustomEvent('shop:consent'))")
    visit.open("/product")
    identify(visit, "ada@example.com")
    visit.open("/about")
    assert visit.shop.named("identify") == [["ada@example.com"]]
    assert [key for key in kept(visit)[1] if key.startswith(f"bridge.{ACCOUNT}.seen")]


def test_malformed_cookies_and_patterns_are_no_consent_and_no_error(make_visit):
    visit = make_visit(make_book(consent__mode="cookie", consent__cookie="choice", consent__pattern="("))
    visit.open("/")
    visit.page.evaluate("document.cookie = 'choice=%E0%A4%A; path=/'")
    visit.page.wait_for_timeout(600)
    visit.page.evaluate("document.cookie = 'choice=yes; path=/'")
    visit.page.wait_for_timeout(600)
    assert visit.settle() == []
