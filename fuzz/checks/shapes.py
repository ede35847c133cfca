"""Heads remembered by their lines, and the short way of answers: what they give is what reading each anew gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz import passing
from fuzz.messages import CHUNKED, CLOSE, RefusedError, UnfinishedError, insist, values
from fuzz.readers import rfc9112

if TYPE_CHECKING:
    from fuzz.chance import Chance
    from fuzz.messages import Framing


def check(data: bytes, chance: Chance) -> int:
    """Read the answers of an origin in their order, each by its shape and anew, and pass each by both ways."""
    line, _, stream = data.partition(b"\n")
    method, target, coding, identity = [*line.split(b" "), b"", b"", b"", b""][:4]
    ways = passing.Ways(method, target, coding, asks_identity=identity == b"identity")
    compared = 0
    while stream:
        end = stream.find(b"\r\n\r\n") + 4
        if end < 4:
            break
        size = _read(ways, stream[:end])
        if size is None:
            break
        compared += 1
        body = stream[end : end + size] if isinstance(size, int) else b""
        if size == CLOSE or len(body) != (size if isinstance(size, int) else 0):
            break
        if size == CHUNKED:
            try:
                _, end = rfc9112.read_chunks(stream, end)
            except (RefusedError, UnfinishedError):
                break
        elif isinstance(size, int):
            compared += _both_ways(ways, stream[:end], body, chance)
        stream = stream[end + len(body) :]
    return compared


def _read(ways: passing.Ways, raw: bytes) -> Framing | None:
    """Read a head by its shape, anew, and by the reference; give its framing, None where it is refused."""
    anew, shaped = ways.anew(raw), ways.shaped(raw)
    insist((anew is None) == (shaped is None), "refused by one of two", (anew, shaped))
    if anew is None or shaped is None:
        return None
    insist(anew == shaped, "read otherwise", (anew, shaped))
    reference = rfc9112.read_response(b"HEAD", raw)
    insist((reference.status, reference.reason) == (anew.status, anew.reason), "status", reference)
    insist(reference.fields == anew.fields, "fields", (reference.fields, anew.fields))
    return anew.framing


def _both_ways(ways: passing.Ways, raw: bytes, body: bytes, chance: Chance) -> int:
    """Pass an answer the long way, and the short way if it takes it, with a part of the body at hand."""
    part = body if chance.below(3) else body[: chance.below(len(body) + 1)]
    pieces = [body] if body else []
    long = ways.long(raw, pieces)
    insist(ways.long(raw, pieces, shaped=True) == long, "another answer by its shape", long)
    short = ways.short(raw, part)
    if short is None:
        return 0
    head, begun, left, again = short
    insist(left == len(body) - len(part), "left", left)
    insist(begun + body[len(part) :] == long.body, "another body", (begun, long.body))
    read = rfc9112.read_response(b"HEAD", head)
    insist(read.end == len(head), "more than a head", head)
    insist(read.fields == long.fields, "another head", (read.fields, long.fields))
    lengths = [int(value) for value in values(read.fields, b"content-length")]
    insist(lengths == [len(long.body)], "another length", read.fields)
    told = ways.anew(raw)
    insist(told is not None and again == told.reusable, "reused otherwise")
    return 1
