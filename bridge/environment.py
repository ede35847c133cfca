"""Typed look-ups in an environment: each refuses a wrong value in one sentence with the variable's name.

Every variable may also be given as ``NAME_FILE``, the path to a file holding the value (for container secrets).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

STORE_CODE = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]*)?\Z")
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class SmtpUser:
    """Who may sign in to the mail relay; ``store`` is the code of the store view that sends as this user, or empty."""

    name: str
    password: str = field(repr=False)
    store: str = ""


class Reader:
    """Typed look-ups in an environment; each refuses a wrong value with the variable's name and what it takes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return ``NAME``, else what the file named by ``NAME_FILE`` holds, else ``default``; blank is absent."""
        if value := self._environ.get(name, "").strip():
            return value
        if path := self._environ.get(f"{name}_FILE", "").strip():
            try:
                return Path(path).read_text(encoding="utf-8").strip() or default
            except OSError as error:
                raise Misconfigured(
                    f"{name}_FILE names a file that cannot be read ({error.strerror}): correct the path or its rights."
                ) from None
        return default

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        value = (self.text(name) or "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        return self._wrong(name, "one of 1 0 true false yes no on off")

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number between ``low`` and ``high``."""
        text = self.text(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = low - 1
        return value if low <= value <= high else self._wrong(name, f"a number from {low:g} to {high:g}")

    def url(self, name: str, *, schemes: tuple[str, ...] = ("http", "https")) -> str | None:
        """Return an absolute URL with a host and one of ``schemes``, without its trailing slash."""
        text = self.text(name)
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good:
            self._wrong(name, f"a URL beginning with {' or '.join(f'{s}://' for s in schemes)} and naming a host")
        return text.rstrip("/")

    def address(self, name: str, default: str) -> str:
        """Return ``host:port``."""
        text = self.text(name) or default
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
            self._wrong(name, "an address such as 127.0.0.1:8000")
        return text

    def path(self, name: str, default: str) -> str:
        """Return a URL path that begins with a slash and does not end with one."""
        text = self.text(name) or default
        if not text.startswith("/") or text == "/" or "//" in text or any(c in text for c in " ?#"):
            self._wrong(name, "a path such as " + default)
        return text.rstrip("/")

    def file(self, name: str) -> Path | None:
        """Return the path of a file."""
        text = self.text(name)
        return Path(text).absolute() if text else None

    def networks(self, name: str) -> tuple[Network, ...]:
        """Return a comma list of IP networks."""
        text = self.text(name) or ""
        try:
            return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
        except ValueError:
            return self._wrong(name, "networks such as 10.0.0.0/8,192.168.1.5/32")

    def host(self, name: str, default: str) -> str:
        """Return a host name."""
        text = self.text(name) or default
        if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", text):
            return "localhost" if self.text(name) is None else self._wrong(name, "a host name such as mail.example.com")
        return text

    def hosts(self, name: str) -> tuple[str, ...]:
        """Return a comma list of hosts, each with its port or without, in lower case."""
        parts = [part.strip().lower() for part in (self.text(name) or "").split(",") if part.strip()]
        for part in parts:
            match = HOST.fullmatch(part)
            if match is None or not 0 < int(match[2] or 1) <= 65535:
                self._wrong(name, "hosts joined by commas, each with its port or without, such as hooks.internal:9000")
        return tuple(parts)

    def folders(self, name: str, default: tuple[Path, ...]) -> tuple[Path, ...]:
        """Return a comma list of folders."""
        parts = [part.strip() for part in (self.text(name) or "").split(",")]
        return tuple(Path(part).absolute() for part in parts if part) or default

    def smtp_users(self, name: str) -> tuple[SmtpUser, ...]:
        """Return the users given as lines of ``user:password:store``; a password may hold colons, the rest may not."""
        users = []
        for line in (self.text(name) or "").splitlines():
            if not line.strip():
                continue
            user, _, rest = line.strip().partition(":")
            password, colon, store = rest.rpartition(":")
            if not (user and password and colon and STORE_CODE.match(store)):
                self._wrong(name, "lines of user:password:store, the store view's code may be empty")
            users.append(SmtpUser(user, password, store))
        return tuple(users)

    def _wrong(self, name: str, takes: str) -> NoReturn:
        raise Misconfigured(f"{name} is not usable: it takes {takes}.")
