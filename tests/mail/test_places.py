from __future__ import annotations

import pytest

from bridge.mail.marks import Marks
from bridge.mail.places import known, place_of
from bridge.settings import Store
from tests.mail.letters import CAPTURED, NEEDS_CAPTURES, VIEWS, parse


def view(code, url, locale=""):
    return Store(f"store:{code}", code, 1, "base", 1, base_url=url, link_url=url, locale=locale)


def place(html, views):
    raw = b"Content-Type: text/html\r\n\r\n" + html.encode()
    return place_of(Marks.of(parse(raw)), views)


def link(url):
    return f'<a href="{url}">x</a>'


def test_of_views_below_one_host_the_innermost_is_meant():
    views = [
        view("main", "https://shop.test/"),
        view("fr", "https://shop.test/fr/"),
        view("de", "https://shop.test/de/"),
    ]
    assert place(link("https://shop.test/fr/customer/account/"), views) == "fr"
    assert place(link("https://shop.test/customer/account/"), views) == "main"
    assert place(link("https://shop.test/france/"), views) == "main"
    assert place(link("https://other.test/fr/"), views) == ""


def test_a_parameter_that_names_the_view_tells_it_unless_two_do():
    one, two = link("http://eu.store.test/a?___store=fr"), link("http://eu.store.test/a?___store=de")
    assert place(one, VIEWS) == "fr"
    assert place(one + two, VIEWS) == ""
    assert place(link("http://store.test/?___store=nowhere"), VIEWS) == "default"


def test_among_views_of_one_address_the_language_of_the_pictures_tells():
    page = link("http://eu.store.test/")
    image = '<img src="http://eu.store.test/static/version1/frontend/Magento/luma/de_DE/Magento_Email/logo_email.png">'
    assert place(page, VIEWS) == ""
    assert place(page + image, VIEWS) == "de"


def test_a_shop_of_one_view_has_no_other_and_one_without_a_tree_has_none():
    assert place("<p>x</p>", VIEWS[:1]) == "default"
    assert place("<p>x</p>", []) == ""
    assert place(link("http://[broken"), VIEWS) == ""


def test_a_code_that_the_shop_has_not_is_none():
    assert (known("fr", VIEWS), known("xx", VIEWS), known("", VIEWS)) == ("fr", "", "")


class TestCaptured:
    pytestmark = NEEDS_CAPTURES

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("002_order_confirmation_en", "default"),
            ("050_account_created_fr", "fr"),
            ("051_forgot_password_fr", "fr"),
            ("055_stock_alert_fr", "fr"),
            ("010_order_confirmation_de", "de"),
            ("073_newsletter_subscribed_de", "de"),
        ],
    )
    def test_a_captured_mail_shows_its_store_view(self, name, code):
        assert place_of(Marks.of(parse((CAPTURED / f"{name}.eml").read_bytes())), VIEWS) == code
