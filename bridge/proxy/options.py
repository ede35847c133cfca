"""What the composition root hands to the proxy: options, the tag, the observer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

    from bridge.proxy.exchange import Exchange, RequestHead


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """Process settings of the proxy. Times in seconds, sizes in bytes; 0 means unlimited for the two `max_` fields.

    `origin` is an http or https URL without path. `public_url` gives the scheme that the origin is told when no trusted
    proxy states one, and the authority to which references to the origin's internal name are mapped.
    """

    origin: str
    public_url: str | None = None
    prefix: str = "/_bridge"
    admin_path: str = "/admin"
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    timeout_connect: float = 5.0
    timeout_head: float = 120.0
    timeout_idle: float = 60.0
    max_body: int = 0
    max_connections_per_ip: int = 0
    threads: int = 8
    kill_file: Path | None = None
    access_log: Path | None = None
    edit_meta_policies: bool = False


class Route(Protocol):
    """What an observer wants of one request. `urgent` holds the answer's last byte back until it was seen."""

    @property
    def urgent(self) -> bool:
        """Whether the answer's last byte waits for the observer."""

    @property
    def needs_request_body(self) -> bool:
        """Whether the request's body is copied."""

    @property
    def needs_response_body(self) -> bool:
        """Whether the answer's body is copied."""


class Observer(Protocol):
    """Watches passing traffic. It can neither change nor break it: what it raises is counted and dropped."""

    def wants(self, request: RequestHead) -> Route | None:
        """Called on the event loop for every request: a look-up, never I/O."""

    def seen(self, route: Route, exchange: Exchange) -> None:
        """Called in a thread once the answer is complete; an urgent one's last byte waits at most 50 ms for it."""


class TagSource(Protocol):
    """Gives the script element that pages get."""

    @property
    def etag_suffix(self) -> bytes:
        """Version of the tag, made of characters that may stand in an entity tag."""

    @property
    def csp_sources(self) -> Mapping[str, tuple[bytes, ...]]:
        """Directive name -> sources that the tag needs there."""

    def markup(self, request: RequestHead) -> bytes | None:
        """Return the script element, ASCII, beginning `<script ` and without nonce; None where none is wanted."""


class Gate(Protocol):
    """Says which paths outside the prefix are ours, by settings that may change at any time."""

    def takes(self, path: bytes, host: bytes) -> bool:
        """Say whether the application answers this path of this host now: a look-up, never I/O."""


@dataclass(frozen=True, slots=True)
class ProxyWiring:
    """Everything that an adaptor needs. Without `tags` nothing is injected, without `observer` nothing is observed.

    `gate` is asked about the paths of the API that the shop's old module had, which are the shop's while it is off.
    """

    options: ProxyOptions
    tags: TagSource | None = None
    observer: Observer | None = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where an http or https URL points: `authority` is what a Host header for it says."""

    scheme: str
    host: str
    port: int
    authority: bytes

    @classmethod
    def of(cls, url: str) -> Address:
        """Read an absolute URL; raises ValueError when it is none."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http or https address: {url!r}")
        standard = 443 if parts.scheme == "https" else 80
        port = parts.port or standard
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        authority = host if port == standard else f"{host}:{port}"
        return cls(parts.scheme, parts.hostname, port, authority.encode("ascii"))
