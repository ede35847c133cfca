"""What Ometria checks before it accepts a call: the limits on the request itself.

Facts: a push is a JSON array of at most 100 records of one type, each at most 60 kB, taken as 60,000 bytes of UTF-8 as
sent; a transactional mail has a recipient, a template or content, and at most 10 attachments of 10 MB in all.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Final, NoReturn

MOST_RECORDS: Final = 100
MOST_RECORD_BYTES: Final = 60_000
MOST_ATTACHMENTS: Final = 10
MOST_ATTACHMENT_BYTES: Final = 10_000_000
RECORD_TYPES: Final = ("contact", "product", "order", "custom_event")
ATTACHMENT_TYPES: Final = ("application/pdf", "image/png", "image/jpeg")

_SPACE = re.compile(r"[ \t\r\n]*")


class PayloadInvalid(Exception):
    """The request as a whole is refused; its text is the sentence for the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Payload invalid: {reason}")


def read_push(body: bytes) -> list[dict[str, Any]]:
    """Give the records of a push, or raise PayloadInvalid."""
    records: list[dict[str, Any]] = []
    for size, record in _sized_elements(_utf8(body)):
        if not isinstance(record, dict):
            raise PayloadInvalid("Record is not an object.")
        if size > MOST_RECORD_BYTES:
            raise PayloadInvalid("Record is too large.")
        if len(records) == MOST_RECORDS:
            raise PayloadInvalid(f"More than {MOST_RECORDS} records.")
        records.append(record)
    if not records:
        raise PayloadInvalid("No records.")
    _one_type(records)
    return records


def read_mail(body: bytes) -> dict[str, Any]:
    """Give the mail of a transactional call, or raise PayloadInvalid."""
    try:
        mail = json.loads(_utf8(body), parse_constant=_no_constant)
    except ValueError:
        raise PayloadInvalid("Not valid JSON.") from None
    if not isinstance(mail, dict):
        raise PayloadInvalid("Mail is not an object.")
    for name in ("to", "from", "reply_to"):
        if (name == "to" or name in mail) and not _is_address(mail.get(name)):
            raise PayloadInvalid(f"{name} needs an email.")
    template = mail.get("template_id")
    if template is not None and type(template) is not int:
        raise PayloadInvalid("template_id is not an integer.")
    content = mail.get("content")
    if template is None and not (isinstance(content, dict) and (content.get("html") or content.get("text"))):
        raise PayloadInvalid("Neither template_id nor content.")
    if not isinstance(mail.get("data", {}), dict):
        raise PayloadInvalid("data is not an object.")
    for name in ("sandbox", "transactional"):
        if not isinstance(mail.get(name, False), bool):
            raise PayloadInvalid(f"{name} is not a boolean.")
    _check_attachments(mail.get("attachments", []))
    return mail


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise PayloadInvalid("Not UTF-8.") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _sized_elements(text: str) -> list[tuple[int, Any]]:
    """Elements of a JSON array with their size in bytes as sent: the size is why json.loads alone does not do."""

    def skip(at: int) -> int:
        found = _SPACE.match(text, at)
        return found.end() if found else at

    at = skip(0)
    if text[at : at + 1] != "[":
        _refuse_non_array(text)
    elements: list[tuple[int, Any]] = []
    at = skip(at + 1)
    if text[at : at + 1] == "]" and skip(at + 1) == len(text):
        return elements
    while True:
        try:
            element, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise PayloadInvalid("Not valid JSON.") from None
        elements.append((len(text[at:end].encode()), element))
        at = skip(end)
        mark, at = text[at : at + 1], skip(at + 1)
        if mark == "]" and at == len(text):
            return elements
        if mark != ",":
            raise PayloadInvalid("Not valid JSON.")


def _refuse_non_array(text: str) -> NoReturn:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise PayloadInvalid("Not valid JSON.") from None
    raise PayloadInvalid("Not an array of records.")


def _one_type(records: list[dict[str, Any]]) -> None:
    types = {record.get("@type") if isinstance(record.get("@type"), str) else None for record in records}
    if not types.issubset(RECORD_TYPES):
        raise PayloadInvalid("Record without a known @type.")
    if len(types) > 1:
        raise PayloadInvalid("Records of more than one @type.")


def _is_address(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("email"), str) and "@" in value["email"]


def _check_attachments(attachments: Any) -> None:
    if not isinstance(attachments, list) or len(attachments) > MOST_ATTACHMENTS:
        raise PayloadInvalid(f"attachments is not a list of at most {MOST_ATTACHMENTS} files.")
    names: set[str] = set()
    total = 0
    for attachment in attachments:
        if not isinstance(attachment, dict) or not isinstance(attachment.get("name"), str):
            raise PayloadInvalid("Attachment without a name.")
        if attachment["name"] in names:
            raise PayloadInvalid("Two attachments of one name.")
        if attachment.get("type") not in ATTACHMENT_TYPES:
            raise PayloadInvalid("Attachment type is not supported.")
        try:
            total += len(base64.b64decode(attachment.get("data", ""), validate=True))
        except (binascii.Error, TypeError, ValueError):
            raise PayloadInvalid("Attachment data is not base64.") from None
        names.add(attachment["name"])
    if total > MOST_ATTACHMENT_BYTES:
        raise PayloadInvalid("Attachments are too large.")
