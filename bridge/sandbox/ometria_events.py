"""Events of the stand-in tag script, as they travel in the address of its pixel.

`data` is the event's JSON in UTF-8, as base64 with the alphabet for addresses and without padding. The real script's
encoding is private to it; nobody but script and receiver may depend on it, which is why this one is different.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
TEXT_FIELDS: Final = ("cid", "sid", "type", "channel", "url")


class EventInvalid(ValueError):
    """The pixel's data is no event; the text says why and holds nothing of the data."""


def decode(data: str) -> dict[str, Any]:
    """Give the event, or raise EventInvalid. Fields: cid, sid, uiid, url, rurl, site, type, channel, d, sent, seq."""
    try:
        text = base64.b64decode(data + "=" * (-len(data) % 4), altchars="-_", validate=True).decode("utf-8")
        event = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        raise EventInvalid("not base64url of JSON") from None
    if not isinstance(event, dict):
        raise EventInvalid("not an object")
    missing = [name for name in TEXT_FIELDS if not isinstance(event.get(name), str)]
    if missing:
        raise EventInvalid(f"without {', '.join(missing)}")
    if not isinstance(event.get("d"), dict):
        raise EventInvalid("without d")
    return event
