"""Each mail in Magento's own structure has the shape that only it, or mails that look alike, have."""

from __future__ import annotations

import pytest

from bridge.mail.marks import Marks
from bridge.mail.natives import NATIVES
from bridge.mail.shapes import NO_SHAPE, NOTICES, PAPERS, SHAPES, SHORT, UPDATES, shape_of
from bridge.mail.specimens import JANE, specimen
from tests.mail.letters import mail, parse

ALIKE = {
    **dict.fromkeys(PAPERS, PAPERS),
    **dict.fromkeys(UPDATES, UPDATES),
    **dict.fromkeys(NOTICES, NOTICES | SHORT),
    **dict.fromkeys(SHORT, SHORT),
}


def shape(raw, recipient=JANE):
    return shape_of(Marks.of(parse(raw)), recipient)


@pytest.mark.parametrize("native", NATIVES)
def test_a_native_mail_has_the_shape_of_itself_and_of_those_that_look_alike(native):
    assert shape(specimen(native)).natives == ALIKE.get(native, frozenset({native}))


def test_every_native_mail_has_a_shape_and_every_shape_a_name_of_its_own():
    assert frozenset().union(*(one.natives for one in SHAPES)) == frozenset(NATIVES)
    assert len({one.name for one in SHAPES}) == len(SHAPES)


@pytest.mark.parametrize("body", ["", "<h1>Sale</h1>", "<h1>#100000012 #100000013</h1>", "<p>#100000012</p>"])
def test_anything_else_has_none(body):
    assert shape(mail(body)) is NO_SHAPE
    assert NO_SHAPE.natives == frozenset()


def test_a_mail_for_somebody_else_may_have_no_shape():
    assert shape(specimen("account_new"), "bob@example.com") is NO_SHAPE
