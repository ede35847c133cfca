"""The call to Ometria for one mail: recipient, sender, template, data, files. Values in, values out."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.mail.data import template_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.mail.letter import Attachment, Mailbox
    from bridge.mail.material import Material
    from bridge.settings import Settings, Store

FILES_MOST = 10
FILES_BYTES = 10_000_000
TYPES = {"application/pdf": "application/pdf", "image/png": "image/png", "image/jpeg": "image/jpeg"}
TYPES |= {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/x-pdf": "application/pdf"}
BY_NAME = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg"}
NAME_MOST = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_encoder = msgspec.json.Encoder(decimal_format="number")


class Native(msgspec.Struct, frozen=True):
    """What the shop's own mail gives to the call: its From, Reply-To, subject and files; empty where there is none."""

    sender_name: str = ""
    sender_email: str = ""
    reply_to: str = ""
    subject: str = ""
    files: tuple[Any, ...] = ()


def native_of(sender: Mailbox, reply_to: Mailbox, subject: str, files: Sequence[Attachment]) -> Native:
    """Return what a letter gives to the call."""
    return Native(sender.name, sender.email, reply_to.email, subject, tuple(files))


def compose(material: Material, view: Store, values: Settings, native: Native, *, sandbox: bool) -> dict[str, Any]:
    """Return the call's body."""
    kind = material.wanted.kind
    data = template_data(material, view, values)
    body: dict[str, Any] = {
        "to": _box(material.wanted.recipient, str(data["contact"].get("name") or "")),
        "template_id": int(values[f"mail.{kind}.template_id"]),
        "data": data,
        "transactional": True,
        "sandbox": sandbox,
    }
    sender = values[f"mail.{kind}.sender_email"] or native.sender_email
    if sender:
        body["from"] = _box(sender, values[f"mail.{kind}.sender_name"] or native.sender_name)
    if reply_to := values[f"mail.{kind}.reply_to"] or native.reply_to:
        body["reply_to"] = _box(reply_to, "")
    if values["mail.send_subject"] and native.subject:
        body["subject"] = _clean(native.subject)
    if values["mail.attachments"] and native.files:
        body["attachments"] = [_file(one) for one in native.files]
    return body


def encoded(body: dict[str, Any]) -> bytes:
    """Return the body as it travels; amounts are JSON numbers with the digits that the shop gave."""
    return _encoder.encode(body)


def why_not_passed(files: Sequence[Attachment]) -> str:
    """Return why these files cannot go with a call, since one bad file fails the whole; empty when they can."""
    if len(files) > FILES_MOST:
        return f"more than {FILES_MOST} files are attached"
    if sum(len(one.data) for one in files) > FILES_BYTES:
        return "the attached files are larger than 10 MB"
    names = [_name(one) for one in files]
    if not all(names) or len({name.casefold() for name in names}) < len(names):
        return "attached files have no names, or the same"
    if not all(_type(one) for one in files):
        return "a file is attached that is no PDF, PNG or JPEG"
    return ""


def _file(one: Attachment) -> dict[str, str]:
    return {"name": _name(one), "type": _type(one), "data": base64.b64encode(one.data).decode("ascii")}


def _name(one: Attachment) -> str:
    return _clean(one.name.replace("\\", "/").rpartition("/")[2])[:NAME_MOST]


def _type(one: Attachment) -> str:
    """Return the type as Ometria names it, by the name where the mail says only that it is a file."""
    if one.type == "application/octet-stream":
        return BY_NAME.get(one.name.rpartition(".")[2].lower(), "")
    return TYPES.get(one.type, "")


def _box(email: str, name: str) -> dict[str, str]:
    shown = _clean(name)
    return {"email": email, "name": shown} if shown else {"email": email}


def _clean(text: str) -> str:
    """Return a text as one line: a name must not bring a header of its own along."""
    return _CONTROL.sub(" ", text).strip()
