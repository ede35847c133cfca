"""What a page's policies do to the tag: opened by bridge, in its way for good, and what the snippet needs."""

from __future__ import annotations

import pytest

from bridge.checks import policies
from bridge.checks.policies import judge, look_at_policies
from bridge.errors import Retry
from bridge.http import Page
from bridge.settings import Store
from tests.base.test_config import read

SOURCES = {"script-src": (b"https://cdn.ometria.com",), "connect-src": (b"https://api.ometria.com",)}
BASE = "https://shop.test/"
OPEN = "script-src 'self' https://cdn.ometria.com; connect-src 'self' https://api.ometria.com"


def page(text="<html><head></head></html>", status=200, **headers):
    return Page(status, {name.replace("_", "-"): value for name, value in headers.items()}, text)


def meta(policy):
    return f'<html><head><meta http-equiv="Content-Security-Policy" content="{policy}"></head></html>'


@pytest.mark.parametrize(
    ("found", "edits", "level", "words"),
    [
        (page(), False, "ok", "has no Content-Security-Policy"),
        (page(content_security_policy=OPEN), False, "ok", "lets the tag work as it is. (1 enforced, 0 report-only"),
        (
            page(content_security_policy="script-src 'self'; connect-src 'self'"),
            False,
            "ok",
            "Where they do not pass it, add script-src https://cdn.ometria.com, connect-src https://api.ometria.com.",
        ),
        (
            page(content_security_policy="default-src 'self' https://img.test"),
            False,
            "ok",
            "add script-src 'self' https://img.test https://cdn.ometria.com, connect-src 'self'",
        ),
        (page(content_security_policy="script-src 'none'"), False, "fail", "'none', which is left as it is"),
        (page(content_security_policy="script-src 'strict-dynamic'"), False, "fail", "give the policy a nonce"),
        (
            page(content_security_policy="script-src 'nonce-aaaa'\nscript-src 'nonce-bbbb'"),
            False,
            "fail",
            "ask for different nonces",
        ),
        (page(content_security_policy_report_only="script-src 'none'"), False, "warn", "report-only, so the tag works"),
        (page(meta("script-src 'self'")), False, "fail", "set BRIDGE_EDIT_META_POLICIES=1"),
        (page(meta("script-src 'self'")), True, "ok", "is opened for the tag as pages pass bridge"),
        (page(meta(OPEN)), False, "ok", "lets the tag work as it is. (0 enforced, 0 report-only, 1 in the page.)"),
    ],
)
def test_a_policy_is_judged_by_what_becomes_of_the_tag(found, edits, level, words):
    finding = judge(found, BASE, SOURCES, edits_meta=edits)
    assert (finding.level, finding.about) == (level, BASE)
    assert words in finding.sentence


def store(code, base):
    return Store(ref=f"store:{code}", code=code, id=1, website="base", website_id=1, base_url=base)


@pytest.fixture
def config(tmp_path):
    return read(tmp_path, BRIDGE_STORE_URL="http://10.0.0.5:8080", BRIDGE_PUBLIC_URL="https://shop.test")


def test_each_base_url_is_read_once_at_the_origin_under_its_own_name(config, monkeypatch):
    asked = []

    def ask(url, allowed, headers):
        asked.append((url, headers["Host"], headers["X-Forwarded-Proto"]))
        return page()

    monkeypatch.setattr(policies, "ask", ask)
    stores = [store("a", BASE), store("b", BASE), store("c", "https://other.test/de/")]
    found = list(look_at_policies(config, SOURCES, stores))
    assert asked == [
        ("http://10.0.0.5:8080/", "shop.test", "https"),
        ("http://10.0.0.5:8080/de/", "other.test", "https"),
    ]
    assert [one.about for one in found] == [BASE, "https://other.test/de/"]


def test_not_more_pages_are_asked_for_than_a_shop_can_bear(config, monkeypatch):
    monkeypatch.setattr(policies, "ask", lambda *_: page())
    stores = [store(str(number), f"https://{number}.test/") for number in range(30)]
    assert len(list(look_at_policies(config, SOURCES, stores))) == policies.PAGES_MOST


def test_a_page_that_does_not_come_is_no_verdict_and_the_others_are_looked_at(config, monkeypatch):
    def ask(url, _allowed, headers):
        if headers["Host"] == "shop.test":
            raise Retry("10.0.0.5:8080 did not answer (ReadTimeout).")
        return page(status=302)

    monkeypatch.setattr(policies, "ask", ask)
    found = list(look_at_policies(config, SOURCES, [store("a", BASE), store("b", "https://other.test/")]))
    assert [one.level for one in found] == ["warn", "warn"]
    assert "could not be read" in found[0].sentence
    assert "answers 302" in found[1].sentence
