"""An answer on its way to the visitor: passed as it is, or given the tag. No sockets.

An adaptor feeds the body as it comes from the origin and sends on what it gets back. `headers` is None until it is
decided whether the page gets the tag; nothing is given out before. `length` is the size of the body that leaves, -1
when that is not known beforehand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from bridge.proxy.coding import PLAIN_LIMIT, WHOLE_LIMIT, BombError, CodingError, Recoder, TooLargeError, rewrite
from bridge.proxy.meta_policies import PolicySplicer
from bridge.proxy.splice import Splicer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.proxy.coding import Memo
    from bridge.proxy.counters import Counters, Reason
    from bridge.proxy.exchange import Buffer, Headers, ResponseHead

log = structlog.get_logger("bridge.proxy")

UNKNOWN: Final = -1


class Answer:
    """An answer that is passed on as it is.

    `direct` says that feed() gives back what it gets, so that an adaptor may skip it. `holding` says that the body is
    being gathered and that release() lets it go before its end. Where `lines` is given it is the head as the origin
    wrote it, less the fields of its own connection, and `headers` is not to be used.
    """

    __slots__ = ("bodyless", "direct", "headers", "holding", "length", "lines", "response")

    def __init__(
        self,
        response: ResponseHead,
        headers: Headers | None,
        framing: int,
        *,
        bodyless: bool = False,
        lines: bytes | None = None,
    ) -> None:
        self.response = response
        self.headers = headers
        self.lines = lines
        self.length = framing if framing >= 0 else UNKNOWN
        self.bodyless = bodyless
        self.direct = True
        self.holding = False

    def feed(self, data: Buffer) -> list[Buffer]:
        """Take a piece of the body; give out what is ready. Raises when a body already begun cannot go on."""
        return [data]

    def finish(self) -> list[Buffer]:
        """Give out the rest after the body's end."""
        return []

    def release(self) -> list[Buffer]:
        """Stop gathering and give out what is ready."""
        return []

    def abort(self) -> list[Buffer]:
        """Give out what was held back of a body that the origin broke off; the adaptor then cuts the connection."""
        return []


class Page(NamedTuple):
    """A page that is to get the tag: its fields if it does (without its length), and a way to those it has if not."""

    response: ResponseHead
    framing: int
    injected: Headers
    untouched: Callable[[], Headers]
    markup: bytes
    counters: Counters
    policies: Mapping[str, tuple[bytes, ...]] | None = None  # sources to open the policies in its head for

    def splicer(self) -> Splicer:
        """Return what puts the tag in."""
        if self.policies is None:
            return Splicer(self.markup)
        return PolicySplicer(self.markup, self.policies, self.counters.csp_noted)


class Rewriting(Answer, ABC):
    """An answer that gets the tag if its body proves to be a document."""

    __slots__ = ("_page", "_raw")

    def __init__(self, page: Page) -> None:
        super().__init__(page.response, None, page.framing)
        self.direct = False
        self._page = page
        self._raw: list[Buffer] = []  # the origin's bytes while nothing was given out

    def feed(self, data: Buffer) -> list[Buffer]:
        """Take a piece of the body; give out what is ready."""
        if self.headers is not None:
            return [data] if self.direct else self._go_on(data)
        self._raw.append(data)
        return self._guarded(data, "feed")

    def finish(self) -> list[Buffer]:
        """Give out the rest after the body's end."""
        if self.headers is not None:
            return [] if self.direct else self._end()
        return self._guarded(b"", "finish")

    def abort(self) -> list[Buffer]:
        """Give out the origin's bytes as far as they came, where nothing was given out."""
        return self._untouched("fault") if self.headers is None else []

    def _guarded(self, data: Buffer, step: str) -> list[Buffer]:
        try:
            return self._take(data) if step == "feed" else self._complete()
        except BombError:
            return self._untouched("size")
        except CodingError:
            return self._untouched("encoding")
        except Exception:
            log.exception("page passed untouched", step=step)
            return self._untouched("fault")

    @abstractmethod
    def _take(self, data: Buffer) -> list[Buffer]:
        """Take a piece while it is undecided whether the page gets the tag."""

    @abstractmethod
    def _complete(self) -> list[Buffer]:
        """Decide at the end of the body at the latest."""

    def _go_on(self, data: Buffer) -> list[Buffer]:
        """Take a piece of a page that has the tag."""
        return [data]

    def _end(self) -> list[Buffer]:
        """Give out what is left at the end of such a page."""
        return []

    def _untouched(self, reason: Reason) -> list[Buffer]:
        """Let the origin's answer through as it is, from its first byte on."""
        self._page.counters.not_injected(reason)
        self.headers = self._page.untouched()
        self.length = self._page.framing if self._page.framing >= 0 else UNKNOWN
        self.direct = True
        self.holding = False
        raw, self._raw = self._raw, []
        return raw

    def _inject(self, length: int) -> None:
        """Settle that the page has the tag and leaves with this length."""
        self._page.counters.injected()
        self.length = length
        self.headers = self._page.injected
        if length != UNKNOWN:
            self.headers.append((b"Content-Length", b"%d" % length))
        self.holding = False
        self._raw = []


