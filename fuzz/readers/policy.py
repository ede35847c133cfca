"""Content Security Policy Level 3, as far as what a policy lets load: a reader and a judge, from the standard."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

Policy = dict[str, list[str]]

BLANKS: Final = " \t\n\f\r"
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# CSP 3 section 6.8.3: which directives are asked in turn.
FALLBACKS: Final = {
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "script-src-attr": ("script-src-attr", "script-src", "default-src"),
    "worker-src": ("worker-src", "child-src", "script-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "img-src": ("img-src", "default-src"),
    "style-src": ("style-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "font-src": ("font-src", "default-src"),
    "object-src": ("object-src", "default-src"),
}
NONCE: Final = re.compile(r"'nonce-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)


def read(value: str) -> list[Policy]:
    """Read a header's value: policies by commas, directives by semicolons, the first of a name counting."""
    policies: list[Policy] = []
    for serialized in value.split(","):
        policy: Policy = {}
        for token in serialized.split(";"):
            words = [word for word in re.split(f"[{BLANKS}]", token) if word]
            if words:
                policy.setdefault(words[0].lower(), words[1:])
        policies.append(policy)
    return policies


def effective(policy: Policy, kind: str) -> list[str] | None:
    """Return the sources that a request of this kind is held to; None for no limit."""
    return next((policy[name] for name in FALLBACKS[kind] if name in policy), None)


def is_none(sources: list[str]) -> bool:
    """Say whether a list lets nothing load."""
    return not sources or (len(sources) == 1 and sources[0].lower() == "'none'")


def nonces(sources: list[str]) -> set[str]:
    """Return the nonces that a list takes."""
    return {match[1] for match in map(NONCE.fullmatch, sources) if match}


def allows(sources: list[str] | None, url: str, page: str) -> bool:
    """Say whether a list lets a URL load on a page, by its host, scheme and path alone."""
    if sources is None:
        return True
    return not is_none(sources) and any(_matches(source, url, page) for source in sources)


@lru_cache(maxsize=50_000)
def _matches(source: str, url: str, page: str) -> bool:
    lower, target, own = source.lower(), urlsplit(url), urlsplit(page)
    if lower == "*":
        return target.scheme in DEFAULT_PORTS or target.scheme == own.scheme
    if lower == "'self'":
        return (target.hostname, _port(target.scheme, target.port)) == (own.hostname, _port(own.scheme, own.port))
    if lower.startswith("'"):
        return False
    if re.fullmatch(r"[a-z][a-z0-9+.-]*:", lower):
        return _scheme(lower[:-1], target.scheme)
    match = re.fullmatch(r"(?:([a-z][a-z0-9+.-]*)://)?(\*|(?:\*\.)?[a-z0-9.-]+)(?::(\d+|\*))?(/.*)?", lower)
    if match is None:
        return False
    scheme, host, port, path = match.groups()
    return (
        _scheme(scheme or own.scheme, target.scheme)
        and _host(host, target.hostname or "")
        and (port == "*" or int(port or _port(target.scheme, None)) == _port(target.scheme, target.port))
        and (path is None or (target.path.startswith(path) if path.endswith("/") else target.path == path))
    )


def _scheme(listed: str, asked: str) -> bool:
    return listed == asked or (listed, asked) in {
        ("http", "https"),
        ("ws", "wss"),
        ("ws", "http"),
        ("ws", "https"),
        ("wss", "https"),
    }


def _host(listed: str, asked: str) -> bool:
    if listed == "*":
        return bool(asked)
    return asked.endswith(listed[1:]) if listed.startswith("*.") else asked == listed


def _port(scheme: str, port: int | None) -> int:
    return port or DEFAULT_PORTS.get(scheme, 0)


def allows_inline(sources: list[str] | None) -> bool:
    """Say whether inline code runs without nonce or hash."""
    if sources is None:
        return True
    lower = {source.lower() for source in sources}
    strict = "'strict-dynamic'" in lower or any(
        word.startswith(("'nonce-", "'sha256-", "'sha384-", "'sha512-")) for word in lower
    )
    return "'unsafe-inline'" in lower and not strict
