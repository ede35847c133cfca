"""What a request's path alone says: who answers it, and whether a page with the tag may live there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from bridge.proxy.rules import KEPT_PATH, may_be_page, path_reason

if TYPE_CHECKING:
    from bridge.proxy.counters import Reason
    from bridge.proxy.options import Gate, ProxyOptions

log = structlog.get_logger("bridge.proxy")

# Links to carts in mails of the time when the shop had its own module; the application says what became of them.
_OLD_CART_LINK: Final = re.compile(rb"(?:/[^/]+){0,2}/omcart/cartlink(?:/|$)", re.IGNORECASE)
# What Ometria called at that module: ours while the settings say so.
_OLD_API: Final = re.compile(rb"(?:/[^/]+){0,2}/ometria_api/v1/")
_KINDS_LIMIT: Final = 8192


class PathKind(NamedTuple):
    """What a path alone says: answered by us; why no page gets the tag there; whether a page may live there.

    `gated`: whether it is ours is asked for each request, since settings say so.
    """

    own: bool
    reason: Reason | None
    page: bool
    gated: bool = False


class Paths:
    """The kinds of paths, remembered."""

    def __init__(self, options: ProxyOptions, gate: Gate | None) -> None:
        self._admin_path = options.admin_path
        self._gate = gate
        self._prefix = options.prefix.encode("ascii")
        self._below_prefix = self._prefix + b"/"
        self._kinds: dict[bytes, PathKind] = {}

    def kind(self, path: bytes) -> PathKind:
        """Say what a path alone tells; remembered, but for long paths."""
        kind = self._kinds.get(path)
        if kind is None:
            gated = self._gate is not None and _OLD_API.match(path) is not None
            reason, page = path_reason(path, self._admin_path), may_be_page(path, self._admin_path)
            kind = PathKind(self.is_own(path), reason, page, gated)
            if len(path) <= KEPT_PATH:
                if len(self._kinds) >= _KINDS_LIMIT:
                    self._kinds.clear()
                self._kinds[path] = kind
        return kind

    def is_own(self, path: bytes) -> bool:
        """Say whether the path is one of ours, to be answered by the application, whatever the settings."""
        if path.startswith(self._prefix):
            return path == self._prefix or path.startswith(self._below_prefix)
        return _OLD_CART_LINK.match(path) is not None

    def lets_in(self, path: bytes, host: bytes) -> bool:
        """Say whether the application answers a gated path now; when that cannot be told it is the shop's."""
        try:
            return self._gate is not None and self._gate.takes(path, host)
        except Exception:
            log.exception("gate failed", next="the shop answers")
            return False
