"""Keys: the same mail is one, whatever a second delivery adds; two mails are two."""

from __future__ import annotations

import pytest

from bridge.mail.fingerprint import Keys

KEYS = Keys(["a-secret-key-of-sixteen"])
RAW = b"Date: Tue, 14 Jul 2026 08:00:00 +0000\r\nSubject: =?utf-8?Q?Hi?=\r\n there\r\nTo: a@x.test\r\n\r\nBody\r\n"


def key(raw=RAW, recipient="a@x.test", at=0.0):
    return KEYS.mail(recipient, raw, at)[0]


def test_the_same_bytes_are_the_same_mail_whenever_they_come():
    assert key(at=5.0) == key(at=500_000.0)


@pytest.mark.parametrize(
    "other",
    [
        RAW.replace(b"08:00:00", b"08:00:01"),
        RAW.replace(b"Body", b"Bodi"),
        RAW.replace(b" there", b" you"),
        RAW.replace(b"\r\n\r\nBody", b"\r\n\r\n\r\nBody"),
    ],
    ids=["date", "body", "folded subject", "empty line"],
)
def test_another_date_subject_or_body_is_another_mail(other):
    assert key(other) != key()


def test_what_a_mail_server_adds_before_it_does_not_count():
    assert key(b"Received: from shop by relay\r\n" + RAW) == key()


def test_each_recipient_has_a_key_of_its_own_and_cannot_be_read_from_it():
    assert key(recipient="b@x.test") != key()
    assert "a@x.test" not in key()


def test_capitals_of_a_recipient_make_no_difference_for_finding_mails():
    assert KEYS.recipient("Ann@X.test") == KEYS.recipient("ann@x.TEST") != KEYS.recipient("bob@x.test")


def test_a_mail_without_date_is_the_same_for_a_minute_also_across_its_edge():
    undated = RAW.partition(b"\r\n")[2]
    first, second = KEYS.mail("a@x.test", undated, 119.0), KEYS.mail("a@x.test", undated, 121.0)
    assert first[0] in second
    assert first[0] not in KEYS.mail("a@x.test", undated, 240.0)


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"no head at all", b"Date\r\n\r\n", b"\x00\xff" * 50, b"Date:\n\nx"])
def test_what_is_no_mail_has_a_key_too(raw):
    assert len(key(raw)) == 64


def test_parts_cannot_be_shifted_into_each_other():
    assert KEYS.raised("ab", "c") != KEYS.raised("a", "bc")


def test_another_secret_makes_other_keys():
    assert Keys(["another-secret-key-123"]).recipient("a@x.test") != KEYS.recipient("a@x.test")
