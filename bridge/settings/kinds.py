"""What values a setting may take: text in, typed value out, or one sentence that says what it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from cronsim import CronSim, CronSimError

from bridge.errors import Misconfigured

Parse = Callable[[Any], Any]

_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}


def boolean(value: Any) -> bool:
    """Return a boolean from ``1 0 true false yes no on off``."""
    found = value if isinstance(value, bool) else _BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise Misconfigured("it takes one of 1 0 true false yes no on off.")
    return found


def text(pattern: str, takes: str, most: int = 255) -> Parse:
    """Return a parser for text that matches ``pattern`` wholly."""
    compiled = re.compile(pattern)

    def parse(value: Any) -> str:
        found = str(value)
        if len(found) > most or not compiled.fullmatch(found):
            raise Misconfigured(f"it takes {takes}.")
        return found

    return parse


def whole(low: int, high: int) -> Parse:
    """Return a parser for a whole number between ``low`` and ``high``."""

    def parse(value: Any) -> int:
        try:
            found = int(str(value).strip())
        except ValueError:
            found = low - 1
        if not low <= found <= high:
            raise Misconfigured(f"it takes a whole number from {low} to {high}.")
        return found

    return parse


def choice(*choices: str) -> Parse:
    """Return a parser for one of ``choices``."""

    def parse(value: Any) -> str:
        found = str(value).strip()
        if found not in choices:
            raise Misconfigured(f"it takes one of {' '.join(choices)}.")
        return found

    return parse


def words(value: Any) -> list[str]:
    """Return a list of words given as a list, or as text parted by commas or white space."""
    found = value if isinstance(value, list) else re.split(r"[,\s]+", str(value))
    return sorted({str(word).strip() for word in found if str(word).strip()})


@dataclass(frozen=True, slots=True)
class MappedAttribute:
    """A row of an attribute mapping: the shop's attribute, what it is called at Ometria, and what of it is sent.

    ``form`` is ``id``, ``label`` or ``both`` where the row says so, else empty.
    """

    attribute: str
    name: str
    form: str = ""


_MAPPED = re.compile(r"([A-Za-z][A-Za-z0-9_.]{0,99})(?:=([A-Za-z][A-Za-z0-9_-]{0,99}))?(?::([a-z]+))?")


def mapping(*forms: str) -> Parse:
    """Return a parser for rows ``attribute``, ``attribute=name``, each with ``:form`` or without, parted by commas.

    The rows keep their order and come back as texts that it reads again. Without a name the attribute's own code is it.
    """
    behind = f", with {' or '.join(f':{form}' for form in forms)} behind it where wanted" if forms else ""

    def parse(value: Any) -> list[str]:
        found = value if isinstance(value, list) else re.split(r"[,\s]+", str(value))
        rows: dict[str, str] = {}
        for text_ in (str(row).strip() for row in found):
            if not text_:
                continue
            match = _MAPPED.fullmatch(text_)
            if match is None or (match[3] and match[3] not in forms):
                raise Misconfigured(
                    f"it takes attributes parted by commas, each as CODE or CODE=OMETRIA_NAME{behind}; "
                    f"{text_[:60]!r} is none."
                )
            name = match[2] or match[1]
            if name in rows:
                raise Misconfigured(f"it takes each Ometria attribute once; {name!r} is there twice.")
            rows[name] = text_
        return list(rows.values())

    return parse


def mapped_attributes(rows: Iterable[str]) -> list[MappedAttribute]:
    """Return the rows that :func:`mapping` accepted, taken apart."""
    matches = (_MAPPED.fullmatch(row) for row in rows)
    return [MappedAttribute(match[1], match[2] or match[1], match[3] or "") for match in matches if match]


def cron(value: Any) -> str:
    """Return a five-field cron expression; the usual nicknames are spelled out.

    Six fields are refused, because some readers take the first as seconds and others the last.
    """
    found = " ".join(str(value).split())
    found = _NICKNAMES.get(found, found)
    if len(found.split(" ")) != 5:
        raise Misconfigured("it takes a cron expression of five fields, such as */5 * * * *.")
    try:
        import datetime as dt  # noqa: PLC0415 only this check needs a moment

        CronSim(found, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    except CronSimError as error:
        raise Misconfigured(f"it takes a cron expression of five fields ({error}).") from None
    return found


def api_key(value: Any) -> str:
    """Return a key: visible characters without spaces."""
    found = str(value)
    if found != found.strip():
        raise Misconfigured("it has white space before or after the key: paste it again without.")
    if not re.fullmatch(r"[\x21-\x7e]{4,200}", found):
        raise Misconfigured("it takes a key of 4 to 200 visible characters without spaces.")
    return found


Widget = Literal["switch", "text", "number", "choice", "words", "lines", "cron", "secret", "mapping", "statuses"]
