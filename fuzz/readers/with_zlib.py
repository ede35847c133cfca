"""Python's zlib as a reader of gzip bodies (RFC 1952)."""

from __future__ import annotations

import contextlib
import zlib
from typing import Final

GZIP: Final = 31
STEP: Final = 1 << 20
SMALL_STEP: Final = 1 << 12


def unpack(body: bytes, limit: int) -> tuple[bytes, str]:
    """Return what a body of one or more members holds, as far as it can be read, and its state.

    The state is "whole", "cut" (bytes are missing), "broken", "trailing" (bytes follow that are no member) or "large".
    """
    out: list[bytes] = []
    size = 0
    first = True
    while body or first:
        if not first and body[:2] != b"\x1f\x8b"[: len(body)]:
            return b"".join(out), "trailing"
        first = False
        member = zlib.decompressobj(GZIP)
        start, before = body, len(out)
        while not member.eof:
            try:
                part = member.decompress(body, STEP)
            except zlib.error:
                return b"".join([*out[:before], _up_to_the_error(start)]), "broken"
            out.append(part)
            size += len(part)
            if size > limit:
                return b"".join(out), "large"
            body = member.unconsumed_tail
            if not body and not part and not member.eof:
                return b"".join(out), "cut"
        body = member.unused_data
    return b"".join(out), "whole"


def _up_to_the_error(body: bytes) -> bytes:
    """Return what a broken member gives before it shows that it is broken: in steps, the last one byte by byte."""
    member = zlib.decompressobj(GZIP)
    out: list[bytes] = []
    for at in range(0, len(body), SMALL_STEP):
        before = member.copy()
        try:
            out.append(member.decompress(body[at : at + SMALL_STEP]))
        except zlib.error:
            with contextlib.suppress(zlib.error):
                out.extend(before.decompress(body[each : each + 1]) for each in range(at, at + SMALL_STEP))
            break
    return b"".join(out)


def begun(body: bytes) -> tuple[bytes, bool]:
    """Return what a body that may be cut holds so far, and whether it is whole. Raises zlib.error."""
    member = zlib.decompressobj(GZIP)
    return member.decompress(body), member.eof
