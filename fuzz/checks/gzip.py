"""Coded pages: unpacked and packed again they are the origin's page with the tag, or they pass untouched."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

from fuzz import passing, targets
from fuzz.messages import DisagreementError, RefusedError, insist, values
from fuzz.readers import with_zlib

if TYPE_CHECKING:
    from fuzz.chance import Chance

LIMIT: Final = 8 * 1024 * 1024
STEP: Final = 256 * 1024
# The one leniency: bits of a member's header that RFC 1952 reserves are not looked at, where zlib refuses them.
_RESERVED: Final = re.compile(rb"\x1f\x8b\x08[\x20-\xff]")


def check(data: bytes, chance: Chance) -> int:
    """Read coding, wish and framing from the first line, and rewrite the rest in each way there is."""
    line, _, body = data.partition(b"\n")
    coding, wish, framing = [*line.split(b" "), b"", b"", b""][:3]
    gzip_in = coding in {b"gzip", b"x-gzip"}
    plain, state = with_zlib.unpack(body, LIMIT) if gzip_in else (body, "whole")
    compared = _whole(body, plain, state, chance.one_in(2)) if gzip_in else 0
    compared += _streamed(body, plain, state, chance, gzip_in=gzip_in)
    if coding in {b"gzip", b"identity", b"x-gzip"}:
        compared += _relayed((coding, wish, framing), body, plain, state, chance)
    return compared


def _whole(body: bytes, plain: bytes, state: str, gzip_out: bool) -> int:  # noqa: FBT001 - it is the case's own
    try:
        unpacked = targets.inflated(body)
    except RefusedError as error:
        insist(state != "whole", "zlib unpacks what bridge refuses", (state, error.why))
        return 1
    if state == "broken" and _RESERVED.search(body):
        return 1
    insist(state == "whole", f"bridge unpacks what zlib calls {state}")
    insist(unpacked == plain, "unpacked otherwise than by zlib")
    out = targets.rewritten(body, gzip_in=True, gzip_out=gzip_out)
    page = targets.splice([plain])
    insist((out is not None) == page.placed, "a place for the tag here and none there", page.placed)
    if out is not None:
        insist(_opened(out, gzip=gzip_out) == (page.out, True), "another page", gzip_out)
    return 2


def _opened(out: bytes, *, gzip: bool) -> tuple[bytes, bool]:
    if not gzip:
        return out, True
    try:
        return with_zlib.begun(out)
    except zlib.error as error:
        raise DisagreementError("what leaves is no gzip", repr(error)) from error


def _streamed(body: bytes, plain: bytes, state: str, chance: Chance, *, gzip_in: bool) -> int:
    """What leaves in pieces is what would leave whole, as far as it goes; an end that did not come is not made up."""
    gzip_out = chance.one_in(2)
    out, ending, largest = targets.recoded(chance.pieces(body, 8), gzip_in=gzip_in, gzip_out=gzip_out)
    read, whole = _opened(out, gzip=gzip_out) if out else (b"", False)
    expected = targets.splice([plain]).out
    if state in {"whole", "trailing"}:
        insist(ending == "whole", f"stream: {state} body ended {ending}")
        insist(read == expected, "stream: another page", (len(read), len(expected)))
        insist(not gzip_out or whole or not out, "stream: no end")
    elif state == "large":
        insist(largest <= STEP + 1024, "stream: a large piece", largest)
    elif not _RESERVED.search(body):
        insist(ending in {state, "cut", "broken"}, f"stream: {state} body ended {ending}")
        insist(not gzip_out or not whole, "stream: an end made up")
        insist(_agree(plain, read), "stream: no part of the page", (read[:80], plain[:80]))
    return 1


def _agree(plain: bytes, part: bytes) -> bool:
    """Say whether what left is what zlib read of a broken body, but for the tag; one of them may have got further."""
    part = part.replace(targets.MARKUP, b"", 1)
    return plain.startswith(part) or part.startswith(plain)


def _relayed(how: tuple[bytes, bytes, bytes], body: bytes, plain: bytes, state: str, chance: Chance) -> int:
    """Through the core: either the origin's own bytes and fields, or the page with the tag."""
    coding, wish, framing = how
    fields = [b"Content-Type: text/html", b'ETag: "abc"']
    fields += [b"Content-Encoding: " + coding] if coding != b"identity" else []
    fields += {b"length": [b"Content-Length: %d" % len(body)], b"chunked": [b"Transfer-Encoding: chunked"]}.get(
        framing, []
    )
    raw = b"\r\n".join([b"HTTP/1.1 200 OK", *fields]) + b"\r\n\r\n"
    identity = chance.one_in(4)
    ways = passing.Ways(b"GET", b"/p", wish, asks_identity=identity)
    broken_off = chance.one_in(10)
    pieces = chance.pieces(body, 6)
    if framing == b"length" and not body:
        pieces = []
    out = ways.long(raw, pieces, cut=broken_off, release_at=chance.below(8))
    codings = values(out.fields, b"content-encoding")
    tagged = values(out.fields, b"etag") != [b'"abc"']
    if not tagged:
        insist(out.body == body, "untouched: another body", (len(out.body), len(body)))
        insist(codings == ([coding] if coding != b"identity" else []), "untouched: another coding", codings)
        insist(out.length == (len(body) if framing == b"length" else -1), "untouched: another length", out.length)
        return 1
    lengths = values(out.fields, b"content-length")
    insist(codings in ([], [coding], [b"gzip"]), "tagged: another coding", codings)
    insist(out.broken or not lengths or lengths == [b"%d" % len(out.body)], "tagged: another length", lengths)
    insist(lengths or out.length < 0, "tagged: length not told", out.length)
    read, whole = _opened(out.body, gzip=bool(codings)) if out.body else (b"", False)
    expected = targets.splice([plain]).out
    if not out.broken and state in {"whole", "trailing"}:
        insist(read == expected, "tagged: another page", (read[-80:], expected[-80:]))
        insist(whole, "tagged: no end")
    elif not _RESERVED.search(body):
        insist(state == "large" or _agree(plain, read), "tagged: no part of the page")
        insist(not (codings and whole and state in {"cut", "broken"}), "tagged: an end made up")
    return 1
