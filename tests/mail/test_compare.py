"""Sandbox mode: what agrees between the shop's own mail and what Ometria was given."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bridge.mail.compare import compare
from bridge.mail.letter import Letter
from bridge.mail.marks import Marks

LINK = "https://shop.test/customer/account/createPassword/?id=3&token=abc"


def letter(html, subject="Your order"):
    raw = f"Subject: {subject}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}".encode()
    return Letter.parse(raw)


def compared(html, data, recipient="ann@x.test", subject="Your order"):
    one = letter(html)
    body = {"to": {"email": "ann@x.test"}, "subject": subject, "data": data}
    return compare(body, one, Marks.of(one), recipient)


@pytest.mark.parametrize("shown", ["£1,234.50", "1.234,50 €", "1\u202f234,50 €", "1234.5", "GBP 1 234.50"])
def test_the_total_is_found_in_whatever_way_it_is_written(shown):
    found = compared(f"<body>Total {shown}</body>", {"totals": {"grandTotalRaw": Decimal("1234.50")}})
    assert found["amounts"] == {"grandTotal": "same"}
    assert found["alike"]


def test_another_total_is_told():
    found = compared("<body>Total £1,234.51</body>", {"totals": {"grandTotalRaw": Decimal("1234.50")}})
    assert found["amounts"] == {"grandTotal": "other"}
    assert not found["alike"]


def test_small_amounts_count_too():
    assert compared("<body>£0.50</body>", {"totals": {"grandTotalRaw": Decimal("0.5")}})["alike"]


def test_recipient_subject_and_links_are_compared_and_nothing_of_them_is_kept():
    html = f'<body><a href="{LINK.replace("&", "&amp;")}">go</a></body>'
    found = compared(html, {"resetURL": LINK})
    assert found == {
        "recipient": "same",
        "subject": "same",
        "amounts": {},
        "links": {"resetURL": "same"},
        "alike": True,
    }
    other = compared(html, {"resetURL": LINK + "x"}, recipient="bob@x.test", subject="Another")
    assert (other["recipient"], other["subject"], other["links"]) == ("other", "other", {"resetURL": "other"})


def test_a_link_that_the_data_lack_is_absent():
    assert compared(f'<body><a href="{LINK}">go</a></body>', {})["links"] == {"resetURL": "absent"}
