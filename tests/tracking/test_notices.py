from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

from bridge.tracking.notices import _TEXTS, cookie_value, text


@pytest.mark.parametrize(
    ("locale", "begins"),
    [("fr_FR", "Ce lien"), ("de_AT", "Dieser"), ("en_GB", "This"), ("ja_JP", "This"), ("", "This")],
)
def test_a_notice_is_in_the_language_of_the_store_view(locale, begins):
    assert text("expired", locale).startswith(begins)


def test_the_cookie_is_what_the_shops_own_script_reads():
    value = cookie_value("incomplete", "fr_FR")
    assert value.isascii()
    assert not set(value) & set(' ";,\\')
    assert json.loads(unquote(value)) == [{"type": "notice", "text": text("incomplete", "fr_FR")}]


def test_every_language_has_every_notice():
    assert {tuple(sorted(texts)) for texts in _TEXTS.values()} == {("expired", "incomplete")}
