"""A mail as it came, decoded: headers, bodies, attachments. Whatever is odd about it, reading it never fails.

Real shops send one HTML part in quoted-printable with encoded words in the headers; extensions send everything else:
nested parts, base64, other character sets, raw eight-bit headers.
"""

from __future__ import annotations

import binascii
import html as markup
import re
import unicodedata
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

import idna

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

PARTS_MOST = 200
BODY_MOST = 1_000_000
"""Characters of a body that are read; a longer one counts as no body, and is relayed."""
RAW_MOST = 40_000_000
ADDRESSES_MOST = 50
ODD = (
    MessageError,
    HeaderParseError,
    ValueError,
    LookupError,
    RecursionError,
    TypeError,
    AttributeError,
    AssertionError,
)
"""What Python's reader may raise for mail that is none."""

_SPACE = re.compile(r"\s+")


class Received(Protocol):
    """What the relay knows of a mail beside its bytes."""

    @property
    def received_at(self) -> float:
        """When it was accepted, in Unix seconds."""

    @property
    def store_hint(self) -> str:
        """The store view of the SMTP user, empty where none is named."""


@dataclass(frozen=True, slots=True, repr=False)
class Attachment:
    """A file of a mail, decoded."""

    name: str
    type: str
    data: bytes


UNKNOWN_FILE = Attachment("", "application/octet-stream", b"")
"""Stands for the parts of a mail that has too many to look at."""


@dataclass(frozen=True, slots=True, repr=False)
class Mailbox:
    """A name, empty where none is given, and an address."""

    name: str
    email: str


NOBODY = Mailbox("", "")


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """A decoded mail. ``html`` and ``text`` are empty where there is no such body; texts are Unicode without NUL.

    ``date`` is the Date header in Unix seconds, None without one that can be read.
    """

    subject: str = ""
    sender: Mailbox = NOBODY
    reply_to: Mailbox = NOBODY
    to: tuple[Mailbox, ...] = ()
    date: float | None = None
    html: str = ""
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    received_at: float = 0.0
    store_hint: str = ""

    @classmethod
    def parse(cls, raw: bytes, envelope: Received | None = None) -> Letter:
        """Return what the bytes say; of bytes that are no mail, an empty letter."""
        received_at = envelope.received_at if envelope is not None else 0.0
        hint = envelope.store_hint if envelope is not None else ""
        try:
            message = BytesParser(policy=compat32).parsebytes(raw[:RAW_MOST])
        except ODD:
            return cls(received_at=received_at, store_hint=hint)
        bodies = _Bodies(message)
        return cls(
            subject=_shown(next(iter(_raw(message, "Subject")), "")),
            sender=next(iter(_mailboxes(message, "From")), NOBODY),
            reply_to=next(iter(_mailboxes(message, "Reply-To")), NOBODY),
            to=_mailboxes(message, "To"),
            date=_date(message),
            html=bodies.joined("text/html"),
            text=bodies.joined("text/plain"),
            attachments=tuple(bodies.attachments),
            received_at=received_at,
            store_hint=hint,
        )

    def is_to(self, recipient: str) -> bool:
        """Return whether an envelope's recipient is one that the letter itself is addressed to."""
        return any(same_address(box.email, recipient) for box in self.to)


def address_key(email: str) -> str:
    """Return an address in the form in which two of them are compared: small letters, the domain as IDNA.

    Of other scripts no letter is taken for another one: ``straße`` is not ``strasse``, and the Kelvin sign is no ``k``,
    or a stranger's mailbox would be the customer's.
    """
    if email.isascii():
        return email.strip().lower()
    local, at, domain = _composed(email.strip()).rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return email.strip()
    return f"{_small(local)}{at}{domain.lower()}"


def _composed(text: str) -> str:
    """Return a text in NFC, unless that would make an ASCII letter of another sign."""
    signs = (sign for sign in text if not sign.isascii())
    return text if any(unicodedata.normalize("NFC", sign).isascii() for sign in signs) else _nfc(text)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _small(text: str) -> str:
    """Return a text with its ASCII letters small, and no others changed."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def same_address(one: str, other: str) -> bool:
    """Return whether two addresses are one mailbox; an empty one is nobody's."""
    return bool(one) and address_key(one) == address_key(other)


