"""The words of the shop's pages in French and German; English is the key. Own translations."""

from __future__ import annotations

from bridge.sandbox.words_account import ACCOUNT
from bridge.sandbox.words_shop import SHOP

WORDS = {**SHOP, **ACCOUNT}
LANGUAGES = ("fr", "de")


def translate(text: str, language: str, **values: object) -> str:
    """Return a text in a language, English where there is no translation; ``%name`` is filled from ``values``."""
    if language in LANGUAGES and text in WORDS:
        text = WORDS[text][LANGUAGES.index(language)]
    for name, value in values.items():
        text = text.replace(f"%{name}", str(value))
    return text
