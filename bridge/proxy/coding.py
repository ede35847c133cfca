"""Content coding of pages: whole bodies with a memo, or as a stream. gzip and identity only."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, cast

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.proxy.exchange import Buffer
    from bridge.proxy.splice import Splicer

GZIP_WINDOW: Final = 31
LEVEL: Final = 1
WHOLE_LIMIT: Final = 1024 * 1024  # a body up to here may be gathered; larger ones are recoded as they come
PLAIN_LIMIT: Final = 8 * 1024 * 1024
RATIO_LIMIT: Final = 100
STEP: Final = 256 * 1024
MEMO_BYTES: Final = 32 * 1024 * 1024
_MAGIC: Final = b"\x1f\x8b"
# The stub calls it an instance of Exception.
IsalError: Final = cast("type[Exception]", isal_zlib.error)


# The origin's body, the markup, whether the body is gzip, whether the page is.
MemoKey = tuple[bytes, bytes, bool, bool]


class CodingError(Exception):
    """A body that is not what its content coding says."""


class TooLargeError(Exception):
    """A page that is too large to be handled whole."""


class BombError(CodingError):
    """A body that grows out of all proportion."""


def inflate(body: Buffer, limit: int = PLAIN_LIMIT) -> bytes:
    """Unpack a whole gzip body, of several members too.

    Raises CodingError when it is broken or cut short, BombError over `limit` when it also grew a hundredfold, else
    TooLargeError.
    """
    parts: list[bytes] = []
    size = 0
    rest: Buffer = body
    while True:
        member = isal_zlib.decompressobj(GZIP_WINDOW)
        try:
            part = member.decompress(rest, limit - size + 1)
        except IsalError as error:
            raise CodingError("not gzip") from error
        size += len(part)
        if size > limit:
            raise BombError if size > RATIO_LIMIT * len(body) else TooLargeError
        if not member.eof:
            raise CodingError("cut short")
        parts.append(part)
        rest = member.unused_data
        if not rest:
            return part if len(parts) == 1 else b"".join(parts)


def deflate(pieces: list[Buffer]) -> bytes:
    """Pack pieces as one gzip body."""
    packer = isal_zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


class Memo:
    """Bodies rewritten before, by the exact bytes of the origin's body, the tag and the codings; bounded in bytes.

    Nothing in a key or value depends on the visitor beyond what the origin itself sent, so a hit gives nobody anything
    that the origin did not send to them.
    """

    def __init__(self, limit: int = MEMO_BYTES) -> None:
        self.limit = limit
        self.size = 0
        self._bodies: OrderedDict[MemoKey, bytes] = OrderedDict()
        self._lock = threading.Lock()  # under a threaded server all requests share it

    def get(self, key: MemoKey) -> bytes | None:
        """Look up the page made of this body."""
        with self._lock:
            found = self._bodies.get(key)
            if found is not None:
                self._bodies.move_to_end(key)
            return found

    def put(self, key: MemoKey, made: bytes) -> None:
        """Remember a body, forgetting the longest unused ones."""
        cost = len(key[0]) + len(made)
        with self._lock:
            if cost > self.limit // 8 or key in self._bodies:
                return
            self._bodies[key] = made
            self.size += cost
            while self.size > self.limit:
                (body, *_), oldest = self._bodies.popitem(last=False)
                self.size -= len(body) + len(oldest)

    def __len__(self) -> int:
        return len(self._bodies)


def rewrite(body: bytes, splicer: Splicer, *, gzip_in: bool, gzip_out: bool) -> bytes | None:
    """Put the tag into a whole body; None where the splicer finds no place for it. Raises what inflate() raises."""
    plain = inflate(body) if gzip_in else body
    pieces = splicer.feed(plain) + splicer.finish()
    if not splicer.placed:
        return None
    return deflate(pieces) if gzip_out else b"".join(pieces)


class Unpacker:
    """Reads a gzip body that comes in pieces cut anywhere, of several members too.

    A member whose header holds more than the ten bytes that all have is left to zlib: where that header is cut and has
    a check sum, or two of the optional fields, isal calls the body broken or takes a part of the header for it.
    """

    __slots__ = ("_begun", "_dropping", "_member", "_over")

    def __init__(self) -> None:
        self._member: Any = None
        self._begun = b""  # the first bytes of a member, until they tell how it is read
        self._over = False  # a member came to its end
        self._dropping = False

    @property
    def open(self) -> bool:
        """Whether the body has not come to its end."""
        return self._member is not None or bool(self._begun) or not self._over

    def read(self, data: Buffer) -> Iterator[bytes]:
        """Give what the next piece holds, in parts of a bounded size. Raises CodingError."""
        while data and not self._dropping:
            if self._member is None:
                data = self._start(data)
                continue
            try:
                part = self._member.decompress(data, STEP)
            except (IsalError, zlib.error) as error:
                raise CodingError("not gzip") from error
            if self._member.eof:
                data, self._member, self._over = self._member.unused_data, None, True
            else:
                data = self._member.unconsumed_tail
            if part:
                yield part

    def _start(self, data: Buffer) -> bytes:
        """Open a member; bytes after the last one that are no member are dropped, as browsers do."""
        missing = len(_MAGIC) + 2 - len(self._begun)
        head = self._begun + bytes(data[:missing])
        if self._over and head[:2] != _MAGIC[: len(head)]:
            self._begun, self._dropping = b"", True
            return b""
        if len(head) < len(_MAGIC) + 2:
            self._begun = head
            return b""
        self._begun = b""
        self._member = zlib.decompressobj(GZIP_WINDOW) if head[3] else isal_zlib.decompressobj(GZIP_WINDOW)
        return head + data[missing:]


class Growth:
    """Watches how far a packed body that comes in pieces grows: whole, and by each piece.

    By each piece too, since all that one piece holds is in memory at once, however modest the body was before.
    """

    __slots__ = ("_packed", "plain")

    def __init__(self) -> None:
        self._packed = self.plain = 0

    def check(self, packed: int, parts: Iterator[bytes]) -> Iterator[bytes]:
        """Give on what a piece of `packed` bytes unpacks to. Raises BombError over 8 MB where it grew a hundredfold."""
        self._packed += packed
        size = 0
        for part in parts:
            size += len(part)
            self.plain += len(part)
            if size > PLAIN_LIMIT and size > RATIO_LIMIT * packed:
                raise BombError("a piece grows a hundredfold")
            if self.plain > PLAIN_LIMIT and self.plain > RATIO_LIMIT * self._packed:
                raise BombError("grows a hundredfold")
            yield part


class Recoder:
    """Puts the tag into a body that comes in pieces, unpacking before and packing after as told.

    What is ready goes out at once, also packed, so that the head of a slowly made page is not held back. `rest` is what
    was ready when a body proved broken.
    """

    def __init__(self, splicer: Splicer, *, gzip_in: bool, gzip_out: bool) -> None:
        self.splicer = splicer
        self.rest: list[Buffer] = []
        self._unpacker = Unpacker() if gzip_in else None
        self._growth = Growth()
        self._packer = isal_zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_WINDOW) if gzip_out else None

    @property
    def open(self) -> bool:
        """Whether the gzip body has not come to its end."""
        return self._unpacker is not None and self._unpacker.open

    @property
    def unpacked(self) -> int:
        """How many bytes were unpacked so far."""
        return self._growth.plain

    def feed(self, data: Buffer) -> list[Buffer]:
        """Take a piece, give out what is ready. Raises CodingError."""
        if self._unpacker is None:
            return self._flushed(self._packed(self.splicer.feed(data)))
        out: list[Buffer] = []
        try:
            for part in self._growth.check(len(data), self._unpacker.read(data)):
                out += self._packed(self.splicer.feed(part))
        except CodingError:
            self.rest = self._flushed(out)
            raise
        return self._flushed(out)

    def finish(self) -> list[Buffer]:
        """Give out the end. A gzip body that was cut short stays without its end."""
        out = self._packed(self.splicer.finish())
        if self._packer is not None:
            out.append(self._packer.flush(isal_zlib.Z_SYNC_FLUSH) if self.open else self._packer.flush())
        return [piece for piece in out if piece]

    def _packed(self, pieces: list[Buffer]) -> list[Buffer]:
        if self._packer is None:
            return pieces
        return [self._packer.compress(piece) for piece in pieces]

    def _flushed(self, pieces: list[Buffer]) -> list[Buffer]:
        out = [piece for piece in pieces if piece]
        if self._packer is not None and pieces:
            tail = self._packer.flush(isal_zlib.Z_SYNC_FLUSH)
            if tail:
                out.append(tail)
        return out
