"""The proxy without its sockets: a request as the origin gets it, an answer as the visitor gets it.

Both adaptors drive one `Core` per process. Whatever of ours goes wrong in it ends in the origin's untouched bytes.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from bridge.proxy.answer import Answer, Coded, Page, Spliced
from bridge.proxy.coding import Memo
from bridge.proxy.counters import Counters
from bridge.proxy.counters import counters as default_counters
from bridge.proxy.csp import POLICY_FIELDS, edit_policies, with_nonce
from bridge.proxy.forwarding import HOP_BY_HOP, forwarded_headers, hop_by_hop, sender_of
from bridge.proxy.heads import HeadReader, ShapedHead
from bridge.proxy.http1 import CHUNKED, NO_BODY
from bridge.proxy.options import Address
from bridge.proxy.paths import Paths
from bridge.proxy.quick import CHANGED, QuickAnswers
from bridge.proxy.references import REFERENCE_FIELDS, References
from bridge.proxy.rules import (
    HEAD_LIMIT,
    coding_of,
    decide,
    takes_gzip,
    varies_by_coding,
)
from bridge.proxy.validators import STALE_FIELDS, marked, prepare, restore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.proxy.counters import Reason
    from bridge.proxy.exchange import Headers, RequestHead, ResponseHead
    from bridge.proxy.forwarding import Sender
    from bridge.proxy.options import Observer, ProxyWiring, Route
    from bridge.proxy.paths import PathKind
    from bridge.proxy.quick import Short

log = structlog.get_logger("bridge.proxy")

_KILL_FILE_SECONDS: Final = 1.0
_UNCHANGED: Final[Mapping[bytes, bytes]] = {}


class Visit:
    """One request: what of it goes to the origin, and what its answer must take into account."""

    __slots__ = (
        "_fields",
        "gzip",
        "host",
        "identity",
        "killed",
        "may_be_page",
        "ours",
        "path_reason",
        "received",
        "request",
        "route",
        "sender",
    )

    def __init__(self, request: RequestHead, prepared: Prepared, kind: PathKind, route: Route | None) -> None:
        self.request = request
        self.sender, self.host, self._fields, self.ours, self.gzip = prepared
        self.path_reason = kind.reason
        self.route = route
        self.received = 0.0
        self.killed = False
        self.may_be_page = False
        self.identity = False  # the origin was asked for no coding although the client takes gzip

    def head(self) -> bytes:
        """Return the request's head as the origin gets it, up to but without the blank line."""
        return b"%b %b HTTP/1.1%b" % (self.request.method, self.request.target, self._fields)


class Prepared(NamedTuple):
    """What follows from a request's fields and its sender alone."""

    sender: Sender
    host: bytes
    fields: bytes  # as the origin gets them, each after a line end
    ours: frozenset[bytes]  # entity tags whose 304 is marked again
    gzip: bool  # the client takes it


