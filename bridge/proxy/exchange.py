"""Heads of HTTP messages, and the copy of an exchange that observers are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Buffer = bytes | bytearray | memoryview
Headers = list[tuple[bytes, bytes]]

BODY_COPY_LIMIT = 64 * 1024


class Head:
    """Header fields in the order and letter case in which they came. Names given to the getters are lower case.

    `index` holds the first value of each field by lower-case name. Neither it nor `headers` may be changed: requests
    that came with the same fields share them.
    """

    __slots__ = ("headers", "index")

    def __init__(self, headers: Headers | None = None) -> None:
        self.headers: Headers = headers if headers is not None else []
        self.index: dict[bytes, bytes] = {}
        if headers:
            self.settle()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a field; the name is that of the parser's call-back. settle() follows when all are there."""
        self.headers.append((name, value))

    def settle(self) -> None:
        """Make the index."""
        self.index = {name.lower(): value for name, value in reversed(self.headers)}

    def get(self, name: bytes) -> bytes | None:
        """Return the first value of a field."""
        return self.index.get(name)

    def get_all(self, name: bytes) -> list[bytes]:
        """Return every value of a field, in order."""
        return [v for n, v in self.headers if n.lower() == name] if name in self.index else []

    def combined(self, name: bytes) -> bytes | None:
        """Return the value of a field that is a list, whether it came in one field or in several."""
        if len(self.index) == len(self.headers):
            return self.index.get(name)
        return b", ".join(self.get_all(name)) if name in self.index else None


class RequestHead(Head):
    """A request's head. `target` is as it came; `path` is the part of it up to the question mark.

    `block` is the text of the fields, and `memo` what was worked out from it: both are shared with the requests
    before on the same connection that came with the very same fields, as a browser's mostly do. So are `framing` (see
    http1.request_framing), `persistent` (the connection outlives the request) and `upgrade` (the protocols asked for).
    """

    __slots__ = ("block", "framing", "memo", "method", "path", "persistent", "target", "upgrade", "version")

    def __init__(
        self, method: bytes = b"GET", target: bytes = b"/", version: bytes = b"1.1", headers: Headers | None = None
    ) -> None:
        super().__init__(headers)
        self.method = method
        self.target = target
        self.version = version
        self.path = target.partition(b"?")[0]
        self.block = b""
        self.memo: dict[object, Any] = {}
        self.framing = 0
        self.persistent = True
        self.upgrade: bytes | None = None

    def another(self, method: bytes, target: bytes, path: bytes) -> RequestHead:
        """Return the head of a request with the same fields."""
        head = _new_request(RequestHead)
        head.headers = self.headers
        head.index = self.index
        head.version = self.version
        head.block = self.block
        head.memo = self.memo
        head.framing = self.framing
        head.persistent = self.persistent
        head.upgrade = self.upgrade
        head.method = method
        head.target = target
        head.path = path
        return head

    @property
    def place(self) -> str:
        """The path's first two segments, for logs: what follows may be a token, as in a password reset over REST."""
        return b"/".join(self.path.split(b"/", 3)[:3]).decode("ascii", "replace")

    def __repr__(self) -> str:
        # The query and the fields may hold personal data, and a repr ends in logs.
        return f"<RequestHead {self.method.decode('ascii', 'replace')} {self.place}>"


_new_request = RequestHead.__new__


class ResponseHead(Head):
    """An answer's head."""

    __slots__ = ("reason", "status", "version")

    def __init__(
        self, status: int = 200, reason: bytes = b"OK", version: bytes = b"1.1", headers: Headers | None = None
    ) -> None:
        super().__init__(headers)
        self.status = status
        self.reason = reason
        self.version = version

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status}>"


@dataclass(slots=True)
class Exchange:
    """One request and its answer, for observers.

    Bodies are de-chunked, that of the answer also un-gzipped; a body is None when the route did not ask for it or
    when it is over 64 KB. `client` is the visitor's address by the trusted-proxy rule, `received` the time.time() of
    the request.
    """

    request: RequestHead
    request_body: bytes | None
    response: ResponseHead
    response_body: bytes | None
    host: bytes
    scheme: str
    client: str
    received: float


class BodyCopy:
    """Copies a passing body, up to 64 KB; one byte more and the copy is given up."""

    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.parts: list[bytes] | None = []
        self.size = 0

    def add(self, piece: Buffer) -> None:
        """Keep a piece of the body."""
        if self.parts is None:
            return
        self.size += len(piece)
        if self.size > BODY_COPY_LIMIT:
            self.parts = None
        else:
            self.parts.append(bytes(piece))

    def value(self) -> bytes | None:
        """Return the whole body, or None when it was too long."""
        return None if self.parts is None else b"".join(self.parts)