def header(message: Message, name: str) -> str:
    """Return a header decoded and on one line; empty where it is not there."""
    return _decoded(next(iter(_raw(message, name)), ""))


def _raw(message: Message, name: str) -> list[str]:
    """Return the fields of a name as they came; eight-bit ones as UTF-8, and else as Latin-1."""
    found = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    return [value if value.isascii() else in_charset(value.encode("utf-8", "surrogateescape"), None) for value in found]


def _decoded(raw: str) -> str:
    try:
        parts = decode_header(raw)
    except (HeaderParseError, binascii.Error, ValueError, LookupError):
        return _one_line(raw)
    return _one_line("".join(part if isinstance(part, str) else in_charset(part, charset) for part, charset in parts))


def _shown(raw: str) -> str:
    """Return a field that people read, decoded; of entities that a template has left in it what they stand for."""
    return _one_line(markup.unescape(_decoded(raw)))


def _one_line(text: str) -> str:
    clean = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8", "replace")
    return _SPACE.sub(" ", _nfc(clean)).strip()


def in_charset(data: bytes, charset: str | None) -> str:
    """Return text; of a character set that is unknown or wrong as UTF-8, and of what is none as Latin-1."""
    for name in (charset, "utf-8"):
        if name:
            try:
                # Some character sets decode to halves of characters, which no database and no hash takes.
                return data.decode(name).encode("utf-8", "replace").decode("utf-8")
            except (LookupError, ValueError):
                continue
    return data.decode("latin-1")


def _mailboxes(message: Message, name: str) -> tuple[Mailbox, ...]:
    # Addresses are parted before names are decoded: a decoded name may hold commas and angle brackets.
    try:
        found = getaddresses(_raw(message, name))
    except ODD:
        return ()
    return tuple(
        Mailbox(_shown(shown), _one_line(_decoded(email))) for shown, email in found[:ADDRESSES_MOST] if "@" in email
    )


def _date(message: Message) -> float | None:
    try:
        return parsedate_to_datetime(header(message, "Date")).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


class _Bodies:
    """The parts of a message, at most :data:`PARTS_MOST` of them."""

    def __init__(self, message: Message) -> None:
        self.attachments: list[Attachment] = []
        self._texts: dict[str, list[str]] = {"text/html": [], "text/plain": []}
        try:
            for number, part in enumerate(_leaves(message)):
                if number >= PARTS_MOST:
                    self.attachments.append(UNKNOWN_FILE)
                    break
                self._take(part)
        except ODD:
            self.attachments.clear()
            self._texts = {"text/html": [], "text/plain": []}

    def _take(self, part: Message) -> None:
        kind = part.get_content_type()
        if part.get_content_maintype() == "message":
            self.attachments.append(Attachment(_decoded(part.get_filename() or ""), kind, b""))
            return
        payload: Any = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        name = _decoded(part.get_filename() or "")
        if kind in self._texts and not name and part.get_content_disposition() != "attachment":
            self._texts[kind].append(in_charset(data, part.get_content_charset()).replace("\0", ""))
        elif name or not _is_of_the_design(part):
            self.attachments.append(Attachment(name, kind, data))

    def joined(self, kind: str) -> str:
        """Return the bodies of a kind, one below the other."""
        text = "\n".join(self._texts[kind])
        return text if len(text) <= BODY_MOST else ""


def _is_of_the_design(part: Message) -> bool:
    """Return whether a part is a picture that the body shows by its id: it goes where the body goes."""
    is_shown = part.get("Content-ID") is not None and part.get_content_disposition() != "attachment"
    return part.get_content_maintype() == "image" and is_shown


def _leaves(message: Message) -> Iterator[Message]:
    """Yield the parts that hold no others; a mail that is attached to a mail is one, and is not looked into."""
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting[:0] = [one for one in part.get_payload() if not isinstance(one, str)]
        else:
            yield part
