"""The call to Ometria: whose it is, which files go along, and that no name brings a header."""

from __future__ import annotations

import base64
import json
from decimal import Decimal

import pytest

from bridge.mail.letter import Attachment, Mailbox
from bridge.mail.material import Links, Material, Wanted
from bridge.mail.payload import compose, encoded, native_of, why_not_passed
from bridge.store import OrderDetails
from tests.export import books, samples

PDF = Attachment("terms.pdf", "application/pdf", b"%PDF-1.4")
NATIVE = native_of(Mailbox("Shop Sales", "sales@shop.test"), Mailbox("", "help@shop.test"), "Your order", ())
ORDER = Material(
    Wanted("order_confirmation", "guest@example.com", order="100000004"),
    details=OrderDetails(order=samples.GUEST_ORDER),
)


def settings(**more):
    _, book = books.make(**{"mail__order_confirmation__template_id": "1567", **more})
    return book.settings("store:default")


def body(material=ORDER, native=NATIVE, *, sandbox=False, **more):
    return json.loads(encoded(compose(material, books.DEFAULT, settings(**more), native, sandbox=sandbox)))


def test_sender_reply_to_and_subject_are_those_of_the_shops_mail():
    made = body()
    assert made["template_id"] == 1567
    assert made["from"] == {"email": "sales@shop.test", "name": "Shop Sales"}
    assert made["reply_to"] == {"email": "help@shop.test"}
    assert made["subject"] == "Your order"
    assert made["to"] == {"email": "guest@example.com", "name": "Greta Shopper"}
    assert (made["transactional"], made["sandbox"]) == (True, False)


def test_settings_stand_above_the_shops_mail():
    made = body(
        sandbox=True,
        mail__order_confirmation__sender_email="post@brand.test",
        mail__order_confirmation__sender_name="Brand",
        mail__order_confirmation__reply_to="answers@brand.test",
        mail__send_subject=False,
    )
    assert made["from"] == {"email": "post@brand.test", "name": "Brand"}
    assert made["reply_to"] == {"email": "answers@brand.test"}
    assert "subject" not in made
    assert made["sandbox"] is True


def test_a_name_with_line_breaks_brings_no_header_along():
    hostile = native_of(Mailbox("Shop\r\nBcc: all@x.test", "sales@shop.test"), Mailbox("", ""), "Hi\nX: y", ())
    made = body(native=hostile)
    assert made["from"]["name"] == "Shop Bcc: all@x.test"
    assert made["subject"] == "Hi X: y"
    assert "reply_to" not in made


def test_amounts_leave_as_numbers_with_the_shops_digits():
    raw = encoded(compose(ORDER, books.DEFAULT, settings(), NATIVE, sandbox=False))
    assert (
        json.loads(raw, parse_float=Decimal)["data"]["totals"]["grandTotalRaw"] == samples.GUEST_ORDER.local.grand_total
    )
    assert b'"grandTotalRaw":"' not in raw


def test_files_go_along_as_base64():
    (found,) = body(native=native_of(Mailbox("", "a@x.test"), Mailbox("", ""), "", [PDF]))["attachments"]
    assert found == {"name": "terms.pdf", "type": "application/pdf", "data": base64.b64encode(PDF.data).decode()}


def test_files_stay_behind_where_the_setting_says_so():
    assert "attachments" not in body(
        native=native_of(Mailbox("", ""), Mailbox("", ""), "", [PDF]), mail__attachments=False
    )


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], ""),
        ([PDF], ""),
        ([Attachment("a.jpg", "image/jpg", b"x"), Attachment("b.png", "image/png", b"x")], ""),
        ([Attachment("a.PDF", "application/octet-stream", b"x")], ""),
        ([Attachment("a.exe", "application/octet-stream", b"x")], "no PDF"),
        ([Attachment("a.ics", "text/calendar", b"x")], "no PDF"),
        ([PDF, Attachment("TERMS.pdf", "application/pdf", b"y")], "the same"),
        ([Attachment("", "application/pdf", b"y")], "no names"),
        ([Attachment(f"{n}.pdf", "application/pdf", b"") for n in range(11)], "more than 10"),
        ([Attachment("a.pdf", "application/pdf", b"x" * 10_000_001)], "larger than 10 MB"),
    ],
)
def test_files_that_would_fail_the_call_are_known_before_it(files, told):
    why = why_not_passed(files)
    assert told in why
    assert bool(why) == bool(told)


def test_a_forgotten_password_carries_link_and_token():
    link = "https://shop.test/customer/account/createPassword/?id=3&token=T0ken123"
    material = Material(Wanted("forgot_password", "jane@example.com"), customer=samples.JANE, links=Links(reset=link))
    made = body(material, mail__forgot_password__template_id="9")
    assert made["data"]["resetURL"] == made["data"]["resetUrl"] == link
    assert made["data"]["token"] == "T0ken123"
    assert "T0ken123" not in repr(material)
