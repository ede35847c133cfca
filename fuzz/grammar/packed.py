"""Bodies of pages with their coding: gzip of every make, cut, broken, of several members, bombs."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from fuzz.grammar.pages import pages

if TYPE_CHECKING:
    from fuzz.chance import Chance

FLUSHES: Final = (zlib.Z_NO_FLUSH, zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_BLOCK)
STRATEGIES: Final = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED, zlib.Z_FILTERED)


def member(chance: Chance, plain: bytes) -> bytes:
    """Pack bytes as one member: any level and strategy, flushed in places, with any of the optional header fields."""
    level = chance.pick((0, 1, 6, 9))
    packer = zlib.compressobj(
        level, zlib.DEFLATED, -chance.pick((9, 12, 15)), chance.pick((1, 8)), chance.pick(STRATEGIES)
    )
    out = [_header(chance)]
    for piece in chance.pieces(plain, 3) if len(plain) < 100_000 else [plain]:
        out += [packer.compress(piece), packer.flush(chance.pick(FLUSHES)) if chance.one_in(2) else b""]
    out += [packer.flush(), zlib.crc32(plain).to_bytes(4, "little"), (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")]
    return b"".join(out)


def _header(chance: Chance) -> bytes:
    flags = 0 if chance.below(3) else chance.below(32)
    head = (
        bytes([0x1F, 0x8B, 8, flags]) + chance.randbytes(4) + bytes([chance.pick((0, 2, 4)), chance.pick((0, 3, 255))])
    )
    if flags & 4:
        extra = chance.randbytes(chance.below(10))
        head += len(extra).to_bytes(2, "little") + extra
    if flags & 8:
        head += chance.pick((b"", b"index.html", b"\xe9")) + b"\0"
    if flags & 16:
        head += b"made\0"
    if flags & 2:
        head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    return head


def _plain(chance: Chance) -> bytes:
    turn = chance.below(1500)
    if turn == 0:  # a bomb, or what is just too large
        size = chance.pick((8 << 20, (8 << 20) + 1, 9_000_000, 3_000_000))
        return (b"<html><head>" + b"\0" * size)[: chance.pick((size, size + 12))]
    page = pages(chance)
    if turn < 20:
        return page + chance.pick((b"<p>x", b"\0")) * 5000 + chance.randbytes(chance.below(3000))
    return page


def _packed(chance: Chance, plain: bytes) -> bytes:
    spans = chance.spans(len(plain), 2) if chance.one_in(5) else [(0, len(plain))]
    body = b"".join(member(chance, plain[start:end]) for start, end in spans)
    turn = chance.below(20)
    if turn == 0:
        return body[: chance.below(len(body) + 1)]
    if turn == 1:
        return body + chance.pick((b"\0", b"\0" * 8, b"junk", b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x08", b"\x1fx", b"\n"))
    if turn <= 4:
        return chance.mutated(body, body)
    if turn == 5:  # one of the last eight bytes: the check sum or the length
        at = len(body) - 1 - chance.below(8)
        return body[:at] + bytes([body[at] ^ (1 << chance.below(8))]) + body[at + 1 :]
    if turn == 6:  # a byte of the header
        at = chance.below(10)
        return body[:at] + bytes([chance.below(256)]) + body[at + 1 :]
    return body


def bodies(chance: Chance) -> bytes:
    """Make a line that tells the coding, what the visitor takes, the framing; and the body."""
    plain = _plain(chance)
    coding = chance.pick((b"gzip", b"gzip", b"gzip", b"identity", b"x-gzip"))
    body = plain if coding == b"identity" else _packed(chance, plain)
    if chance.one_in(40):
        coding = chance.pick((b"gzip", b"identity", b"br", b"deflate"))
    line = b" ".join([coding, chance.pick((b"gzip", b"identity")), chance.pick((b"length", b"chunked", b"close"))])
    return line + b"\n" + body
