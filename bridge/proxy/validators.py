"""Validators of injected pages: the origin's entity tag, made weak and marked with the tag's version.

A page that was injected with another version of the tag, or stored before there was one, must not be revalidated as
unchanged: only the current mark is taken off a request's If-None-Match, and where a browser opens a document with
entity tags that bear none, the condition is left out. What it then costs is one whole answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.proxy.exchange import Headers, RequestHead

# Fields of an answer that speak of bytes which are no longer sent.
STALE_FIELDS: Final = frozenset(
    {
        b"accept-ranges",
        b"content-digest",
        b"content-md5",
        b"digest",
        b"last-modified",
        b"repr-digest",
    }
)
_ETAG = re.compile(rb"(W/)?\"([^\"]*)\"")


def marked(etag: bytes, suffix: bytes) -> bytes | None:
    """Return the entity tag of the injected page; None when the origin's is none."""
    match = _ETAG.fullmatch(etag.strip())
    return b'W/"%b-%b"' % (match[2], suffix) if match else None


def unmarked(if_none_match: bytes, suffix: bytes) -> tuple[bytes, frozenset[bytes]]:
    """Take the current mark off a request's entity tags; also returns the opaque tags that bore it."""
    ours: set[bytes] = set()
    tail = b"-" + suffix

    def take_off(match: re.Match[bytes]) -> bytes:
        opaque = match[2]
        if not match[1] or not opaque.endswith(tail):
            return match[0]
        ours.add(opaque[: -len(tail)])
        return b'W/"%b"' % opaque[: -len(tail)]

    return _ETAG.sub(take_off, if_none_match), frozenset(ours)


def prepare(request: RequestHead, headers: Headers, suffix: bytes | None) -> tuple[Headers, frozenset[bytes]]:
    """Prepare the conditional fields of a request for what may be a page.

    Returns the fields, and the opaque entity tags whose answer 304 must bear the mark again.
    """
    condition = request.index.get(b"if-none-match")
    if condition is None and b"if-modified-since" not in request.index:
        return headers, frozenset()
    ours: frozenset[bytes] = frozenset()
    out: Headers = []
    # With another method the field is no question for a copy but a condition of a change (RFC 9110, 13.1.2).
    read = request.method in {b"GET", b"HEAD"}
    opened = read and suffix is not None and request.index.get(b"sec-fetch-dest") == b"document"
    for name, value in headers:
        lower = name.lower()
        if lower == b"if-modified-since":
            continue
        if lower == b"if-none-match" and suffix is not None:
            plain, found = unmarked(value, suffix)
            ours |= found
            if opened and not found:
                continue
            out.append((name, plain))
        else:
            out.append((name, value))
    return out, ours


def restore(etag: bytes, ours: frozenset[bytes], suffix: bytes) -> bytes:
    """Return the entity tag of a 304: marked again when the visitor's copy is an injected page."""
    match = _ETAG.fullmatch(etag.strip())
    return marked(etag, suffix) or etag if match and match[2] in ours else etag
