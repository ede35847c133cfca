"""The relay's certificate: read again when its files change, so that a renewal needs no restart."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import structlog

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()


class TlsFiles:
    """A certificate chain and its key, both PEM files (the key may stand in the certificate's file)."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        """Read the files; raises :class:`Misconfigured` when they are not a certificate and its key."""
        self._certificate = certificate
        self._key = key
        self._seen = self._stamp()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection; a changed file that cannot be read leaves the old one in use."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._context = self._load()
                log.info("certificate read again")
            except Misconfigured as error:
                log.warning("certificate not read again", reason=error.what, next="the old one stays in use")
        return self._context

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or error.strerror or "unreadable"
            raise Misconfigured(
                f"BRIDGE_SMTP_TLS_CERT and BRIDGE_SMTP_TLS_KEY are not a certificate chain and its key ({reason}): "
                "name two PEM files that belong together and that this user may read."
            ) from None
        return context

    def _stamp(self) -> tuple[object, ...]:
        stamps: list[object] = []
        for path in (self._certificate, self._key):
            try:
                found = path.stat() if path else None
            except OSError:
                found = None
            stamps.append((found.st_mtime_ns, found.st_ino, found.st_size) if found else None)
        return tuple(stamps)
