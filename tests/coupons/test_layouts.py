"""What codes look like, tags, and what cannot be a code."""

from __future__ import annotations

import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.coupons.layouts import (
    LETTERS,
    SPARE,
    check_layout,
    check_room,
    code_fault,
    full_length,
    own_codes,
    space,
    tagged,
)
from bridge.errors import Refused
from bridge.store import CodeFormat

LOOKS = st.builds(
    CodeFormat,
    kind=st.sampled_from(sorted(LETTERS)),
    length=st.integers(1, 20),
    prefix=st.sampled_from(["", "OM-", "X"]),
    suffix=st.sampled_from(["", "-S"]),
    every=st.integers(0, 7),
)


def pattern(look: CodeFormat) -> re.Pattern[str]:
    letters = {"alphanum": "[A-Z0-9]", "alpha": "[A-Z]", "num": "[0-9]", "clear": "[A-HJKMNP-Z2-9]"}[look.kind]
    groups = [look.length] if not look.every else []
    left = look.length if look.every else 0
    while left > 0:
        groups.append(min(look.every, left))
        left -= look.every
    body = re.escape(look.delimiter).join(f"{letters}{{{count}}}" for count in groups)
    return re.compile(re.escape(look.prefix) + body + re.escape(look.suffix))


@given(LOOKS)
def test_own_codes_look_as_asked_for(look):
    for code in islice(own_codes(look), 3):
        assert pattern(look).fullmatch(code)
        assert len(code) == full_length(look)
        assert not code_fault(code)


@given(LOOKS, st.integers(1, 500))
def test_codes_of_a_tag_look_like_all_others_and_stay_hard_to_guess(look, quantity):
    asked = tagged(look, quantity)
    if asked is None:
        return
    assert asked.prefix.startswith(look.prefix)
    assert asked.prefix != look.prefix
    assert space(asked) >= quantity * SPARE
    for code in islice(own_codes(asked), 3):
        assert pattern(look).fullmatch(code)


def test_the_usual_looks_are_made_by_the_shop_and_short_ones_here():
    assert tagged(CodeFormat(), 500) is not None
    assert tagged(CodeFormat(every=4), 500) is not None
    assert tagged(CodeFormat(length=6), 1) is None
    assert len({tagged(CodeFormat(), 500).prefix for _ in range(50)}) > 40


def test_codes_without_letters_that_look_alike_are_chosen_here_since_the_shop_knows_no_such_format():
    look = CodeFormat(kind="clear", length=32)
    assert tagged(look, 1) is None
    letters = set("".join(islice(own_codes(look), 200)))
    assert not letters & set("0O1IL")
    assert len(letters) == 31
    assert check_layout(look) is look


def test_full_looks_are_refused_before_the_shop_makes_longer_codes_without_a_word():
    look = CodeFormat(kind="num", length=3)
    check_room(look, 250, 0)
    with pytest.raises(Refused, match="1,000 codes"):
        check_room(look, 251, 0)
    with pytest.raises(Refused):
        check_room(look, 1, 250)


@pytest.mark.parametrize("code", ["A", "a-1", "A/1", "x" * 255, "SAVE_10", "2+1", "a=b", "MAIL@ME"])
def test_codes(code):
    assert code_fault(code) == ""


@pytest.mark.parametrize(
    "code",
    [
        "",
        "x" * 256,
        "=1+1",
        "+1",
        "-1",
        "@a",
        "\t1",
        "a b",
        "a\n",
        "ä",
        "aé",
        "日本",
        "a\u200b",
        "a,b",
        "a;b",
        'a"b',
        "a'b",
        "a<b",
        "_a",
        7,
        None,
        ["a"],
    ],
)
def test_no_codes(code):
    assert code_fault(code)


@given(st.text())
def test_what_is_a_code_is_plain_and_no_formula(text):
    if not code_fault(text):
        assert text.isascii()
        assert text[0].isalnum()
        assert text.isprintable()
        assert not set(text) & set(" ,;\"'<>")


def test_a_usual_look_is_taken():
    look = CodeFormat(prefix="OM-2026/", suffix="_x", every=4, delimiter="_")
    assert check_layout(look) is look
