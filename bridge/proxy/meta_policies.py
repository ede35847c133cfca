"""Policies in `<meta http-equiv="Content-Security-Policy">`: opened for the tag like those in fields.

Off unless `BRIDGE_EDIT_META_POLICIES` is on, because the start of the page then waits for the end of its `<head>`, at
most for 64 KB of it: a policy may name the nonce that the tag, which stands before it, has to carry.

The head is read as a browser's tokenizer reads it: comments, scripts, styles, titles and templates are passed over.
Reading goes on from where it stopped, so that a page may come in pieces cut anywhere.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from bridge.proxy.csp import edit_policies, with_nonce
from bridge.proxy.splice import ATTRIBUTE_VALUE, REST_OF_TAG, TAG_LIMIT, Splicer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.proxy.counters import Note
    from bridge.proxy.exchange import Buffer

HEAD_PART_LIMIT: Final = 64 * 1024
"""How much of a page, counted from the tag's place, is read for policies."""
_LONGEST: Final = len(b"<noscript>") + 1
_FIELD: Final = b"content-security-policy"

_PART = re.compile(
    rb"<(?:(?P<comment>!--)|(?P<raw>script|style|title|noscript|noframes|template)(?=[\t\n\f\r />])"
    rb"|(?P<meta>meta)(?=[\t\n\f\r />])|(?P<end>/head|body|frameset)(?=[\t\n\f\r />])|(?P<tag>[a-z/!?]))",
    re.IGNORECASE,
)
_OPENING = re.compile(rb"<[a-z]++" + REST_OF_TAG, re.IGNORECASE)
_OTHER = re.compile(rb"[^>]*+>")
_ENDS: Final = {
    name: re.compile(rb"</" + name + rb"(?=[\t\n\f\r />])", re.IGNORECASE)
    for name in (b"script", b"style", b"title", b"noscript", b"noframes", b"template")
}
_COMMENT_END = re.compile(rb"-->|--!>")


class PolicySplicer(Splicer):
    """Puts the tag into a document and opens the policies of its head for it.

    Behaves as Splicer does; nothing is given out until the head was read. `grown` is by how much the page grew.
    """

    __slots__ = ("_before", "_head", "_inner", "_noted", "_reader", "_sources")

    def __init__(self, markup: bytes, sources: Mapping[str, tuple[bytes, ...]], noted: Callable[[Note], None]) -> None:
        super().__init__(markup)
        self._sources = sources
        self._noted = noted
        self._inner = Splicer(b"")
        self._before: list[Buffer] = []
        self._head = bytearray()
        self._reader = _HeadReader()

    def feed(self, data: Buffer) -> list[Buffer]:
        """Take a piece of the document and give out what is ready."""
        if self.decided:
            return [data]
        if self._inner.decided:
            self._head += data
        else:
            pieces = self._inner.feed(data)
            if not pieces:
                return []
            if not self._inner.placed:
                self.decided, self.reason = True, self._inner.reason
                return pieces
            *self._before, _, rest = pieces
            self._head += rest
        return self._settled() if self._reader.read(self._head) else []

    def finish(self) -> list[Buffer]:
        """Give out what was held when the document ended before its head did."""
        if self.decided:
            return []
        if self._inner.decided:
            return self._settled()
        self.decided = True
        return self._inner.finish()

    def _settled(self) -> list[Buffer]:
        head = bytes(self._head)
        self._head.clear()
        self.decided = self.placed = True
        self.markup, pieces = self._edited(head)
        self.grown = len(self.markup) + sum(map(len, pieces)) - len(head)
        return [*self._before, self.markup, *pieces]

    def _edited(self, head: bytes) -> tuple[bytes, list[Buffer]]:
        """Return the tag, with the nonce that the policies ask for if any, and the head with its policies opened."""
        found = [_policy(head[start:end]) for start, end in self._reader.metas]
        spans = [
            (start + at, start + to, value)
            for (start, _), policy in zip(self._reader.metas, found, strict=True)
            if policy is not None
            for at, to, value in [policy]
        ]
        if not spans:
            return self.markup, [head]
        edited, nonce, notes = edit_policies([(_FIELD, value) for _, _, value in spans], self._sources)
        for note in notes:
            self._noted(note)
        pieces: list[Buffer] = []
        done = 0
        for (start, end, value), (_, now) in zip(spans, edited, strict=True):
            if now != value:
                pieces += [head[done:start], b'"%b"' % html.escape(now.decode("ascii")).encode("ascii")]
                done = end
        pieces.append(head[done:])
        markup = self.markup
        if nonce is not None and not markup.startswith(b"<script nonce="):
            markup = with_nonce(markup, nonce)
        return markup, pieces


