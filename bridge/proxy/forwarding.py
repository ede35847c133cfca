"""The request as the origin gets it: who asks, over what, and which fields go on."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.proxy.exchange import Headers, RequestHead

# RFC 9110 section 7.6.1 and the older names that only concern one connection.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Fields by which an application may be told another address, scheme or path than the real ones.
_SET_HERE: Final = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"})
_NEVER: Final = frozenset({b"proxy", b"x-original-url", b"x-rewrite-url"})
_FROM_TRUSTED_ONLY: Final = frozenset(
    {
        b"cf-connecting-ip",
        b"client-ip",
        b"cloudfront-forwarded-proto",
        b"fastly-client-ip",
        b"fastly-ssl",
        b"forwarded",
        b"front-end-https",
        b"ssl-offloaded",
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-forwarded",
        b"x-forwarded-by",
        b"x-forwarded-path",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-original-forwarded-for",
        b"x-original-host",
        b"x-real-ip",
        b"x-scheme",
        b"x-url-scheme",
    }
)
_DROPPED_TRUSTED: Final = HOP_BY_HOP | _SET_HERE | _NEVER
_DROPPED: Final = _DROPPED_TRUSTED | _FROM_TRUSTED_ONLY

Networks = tuple[IPv4Network | IPv6Network, ...]


@lru_cache(maxsize=4096)
def is_trusted(address: str, networks: Networks) -> bool:
    """Say whether the address belongs to a trusted proxy; what is no address does not."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return any(ip.version == network.version and ip in network for network in networks)


def plain_address(peer: str) -> str:
    """Return an IPv4 address in its own notation where a socket of both families gave it as an IPv6 one."""
    return peer[7:] if peer.startswith("::ffff:") and "." in peer else peer


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request: the visitor's address, the scheme outside, and the chain that the origin is told."""

    client: str
    scheme: str
    chain: bytes
    trusted: bool


@lru_cache(maxsize=4096)
def direct_sender(peer: str, scheme: str) -> Sender:
    """Describe a peer that is no trusted proxy: nothing it says about itself counts."""
    return Sender(peer, scheme, peer.encode("latin-1"), trusted=False)


_PAIR = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(\"(?:[^\"\\]|\\.)*\"|[^;,\" \t]*)")


def read_forwarded(fields: list[bytes]) -> tuple[list[bytes], bytes]:
    """Return the addresses that Forwarded fields name, the visitor's first, and the scheme that the visitor used.

    Ports are left out, and names in place of addresses too: `unknown`, and what begins with `_` (RFC 7239 section 6).
    """
    hops, scheme = [], b""
    for name, value in _PAIR.findall(b",".join(fields)):
        bare = value.strip(b'"')
        if name.lower() == b"proto":
            scheme = scheme or bare.lower()
        if name.lower() != b"for":
            continue
        node = bare[1:].partition(b"]")[0] if bare[:1] == b"[" else bare.partition(b":")[0]
        with suppress(ValueError):
            hops.append(str(ip_address(node.decode("latin-1"))).encode())
    return hops, scheme


def sender_of(request: RequestHead, peer: str, scheme: str, networks: Networks) -> Sender:
    """Tell who sent the request. `scheme` holds where no trusted proxy states one."""
    if not networks or not is_trusted(peer, networks):
        return direct_sender(peer, scheme)
    hops = [hop.strip() for hop in b",".join(request.get_all(b"x-forwarded-for")).split(b",") if hop.strip()]
    stated = (request.get(b"x-forwarded-proto") or b"").partition(b",")[0].strip().lower()
    if not hops and b"forwarded" in request.index:
        hops, proto = read_forwarded(request.get_all(b"forwarded"))
        stated = stated or proto
    client = peer
    for hop in reversed(hops):
        client = hop.decode("latin-1").removeprefix("[").removesuffix("]")
        if not is_trusted(client, networks):
            break
    if stated in {b"http", b"https"}:
        scheme = stated.decode()
    return Sender(client, scheme, b", ".join([*hops, peer.encode("latin-1")]), trusted=True)


def forwarded_headers(request: RequestHead, sender: Sender, changes: Mapping[bytes, bytes]) -> Headers:
    """Return the fields that go on to the origin, in their order and letter case, with the forwarding fields set anew.

    Hop-by-hop fields and those named in Connection stay here; `changes` gives new values by lower-case name. Names with
    underscores are read like hyphens, as CGI does, so that no dropped field comes in by its other spelling.
    """
    dropped = _DROPPED_TRUSTED if sender.trusted else _DROPPED
    connection = request.combined(b"connection")
    if connection is not None and connection not in {b"keep-alive", b"close"}:
        dropped |= named_in_connection(connection)
    out = []
    for field in request.headers:
        lower = field[0].lower()
        if lower in dropped or (b"_" in lower and lower.replace(b"_", b"-") in dropped):
            continue
        out.append((field[0], changes[lower]) if lower in changes else field)
    out.append((b"X-Forwarded-For", sender.chain))
    out.append((b"X-Forwarded-Proto", b"https" if sender.scheme == "https" else b"http"))
    host = request.index.get(b"x-forwarded-host") if sender.trusted else None
    host = host or request.index.get(b"host")
    if host is not None:
        out.append((b"X-Forwarded-Host", host))
    return out


# Fields that a Connection field may not take away: they are what the message is framed and routed by.
_KEPT: Final = frozenset({b"host", b"content-length", b"close", b"keep-alive"})


@lru_cache(maxsize=64)  # few, since a visitor chooses how long they are
def named_in_connection(value: bytes) -> frozenset[bytes]:
    """Return the names of fields that a Connection field lists."""
    return frozenset(name.strip().lower() for name in value.split(b",")) - _KEPT


def hop_by_hop(connection: bytes | None) -> frozenset[bytes]:
    """Return the names that may not be passed on, given the message's Connection field."""
    if connection is None or connection in {b"keep-alive", b"close"}:
        return HOP_BY_HOP
    return HOP_BY_HOP | named_in_connection(connection)
