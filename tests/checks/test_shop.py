"""What a page of the shop tells about its set-up. Values in, sentences out; and the real shop's own answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.checks.shop import look_at_admin, look_at_home, look_at_inner_cache, look_at_old_module, look_at_public
from bridge.errors import Misconfigured
from bridge.http import Page, ask
from tests.base.test_config import read

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento"


def page(status=200, text="", **headers):
    return Page(status, {name.replace("_", "-"): value for name, value in headers.items()}, text)


def config(tmp_path, public="https://shop.test"):
    return read(tmp_path, BRIDGE_STORE_URL="http://10.0.0.5:8080", BRIDGE_PUBLIC_URL=public)


@pytest.mark.parametrize(
    ("status", "location", "level", "words"),
    [
        (200, "", "ok", "The home page answers."),
        (302, "https://shop.test/", "fail", "redirects to itself, in a loop"),
        (302, "https://shop.test", "fail", "redirects to itself, in a loop"),
        (302, "/", "fail", "redirects to itself, in a loop"),
        (301, "http://shop.test/", "fail", "Set BRIDGE_PUBLIC_URL=http://shop.test, or"),
        (301, "https://www.shop.test/", "fail", "set BRIDGE_PUBLIC_URL=https://www.shop.test, or"),
        (503, "", "fail", "answers 503"),
        (404, "", "fail", "answers 404"),
    ],
)
def test_the_home_page_s_answer_is_told_with_the_change_to_make(tmp_path, status, location, level, words):
    finding = look_at_home(page(status, location=location), config(tmp_path))
    assert finding.level == level
    assert words in finding.sentence


def test_the_backend_is_known_by_its_body_wherever_it_is():
    good = look_at_admin(
        page(text='<body id="html-body" class="adminhtml-auth-login page-layout-admin-login">'), "/admin"
    )
    assert good.level == "ok"
    moved = look_at_admin(page(404, text='<body class="cms-noroute-index">'), "/admin")
    assert moved.level == "warn"
    assert "set BRIDGE_ADMIN_PATH to the front name in app/etc/env.php" in moved.sentence
    storefront = look_at_admin(page(text='<body class="cms-index-index">'), "/backend")
    assert storefront.level == "warn"


@pytest.mark.parametrize(
    ("headers", "level", "words"),
    [
        ({}, "ok", "None was seen"),
        ({"x_magento_cache_debug": "HIT"}, "ok", "Varnish stands behind bridge"),
        ({"x_varnish": "32770 3"}, "ok", "Varnish stands behind bridge"),
        ({"cf_cache_status": "HIT"}, "warn", "Cloudflare answers for the origin"),
        ({"age": "77"}, "warn", "A cache answers for the origin"),
    ],
)
def test_what_stands_between_bridge_and_the_shop_is_told(headers, level, words):
    finding = look_at_inner_cache(page(**headers))
    assert finding.level == level
    assert words in finding.sentence


@pytest.mark.parametrize(
    ("text", "cookie", "words"),
    [
        ('s.src="//cdn.ometria.com/tags/0123456789abcdef.js"', "", "module:disable Ometria_AbandonedCarts"),
        ("window.ometria.raw_data = {}", "", "general.store_id_kind to id"),
        ("", "ommage=basket:1; path=/", "would count twice"),
        ('"Ometria_Analytics/js/tag": {} "//cdn.ometria.com/tags/0123456789abcdef.js"', "", "Enable: No"),
    ],
)
def test_the_old_module_s_tag_is_found_with_the_advice_how_to_keep_its_ids(text, cookie, words):
    (finding,) = look_at_old_module(page(text=text, set_cookie=cookie))
    assert finding.level == "fail"
    assert words in finding.sentence
    assert "orders.namespace" in finding.sentence


def test_a_shop_without_the_old_module_is_left_in_peace():
    assert not list(look_at_old_module(page(text="<script>var a = 'ometria';</script>")))


def test_the_public_address_tells_whether_visitors_come_through_and_what_caches_in_front():
    away = list(look_at_public(page(), page(404), "https://shop.test"))
    assert [finding.level for finding in away] == ["warn"]
    plain = list(look_at_public(page(), page(text="ok\n"), "https://shop.test"))
    assert [finding.level for finding in plain] == ["ok"]
    passing = list(look_at_public(page(cf_cache_status="DYNAMIC"), page(text="ok\n"), "https://shop.test"))
    assert "Cloudflare stands in front of bridge and passes pages on" in passing[1].sentence
    keeping = list(look_at_public(page(cf_cache_status="HIT", age="9"), page(text="ok\n"), "https://shop.test"))
    assert "keeps whole pages" in keeping[1].sentence


def test_only_configured_hosts_are_ever_asked():
    with pytest.raises(Misconfigured, match=r"169\.254\.169\.254 is none of the configured hosts"):
        ask("http://169.254.169.254/latest/", ("http://10.0.0.5:8080",))


@pytest.mark.shared
@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures do not lie beside the checkout")
def test_a_real_shop_s_answers_are_read_right(tmp_path):
    def captured(name):
        lines = (CAPTURES / f"pages/{name}.headers.txt").read_text().splitlines()
        answer = [line[2:] for line in lines if line.startswith("< ")]
        headers = dict(line.lower().partition(": ")[::2] for line in answer[1:])
        text = CAPTURES / f"pages/{name}.html"
        return Page(int(answer[0].split()[1]), headers, text.read_text() if text.exists() else "")

    shop = read(tmp_path, BRIDGE_STORE_URL="http://10.0.0.5", BRIDGE_PUBLIC_URL="http://store.test")
    assert look_at_home(captured("home"), shop).level == "ok"
    assert not list(look_at_old_module(captured("home")))
    assert look_at_admin(captured("admin_login"), "/admin").level == "ok"
    assert look_at_admin(captured("not_found_404"), "/admin").level == "warn"
    wrong = look_at_home(captured("wrong_host_redirect"), read(tmp_path, BRIDGE_STORE_URL="http://10.0.0.5"))
    assert wrong.level == "fail"
    assert "BRIDGE_PUBLIC_URL=http://store.test" in wrong.sentence
    assert look_at_home(captured("maintenance_503"), shop).level == "fail"
