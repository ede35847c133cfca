"""The beginning of an HTML document, read by the states of the HTML standard's tokenizer (section 13.2.5), slowly.

It says where a browser opens the head: behind `<head ...>`, or before the token that makes it open one by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from fuzz.messages import UnfinishedError

BLANKS: Final = frozenset(b"\t\n\f\r ")
LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
TAG_LIMIT: Final = 8 * 1024
PROLOGUE_LIMIT: Final = 64 * 1024
AMP: Final = frozenset(mark + kind for mark in (b"amp", "⚡".encode()) for kind in (b"", b"4ads", b"4email"))


class LimitError(Exception):
    """A tag that is too long to be waited for."""


@dataclass(slots=True)
class Tag:
    """A start tag: its attributes' names in lower case, the offset behind it."""

    end: int = 0
    attributes: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Place:
    """Where the head opens; `at` is -1 where the bytes are no document, or none that is to be changed."""

    at: int
    why: str


def find(data: bytes) -> Place:
    """Find the place. `why` is "amp", "limit", "no document", "unfinished", or what shows the place."""
    try:
        place = _find(data)
    except UnfinishedError:
        return Place(-1, "unfinished")
    except LimitError:
        return Place(-1, "limit")
    return place if place.at <= PROLOGUE_LIMIT else Place(-1, "limit")


def _find(data: bytes) -> Place:
    at = 3 if data[:3] == b"\xef\xbb\xbf" else 0
    document = html = False
    while True:
        while at < len(data) and data[at] in BLANKS:
            at += 1
        token = _token(data, at)
        if isinstance(token, int):
            document = document or data[at : at + 9].lower() == b"<!doctype"
            at = token
        elif token == b"head" or (token == b"html" and not html):
            tag = _tag(data, at + 1 + len(token), at)
            if token == b"head":
                return Place(tag.end, "head")
            if AMP.intersection(tag.attributes):
                return Place(-1, "amp")
            document = html = True
            at = tag.end
        elif token in {b"body", b"frameset"}:
            return Place(at, "body")
        else:
            return Place(at if document else -1, "other" if document else "no document")


def _token(data: bytes, at: int) -> int | bytes:
    """Return the end of a comment or doctype, the name of a start tag, or nothing for anything else."""
    if _at(data, at) != ord("<"):
        return b""
    following = _at(data, at + 1)
    if following == ord("!"):
        if _is(data, at + 2, b"--"):
            return _comment(data, at + 4)
        return _closed(data, at + 2)
    if following == ord("?"):
        return _closed(data, at + 1)
    return _name(data, at + 1) if following in LETTERS else b""


def _name(data: bytes, at: int) -> bytes:
    """Return the name of a tag; one that is cut short counts where no more bytes could make it one that matters."""
    end = at
    while end < len(data) and data[end] not in BLANKS and data[end] not in b"/>":
        end += 1
    name = data[at:end].lower()
    if end == len(data) and any(known.startswith(name) for known in (b"html", b"head", b"body", b"frameset")):
        raise UnfinishedError
    return name


def _at(data: bytes, at: int) -> int:
    if at >= len(data):
        raise UnfinishedError
    return data[at]


def _is(data: bytes, at: int, word: bytes) -> bool:
    """Say whether a word follows; raises where the bytes end in the middle of it."""
    return all(_at(data, at + offset) == byte for offset, byte in enumerate(word))


def _closed(data: bytes, at: int) -> int:
    """Doctypes and bogus comments end at the first `>`, in quotes too."""
    while _at(data, at) != ord(">"):
        at += 1
    return at + 1


def _comment(data: bytes, at: int) -> int:
    state = "start"
    while True:
        byte = _at(data, at)
        at += 1
        if byte == ord(">") and state in {"start", "start dash", "end", "end bang"}:
            return at
        if byte == ord("-"):
            state = {"start": "start dash", "start dash": "end", "end dash": "end", "end": "end"}.get(state, "end dash")
        elif byte == ord("!") and state == "end":
            state = "end bang"
        else:
            state = "comment"


def _tag(data: bytes, at: int, start: int) -> Tag:
    """Read a tag from the end of its name on; it began at `start`."""
    tag = Tag()
    while True:  # before an attribute's name
        while _at(data, at) in BLANKS or data[at] == ord("/"):
            at += 1
        if data[at] == ord(">"):
            if at + 1 - start > TAG_LIMIT:
                raise LimitError
            tag.end = at + 1
            return tag
        at = _attribute(data, at, tag)


def _attribute(data: bytes, at: int, tag: Tag) -> int:
    start = at
    at += 1  # the first may be `=`
    while _at(data, at) not in BLANKS and data[at] not in b"/>=":
        at += 1
    tag.attributes.append(data[start:at].lower())
    while _at(data, at) in BLANKS:
        at += 1
    if data[at] != ord("="):
        return at
    at += 1
    while _at(data, at) in BLANKS:
        at += 1
    if data[at] in b"\"'":
        quote = data[at]
        at += 1
        while _at(data, at) != quote:
            at += 1
        return at + 1
    while _at(data, at) not in BLANKS and data[at] != ord(">"):
        at += 1
    return at
