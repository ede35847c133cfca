"""How Magento writes values: money, times, JSON with escaped slashes, base64 for URLs."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from bridge.sandbox.views import StoreView


def stamp(moment: datetime) -> str:
    """Write a time as Magento's database does: UTC, whole seconds, no zone."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def number(amount: Decimal) -> int | float:
    """Write money as a JSON number the way PHP does: 34, not 34.0."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def with_base(amounts: dict[str, Any], view: StoreView) -> dict[str, Any]:
    """Return money columns of a view and, beside each, ``base_`` and its amount in the website's own currency."""
    return {**amounts, **{f"base_{key}": _in_base(value, view) for key, value in amounts.items()}}


def _in_base(value: Any, view: StoreView) -> Any:
    if value is None or not view.shown_in:
        return value
    write = four_places if isinstance(value, str) else number
    return write(view.in_base(Decimal(str(value))))


def four_places(amount: Decimal) -> str:
    """Write money as the string a database column gives: ``34.0000``."""
    return f"{amount:.4f}"


@dataclass(frozen=True)
class MoneyFormat:
    """How a locale writes money: the pattern with ``%s`` for the number, and the signs in the number."""

    pattern: str
    decimal: str
    group: str


# Blanks as ICU writes them: no-break before the sign, narrow no-break between French groups of digits.
MONEY = {
    "en_GB": MoneyFormat("£%s", ".", ","),
    "en_GB USD": MoneyFormat("US$%s", ".", ","),
    "fr_FR": MoneyFormat("%s\N{NO-BREAK SPACE}€", ",", "\N{NARROW NO-BREAK SPACE}"),
    "de_DE": MoneyFormat("%s\N{NO-BREAK SPACE}€", ",", "."),
}


def shown(amount: Decimal, locale: str = "en_GB") -> str:
    """Write money as the storefront shows it in a locale, or in a locale and a currency of the visitor's choice."""
    money = MONEY[locale]
    whole, cents = f"{abs(amount):,.2f}".split(".")
    digits = whole.replace(",", money.group) + money.decimal + cents
    return ("-" if amount < 0 else "") + money.pattern.replace("%s", digits)


def price_format(locale: str) -> dict[str, Any]:
    """Return the ``priceFormat`` that scripts of the storefront write prices with."""
    money = MONEY[locale]
    return {
        "pattern": money.pattern,
        "precision": 2,
        "requiredPrecision": 2,
        "decimalSymbol": money.decimal,
        "groupSymbol": money.group,
        "groupLength": 3,
        "integerRequired": False,
    }


def price_span(amount: Decimal, locale: str = "en_GB") -> str:
    """Write money inside the markup that sections carry."""
    return f'<span class="price">{shown(amount, locale)}</span>'


def dumps(document: Any) -> str:
    r"""Serialise as PHP does: no blanks, ``\/``, and other letters as ``\u`` with four digits; safe in a script."""
    return json.dumps(document, separators=(",", ":")).replace("/", "\\/")


def inline_json(document: Any) -> str:
    """Serialise for an inline script: no byte that can end or comment out the script element."""
    return dumps(document).replace("<", "\\u003C").replace(">", "\\u003E")


def uenc(url: str) -> str:
    """Encode a URL for a path segment."""
    return base64.b64encode(url.encode()).decode().translate(str.maketrans("+/=", "-_~"))


def from_uenc(text: str) -> str:
    """Decode what uenc wrote; empty when it is not that."""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_~", "+/=")), validate=True).decode()
    except ValueError:
        return ""


def digest(*parts: object) -> str:
    """Return a stable hex digest: for ids that look random and repeat from run to run."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


def masked_id(quote_id: int) -> str:
    """Return the 32 letters and digits that name a guest's cart."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    value = int(digest("quote", quote_id), 16)
    letters = []
    for _ in range(32):
        value, rest = divmod(value, len(alphabet))
        letters.append(alphabet[rest])
    return "".join(letters)