class Core:
    """State that the exchanges of a process share: options, the memo, what the origin does about gzip."""

    def __init__(self, wiring: ProxyWiring, counters: Counters = default_counters) -> None:
        self.options = wiring.options
        self.tags = wiring.tags
        self.observer = wiring.observer
        self.counters = counters
        self.memo = Memo()
        self.heads = HeadReader()
        self.origin = Address.of(self.options.origin)
        self.scheme = Address.of(self.options.public_url).scheme if self.options.public_url else "http"
        self.asks_identity = False  # the origin packs its pages as it makes them: it is asked not to
        self.paths = Paths(self.options, wiring.gate)
        self._references = References(self.options)
        self._default_host = Address.of(self.options.public_url or self.options.origin).authority
        self._killed = False
        self._killed_until = 0.0
        self._quick = QuickAnswers(self, self.origin.host.lower().encode("ascii"))

    def killed(self) -> bool:
        """Say whether the kill file exists; looked at once a second."""
        if self.options.kill_file is None:
            return False
        now = time.monotonic()
        if now >= self._killed_until:
            self._killed_until = now + _KILL_FILE_SECONDS
            try:
                self._killed = self.options.kill_file.exists()
            except OSError:
                self._killed = True  # whoever put it where it cannot be seen meant no injection
        return self._killed

    def visit(self, request: RequestHead, peer: str, kind: PathKind | None = None) -> Visit:
        """Prepare a request for the origin; `kind` is that of its path, where the caller knows it."""
        kind = kind or self.paths.kind(request.path)
        killed = self.options.kill_file is not None and self.killed()
        route = None if killed or self.observer is None else self._ask_observer(self.observer, request)
        # What cannot be unpacked cannot be observed: such an answer is asked for in gzip at most.
        readable = route is not None and route.needs_response_body
        suffix = self._suffix() if kind.page and not killed else None
        key = (peer, readable, suffix, self.asks_identity)
        prepared: Prepared | None = request.memo.get(key)
        if prepared is None:
            prepared = request.memo[key] = self._prepare(request, peer, suffix, readable=readable)
        visit = Visit(request, prepared, kind, route)
        if killed:
            visit.killed = True
        elif suffix is not None:
            visit.may_be_page = True
            visit.identity = prepared.gzip and self.asks_identity
        if route is not None:
            visit.received = time.time()
        return visit

    def _suffix(self) -> bytes | None:
        """Return the mark of injected pages; None where there is no tag, or where it cannot be made."""
        if self.tags is None:
            return None
        try:
            return self.tags.etag_suffix
        except Exception:
            log.exception("page not prepared", step="request")
            return None

    def _prepare(self, request: RequestHead, peer: str, suffix: bytes | None, *, readable: bool) -> Prepared:
        """Work out what goes to the origin.

        `suffix` is that of the tag where the answer may be a page. Where we must read the answer the coding is asked
        for that suits us, else the visitor's own wish stands.
        """
        gzip = takes_gzip(request.index.get(b"accept-encoding"))
        changes = _UNCHANGED
        if suffix is not None or readable:
            identity = not gzip or (suffix is not None and self.asks_identity)
            changes = {b"accept-encoding": b"identity" if identity else b"gzip"}
        sender = sender_of(request, peer, self.scheme, self.options.trusted_proxies)
        headers = forwarded_headers(request, sender, changes)
        ours: frozenset[bytes] = frozenset()
        if suffix is not None:
            headers, ours = prepare(request, headers, suffix)
        host = request.index.get(b"host", b"")
        if not host:
            headers.insert(0, (b"Host", self._default_host))
        return Prepared(sender, host, b"".join([b"\r\n%b: %b" % field for field in headers]), ours, gzip)

    def _ask_observer(self, observer: Observer, request: RequestHead) -> Route | None:
        try:
            return observer.wants(request)
        except Exception:
            self.counters.observer_failed()
            log.exception("observer failed", step="wants", path=request.place)
            return None

    def quick_answer(self, visit: Visit, head: ResponseHead, data: bytes, end: int) -> Short | None:
        """Answer with data[end:] as the first of the body, where its head and these bytes tell all; else None."""
        if not isinstance(head, ShapedHead):
            return None
        try:
            return self._quick.answer(visit, head, data, end)
        except Exception:
            log.exception("answer takes the long way", path=visit.request.place)
            return None

    def answer(
        self, visit: Visit, response: ResponseHead, framing: int, raw: bytes = b"", head_size: int = 0
    ) -> Answer:
        """Decide what happens to an answer whose body is framed as http1.response_framing() said.

        `raw` is its head as it came; an adaptor that cannot use Answer.lines gives its size alone.
        """
        bodyless = framing == NO_BODY and _without_body(visit, response)
        try:
            return self._decided(visit, response, framing, raw, head_size or len(raw), bodyless=bodyless)
        except Exception:
            self.counters.not_injected("fault")
            log.exception("page not prepared", path=visit.request.place)
        return Answer(response, self.passed_headers(visit, response), framing, bodyless=bodyless)

    def _decided(
        self, visit: Visit, response: ResponseHead, framing: int, raw: bytes, head_size: int, *, bodyless: bool
    ) -> Answer:
        reason: Reason | None = "killed"
        if not visit.killed:
            reason = decide(visit.request, response, visit.path_reason)
        if reason is not None:
            self.counters.not_injected(reason)
            lines = _own_lines(response, raw)
            if lines is not None:
                return Answer(response, response.headers, framing, bodyless=bodyless, lines=lines)
        if reason is None:
            answer = self._rewriting(visit, response, framing, head_size, bodyless=bodyless)
            if answer is not None:
                return answer
        headers = self.passed_headers(visit, response)
        if response.status == 304:
            headers = self._revalidated(visit, headers)
        return Answer(response, headers, framing, bodyless=bodyless)

    def _rewriting(
        self, visit: Visit, response: ResponseHead, framing: int, head_size: int, *, bodyless: bool
    ) -> Answer | None:
        """Return the answer that puts the tag in; None where none goes in."""
        tags = self.tags
        markup = tags.markup(visit.request) if tags is not None else None
        if tags is None or markup is None or head_size > HEAD_LIMIT:
            self.counters.not_injected("off" if head_size <= HEAD_LIMIT else "size")
            return None
        if framing == NO_BODY and visit.request.method != b"HEAD":
            self.counters.not_injected("grammar")
            return None
        gzip_in = coding_of(response) == b"gzip"
        gzip_out = visit.gzip and (gzip_in or visit.identity)
        if gzip_in and framing == CHUNKED:
            self.asks_identity = True
        headers = self._injected_headers(visit, response, tags.etag_suffix, gzip_in=gzip_in, gzip_out=gzip_out)
        nonce = None
        if not POLICY_FIELDS.isdisjoint(response.index):
            headers, nonce, notes = edit_policies(headers, tags.csp_sources)
            for note in notes:
                self.counters.csp_noted(note)
        if bodyless:
            return Answer(response, headers, framing, bodyless=True)
        if nonce is not None:
            markup = with_nonce(markup, nonce)
        untouched = partial(self.passed_headers, visit, response)
        policies = tags.csp_sources if self.options.edit_meta_policies else None
        page = Page(response, framing, headers, untouched, markup, self.counters, policies)
        if gzip_in or gzip_out:
            memo = self.memo if nonce is None and policies is None else None
            return Coded(page, memo, gzip_in=gzip_in, gzip_out=gzip_out)
        return Spliced(page)

    def passed_headers(self, visit: Visit, response: ResponseHead) -> Headers:
        """Return the fields that go on to the visitor, references to the origin's internal name mapped."""
        dropped = hop_by_hop(response.combined(b"connection"))
        out = []
        for field in response.headers:
            lower = field[0].lower()
            if lower in dropped:
                continue
            if lower in REFERENCE_FIELDS:
                out.append((field[0], self._mapped(visit, lower, field[1])))
            else:
                out.append(field)
        return out

    def _mapped(self, visit: Visit, name: bytes, value: bytes) -> bytes:
        try:
            return self._references.mapped(name, value, visit.host, visit.sender.scheme)
        except Exception:  # this is part of every way out, so it has its own
            log.exception("reference not mapped")
            return value

    def _injected_headers(
        self, visit: Visit, response: ResponseHead, suffix: bytes, *, gzip_in: bool, gzip_out: bool
    ) -> Headers:
        """Return the fields of an injected page, without its length."""
        dropped = hop_by_hop(response.combined(b"connection"))
        out: Headers = []
        for field in response.headers:
            lower = field[0].lower()
            if lower in dropped:
                continue
            if lower not in CHANGED:
                out.append(field)
            elif lower in REFERENCE_FIELDS:
                out.append((field[0], self._mapped(visit, lower, field[1])))
            elif lower == b"etag":
                etag = marked(field[1], suffix)
                if etag is not None:
                    out.append((field[0], etag))
            elif lower == b"content-encoding" and gzip_in == gzip_out:
                out.append(field)
        if gzip_out and not gzip_in:
            out.append((b"Content-Encoding", b"gzip"))
        if (gzip_in != gzip_out or self.asks_identity) and not varies_by_coding(response):
            out.append((b"Vary", b"Accept-Encoding"))
        return out

    def _revalidated(self, visit: Visit, headers: Headers) -> Headers:
        """Return the fields of a 304: where the visitor's copy is an injected page they update what it came with."""
        if not visit.ours or self.tags is None:
            return headers
        for at, (name, value) in enumerate(headers):
            if name.lower() == b"etag":
                restored = restore(value, visit.ours, self.tags.etag_suffix)
                if restored != value:
                    headers[at] = (name, restored)
                    headers, _, _ = edit_policies(headers, self.tags.csp_sources)
                    return [field for field in headers if field[0].lower() not in STALE_FIELDS]
                break
        return headers


