"""Every recorded page and call through both adaptors: what is not the tag is the shop's, byte for byte."""

from __future__ import annotations

import re

import pytest

from tests.replay.library import BREEZE, CAPTURES, NEEDS_CAPTURES, SAMPLES, Recorded, calls, pages

MARKUP = re.compile(
    rb'<script (?:nonce="([A-Za-z0-9+/_=-]+)" )?src="/_bridge/tag\.js\?v=[0-9a-f]{12}(?:&amp;view=\w+)?" data-bridge '
    rb'data-account="0123456789abcdef" data-store="(default|fr)" async></script>'
)
OMETRIA_SOURCE = re.compile(rb"(?:https://)?(?:cdn|trk|api)\.ometria\.com")
# Fields of one connection, which belong to whoever speaks on it.
CONNECTION = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding"}

# Written by hand from the rules: the backend, files, fragments and calls by their path, redirects and maintenance by
# their status, everything that is no HTML by its type. All others are pages and get the tag.
WITHOUT_TAG = {
    "account_not_logged_in_redirect": "status",
    "admin_dashboard": "admin",
    "admin_login": "admin",
    "admin_login_post_redirect": "admin",
    "cart_add_non_ajax_redirect": "status",
    "checkout_with_empty_cart_redirect": "status",
    "login_post_redirect": "status",
    "login_post_wrong_password": "status",
    "logout_redirect": "status",
    "maintenance_503": "status",
    "newsletter_manage_save_redirect": "status",
    "robots_txt": "type",
    "search_ajax_suggest": "type",
    "sitemap_404": "path",
    "static_js": "type",
    "varnishmode_esi_fragment": "path",
    "wrong_host_header_redirect": "status",
    "wrong_host_redirect": "status",
    "x_forwarded_host_ignored": "status",
}
SAMPLES_WITHOUT_TAG = {
    "block": "path",
    "fragment": "grammar",
    "login_redirect": "status",
    "maintenance": "status",
    "backend": "admin",
    "script": "type",
}
SECTIONS = {"cart_add_bad_form_key_response": "status"}
ERROR_PAGES = {"error_500_accept_text_html": "path", "error_503_maintenance": "path"}


def cases():
    shelves = [
        (SAMPLES, pages(SAMPLES / "pages"), SAMPLES_WITHOUT_TAG, None, ()),
        (CAPTURES, pages(CAPTURES / "pages"), WITHOUT_TAG, None, NEEDS_CAPTURES),
        (BREEZE, pages(BREEZE / "pages"), {}, None, NEEDS_CAPTURES),
        (CAPTURES / "ajax", pages(CAPTURES / "ajax"), SECTIONS, "type", NEEDS_CAPTURES),
        (SAMPLES / "rest", calls(SAMPLES / "rest"), {"maintenance": "path"}, "type", ()),
        (CAPTURES / "rest", calls(CAPTURES / "rest"), ERROR_PAGES, "type", NEEDS_CAPTURES),
        (CAPTURES / "graphql", calls(CAPTURES / "graphql"), {}, "type", NEEDS_CAPTURES),
    ]
    for folder, found, reasons, otherwise, marks in shelves:
        for name, recorded in found.items():
            reason = reasons.get(name, otherwise)
            yield pytest.param(recorded, reason, id=f"{folder.name}-{name}", marks=marks)
        if not found:
            yield pytest.param(None, None, id=f"{folder.name}-none", marks=marks)


CASES = list(cases())


def ask(proxy, shop, recorded: Recorded):
    """Send the request as it was recorded; return the answer."""
    shop.show(recorded)
    with proxy.visitor() as visitor:
        visitor.send(recorded.request())
        answer = visitor.answer(head_only=recorded.method == b"HEAD")
    if proxy.adaptor == "middleware" and answer.value(b"server").startswith(b"Werkzeug"):
        # The WSGI server of the test begins each answer with two fields of its own.
        assert [name for name, _ in answer.fields[:2]] == [b"Server", b"Date"]
        del answer.fields[:2]
    return answer


