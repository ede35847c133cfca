"""Chance that can be repeated, and blind changes of bytes."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

# Bytes that readers of HTTP, HTML and gzip treat in a way of their own.
TELLING: Final = (
    b"\r", b"\n", b"\r\n", b"\n\r", b"\r\n\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\x85",
    b"\xa0", b"\xff", b":", b";", b",", b"=", b'"', b"'", b"/", b"?", b"#", b"%", b"@", b"*", b"+", b"-", b"_", b".",
    b"0", b"9", b"f", b"<", b">", b"!", b"\\", b"[", b"]", b"\r\n ", b"\r\n\t", b"\x01", b"\x1f\x8b", b"%00",
    b"%0d%0a", b"\xef\xbb\xbf", b"\xc4\xb1",
)  # fmt: skip


class Chance(random.Random):
    """A source of chance. `random.Random` with what the generators ask for most, quickly."""

    def below(self, limit: int) -> int:
        """Return a number from 0 to limit - 1."""
        return int(self.random() * limit)

    def one_in(self, count: int) -> bool:
        """Return True once in `count` times."""
        return self.random() * count < 1

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self.random() * len(choices))]

    def some(self, choices: Sequence[T], most: int) -> list[T]:
        """Return none to `most` of the choices, with repetition."""
        return [choices[int(self.random() * len(choices))] for _ in range(int(self.random() * (most + 1)))]

    def spans(self, size: int, most: int = 5) -> list[tuple[int, int]]:
        """Return the consecutive pieces, begin and end of each, that make up `size` bytes: up to `most` cuts."""
        inner = sorted({int(self.random() * (size + 1)) for _ in range(int(self.random() * (most + 1)))} - {0, size})
        return list(itertools.pairwise([0, *inner, size]))

    def pieces(self, data: bytes, most: int = 5) -> list[bytes]:
        """Cut bytes at some places, or now and then between all of them."""
        if len(data) <= 200 and self.one_in(12):
            return [data[at : at + 1] for at in range(len(data))]
        return [data[start:end] for start, end in self.spans(len(data), most)]

    def case_of(self, name: bytes) -> bytes:
        """Write a name in another letter case, mostly as it is."""
        turn = self.random()
        if turn < 0.8:
            return name
        if turn < 0.9:
            return name.lower()
        return name.upper() if turn < 0.95 else name.swapcase()

    def mutated(self, data: bytes, other: bytes = b"") -> bytes:
        """Change bytes at one to four places: replaced, put in, taken out, repeated, or from `other`."""
        out = bytearray(data)
        for _ in range(1 + self.below(4) * self.below(2)):
            self._mutate(out, other)
        return bytes(out)

    def _mutate(self, out: bytearray, other: bytes) -> None:
        at = self.below(len(out) + 1)
        turn = self.below(8)
        if turn <= 1:
            out[at:at] = self.pick(TELLING)
        elif turn == 2:
            out[at : at + 1] = self.pick(TELLING)
        elif turn == 3:
            del out[at : at + 1 + self.below(4) * self.below(8)]
        elif turn == 4:
            size = 1 + self.below(24)
            out[at:at] = out[at : at + size]
        elif turn == 5 and out:
            at = min(at, len(out) - 1)
            out[at] ^= 1 << self.below(8)
        elif turn == 6 and other:
            start = self.below(len(other))
            out[at:at] = other[start : start + 1 + self.below(32)]
        else:
            end = self.below(len(out) + 1)
            piece = out[min(at, end) : max(at, end)][:64]
            place = self.below(len(out) + 1)
            out[place:place] = piece


def cases(seed: int, target: str, batch: int) -> Chance:
    """Return the chance that a batch of a target's cases is made with."""
    return Chance(f"{seed}/{target}/{batch}")
