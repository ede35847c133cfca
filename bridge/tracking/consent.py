"""Whether a visitor may be profiled: the cookie that the tag sets once the shop's own signal says yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.tracking.cookies import CONSENT_GIVEN

if TYPE_CHECKING:
    from bridge.settings import Settings


def is_given(settings: Settings, cookie: bytes | str | None) -> bool:
    """Return whether what is seen of a visitor may be kept; ``cookie`` is the value of the consent cookie.

    Without consent only what the shop's business needs is told: that an order was placed.
    """
    if settings["consent.mode"] == "none":
        return True
    value = cookie.decode("latin-1") if isinstance(cookie, bytes) else cookie
    return value == CONSENT_GIVEN
