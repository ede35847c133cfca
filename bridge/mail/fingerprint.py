"""Keys that tell the same mail, the same recipient: HMACs, since neither may be read from the database.

A sender that lost our answer delivers the same bytes again: same Date, subject and body. A mail that the shop sends
anew has another Date. Values in, values out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from bridge.mail.letter import address_key

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_MOST = 256 * 1024
UNDATED_SECONDS = 60
"""A mail without Date counts as the same one for so long."""

_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")


class Keys:
    """Makes keys with the process's first secret key; a rotated key only means that old rows are not found again."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._key = hashlib.sha256(b"bridge mail " + secrets[0].encode()).digest()

    def recipient(self, email: str) -> str:
        """Return the key under which a mailbox's mails are found; capitals make no difference."""
        return self._made(b"recipient", address_key(email).encode("utf-8", "replace"))

    def mail(self, recipient: str, raw: bytes, received_at: float) -> tuple[str, ...]:
        """Return the key of a mail for one recipient first, then others under which the same mail may stand."""
        head, body = _parted(raw)
        date, subject = _field(head, b"date"), _field(head, b"subject")
        content = hashlib.sha256(body).digest()
        to = recipient.strip().encode("utf-8", "replace")
        if date:
            return (self._made(b"mail", to, date, subject, content),)
        minute = int(received_at // UNDATED_SECONDS)
        return tuple(self._made(b"undated", to, b"%d" % one, subject, content) for one in (minute, minute - 1))

    def raised(self, *parts: str) -> str:
        """Return the key of a mail that bridge raises itself, made of what tells its cause."""
        return self._made(b"raised", *(part.encode("utf-8", "replace") for part in parts))

    def twin(self, key: str) -> str:
        """Return the key of the sandbox copy beside a delivery."""
        return self._made(b"twin", key.encode())

    def _made(self, *parts: bytes) -> str:
        text = b"".join(b"%d:%s" % (len(part), part) for part in parts)
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def _parted(raw: bytes) -> tuple[bytes, bytes]:
    """Return head and body; bytes without an empty line are all body."""
    found = _END.search(raw[:HEAD_MOST])
    return (raw[: found.start()], raw[found.end() :]) if found else (b"", raw)


def _field(head: bytes, name: bytes) -> bytes:
    """Return the first field of this name, unfolded."""
    for line in re.split(rb"\r?\n", _FOLD.sub(b" ", head)):
        key, colon, value = line.partition(b":")
        if colon and key.strip().lower() == name:
            return value.strip()
    return b""
