"""References: changed only where they name the origin's own authority, and then in nothing but that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fuzz import targets
from fuzz.messages import insist

if TYPE_CHECKING:
    from fuzz.chance import Chance

INTERNAL: Final = b"origin.internal"
NAME: Final = re.compile(rb'"?[^" \t]*"?')
AUTHORITY: Final = b"origin.internal:8080"


def check(data: bytes, chance: Chance) -> int:
    """Map one value for the host on the second line."""
    name, host, value = [*data.split(b"\n", 2), b"", b""][:3]
    public = chance.one_in(2)
    mapped = targets.mapped(name, value, host, public=public)
    twice = targets.mapped(name, mapped, host, public=public)
    insist(name == b"set-cookie" or twice == mapped, "mapped twice differs", mapped)
    asked = host.rpartition(b":")[0] if re.search(rb":[0-9]+$", host) else host
    if asked.strip(b"[]").lower() == INTERNAL and not public:
        insist(mapped == value, "mapped although the visitor asked for that name", mapped)
        return 1
    if name == b"set-cookie":
        return _cookie(value, mapped)
    start = _url_at(value) if name == b"refresh" else 0
    insist(mapped[:start] == value[:start], "delay changed", mapped)
    authority = targets.PUBLIC.removeprefix("https://").encode() if public else host
    return _url(value[start:], mapped[start:], authority)


def _url_at(value: bytes) -> int:
    match = re.match(rb"\s*[0-9.]*\s*[;,]\s*(?:url\s*=\s*)?[\"']?", value, re.IGNORECASE)
    return match.end() if match else len(value)


def _url(value: bytes, mapped: bytes, authority: bytes) -> int:
    """A URL by urllib: where its authority is the origin's that changes, and all else stays."""
    try:
        before, after = urlsplit(value.decode("latin-1")), urlsplit(mapped.decode("latin-1"))
    except ValueError:
        insist(mapped == value, "mapped what is no URL", mapped)
        return 1
    if b"\t" in value:  # which urllib takes out
        return 0
    named = before.netloc.lower().encode("latin-1") == AUTHORITY and before.scheme in {"http", "https", ""}
    if not named or not authority:
        insist(mapped == value, "mapped another's reference", mapped)
        return 1
    insist(after.netloc.encode("latin-1") == authority, "not mapped", (mapped, authority))
    insist(
        (before.path, before.query, before.fragment) == (after.path, after.query, after.fragment),
        "path changed",
        mapped,
    )
    insist(bool(before.scheme) == bool(after.scheme), "scheme", mapped)
    return 1


def _cookie(value: bytes, mapped: bytes) -> int:
    """A cookie loses its first Domain, of those that are names, where that is the origin's, and nothing else."""
    parts = value.split(b";")
    expected = value
    for at, part in enumerate(parts[1:], 1):
        key, mark, domain = part.partition(b"=")
        domain = domain.strip(b" \t")
        if not mark or key.strip(b" \t").lower() != b"domain" or NAME.fullmatch(domain) is None:
            continue
        if domain.strip(b'"').removeprefix(b".").lower() == INTERNAL:
            expected = b";".join(parts[:at] + parts[at + 1 :])
        break
    insist(mapped == expected, "another cookie", (mapped, expected))
    return 1
