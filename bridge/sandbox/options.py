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
    ``eu_url`` is the address of the second website; without it, ``localhost`` beside ``127.0.0.1`` and ``eu.`` before
    any other host. ``mail`` takes each message that the shop sends; without it the shop sends none. ``clock`` must give
    aware times. The two confirmations make newsletter subscriptions and new accounts wait for the link in a mail.
    ``front`` is what visitors see: ``luma``, ``hyva`` (the same pages without Luma's scripts) or ``graphql`` (one page
    that asks for all it shows by GraphQL).
    """

    base_url: str
    rest_token: str
    mail: Callable[[EmailMessage], None] | None = None
    clock: Callable[[], datetime] = utc_now
    eu_url: str = ""
    newsletter_confirmation: bool = False
    account_confirmation: bool = False
    front: str = "luma"

    def __post_init__(self) -> None:
        """Refuse a base URL that is not absolute; drop a default port, as browsers do; end it with one slash."""
        if self.front not in {"luma", "hyva", "graphql"}:
            raise ValueError(f"front must be luma, hyva or graphql, not {self.front!r}")
        object.__setattr__(self, "base_url", _normal("base_url", self.base_url))
        object.__setattr__(self, "eu_url", _normal("eu_url", self.eu_url or _beside(self.base_url)))

    @property
    def authority(self) -> str:
        """Host and port as a browser sends them in ``Host``."""
        return urlsplit(self.base_url).netloc

    @property
    def eu_authority(self) -> str:
        """Host and port of the second website."""
        return urlsplit(self.eu_url).netloc

    @property
    def host(self) -> str:
        """Host without port: the domain of the cookies."""
        return urlsplit(self.base_url).hostname or ""


def _normal(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"{name} must be an absolute http or https URL, not {url!r}")
    port = parts.port if parts.port not in {None, 80 if parts.scheme == "http" else 443} else None
    authority = f"{parts.hostname}:{port}" if port else parts.hostname
    return f"{parts.scheme}://{authority}{parts.path.rstrip('/')}/"


def _beside(base_url: str) -> str:
    parts = urlsplit(base_url)
    host = "localhost" if parts.hostname == "127.0.0.1" else f"eu.{parts.hostname}"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"
