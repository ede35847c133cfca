"""Chunked bodies, well made and not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import seeds

if TYPE_CHECKING:
    from fuzz.chance import Chance

EXTENSIONS: Final = (b"", b";a", b";a=b", b';a="b;c"', b"; a = b", b";", b";\xe9", b";a=\x80", b";a\tb", b";;")
ODD_EXTENSIONS: Final = (
    b" ", b"\t", b" ;a", b";\0", b";\x01", b";a\r", b";a\n", b"\x0b", b"x", b"-", b";\x7f", b" a", b";a=\r\n", b"\r",
    b"\n", b"_", b".0", b";" + b"x" * 1100,
)  # fmt: skip
ODD_SIZES: Final = (
    b"", b"0x5", b"+5", b"-5", b" 5", b"5_0", b"g", b"ffffffffffffffff", b"fffffffffffffff", b"10000000000000000",
    b"00000000000000005", b"000000000000005", b"\x005", b"5\0", b"\xb25", b"7fffffffffffffff",
    b"ffffffffffffffffffffffff5", b"0" * 40,
)  # fmt: skip
TRAILERS: Final = (
    b"X-T: 1\r\n", b"Digest: a=b\r\n", b"X:\r\n", b"X: \xe9\r\n", b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Host: a\r\n", b"X-T: a  \r\n",
)  # fmt: skip
ODD_TRAILERS: Final = (
    b"X\r\n", b"X : y\r\n", b" X: y\r\n", b"X: \0\r\n", b"X: a\nY: b\r\n", b"X: a\r", b": y\r\n", b"X: a\rb\r\n",
    b"X: y\r\n z\r\n", b"\n", b"GET / HTTP/1.1\r\n", b"X: \x01\r\n", b"\0", b"X: " + b"y" * 900 + b"\r\n",
    b"X: " + b"y" * 1100 + b"\r\n",
)  # fmt: skip


def chunked(chance: Chance, body: bytes, rarely: int = 3) -> bytes:
    """Frame a body; once in `rarely` with faults."""
    faulty = chance.one_in(rarely)
    out: list[bytes] = []
    for start, end in chance.spans(len(body), 4):
        if end > start:
            out += _chunk(chance, body[start:end], faulty=faulty)
    out.append(_size(chance, 0, faulty=faulty))
    out += chance.some(TRAILERS, 2) if chance.one_in(4) else []
    if faulty and chance.one_in(4):
        out += chance.some(ODD_TRAILERS, 2)
    out.append(
        b"\r\n"
        if not faulty or chance.below(8)
        else chance.pick((b"\n", b"\r", b"", b"\r\r\n", b" \r\n", b"0\r\n\r\n"))
    )
    return b"".join(out)


def _chunk(chance: Chance, data: bytes, *, faulty: bool) -> list[bytes]:
    end = b"\r\n"
    if faulty and chance.one_in(8):
        end = chance.pick((b"\n", b"\r", b"", b"\r\r\n", b"x\r\n", b"\n\r", b" \r\n"))
    return [_size(chance, len(data), faulty=faulty), data, end]


def _size(chance: Chance, size: int, *, faulty: bool) -> bytes:
    digits = b"%x" % size
    if chance.one_in(6):
        digits = chance.pick((digits.upper(), b"0" + digits, b"000" + digits, b"%015x" % size, b"%016x" % size))
    if faulty and chance.one_in(6):
        digits = chance.pick(ODD_SIZES)
    extension = chance.pick(EXTENSIONS) if chance.one_in(4) else b""
    if faulty and chance.one_in(6):
        extension = chance.pick(ODD_EXTENSIONS)
    end = b"\r\n"
    if faulty and chance.one_in(10):
        end = chance.pick((b"\n", b"\r", b"\r\r\n", b"\n\r\n", b""))
    return digits + extension + end


def bodies(chance: Chance) -> bytes:
    """Make a chunked body, with bytes of another message after it."""
    body = (
        chance.randbytes(chance.below(40))
        if chance.one_in(3)
        else chance.pick((b"", b"hello", b"\r\n\r\n", b"0\r\n\r\n", b"a" * 300, b"x\r"))
    )
    data = chunked(chance, body)
    if chance.one_in(4000):
        data = data[:-2] + b"X: y\r\n" * 5000 + b"\r\n"
    if chance.one_in(3):
        data = chance.mutated(data, chance.pick(seeds.CHUNKS))
    elif chance.one_in(12):
        data = data[: chance.below(len(data) + 1)]
    return data + chance.pick((b"", b"", b"GET / HTTP/1.1\r\n", b"\r\n", b"0\r\n\r\n"))
