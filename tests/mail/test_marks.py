from __future__ import annotations

import pytest

from bridge.mail.marks import Link, Marks
from tests.mail.letters import CAPTURED, FORGOT, NEEDS_CAPTURES, ORDER, WELCOME, alert, mail, parse


@pytest.mark.parametrize("email", ["o'brien@shop.test", "a|b@shop.test", "Jane@shop.test", "x+y@shop.test"])
def test_an_address_is_found_whatever_signs_it_holds(email):
    found = marks(f"<ul><li>Mail: {email.replace(chr(39), '&#039;')}</li></ul>")
    assert found.lists(email)
    assert found.shows(email.upper())
    for part in (f"x{email}", f"{email}.au", email[:-1]):
        assert not found.shows(part)


def marks(body, **more):
    return Marks.of(parse(mail(body, **more)))


@pytest.mark.parametrize(
    ("path", "sort"),
    [
        ("customer/account/createPassword/?id=2&amp;token=abc", "reset"),
        ("fr/customer/account/createpassword/?token=abc&amp;___store=fr", "reset"),
        ("customer/account/createPassword/id/2/token/abc/", "reset"),
        ("customer/account/createPassword/", "page"),
        ("customer/account/confirm/?id=7&amp;key=abc&amp;back_url=", "confirm_account"),
        ("customer/account/", "account"),
        ("customer/account/login/", "page"),
        ("productalert/unsubscribe/stockAll/?___store=fr", "stock_alerts"),
        ("productalert/unsubscribe/email/product/12/", "alert"),
        ("productalert/unsubscribe/stock/product/12/", "stock_alerts"),
        ("productalert/unsubscribe/price/product/12/", "price_alerts"),
        ("productalert/unsubscribe/email/product/12/type/price/", "price_alerts"),
        ("productalert/unsubscribe/priceAll/", "price_alerts"),
        ("newsletter/subscriber/confirm/id/5/code/q4az/", "confirm_newsletter"),
        ("wishlist/shared/index/code/TOs/", "wishlist"),
        ("shipping/tracking/popup?hash=abc", "tracking"),
        ("", "page"),
    ],
)
def test_a_link_is_known_by_its_path(path, sort):
    found = marks(f'<p><a href="http://store.test/{path}">x</a></p>')
    assert found.links[-1].sort == sort


def test_the_reset_link_of_a_button_is_alone_and_that_of_a_sentence_is_not():
    [button], [sentence] = (marks(body).of_sort("reset") for body in (FORGOT, WELCOME))
    assert (button.alone, sentence.alone) == (True, False)
    assert (button.value("id"), button.host) == ("7", "store.test")


def test_values_stand_in_the_query_or_in_the_path():
    assert Link("reset", "http://x.test/createPassword/id/9/token/T", alone=True).value("token") == "T"
    assert Link("reset", "http://x.test/createPassword?id=9&token=T", alone=True).value("id") == "9"
    assert Link("page", "http://[broken", alone=True).value("id") == ""


def test_numbers_are_those_behind_a_hash_and_a_flat_or_a_colour_is_none():
    found = marks(
        '<p style="color:#123456">#100000012, #EU-2026-0007. Flat #12, suite #4b, #sale, <b>#100000012</b></p>'
    )
    assert found.numbers == ("100000012", "EU-2026-0007")
    assert not found.has_heading


def test_the_style_sheet_that_names_every_class_shows_no_block():
    assert marks("<p>x</p>").blocks == frozenset()
    assert {"items", "prices", "totals", "details"} <= marks(ORDER).blocks


def test_scripts_in_a_body_are_no_text():
    found = marks("<p>x</p><script>var a='#100000012 a@x.test';</script>")
    assert found.numbers == ()
    assert not found.shows("a@x.test")


def test_an_address_is_shown_whole_or_not_at_all():
    found = marks("<p>E-mail: <b>Jane@Shop.test</b>.</p>")
    assert found.shows("jane@shop.test")
    assert not found.shows("ane@shop.test")
    assert not found.shows("")


def test_a_plain_body_has_links_numbers_and_lines():
    text = "Set it here:\nhttp://store.test/customer/account/createPassword/?id=7&token=T\nOrder #100000012\n"
    found = marks(text, subtype="plain")
    assert (found.of_sort("reset")[0].alone, found.numbers) == (True, ("100000012",))
    assert marks("", subtype="plain").is_empty


def test_the_products_of_an_alert_are_those_of_its_links():
    assert marks(alert(12, 13, 12)).products() == ("12", "13")
    assert marks(alert(12, kind="price")).products() == ()


def test_the_summary_tells_the_structure_and_no_word_of_the_mail():
    told = marks(WELCOME).summary()
    assert "reset x1" in told and "account x1" in told
    for word in ("jane", "SECRET", "Forgotten", "store.test"):
        assert word not in told
    assert Marks().summary() == "no body"
    assert "SECRET" not in repr(marks(FORGOT)) + repr(marks(FORGOT).links)


@pytest.mark.parametrize(
    "html",
    [
        "<",
        "<a href=",
        "<h1>" * 5000,
        "<li><b>x" * 20_000,
        "x" * 900_000,
        "@" * 90_000,
        "<!-- " + "x" * 9000,
        "\x01\x02",
        "<a href='//[' >x</a>",
    ],
)
def test_broken_html_is_read_as_far_as_it_goes(html):
    assert isinstance(marks(html).summary(), str)


class TestCaptured:
    pytestmark = NEEDS_CAPTURES

    def test_the_marks_that_were_measured_over_all_mails_are_found(self):
        for path in sorted(CAPTURED.glob("*.eml")):
            found, name = Marks.of(parse(path.read_bytes())), path.stem
            is_order = "order_confirmation" in name or "order_new" in name
            assert (len(found.headings) == 1) is is_order, name
            assert ("tracks" in found.blocks) is ("shipment" in name and "comment" not in name), name
            assert ("confirm_newsletter" in found.sorts()) is ("confirm_request" in name), name
            assert bool(found.products()) is ("stock_alert" in name), name
