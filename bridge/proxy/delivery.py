"""An answer written to the client's connection: its head, its framing, its last piece when the observer has seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.proxy.answer import Answer
from bridge.proxy.coding import CodingError
from bridge.proxy.http1 import LAST_CHUNK, chunk
from bridge.proxy.observing import WAIT_SECONDS

if TYPE_CHECKING:
    from asyncio import TimerHandle
    from collections.abc import Callable

    from bridge.proxy.absent import Absent
    from bridge.proxy.client import ClientConnection
    from bridge.proxy.edge import Edge
    from bridge.proxy.exchange import Buffer, Headers, ResponseHead
    from bridge.proxy.observing import Watch

log = structlog.get_logger("bridge.proxy")


class Delivery:
    """Takes the pieces of one answer's body as they come from the origin and writes what becomes of them.

    `done` is called when the last byte was given to the connection.
    """

    def __init__(
        self,
        edge: Edge,
        client: ClientConnection | Absent,
        answer: Answer,
        watch: Watch | None,
        done: Callable[[], None],
    ) -> None:
        self._edge = edge
        self._client = client
        self._answer = answer
        self._watch = watch
        self._done = done
        self._head_sent = False
        self._chunked = False
        self._stopped = False
        self._held: list[Buffer] | None = None
        self._timer: TimerHandle | None = None

    @property
    def waiting(self) -> bool:
        """Whether only the observer is waited for."""
        return self._held is not None

    def take(self, pieces: list[Buffer], *, last: bool) -> bool:
        """Take pieces of the body; False when the answer cannot go on and was broken off."""
        if self._watch is not None:
            for piece in pieces:
                self._watch.received(piece)
        answer = self._answer
        if not answer.direct:
            out: list[Buffer] = []
            try:
                for piece in pieces:
                    out += answer.feed(piece)
                if last:
                    out += answer.finish()
            except Exception as error:  # noqa: BLE001 - it is logged, and what was made goes out
                self._faulty(error)
                self._write(out, last=False)
                self.break_off()
                return False
            pieces = out
        self._write(pieces, last=last)
        return True

    def _faulty(self, error: Exception) -> None:
        """Note why a page that has the tag cannot go on."""
        if isinstance(error, CodingError):
            self._edge.counters.failed("malformed-answer")
            log.warning("page broken off", why=str(error))
        else:
            self._edge.counters.not_injected("fault")
            log.error("page broken off", exc_info=error)

    def release(self) -> None:
        """Let go of a page that is being gathered."""
        if self._answer.holding and not self._stopped:
            self._write(self._answer.release(), last=False)

    def stop(self) -> None:
        """Write nothing more."""
        self._stopped = True

    def go_on_for(self, client: Absent, framing: int) -> None:
        """Take the rest of the body for the observer alone."""
        self._client = client
        self._answer = Answer(self._answer.response, [], framing)

    def break_off(self) -> None:
        """End the answer early, and visibly so for the client."""
        answer = self._answer
        rest: list[Buffer] = []
        try:
            rest = answer.abort()
        except Exception:  # the connection is cut in any case
            log.exception("page broken off")
        out: list[Buffer] = []
        if not self._head_sent and answer.headers is not None:
            out.append(self._head())
        out += chunk(rest) if self._chunked else rest
        self._client.cut(out, reset=not self._chunked and answer.length < 0)

    def _write(self, pieces: list[Buffer], *, last: bool) -> None:
        answer = self._answer
        out: list[Buffer]
        if self._head_sent:
            out = []
        elif answer.headers is None:
            if answer.holding:
                self._edge.hold(self)
            return
        else:
            out = [self._head()]
        if self._chunked:
            out += chunk(pieces)
            if last:
                out.append(LAST_CHUNK)
        else:
            out += pieces
        if last and self._watch is not None:
            self._show(self._watch, out)
            return
        if out:
            self._client.write(out)
        if last:
            self._done()

    def _head(self) -> bytes:
        answer, client = self._answer, self._client
        self._head_sent = client.answering = True
        client.status = answer.response.status
        lines = answer.lines
        if lines is None:
            lines = head_lines(answer.response, answer.headers or [])
        if answer.length < 0 and not answer.bodyless:
            if client.modern:
                self._chunked = True
                lines += b"\r\nTransfer-Encoding: chunked"
            else:
                client.keep_alive = False
        if not client.keep_alive:
            return lines + b"\r\nConnection: close\r\n\r\n"
        return lines + (b"\r\n\r\n" if client.modern else b"\r\nConnection: keep-alive\r\n\r\n")

    def _show(self, watch: Watch, out: list[Buffer]) -> None:
        """Hand the exchange to the observer; the last piece of an urgent one waits for it."""
        observers = self._edge.observers
        urgent = observers is not None and watch.route.urgent
        if observers is not None and urgent:
            self._held = out
            self._timer = self._edge.loop.call_later(WAIT_SECONDS, self._late)
            observers.submit(watch, self._answer.response, lambda: self._edge.from_thread(self._seen))
            return
        if observers is not None:
            observers.submit(watch, self._answer.response)
        if out:
            self._client.write(out)
        self._done()

    def _late(self) -> None:
        self._edge.counters.late()
        self._seen()

    def _seen(self) -> None:
        """Write the last piece."""
        held, self._held = self._held, None
        if held is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._client.write(held)
        self._done()


def head_lines(response: ResponseHead, headers: Headers) -> bytes:
    """Write an answer's head, up to but without the blank line."""
    return b"\r\n".join(
        [
            b"HTTP/1.1 %d %b" % (response.status, response.reason),
            *[b"%b: %b" % field for field in headers],
        ]
    )
