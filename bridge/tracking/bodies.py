"""Named fields out of a request's body: urlencoded, multipart or JSON.

Only the wanted fields are ever decoded. Passwords and card data lie in the same bodies and stay where they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Collection

LONGEST_VALUE = 1024

_NAME = re.compile(rb';[ \t]*name="([^"\r\n]*)"', re.IGNORECASE)
_FILE = re.compile(rb";[ \t]*filename\*?=", re.IGNORECASE)
_BOUNDARY = re.compile(rb';[ \t]*boundary=(?:"([^"\r\n]{1,70})"|([^";\s]{1,70}))', re.IGNORECASE)


class Odd(ValueError):
    """A body that cannot be read as what it says it is; the text never quotes it."""


def form_fields(body: bytes, content_type: bytes | None, names: Collection[str]) -> dict[str, str]:
    """Return those of ``names`` that a form body holds, the last value of each.

    Raises :class:`Odd` for a content type that is no form's, a broken multipart body or a value over 1,024 bytes.
    """
    kind = (content_type or b"").partition(b";")[0].strip().lower()
    if kind == b"application/x-www-form-urlencoded":
        return _urlencoded(body, names)
    if kind == b"multipart/form-data":
        boundary = _BOUNDARY.search(content_type or b"")
        if boundary is None:
            raise Odd("multipart without boundary")
        return _multipart(body, boundary.group(1) or boundary.group(2), names)
    raise Odd("not a form")


def _urlencoded(body: bytes, names: Collection[str]) -> dict[str, str]:
    found = {}
    for pair in body.split(b"&"):
        key, _, value = pair.partition(b"=")
        name = unquote_plus(key.decode("latin-1"))
        if name in names:
            found[name] = unquote_plus(_short(value).decode("latin-1"))
    return found


def _multipart(body: bytes, boundary: bytes, names: Collection[str]) -> dict[str, str]:
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise Odd("multipart without end")
    found = {}
    for part in parts[1:-1]:
        head, gap, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not gap or name is None:
            raise Odd("part without name")
        text = name.group(1).decode("utf-8", "replace").replace("%22", '"')
        if text in names and not _FILE.search(head):
            found[text] = _short(value).decode("utf-8", "replace")
    return found


def _short(value: bytes) -> bytes:
    if len(value) > LONGEST_VALUE:
        raise Odd("value too long")
    return value
