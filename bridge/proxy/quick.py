"""The short way of an answer: its first bytes at hand, its head of a known shape, its length told. No sockets.

Most answers are like that, and all that happens to them follows from the shape and from where the tag goes. Whatever
is not so simple goes the long way (core.Core.answer), and both give the visitor the same bytes.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from bridge.proxy.coding import CodingError, TooLargeError, rewrite
from bridge.proxy.csp import POLICY_FIELDS, edit_policies
from bridge.proxy.forwarding import HOP_BY_HOP
from bridge.proxy.references import REFERENCE_FIELDS
from bridge.proxy.rules import HEAD_LIMIT, PAGE_LIMIT, PAGE_METHODS, coding_of, head_reason, is_html, varies_by_coding
from bridge.proxy.splice import Splicer, usual_place
from bridge.proxy.validators import STALE_FIELDS, marked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.proxy.coding import MemoKey
    from bridge.proxy.core import Core, Visit
    from bridge.proxy.counters import Note, Reason
    from bridge.proxy.exchange import Buffer, Headers
    from bridge.proxy.heads import ShapedHead
    from bridge.proxy.options import TagSource

Short = tuple[list["Buffer"], int, bool, int]
"""What to write; how many bytes of the body are still to come, which go on as they are; whether the origin's connection
is good for another exchange after them; the status."""

CHANGED: Final = REFERENCE_FIELDS | STALE_FIELDS | {b"content-encoding", b"content-length", b"etag"}
"""Fields of a page that do not go on as they are when it gets the tag."""
_KEPT: Final = REFERENCE_FIELDS | {b"content-encoding", b"etag"}
_OTHER_HOPS: Final = HOP_BY_HOP - {b"connection"}
_PLAIN_CONNECTION: Final = (None, b"keep-alive", b"close")


class Template:
    """A head made of fixed lines and of those that vary, which are taken from the head that came."""

    __slots__ = ("_pick", "_text")

    def __init__(self, lines: list[bytes | int], last: bytes = b"") -> None:
        """Take lines as text, or as their number in the head that came; `last` may take one more value."""
        numbers = [line for line in lines if isinstance(line, int)]
        # The last line of every head is empty; so picked, there are always two values, and picking gives a tuple.
        self._pick: Callable[[list[bytes]], tuple[Any, ...]] = itemgetter(-1, -1, *numbers)
        text = [b"%b" if isinstance(line, int) else line.replace(b"%", b"%%") for line in lines]
        self._text = b"%b%b" + b"\r\n".join(text) + b"\r\n" + last + b"\r\n"

    def fill(self, lines: list[bytes], *more: int) -> bytes:
        """Return the head, blank line included."""
        return self._text % (*self._pick(lines), *more)


class Plan:
    """How the head of a page with the tag is made: `etag_at` is the number of the line to be marked, 0 for none."""

    __slots__ = ("etag_at", "head", "notes", "sources")

    def __init__(
        self, head: Template, etag_at: int, notes: tuple[Note, ...], sources: Mapping[str, tuple[bytes, ...]]
    ) -> None:
        self.head = head
        self.etag_at = etag_at
        self.notes = notes
        self.sources = sources


class Facts:
    """What a shape says about what is done with its answers."""

    __slots__ = ("gzip", "html", "passed", "plans", "reason", "refers")

    def __init__(self, head: ShapedHead) -> None:
        self.html = is_html(head.index.get(b"content-type"))
        self.reason: Reason | None = head_reason(head)
        self.gzip = coding_of(head) == b"gzip"
        self.refers = not REFERENCE_FIELDS.isdisjoint(head.shape.index)
        self.passed = _passed(head)
        self.plans: dict[tuple[bytes, bool, bool], Plan | None] = {}


def _numbered(head: ShapedHead) -> list[tuple[int, bytes, bytes, bytes | int]]:
    """Return number, lower-case name, value and text of each field; the number again for the text that varies."""
    shape = head.shape
    return [
        (at, shape.lines[at].lower, value, at if shape.lines[at].field is None else head.lines[at])
        for at, (_, value) in enumerate(head.headers, 1)
    ]


def _passed(head: ShapedHead) -> Template | None:
    """Return how the head goes on without a tag; None where that takes more than leaving the connection's line out."""
    if _is_odd(head):
        return None
    kept = [text for _, name, _, text in _numbered(head) if name != b"connection"]
    return Template([head.lines[0], *kept])