class Spliced(Rewriting):
    """A page that comes and leaves without coding."""

    __slots__ = ("_splicer",)

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._splicer = page.splicer()

    def _take(self, data: Buffer) -> list[Buffer]:
        return self._settled(self._splicer.feed(data))

    def _settled(self, pieces: list[Buffer]) -> list[Buffer]:
        if not self._splicer.decided:
            return []
        if not self._splicer.placed:
            return self._untouched(self._splicer.reason)
        self._inject(self.length + self._splicer.grown if self.length >= 0 else UNKNOWN)
        self.direct = True
        return pieces

    def _complete(self) -> list[Buffer]:
        return self._settled(self._splicer.finish())


class Coded(Rewriting):
    """A page that comes or leaves as gzip.

    While it is short and quick it is gathered, for the memo's sake; otherwise it is recoded as it comes.
    """

    __slots__ = ("_gzip_in", "_gzip_out", "_memo", "_recoder", "_size")

    def __init__(self, page: Page, memo: Memo | None, *, gzip_in: bool, gzip_out: bool) -> None:
        super().__init__(page)
        self._memo = memo
        self._gzip_in = gzip_in
        self._gzip_out = gzip_out
        self._recoder: Recoder | None = None
        self._size = 0
        self.holding = True

    def _take(self, data: Buffer) -> list[Buffer]:
        if self._recoder is not None:
            return self._settled(self._recoder.feed(data))
        self._size += len(data)
        return self._stream() if self._size > WHOLE_LIMIT else []

    def release(self) -> list[Buffer]:
        """Stop gathering and give out what is ready."""
        if not self.holding:
            return []
        try:
            return self._stream()
        except BombError:
            return self._untouched("size")
        except CodingError:
            return self._untouched("encoding")
        except Exception:
            log.exception("page passed untouched", step="release")
            return self._untouched("fault")

    def _stream(self) -> list[Buffer]:
        self.holding = False
        self._recoder = Recoder(self._page.splicer(), gzip_in=self._gzip_in, gzip_out=self._gzip_out)
        out: list[Buffer] = []
        for piece in self._raw:
            out += self._recoder.feed(piece)
            if self._recoder.unpacked > PLAIN_LIMIT:
                return self._untouched("size")
        return self._settled(out)

    def _settled(self, pieces: list[Buffer]) -> list[Buffer]:
        assert self._recoder is not None  # noqa: S101 - the callers made it
        splicer = self._recoder.splicer
        if not splicer.decided:
            return []
        if not splicer.placed:
            return self._untouched(splicer.reason)
        self._inject(UNKNOWN)
        return pieces

    def _complete(self) -> list[Buffer]:
        if self._recoder is not None:
            return self._untouched("encoding") if self._recoder.open else self._settled(self._recoder.finish())
        body = bytes(self._raw[0]) if len(self._raw) == 1 else b"".join(self._raw)
        key = (body, self._page.markup, self._gzip_in, self._gzip_out)
        made = self._memo.get(key) if self._memo is not None else None
        if self._memo is not None:
            self._page.counters.memo(hit=made is not None)
        if made is None:
            try:
                splicer = self._page.splicer()
                made = rewrite(body, splicer, gzip_in=self._gzip_in, gzip_out=self._gzip_out)
            except TooLargeError:
                return self._untouched("size")
            if made is None:
                return self._untouched(splicer.reason)
            if self._memo is not None:
                self._memo.put(key, made)
        self._inject(len(made))
        return [made]

    def _go_on(self, data: Buffer) -> list[Buffer]:
        assert self._recoder is not None  # noqa: S101 - a gathered page is given out whole
        return self._recoder.feed(data)

    def _end(self) -> list[Buffer]:
        return self._recoder.finish() if self._recoder is not None else []

    def abort(self) -> list[Buffer]:
        """Give out what was held back; of a page that has the tag, what it held before the place where it is broken."""
        if self.headers is None or self.direct or self._recoder is None:
            return super().abort()
        rest, self._recoder.rest = self._recoder.rest, []
        return rest
