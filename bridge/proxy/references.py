"""References in an answer's fields to the origin's internal name, turned into the public one.

Only what names the origin's own authority changes; relative references, the shop's public addresses and foreign ones
stay as sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bridge.proxy.options import Address

if TYPE_CHECKING:
    from bridge.proxy.options import ProxyOptions

REFERENCE_FIELDS: Final = frozenset({b"location", b"content-location", b"refresh", b"set-cookie"})

_DOMAIN = re.compile(rb";[ \t]*domain[ \t]*=[ \t]*\"?\.?([^;\" \t]*)\"?[ \t]*(?=;|$)", re.IGNORECASE)
_REFRESH = re.compile(rb"(\s*[0-9.]*\s*[;,]\s*(?:url\s*=\s*)?[\"']?)(.*)", re.IGNORECASE | re.DOTALL)


class References:
    """Knows the origin's internal authority and the public one."""

    def __init__(self, options: ProxyOptions) -> None:
        self._origin = Address.of(options.origin)
        self._host = self._origin.host.lower().encode("ascii")
        self._public = Address.of(options.public_url) if options.public_url else None
        names = {self._origin.authority, b"%b:%d" % (self._origin.authority.partition(b":")[0], self._origin.port)}
        if ":" in self._origin.host:
            names = {self._origin.authority, b"[%b]:%d" % (self._host, self._origin.port)}
        authorities = b"|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        self._internal = re.compile(rb"(?:(https?):)?//(?:" + authorities + rb")(?=[/?#]|$)", re.IGNORECASE)

    def mapped(self, name: bytes, value: bytes, host: bytes, scheme: str) -> bytes:
        """Map the value of one of REFERENCE_FIELDS in an answer to a request for `host` over `scheme`."""
        if self._host not in value.lower():
            return value
        if _bare(host) == self._host and (self._public is None or self._public.host.encode() == self._host):
            return value
        return self._map(name, value, host, scheme)

    def _map(self, name: bytes, value: bytes, host: bytes, scheme: str) -> bytes:
        if name == b"set-cookie":
            domain = _DOMAIN.search(value)
            if domain is None or domain[1].lower() != self._host:
                return value
            return value[: domain.start()] + value[domain.end() :]
        if name == b"refresh":
            parts = _REFRESH.fullmatch(value)
            return parts[1] + self._url(parts[2], host, scheme) if parts else value
        return self._url(value, host, scheme)

    def _url(self, url: bytes, host: bytes, scheme: str) -> bytes:
        match = self._internal.match(url)
        if match is None:
            return url
        if self._public is not None:
            authority, scheme = self._public.authority, self._public.scheme
        else:
            authority = host
        if not authority:
            return url
        start = b"%b://%b" % (scheme.encode(), authority) if match[1] else b"//" + authority
        return start + url[match.end() :]


@lru_cache(maxsize=1024)
def _bare(host: bytes) -> bytes:
    """Return a Host value without its port, in lower case."""
    name, _, port = host.rpartition(b":")
    return (name if name and port.isdigit() else host).strip(b"[]").lower()