class QuickAnswers:
    """Gives answers the short way, where there is one."""

    def __init__(self, core: Core, internal: bytes) -> None:
        """Take what the exchanges share, and the origin's internal host, which may not be named to visitors."""
        self._core = core
        self._internal = internal
        self._long_pages = core.options.edit_meta_policies

    def answer(self, visit: Visit, head: ShapedHead, data: bytes, end: int) -> Short | None:
        """Answer with data[end:] as the first of the body; None where it takes the long way."""
        shape = head.shape
        method = visit.request.method
        if shape.framing != 1 or visit.killed or method == b"HEAD":
            return None
        length = head.length()
        left = length - (len(data) - end)
        if left < 0 or (left and visit.route is not None):  # what is watched goes this way whole, or not at all
            return None
        facts: Facts | None = shape.memo.get("facts")
        if facts is None:
            facts = shape.memo["facts"] = Facts(head)
        if facts.refers and self._internal in data[:end].lower():
            return None
        reason: Reason | None = "type"
        if facts.html:
            reason = visit.path_reason or ("method" if method not in PAGE_METHODS else facts.reason)
            if reason is None and length <= PAGE_LIMIT:
                return None if self._long_pages else self._page(visit, head, facts, (data, end, left))
            reason = reason if reason not in {None, "encoding"} or length <= PAGE_LIMIT else "size"
        if facts.passed is None or reason is None:
            return None
        self._core.counters.not_injected(reason)
        pieces: list[Buffer] = [facts.passed.fill(head.lines)]
        if end < len(data):
            pieces.append(memoryview(data)[end:])
        return pieces, left, shape.reusable, shape.status

    def _page(self, visit: Visit, head: ShapedHead, facts: Facts, body: tuple[bytes, int, int]) -> Short | None:
        core = self._core
        tags = core.tags
        data, end, left = body
        gzip_out = visit.gzip and (facts.gzip or visit.identity)
        if tags is None or end > HEAD_LIMIT or (gzip_out and (left or not facts.gzip)):
            return None
        markup = tags.markup(visit.request)
        plan = self._plan(head, facts, tags, gzip_out=gzip_out) if markup is not None else None
        if markup is None or plan is None or facts.gzip != gzip_out:
            return None
        lines = head.lines
        if plan.etag_at:
            name, _, value = lines[plan.etag_at].partition(b":")
            etag = marked(value, tags.etag_suffix)
            if etag is None:
                return None
            lines = [*lines]
            lines[plan.etag_at] = name + b": " + etag
        pieces: list[Buffer]
        if gzip_out:
            key = (data[end:], markup, True, True)
            made = core.memo.get(key)
            if made is not None:
                core.counters.memo(hit=True)
            elif (made := self._made(key)) is None:
                return None
            pieces = [plan.head.fill(lines, len(made)), made]
        else:
            place = usual_place(data, end)
            if place < 0:
                return None
            view = memoryview(data)
            size = len(data) - end + left + len(markup)
            pieces = [plan.head.fill(lines, size), view[end:place], markup, view[place:]]
        core.counters.injected()
        for note in plan.notes:
            core.counters.csp_noted(note)
        return pieces, left, head.shape.reusable, head.shape.status

    def _made(self, key: MemoKey) -> bytes | None:
        """Put the tag into a whole packed page that is new; None where it gets none, or takes more thought."""
        body, markup, *_ = key
        try:
            made = rewrite(body, Splicer(markup), gzip_in=True, gzip_out=True)
        except (CodingError, TooLargeError):
            return None
        if made is None:
            return None
        self._core.counters.memo(hit=False)
        self._core.memo.put(key, made)
        return made

    def _plan(self, head: ShapedHead, facts: Facts, tags: TagSource, *, gzip_out: bool) -> Plan | None:
        """Return how the head of the injected page is made; None where it takes a nonce."""
        key = (tags.etag_suffix, gzip_out, self._core.asks_identity)
        plan = facts.plans.get(key)
        if plan is None or plan.sources is not tags.csp_sources:
            plan = _made_plan(head, tags, vary=self._core.asks_identity)
            facts.plans.clear()
            facts.plans[key] = plan
        return plan


def _made_plan(head: ShapedHead, tags: TagSource, *, vary: bool) -> Plan | None:
    """Work out the head of an injected page whose coding stays as it is."""
    sources = tags.csp_sources
    policies: Headers = [field for field in head.headers if field[0].lower() in POLICY_FIELDS]
    edited, nonce, notes = edit_policies(policies, sources) if policies else (policies, None, ())
    if _is_odd(head) or nonce is not None:
        return None
    following = iter(edited)
    lines: list[bytes | int] = [head.lines[0]]
    etag_at = 0
    for at, name, _, text in _numbered(head):
        if name == b"connection" or (name in CHANGED and name not in _KEPT):
            continue
        if name in POLICY_FIELDS:
            lines.append(b"%b: %b" % next(following))
        elif name == b"etag":
            etag_at = at
            lines.append(at)
        else:
            lines.append(text)
    if vary and not varies_by_coding(head):
        lines.append(b"Vary: Accept-Encoding")
    return Plan(Template(lines, b"Content-Length: %d\r\n"), etag_at, notes, sources)


def _is_odd(head: ShapedHead) -> bool:
    """Say whether the head has what the short way does not look after: other fields of a connection, two of a kind."""
    if not _OTHER_HOPS.isdisjoint(head.shape.index) or head.index.get(b"connection") not in _PLAIN_CONNECTION:
        return True
    return any(len(head.get_all(name)) > 1 for name in (b"etag", b"connection", b"content-encoding"))
