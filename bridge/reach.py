"""Which addresses an outgoing request may reach when a person typed where it goes.

A host name is looked up once, every address that it has must be one of the public internet, and the connection goes to
an address that was looked at: a name that leads elsewhere a moment later leads nowhere.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import idna

from bridge.errors import Misconfigured, Retry

if TYPE_CHECKING:
    from collections.abc import Collection

PORTS: Final = frozenset({80, 443, *range(8000, 9000)})
"""Ports of web servers; others are mail, databases and the like."""
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses of IPv4 hosts behind a translator (RFC 6052); the last 32 bits are the host's."""
COMPATIBLE: Final = ipaddress.ip_network("::/96")
"""The old form of IPv4 in IPv6 (RFC 4291, 2.5.5.1)."""
RELAYS: Final = ipaddress.ip_network("192.88.99.0/24")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the ``addresses`` that were looked at, and by ``host`` what it and the certificate say.

    ``path`` may hold a token and is in no text of this object.
    """

    secure: bool
    host: str
    port: int
    path: str = field(repr=False)
    addresses: tuple[str, ...] = ()

    @property
    def authority(self) -> str:
        """The value of the field Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def find(url: str, named: Collection[str] = ()) -> Target:
    """Look up where a URL leads.

    ``named`` are hosts, each with its port or without, that may be private, and asked without TLS. Raises
    :class:`Misconfigured` for an address that may not be reached, :class:`Retry` where the name is not known now.
    No sentence repeats the path.
    """
    target, allowed = _read(url, named)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Retry(f"The name {target.host} is not known.") from None
    addresses = tuple(dict.fromkeys(str(row[4][0]) for row in found))
    if not allowed and not all(is_public(address) for address in addresses):
        raise Misconfigured(
            f"{target.host} is in a private network: name it in BRIDGE_ALERT_HOSTS if it is meant to be reached."
        )
    return Target(target.secure, target.host, target.port, target.path, addresses)


def _read(url: str, named: Collection[str]) -> tuple[Target, bool]:
    """Return the target without its addresses, and whether the configuration names it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Misconfigured("The address is none that can be asked.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Misconfigured("The address must begin with https:// and name a host.")
    if "@" in parts.netloc:
        raise Misconfigured("The address must have no name and password before its host.")
    secure = parts.scheme == "https"
    host, number = _ascii(parts.hostname), port or (443 if secure else 80)
    shown = f"[{host}]" if ":" in host else host
    here, anywhere = f"{shown}:{number}" in named, shown in named
    if not secure and not (here or anywhere):
        raise Misconfigured("The address must begin with https://, unless BRIDGE_ALERT_HOSTS names its host.")
    if not here and number not in PORTS:
        raise Misconfigured(f"Port {number} is none of a web server: 80, 443 and 8000 to 8999 may be asked.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, number, path), here or anywhere


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise Misconfigured("The host of the address is none that can be asked.") from None


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, whatever form it is written in."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return _open(found) and found not in RELAYS
    inner = found.ipv4_mapped or found.sixtofour
    if inner is None and (found in NAT64 or found in COMPATIBLE):
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(str(inner))
    return _open(found) and found.teredo is None and not found.is_site_local


def _open(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    closed = (
        found.is_private,
        found.is_loopback,
        found.is_link_local,
        found.is_multicast,
        found.is_reserved,
        found.is_unspecified,
    )
    return found.is_global and not any(closed)
