from __future__ import annotations

import base64
import random

import pytest

from bridge.mail.letter import BODY_MOST, PARTS_MOST, Letter, address_key, in_charset, same_address
from bridge.mail.payload import why_not_passed
from tests.mail.letters import AT, CAPTURED, NEEDS_CAPTURES, Taken, parse

HEAD = b"From: a@x.test\r\nTo: b@x.test\r\n"


def test_encoded_words_bodies_and_names_of_a_foreign_mail_are_decoded():
    raw = (
        b"Subject: =?utf-8?B?TmV1ZSBCZXN0ZWxsdW5nIMO8?=\r\n =?utf-8?Q?_=E2=82=AC?=\r\n"
        b'From: "Zo\xc3\xab, Ltd" <a@x.test>\r\nTo: =?iso-8859-1?Q?Andr=E9=2C_B?= <b@x.test>\r\n'
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
        b"--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
        b"--i\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode("Grüße".encode("latin-1"))
        + b"\r\n--i\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<p>Bob&#039;s caf=C3=A9</p>\r\n--i--\r\n"
        b"--o\r\nContent-Type: application/pdf; name*=utf-8''Rechnung%20%C3%BC.pdf\r\n"
        b"Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--o--\r\n"
    )
    letter = parse(raw)
    assert letter.subject == "Neue Bestellung ü €"
    assert (letter.sender.name, letter.sender.email) == ("Zoë, Ltd", "a@x.test")
    assert (letter.to[0].name, letter.to[0].email) == ("André, B", "b@x.test")
    assert letter.text.strip() == "Grüße"
    assert "café" in letter.html
    assert [(one.name, one.type, one.data) for one in letter.attachments] == [
        ("Rechnung ü.pdf", "application/pdf", b"%PDF")
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 100,
        b"Subject: =?utf-8?B?!!!?=\r\n\r\nx",
        b"Subject: =?nonsense?Q?x?=\r\n\r\nx",
        b"Date: yesterday\r\n\r\n",
        b"Date: Wed, 99 Nov 99999 01:45:54 +9999\r\n\r\n",
        b"To: \xff\xfe <@>\r\nFrom: ,,,;<<>>\r\n\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/html; charset=klingon\r\nContent-Transfer-Encoding: base64\r\n\r\n***",
        b'Content-Type: text/html; charset="utf-8\r\n\r\nx',
        b"Content-Type: ;;;\r\nContent-Transfer-Encoding: uuencode\r\n\r\nbegin\r\n",
        b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)),
    ],
    ids=range(13),
)
def test_odd_mail_is_read_as_far_as_it_goes(raw):
    letter = parse(raw)
    assert letter.received_at == AT
    assert isinstance(letter.subject + letter.html + letter.text, str)


def test_noise_never_stops_the_reader():
    chance = random.Random(8)
    words = [b"Content-Type: ", b"multipart/mixed; boundary=x", b"\r\n", b"\n", b"--x", b"--x--", b"text/html", b"=?utf-8?q?",
             b"?=", b"Subject: ", b"To: ", b"<a@b>", b"\xff", b"\0", b"charset=", b"utf-16", b": ", b"base64", b"Date: "]  # fmt: skip
    for _ in range(3000):
        letter = parse(b"".join(chance.choices(words, k=chance.randrange(40))))
        assert "\0" not in letter.subject + letter.html + letter.text


def test_a_header_cannot_bring_a_second_line():
    letter = parse(b"Subject: =?utf-8?Q?one=0D=0ABcc:_x@x.test?=\r\n" + HEAD + b"\r\nx")
    assert letter.subject == "one Bcc: x@x.test"


def test_a_body_of_unknown_charset_is_read_as_utf8_and_else_as_latin1():
    assert in_charset("é".encode(), "klingon") == "é"
    assert in_charset(b"\xe9", "utf-8") == "é"
    assert in_charset(b"\xe9", None) == "é"


def test_a_body_too_long_to_be_a_template_is_no_body():
    head = HEAD + b"Content-Type: text/html\r\n\r\n"
    assert parse(head + b"x" * BODY_MOST).html
    assert not parse(head + b"x" * (BODY_MOST + 1)).html


def test_an_attached_letter_is_not_read_for_the_letter_itself():
    raw = HEAD + (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nabove\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: text/html\r\n\r\n<!-- obx kind=order_new -->\r\n--x--\r\n"
    )
    letter = parse(raw)
    assert (letter.text.strip(), letter.html) == ("above", "")


