from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace

import pytest

from bridge.tracking.tags import PARTS
from tests.tracking.conftest import ACCOUNT, DEFAULT_VIEW, FRENCH_VIEW, GERMAN_VIEW, STORES, make_book
from tests.tracking.wires import Request

ELEMENT = re.compile(
    rb'<script src="/_bridge/tag\.js\?v=([0-9a-f]{12})(?:&amp;view=(\w+))?" data-bridge data-account="(\w*)" '
    rb'data-store="(\w*)" async></script>'
)


def markup(room, target="/", host="store.test", **headers):
    return room.tracking.tags.markup(Request("GET", target, [("Host", host), *headers.items()]))


def element(room, *args, **more):
    found = ELEMENT.fullmatch(markup(room, *args, **more))
    assert found
    version, _view, account, store = found.groups()
    return version.decode(), account.decode(), store.decode()


def config_of(room, view="", part="main"):
    text = room.tracking.tags.script_of(view, "", part).plain.decode()
    return json.loads(text[text.rindex("})({") + 3 : text.rindex(");")])


def test_the_markup_is_one_element_with_version_account_and_store(room):
    version, account, store = element(room)
    assert (account, store) == (ACCOUNT, "default")
    assert version == room.tracking.tags.script.version
    assert len(markup(room)) <= 512


@pytest.mark.parametrize(
    ("host", "target", "store"),
    [
        ("store.test", "/", "default"),
        ("STORE.TEST", "/gear.html?utm_source=x", "default"),
        ("store.test:8080", "/", "default"),
        ("eu.store.test", "/", "fr"),
        ("store.test", "/swiss/gear.html", "ch"),
        ("store.test", "/swiss/", "ch"),
        ("store.test", "/swissair.html", "default"),
        ("127.0.0.1:8000", "/", "default"),
        ("", "/", "default"),
    ],
)
def test_the_store_view_follows_from_host_and_longest_path(make_room, host, target, store):
    swiss = replace(
        DEFAULT_VIEW, ref="store:ch", code="ch", id=4, is_default=False, link_url="http://store.test/swiss/"
    )
    room = make_room(make_book((*STORES, swiss)))
    assert element(room, target, host)[2] == store


def test_no_cookie_changes_what_a_shared_cache_keeps(room):
    plain = markup(room, host="eu.store.test")
    for cookie in ("store=de", "PHPSESSID=abc", "bridge_visitor=" + "0" * 32):
        assert markup(room, host="eu.store.test", Cookie=cookie) == plain


@pytest.mark.parametrize(
    "values", [{"general__enabled": False}, {"tracking__enabled": False}, {"general__account_id": ""}]
)
def test_where_nothing_is_tracked_there_is_no_tag(make_room, values):
    assert markup(make_room(make_book(**values))) is None


def test_a_view_that_shares_its_url_with_a_tracked_one_has_the_tag(make_room):
    book = make_book()
    book.values["store:fr"] = {"tracking.enabled": False}
    room = make_room(book)
    assert element(room, host="eu.store.test")[2] == "de"
    assert config_of(room, "2")["view"]["enabled"] is False
    assert config_of(room, "de")["view"]["enabled"] is True


def test_before_the_store_tree_is_read_the_default_settings_serve(make_room):
    assert element(make_room(make_book(())))[1:] == (ACCOUNT, "")
    assert markup(make_room(make_book((), general__account_id=""))) is None


def test_the_numeric_id_names_the_store_where_that_is_chosen(make_room):
    room = make_room(make_book(general__store_id_kind="id"))
    assert element(room, host="eu.store.test")[2] == "2"


def test_the_same_settings_give_the_same_bytes_and_others_give_others(room):
    before, script, suffix = markup(room), room.tracking.tags.script, room.tracking.tags.etag_suffix
    room.books.current = make_book()
    assert markup(room) == before
    assert room.tracking.tags.script.plain == script.plain
    room.books.current = make_book(tracking__checkout=False)
    assert markup(room) != before
    assert room.tracking.tags.etag_suffix != suffix


def test_the_version_changes_with_the_urls_of_the_views(room):
    suffix = room.tracking.tags.etag_suffix
    moved = replace(GERMAN_VIEW, link_url="http://de.store.test/")
    room.books.current = make_book((DEFAULT_VIEW, FRENCH_VIEW, moved))
    assert element(room, host="de.store.test")[2] == "de"
    assert room.tracking.tags.etag_suffix != suffix


def test_the_ids_follow_the_scope_that_owns_the_account(make_room):
    book = make_book(general__api_key="key-of-the-account", products__namespace="all")
    book.values["store:fr"] = {"products.namespace": "fr", "general.store_id_kind": "id"}
    assert config_of(make_room(book), "fr")["view"] == {
        "code": "fr", "id": "2", "website": "2", "base": "/", "site": "fr", "account": ACCOUNT, "enabled": True,
        "checkout": True, "mode": "direct", "consent": None, "links": True, "percent": 100, "exclude": [],
        "variants": False, "currency": "EUR", "key": "id", "products": "all", "orders": "",
    }  # fmt: skip