def _policy(tag: bytes) -> tuple[int, int, bytes] | None:
    """Return where the value of `content` stands in a meta element, and the policy it holds; None where it has none."""
    values: dict[bytes, tuple[int, int, bytes]] = {}
    for match in ATTRIBUTE_VALUE.finditer(tag, len(b"<meta")):
        if match[2] is None:
            continue
        text = match[2][1:-1] if match[2][:1] in {b'"', b"'"} else match[2]
        if not text.isascii():
            continue
        value = html.unescape(text.decode("ascii"))
        if value.isascii():
            values.setdefault(match[1].lower(), (match.start(2), match.end(2), value.encode("ascii")))
    kind = values.get(b"http-equiv")
    return values.get(b"content") if kind is not None and kind[2].strip().lower() == _FIELD else None


class _HeadReader:
    """Finds the meta elements of a head that grows at its end. `metas` are their places."""

    def __init__(self) -> None:
        self.metas: list[tuple[int, int]] = []
        self._at = 0
        self._scan = 0  # how far the end of the token at _at was looked for
        self._end: re.Pattern[bytes] | None = None  # what ends the element or comment that is passed over

    def read(self, data: bytearray) -> bool:
        """Read on; say whether the head is at its end, or longer than what is read of it."""
        while self._token(data):
            pass
        return self._at < 0 or len(data) >= HEAD_PART_LIMIT

    def _token(self, data: bytearray) -> bool:  # noqa: PLR0911 - one return for each kind of token
        """Read one token; say whether there may be another in what has come."""
        if self._end is not None:
            return self._pass_over(data, self._end)
        at = self._at = data.find(b"<", self._at)
        if at < 0 or at >= HEAD_PART_LIMIT:
            self._at = len(data) if at < 0 and len(data) < HEAD_PART_LIMIT else -1
            return False
        if len(data) - at < _LONGEST:
            return False
        kind = _PART.match(data, at)
        if kind is None:
            self._at += 1
            return True
        name = kind.lastgroup
        if name == "end":
            self._at = -1
            return False
        if name == "comment":
            self._end, self._scan = _COMMENT_END, at + 2
            return True
        return self._tag(data, name, kind)

    def _tag(self, data: bytearray, name: str | None, kind: re.Match[bytes]) -> bool:
        whole = (_OPENING.match(data, self._at) if data[self._at + 1] not in b"/!?" else None) or (
            _OTHER.match(data, self._at) if name == "tag" else None
        )
        if whole is None:
            if len(data) - self._at > TAG_LIMIT:
                self._at = -1
            return False
        if name == "meta":
            self.metas.append(whole.span())
        elif name == "raw":
            self._end, self._scan = _ENDS[kind["raw"].lower()], whole.end()
        self._at = whole.end()
        return True

    def _pass_over(self, data: bytearray, ending: re.Pattern[bytes]) -> bool:
        end = ending.search(data, self._scan)
        if end is None:
            self._scan = max(self._scan, len(data) - _LONGEST - 2)
            return False
        self._at, self._end = end.end(), None
        return True
