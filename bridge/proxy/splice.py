"""Where the tag goes: right after `<head ...>`, or where a browser would open the head.

The place is found by reading the start of a document as a browser's tokenizer reads it: byte order mark, white space,
comments, doctype, `<html ...>`, `<head ...>`. There is no search: what does not begin as a document passes unchanged.
Reading goes on from where it stopped, so that a document may come in pieces cut anywhere, at a cost linear in its
bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bridge.proxy.counters import Reason
    from bridge.proxy.exchange import Buffer

PROLOGUE_LIMIT: Final = 64 * 1024
TAG_LIMIT: Final = 8 * 1024

# Results of reading besides an offset.
_MORE: Final = -1
_NEVER: Final = -2
_NEXT: Final = -3

_BLANK = rb"[\t\n\f\r ]"
_NAME = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
_VALUE = rb"(?:\"[^\"]*+\"|'[^']*+'|[^\t\n\f\r \"'>][^\t\n\f\r >]*+|(?=>))"
_ASSIGNED = rb"(?:" + _BLANK + rb"*+=" + _BLANK + rb"*+" + _VALUE + rb"|(?!" + _BLANK + rb"*+=))"
REST_OF_TAG: Final = rb"(?:(?=[\t\n\f\r /])(?:[\t\n\f\r /]++|" + _NAME + _ASSIGNED + rb")*+)?+>"

_TAG = re.compile(rb"<(?:html|head)" + REST_OF_TAG, re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"(" + _NAME + rb")" + _ASSIGNED)
ATTRIBUTE_VALUE: Final = re.compile(rb"(" + _NAME + rb")(?:" + _BLANK + rb"*+=" + _BLANK + rb"*+(" + _VALUE + rb"))?")
"""An attribute's name and, where it is assigned one, its value as written."""
_USUAL = re.compile(
    (rb"(?:\xef\xbb\xbf)?_*+<!doctype[^>]*+>_*+(<html" + REST_OF_TAG + rb")_*+<head").replace(b"_", _BLANK)
    + REST_OF_TAG,
    re.IGNORECASE,
)
_BLANKS = re.compile(_BLANK + rb"*+")
_COMMENT_END = re.compile(rb"-->|--!>")
_CLOSE = re.compile(rb">")
_KIND = re.compile(
    rb"(?P<comment><!--)|(?P<doctype><!doctype)|(?P<bogus><[!?])"
    rb"|(?P<html><html(?=[\t\n\f\r />]))|(?P<head><head(?=[\t\n\f\r />]))"
    rb"|(?P<body><(?:body|frameset)(?=[\t\n\f\r />]))",
    re.IGNORECASE,
)
_OPENINGS: Final = (b"<!--", b"<!doctype", b"<html", b"<head", b"<body", b"<frameset")
_LONGEST: Final = max(map(len, _OPENINGS))
_BOM: Final = b"\xef\xbb\xbf"
# AMP documents are marked by a name or by the lightning sign.
_AMP: Final = frozenset(mark + kind for mark in (b"amp", b"\xe2\x9a\xa1") for kind in (b"", b"4ads", b"4email"))


def usual_place(data: Buffer, at: int) -> int:
    """Return the place in the document that begins at data[at:], if it begins as nearly all do; -1 where it may not.

    What gives -1 is read again by a Splicer.
    """
    usual = _USUAL.match(data, at)
    if usual is None:
        return -1
    place = usual.end()
    if place - at > TAG_LIMIT or _may_be_amp(bytes(usual[1])):
        return -1
    return place


@lru_cache(maxsize=256)
def _may_be_amp(tag: bytes) -> bool:
    lower = tag.lower()
    return any(mark in lower for mark in (b"amp", b"\xe2\x9a\xa1"))