def test_without_the_api_keys_the_owner_of_the_site_identifier_stands_in(make_room):
    book = make_book(products__namespace="all", products__namespace_separator="-")
    book.values["store:fr"] = {"products.namespace": "fr"}
    assert config_of(make_room(book), "2")["view"]["products"] == "all-"


def test_no_secret_is_in_the_script(make_room):
    room = make_room(make_book(general__api_key="key-of-the-account", global__api_key="key-of-the-other"))
    assert b"key-of-the" not in room.tracking.tags.script.plain


def test_settings_cannot_break_out_of_script_or_markup(make_room):
    hostile = replace(DEFAULT_VIEW, code='"><script>alert(1)</script>\u2028', currency="</script>")
    room = make_room(make_book((hostile,)))
    script = room.tracking.tags.script.plain.decode()
    assert "</script" not in script.rpartition("})(")[2]
    assert "\u2028" not in script
    assert markup(room).count(b"<script") == 1
    assert config_of(room)["view"]["code"] == hostile.code


def test_markup_that_would_be_too_long_is_left_out(make_room):
    assert markup(make_room(prefix="/" + "x" * 500)) is None


LARGEST = 5_950
"""Bytes. The bound is 6 kB; what is left of it is room for a shop's own page types and excluded paths."""


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"tracking__mode": "data_layer"},
        {"consent__mode": "cookie", "consent__cookie": "consent", "consent__pattern": "marketing=1"},
    ],
)
def test_each_script_is_within_six_kilobytes_however_many_store_views_there_are(make_room, values):
    stores = tuple(
        replace(DEFAULT_VIEW, ref=f"store:view{number}", code=f"view{number}", id=number, is_default=number == 1)
        for number in range(1, 401)
    )
    room = make_room(make_book(stores, **values))
    for view in ("", "view7", "400"):
        for part in ("", "main", *PARTS):
            script = room.tracking.tags.script_of(view, "store.test", part)
            assert len(script.gzipped) <= LARGEST
            assert gzip.decompress(script.gzipped) == script.plain
    assert config_of(room, "400")["view"]["code"] == "view400"
    assert len(markup(room)) <= 512


def test_a_view_is_named_by_code_or_id_and_else_by_its_host(room):
    def code(view, host="", part=""):
        text = room.tracking.tags.script_of(view, host, part).plain.decode()
        return json.loads(text[text.rindex("})({") + 3 : text.rindex(");")])["view"]["code"]

    assert [code("de"), code("3"), code("", "eu.store.test"), code("gone", "EU.store.test:80"), code("")] == [
        "de", "de", "fr", "fr", "default",
    ]  # fmt: skip


def test_before_consent_only_the_part_that_waits_for_it_is_served(make_room):
    room = make_room(make_book(consent__mode="cookiebot"))
    tags = room.tracking.tags
    assert len(tags.script.plain) < len(tags.script_of("", "", "main").plain) / 2
    assert config_of(room, part="")["view"]["consent"]["mode"] == "cookiebot"
    assert config_of(room, part="")["pageTypes"] == ""


def test_rules_of_the_shop_come_before_magentos_names(make_room):
    room = make_room(make_book(tracking__page_type_rules=["brand-index-*=listing", "/thanks/=none"]))
    assert config_of(room)["pageTypes"].startswith(
        "brand-index-*=listing /thanks= checkout-onepage-success=confirmation "
    )


@pytest.mark.parametrize(
    ("url", "sources"),
    [
        (
            "//cdn.ometria.com/tags/{account_id}.js",
            {
                "script-src": (b"https://cdn.ometria.com",),
                "img-src": (b"https://trk.ometria.com",),
                "connect-src": (b"https://api.ometria.com", b"https://trk.ometria.com"),
            },
        ),
        (
            "http://127.0.0.1:9000/tags/{account_id}.js",
            dict.fromkeys(("script-src", "img-src", "connect-src"), (b"http://127.0.0.1:9000",)),
        ),
    ],
)
def test_the_policy_sources_follow_from_the_scripts_host(make_room, url, sources):
    assert make_room(ometria_tag_url=url).tracking.tags.csp_sources == sources


@pytest.mark.parametrize(
    ("target", "has_tag"),
    [
        ("/", True),
        ("/blog", False),
        ("/blog/", False),
        ("/blogger", True),
        ("/landing/spring", False),
        ("/landing", True),
    ],
)
def test_pages_at_excluded_paths_have_no_tag(make_room, target, has_tag):
    room = make_room(make_book(tracking__exclude_paths=["/blog", "/landing/*"]))
    assert (markup(room, target=target) is not None) is has_tag


def test_an_excluded_path_is_below_the_address_of_the_store_view(make_room):
    french = replace(FRENCH_VIEW, base_url="http://store.test/fr/", link_url="http://store.test/fr/")
    room = make_room(make_book((DEFAULT_VIEW, french), tracking__exclude_paths=["/blog"]))
    assert markup(room, target="/fr/blog") is None
    assert markup(room, target="/fr/other") is not None