# Fields that keep an answer's head from being passed as the bytes that it came in.
_NOT_AS_IT_IS: Final = (HOP_BY_HOP | REFERENCE_FIELDS) - {b"connection", b"transfer-encoding"}


def _own_lines(response: ResponseHead, raw: bytes) -> bytes | None:
    """Return the head's lines as the origin wrote them, less those of its connection; None where more must change."""
    index = response.index
    if response.status == 304 or not index.keys().isdisjoint(_NOT_AS_IT_IS) or raw[:8] != b"HTTP/1.1":
        return None
    for name in (b"connection", b"transfer-encoding"):
        value = index.get(name)
        if value is not None:
            line = _OWN_LINES.get((name, value), b"")
            at = raw.find(line) if line and len(index) == len(response.headers) else -1
            if at < 0:
                return None
            raw = raw[:at] + raw[at + len(line) - 2 :]
    return raw[:-4]


_OWN_LINES: Final = {
    (b"connection", b"keep-alive"): b"\r\nConnection: keep-alive\r\n",
    (b"connection", b"close"): b"\r\nConnection: close\r\n",
    (b"transfer-encoding", b"chunked"): b"\r\nTransfer-Encoding: chunked\r\n",
}


def _without_body(visit: Visit, response: ResponseHead) -> bool:
    """Say whether the answer has no body whatever its fields say, so that its length field is passed as it is."""
    return visit.request.method == b"HEAD" or response.status in {204, 304} or response.status < 200