class Splicer:
    """Puts `markup` into one document that comes in pieces.

    Nothing is given out until the place is `decided`; then `placed` says whether there is one, and if not `reason` why.
    `grown` is by how many bytes the document then grew.
    """

    __slots__ = ("_at", "_document", "_held", "_html", "_scan", "decided", "grown", "markup", "placed", "reason")

    def __init__(self, markup: bytes) -> None:
        self.markup = markup
        self.grown = len(markup)
        self.decided = False
        self.placed = False
        self.reason: Reason = "grammar"
        self._held = bytearray()
        self._at = 0  # start of the token being read
        self._scan = 0  # how far the end of that token was looked for
        self._document = False  # a doctype or `<html>` was seen
        self._html = False

    def feed(self, data: Buffer) -> list[Buffer]:
        """Take a piece of the document and give out what is ready."""
        if self.decided:
            return [data]
        if self._held:
            self._held += data
            place = self._read(self._held)
        else:
            place = self._usual(data)
        if place == _MORE:
            if not self._held:
                self._held += data
            return []
        self.decided = True
        whole: Buffer = data
        if self._held:
            whole = bytes(self._held)
            self._held.clear()
        if place < 0:
            return [whole]
        self.placed = True
        view = memoryview(whole)
        return [view[:place], self.markup, view[place:]]

    def finish(self) -> list[Buffer]:
        """Give out what was held when the document ended before its place was found."""
        if self.decided:
            return []
        self.decided = True
        return [bytes(self._held)] if self._held else []

    def _usual(self, data: Buffer) -> int:
        """Read the first piece. Nearly every page begins as one expression says, which costs a third of the loop."""
        place = usual_place(data, 0)
        return self._read(data) if place < 0 else place

    def _read(self, data: Buffer) -> int:
        """Read tokens from where the last call stopped; give the place, _MORE or _NEVER."""
        if self._at == 0:
            start = bytes(data[:3])
            if len(start) < 3 and _BOM.startswith(start):
                return _MORE
            if start == _BOM:
                self._at = 3
        result = _NEXT
        while result == _NEXT:
            blanks = _BLANKS.match(data, self._at)
            self._at = blanks.end() if blanks else self._at
            result = self._token(data)
        if result > PROLOGUE_LIMIT or (result == _MORE and len(data) >= PROLOGUE_LIMIT + TAG_LIMIT):
            return _NEVER
        return result

    def _token(self, data: Buffer) -> int:  # noqa: PLR0911 - one return for each kind of token
        """Read the token at self._at; give the place, or _NEXT with self._at moved behind it, or _MORE, or _NEVER."""
        at = self._at
        kind = _KIND.match(data, at)
        name = kind.lastgroup if kind else None
        if name in {None, "bogus"} and self._may_become(data):
            return _MORE
        if name == "html" and not self._html:
            return self._tag(data)
        if name == "head":
            return self._tag(data)
        if name in {None, "html"}:
            return at if self._document else _NEVER
        if name == "body":
            return at
        end = self._comment_end(data) if name == "comment" else self._close(data)
        if end < 0:
            return _MORE
        self._document |= name == "doctype"
        self._at, self._scan = end, 0
        return _NEXT

    def _may_become(self, data: Buffer) -> bool:
        """Say whether what is left may be the beginning of a token that _KIND knows."""
        left = bytes(data[self._at : self._at + _LONGEST + 1]).lower()
        return any(len(left) <= len(opening) and opening.startswith(left) for opening in _OPENINGS)

    def _tag(self, data: Buffer) -> int:
        tag = _TAG.match(data, self._at)
        if tag is None:
            return _MORE if len(data) - self._at <= TAG_LIMIT else _NEVER
        if tag.end() - self._at > TAG_LIMIT:
            return _NEVER
        if data[self._at + 2] in b"eE":
            return tag.end()
        if self._is_amp(tag[0]):
            return _NEVER
        self._document = self._html = True
        self._at = tag.end()
        return _NEXT

    def _is_amp(self, tag: Buffer) -> bool:
        if len(tag) == len(b"<html>"):
            return False
        names = _ATTRIBUTE.findall(tag, len(b"<html"))
        if any(name.lower() in _AMP for name in names):
            self.reason = "amp"
            return True
        return False

    def _comment_end(self, data: Buffer) -> int:
        """Find the end of the comment at self._at. `<!-->` and `<!--->` are whole, `--!>` ends one that has content."""
        start = max(self._scan, self._at + 2)
        while True:
            end = _COMMENT_END.search(data, start)
            if end is None:
                self._scan = max(start, len(data) - 3)
                return _MORE
            if end.end() - end.start() == 3 or end.start() >= self._at + 4:
                return end.end()
            start = end.start() + 1

    def _close(self, data: Buffer) -> int:
        end = _CLOSE.search(data, max(self._scan, self._at + 2))
        if end is None:
            self._scan = len(data)
            return _MORE
        return end.end()