@pytest.mark.parametrize(("recorded", "reason"), CASES)
def test_each_byte_but_the_tag_is_the_shops(proxy, replay_shop, recorded, reason):
    counted, injected = proxy.not_injected(reason or "type"), proxy.count("injected")
    answer = ask(proxy, replay_shop, recorded)
    assert answer.complete
    assert answer.status == recorded.status
    if reason is None:
        assert_page(recorded, answer)
        assert proxy.count("injected") - injected == (recorded.method != b"HEAD")
        return
    assert without(CONNECTION, answer.fields) == without(CONNECTION, recorded.fields)
    packed = b"gzip" in replay_shop.received[-1].values(b"accept-encoding")[0]
    assert answer.body == (recorded.body if packed else recorded.text)
    assert proxy.not_injected(reason) == counted + 1
    assert proxy.count("injected") == injected


def assert_page(recorded, answer):
    """The tag once, right after the head's opening; body and fields else the shop's."""
    nonce = None
    if recorded.method != b"HEAD":
        page = answer.text
        (tag,) = MARKUP.finditer(page)
        assert len(tag[0]) <= 512
        assert page[: tag.start()] + page[tag.end() :] == recorded.text
        assert re.search(rb"<head\b[^<>]*>\Z", page[: tag.start()], re.IGNORECASE)
        assert tag[2] == (b"fr" if recorded.host.startswith(b"eu.") else b"default")
        nonce = tag[1]
    own = CONNECTION | {b"content-length", b"content-encoding"}
    sent, got = without(own, recorded.fields), without(own, answer.fields)
    assert [name for name, _ in got] == [name for name, _ in sent]
    for (name, value), (_, now) in zip(sent, got, strict=True):
        if name.lower().startswith(b"content-security-policy"):
            assert_only_opened(value, now, nonce)
        else:
            assert now == value, name


def assert_only_opened(before, after, nonce):
    """A policy is the shop's with Ometria's hosts added, and not wider by anything else."""
    assert after != before
    old, new = directives(before), directives(after)
    assert list(new) == list(old)
    for name, sources in new.items():
        added = sources[len(old[name]) :]
        assert sources[: len(old[name])] == old[name]
        assert bool(added) == (name in {b"script-src", b"img-src", b"connect-src"}), name
        assert all(OMETRIA_SOURCE.fullmatch(source) for source in added)
    assert nonce is None or b"'nonce-%b'" % nonce in old[b"script-src"]


def without(names, fields):
    return [field for field in fields if field[0].lower() not in names]


def directives(policy):
    parts = (part.split() for part in policy.split(b";"))
    return {part[0]: part[1:] for part in parts if part}


@pytest.mark.parametrize(("recorded", "reason"), CASES)
def test_the_shop_is_asked_as_the_visitor_asked(proxy, replay_shop, recorded, reason):
    ask(proxy, replay_shop, recorded)
    received = replay_shop.received[-1]
    assert (received.target, received.values(b"host")) == (recorded.target, [recorded.host])
    assert received.body == recorded.sent_body
    assert without(NOT_COMPARED, received.fields) == without(NOT_COMPARED, recorded.sent)
    assert received.values(b"x-forwarded-for") == [b"127.0.0.1"]
    assert received.values(b"x-forwarded-proto") == [b"http"]
    assert received.values(b"x-forwarded-host") == [recorded.host]


# Set by the bridge (X-Forwarded), of one connection, or written by the test itself.
NOT_COMPARED = CONNECTION | {
    b"accept-encoding",
    b"content-length",
    b"host",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
}


@pytest.mark.parametrize("name", ["home", "missing"])
def test_a_page_that_is_asked_for_twice_has_the_same_bytes(proxy, replay_shop, name):
    recorded = pages(SAMPLES / "pages")[name]
    assert ask(proxy, replay_shop, recorded).body == ask(proxy, replay_shop, recorded).body