def test_addresses_are_one_mailbox_whatever_the_case_and_the_writing_of_the_domain():
    assert same_address("Jane@Shop.Test", "jane@shop.test")
    assert same_address("a@bücher.example", "a@xn--bcher-kva.example")
    assert not same_address("", "")
    assert not same_address("a@x.test", "b@x.test")
    assert address_key('"odd one"@x.test') == '"odd one"@x.test'
    assert address_key("a@" + "ü" * 300)
    assert same_address("a@BÜCHER.example", "A@bücher.example")
    assert same_address("jos\u00e9@x.test", "jose\u0301@x.test")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@straße.test", "a@strasse.test"),
        ("straße@x.test", "strasse@x.test"),
        ("mi\u212ae@x.test", "mike@x.test"),
        ("ﬁn@x.test", "fin@x.test"),
        ("josé@x.test", "jose@x.test"),
        ("\u0131@x.test", "i@x.test"),
    ],
)
def test_a_mailbox_that_only_looks_alike_is_somebody_elses(one, other):
    assert not same_address(one, other)
    assert not same_address(other.upper(), one)
    assert same_address(one, one)


def test_entities_that_a_template_left_in_a_header_are_what_they_stand_for_once():
    letter = parse(
        b'From: "Bob&#039;s &amp;amp; Co" <a@x.test>\r\nTo: =?utf-8?Q?O=26=2339=3BBrien?= <o@x.test>\r\n'
        b"Subject: Your Bob&#039;s order&#13;&#10;Bcc: all@x.test\r\n\r\nx"
    )
    assert letter.sender.name == "Bob's &amp; Co"
    assert letter.to[0].name == "O'Brien"
    assert letter.subject == "Your Bob's order Bcc: all@x.test"


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "raw_unicode_escape"])
def test_halves_of_characters_are_none(charset):
    body = b"<p>+2AA-</p>" if charset == "utf-7" else rb"<p>\ud800</p>"
    letter = parse(HEAD + b"Content-Type: text/html; charset=%b\r\n\r\n" % charset.encode() + body)
    assert letter.html == "<p>?</p>"


PARTS = {
    "a mail": b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx",
    "a file without a name": b"Content-Type: application/pdf\r\n\r\n%PDF",
    "a file that is shown": b"Content-Type: application/pdf\r\nContent-Disposition: inline\r\n\r\n%PDF",
    "a date": b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR",
    "a picture that nothing shows": b"Content-Type: image/png\r\n\r\nx",
    "a report": b"Content-Type: message/delivery-status\r\n\r\nAction: failed",
}


def mixed(*parts):
    whole = b"".join(b"--x\r\n" + part + b"\r\n" for part in (b"Content-Type: text/html\r\n\r\n<p>hi</p>", *parts))
    return parse(HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + whole + b"--x--\r\n")


@pytest.mark.parametrize("part", PARTS)
def test_whatever_is_no_body_is_a_file_so_that_none_is_lost_with_the_original(part):
    letter = mixed(PARTS[part])
    assert letter.html.strip() == "<p>hi</p>"
    assert why_not_passed(letter.attachments)


def test_a_picture_of_the_design_is_no_file():
    logo = b"Content-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\n\r\nx"
    assert mixed(logo).attachments == ()
    assert len(mixed(logo.replace(b"inline", b"attachment")).attachments) == 1


def test_a_mail_with_more_parts_than_are_looked_at_has_a_file_that_nobody_knows():
    logo = b"Content-Type: image/png\r\nContent-ID: <logo>\r\n\r\nx"
    assert mixed(*[logo] * (PARTS_MOST - 1)).attachments == ()
    assert why_not_passed(mixed(*[logo] * PARTS_MOST).attachments)


def test_a_letter_knows_whom_it_is_addressed_to():
    letter = parse(b"To: =?utf-8?Q?J?= <Jane@shop.test>, bob@x.test\r\n\r\nx")
    assert letter.is_to("jane@SHOP.test")
    assert letter.is_to("bob@x.test")
    assert not letter.is_to("archive@x.test")


def test_what_a_letter_holds_is_in_no_text_of_its_own():
    letter = Letter.parse(b"Subject: secret\r\nTo: jane@shop.test\r\n\r\nsecret", Taken())
    assert "secret" not in repr(letter)
    assert "jane" not in repr(letter)


class TestCaptured:
    pytestmark = NEEDS_CAPTURES

    def test_every_captured_mail_has_a_subject_a_recipient_a_date_and_one_html_body(self):
        files = sorted(CAPTURED.glob("*.eml"))
        assert len(files) == 111
        for path in files:
            letter = parse(path.read_bytes())
            assert letter.subject
            assert len(letter.to) == 1
            assert letter.html.lstrip().startswith("<!DOCTYPE")
            assert not letter.text
            assert letter.date
