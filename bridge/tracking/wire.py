"""What this room needs to know of a request and its answer, whoever carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A customer's bearer token that an answer gave. It never leaves the observer: only an HMAC of it is kept."""

    value: bytes


class Head(Protocol):
    """Header fields; the names given to the getters are lower case."""

    def get(self, name: bytes) -> bytes | None:
        """Return the first value of a field."""

    def get_all(self, name: bytes) -> list[bytes]:
        """Return every value of a field, in order."""


class RequestHead(Head, Protocol):
    """A request's head; ``path`` is the target up to the question mark."""

    @property
    def method(self) -> bytes:
        """The method, as it came."""

    @property
    def target(self) -> bytes:
        """The target as it came. Its query may hold tokens: read a named field of it, and log none."""

    @property
    def path(self) -> bytes:
        """The target up to the question mark."""


class ResponseHead(Head, Protocol):
    """An answer's head."""

    @property
    def status(self) -> int:
        """The status code."""


class Exchange(Protocol):
    """One request and its answer, as far as it was asked for."""

    @property
    def request(self) -> RequestHead:
        """The request's head."""

    @property
    def request_body(self) -> bytes | None:
        """The body without chunks; None when it was not asked for or is over 64 KB."""

    @property
    def response(self) -> ResponseHead:
        """The answer's head."""

    @property
    def response_body(self) -> bytes | None:
        """As for the request, and without compression."""

    @property
    def host(self) -> bytes:
        """The public host name that the visitor asked."""

    @property
    def scheme(self) -> str:
        """``https`` or ``http``, as the visitor asked."""

    @property
    def received(self) -> float:
        """When the request came, in Unix seconds."""


class WatchedRoute(Protocol):
    """What is wanted of an exchange; ``urgent`` holds the answer's last byte back until it was seen."""

    @property
    def urgent(self) -> bool:
        """Whether the answer's last byte waits until it was seen."""

    @property
    def needs_request_body(self) -> bool:
        """Whether the request's body is wanted."""

    @property
    def needs_response_body(self) -> bool:
        """Whether the answer's body is wanted."""
