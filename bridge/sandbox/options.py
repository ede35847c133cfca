"""What the sandbox shop is started with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage


def utc_now() -> datetime:
    """Return the present moment with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class ShopOptions:
    """Settings of the sandbox shop.

    ``base_url`` is the public address (where visitors, so where bridge, listens); the shop writes it in every link
    and sends visitors who ask for another host there. ``rest_token`` is the bearer token of the admin REST API.
    ``mail`` takes each message that the shop sends; without it the shop sends none. ``clock`` must give aware times.
    """

    base_url: str
    rest_token: str
    mail: Callable[[EmailMessage], None] | None = None
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        """Refuse a base URL that is not absolute; drop a default port, as browsers do; end it with one slash."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError(f"base_url must be an absolute http or https URL, not {self.base_url!r}")
        port = parts.port if parts.port not in {None, 80 if parts.scheme == "http" else 443} else None
        authority = f"{parts.hostname}:{port}" if port else parts.hostname
        object.__setattr__(self, "base_url", f"{parts.scheme}://{authority}{parts.path.rstrip('/')}/")

    @property
    def authority(self) -> str:
        """Host and port as a browser sends them in ``Host``."""
        return urlsplit(self.base_url).netloc

    @property
    def host(self) -> str:
        """Host without port: the domain of the cookies."""
        return urlsplit(self.base_url).hostname or ""
