"""What docs/proxy.md says that bridge changes, as functions: a second opinion that shares no code with the proxy.

The names of fields are read from the page's tables, so that the page is what the tests hold.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.wire.asked import Asked, Fields
from tests.wire.conftest import MARKUP, Tags

PAGE = Path(__file__).resolve().parents[2] / "docs" / "proxy.md"
MARK = b"-" + Tags.etag_suffix
REFERENCES = (b"location", b"content-location", b"refresh", b"set-cookie")
CONNECTION = (b"connection", b"transfer-encoding")  # the framing of a connection: looked at apart


@cache
def table(heading: str) -> list[list[str]]:
    """Return the rows under a heading of the page, each a list of cells; without the two rows of the head."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def names(heading: str, when: str | None = None) -> frozenset[bytes]:
    """Return the names of fields, in lower case, in the first column; `when` is what the second one says."""
    rows = [row for row in table(heading) if when is None or row[1].split(",")[0] == when]
    return frozenset(name.lower().encode() for row in rows for name in re.findall(r"`([^`]+)`", row[0]))


@dataclass(frozen=True)
class Terms:
    """How the proxy in hand stands: in front of what, behind whom; `adaptor` is "gunicorn" for the middleware under it.

    `packs` says that it asks for pages without coding, since the origin packs them while it sends.
    """

    adaptor: str
    origin: bytes
    trusted: bool = False
    packs: bool = False


@dataclass(frozen=True)
class Arrived:
    """A request as the origin gets it, chunks taken apart."""

    line: bytes
    fields: Fields
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer as a visitor gets it; the fields that frame its connection stand apart, by lower-case name."""

    status: int
    reason: bytes
    fields: Fields
    body: bytes
    connection: Fields = ()

    def values(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.fields if field_name.lower() == name]


def _named(fields: Fields) -> set[bytes]:
    listed = b",".join(value for name, value in fields if name.lower() == b"connection")
    return {name.strip().lower() for name in listed.split(b",")} - {b"host", b"content-length"}


def arrives(asked: Asked, terms: Terms) -> Arrived:
    """Return what the origin gets of a request."""
    stays = names("Requests: fields that stay here", "always") | _named(asked.plain)
    if not terms.trusted:
        stays |= names("Requests: fields that stay here", "untrusted")
    host = next((value for name, value in asked.plain if name.lower() == b"host"), b"")
    fields = [] if host else [(b"Host", terms.origin)]
    for name, value in asked.plain:
        lower = name.lower()
        if lower not in stays and lower.replace(b"_", b"-") not in stays:
            fields += _changed(asked, name, value)
    chain = [b"127.0.0.1"]
    if terms.trusted:
        chain = [*asked.values(b"x-forwarded-for"), *chain]
    fields.append((b"X-Forwarded-For", b", ".join(chain)))
    told = [value for value in asked.values(b"x-forwarded-proto") if terms.trusted and value in {b"http", b"https"}]
    fields.append((b"X-Forwarded-Proto", told[0] if told else b"http"))
    told = asked.values(b"x-forwarded-host") if terms.trusted else []
    if told or host:
        fields.append((b"X-Forwarded-Host", told[0] if told else host))
    target = asked.target
    if target.startswith(b"http://"):
        target = b"/" + target.removeprefix(b"http://").partition(b"/")[2]
    if terms.adaptor == "edge":
        if asked.upgrade:
            fields += [(b"Connection", b"Upgrade"), (b"Upgrade", asked.upgrade)]
        if asked.chunks is not None:
            fields.append((b"Transfer-Encoding", b"chunked"))
    else:
        if terms.adaptor == "middleware":  # under the trial server
            target = re.sub(rb"^//+", b"/", target)
        fields = folded([*fields, *([(b"Transfer-Encoding", b"chunked")] if asked.chunks is not None else [])])
    return Arrived(b"%b %b HTTP/1.1" % (asked.method, target), tuple(fields), asked.body)


def _changed(asked: Asked, name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    """Return what becomes of a field that goes on."""
    if not asked.page:
        return [(name, value)]
    if name.lower() == b"if-modified-since":
        return []
    if name.lower() == b"if-none-match":
        return _condition(asked, name, value)
    if name.lower() == b"accept-encoding":
        return [(name, b"gzip" if asked.takes_gzip else b"identity")]
    return [(name, value)]


def folded(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the fields as a WSGI server hands them over: by name, repeated ones joined, in no order.

    Blanks before a comma are taken off: the trial server leaves those of all but the last of repeated fields.
    """
    joined: dict[bytes, bytes] = {}
    for name, value in fields:
        lower = name.lower()
        if b"_" in lower or (lower == b"content-type" and not value):
            continue
        joined[lower] = joined[lower] + b"," + value if lower in joined else value
    return sorted((name, re.sub(rb"[ \t]+,", b",", value)) for name, value in joined.items())


def _condition(asked: Asked, name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    plain = unmarked(value)
    return [(name, plain)] if plain != value or b"document" not in asked.values(b"sec-fetch-dest") else []


def unmarked(value: bytes) -> bytes:
    return re.sub(rb'W/"([^"]*)%b"' % re.escape(MARK), rb'W/"\1"', value)


def compared(asked: Asked, terms: Terms) -> Asked:
    """Return what to ask the origin itself: with the conditions and the coding that bridge asks for."""
    if not asked.page:
        return asked
    fields: list[tuple[bytes, ...]] = []
    for name, value, *blanks in asked.fields:
        lower = name.lower()
        if lower == b"if-none-match":
            fields += _condition(asked, name, value)
        elif lower == b"accept-encoding":
            fields.append((name, b"gzip" if asked.takes_gzip and not terms.packs else b"identity"))
        elif lower != b"if-modified-since":
            fields.append((name, value, *blanks))
    return asked.having(fields)


def becomes(reply: Reply, asked: Asked, terms: Terms) -> Reply:
    """Return what the visitor gets of an answer that the origin gave to compared()."""
    page = is_page(reply, asked)
    stays = names("Answers: fields that stay here", "always") | _named(reply.connection)
    marked = reply.status == 304 and asked.page and any(MARK in value for value in asked.values(b"if-none-match"))
    if page or marked:
        stays |= names("Answers: fields that stay here", "page")
    fields = []
    for name, value in reply.fields:
        lower = name.lower()
        if lower in stays or (page and lower == b"content-length"):
            continue
        if page and lower == b"content-encoding" and not asked.takes_gzip:
            continue
        if lower in REFERENCES:
            value = mapped(value, asked, terms)  # noqa: PLW2901
        elif lower == b"etag" and (page or marked):
            tag = re.fullmatch(rb'(?:W/)?"([^"]*)"', value)
            if tag is None:
                continue
            value = b'W/"%b%b"' % (tag[1], MARK)  # noqa: PLW2901
        elif lower.startswith(b"content-security-policy") and (page or marked):
            value = OPENED.get(value, value)  # noqa: PLW2901
        fields.append((name, value))
    body = reply.body
    if page:
        body = tagged(unpacked(reply))
        if asked.takes_gzip and terms.packs and not reply.values(b"content-encoding"):
            fields.append((b"Content-Encoding", b"gzip"))
        if terms.packs and not any(
            b"accept-encoding" in value.lower() or value == b"*" for value in reply.values(b"vary")
        ):
            fields.append((b"Vary", b"Accept-Encoding"))
    return Reply(reply.status, reply.reason, tuple(fields), body)


OPENED = {
    b"script-src 'self'; img-src *": b"script-src 'self' https://cdn.ometria.com; img-src *",
    b"default-src 'none'": b"default-src 'none'",
    b"connect-src 'self' https://a.example": b"connect-src 'self' https://a.example https://trk.ometria.com",
}
"""Policies of the tables, and how they are opened for the tag of the tests."""


def is_page(reply: Reply, asked: Asked) -> bool:
    kind = b",".join(reply.values(b"content-type")).partition(b";")[0].strip().lower()
    if not asked.page or kind != b"text/html" or asked.method not in {b"GET", b"POST", b"HEAD"}:
        return False
    if reply.status not in {200, 404} or reply.values(b"content-range"):
        return False
    if any(value.lower().startswith(b"attachment") for value in reply.values(b"content-disposition")):
        return False
    if not {value.lower() for value in reply.values(b"content-encoding")} <= {b"gzip"}:
        return False
    return asked.method == b"HEAD" or b"<head" in unpacked(reply).lower()


def unpacked(reply: Reply) -> bytes:
    packed = b"gzip" in [value.lower() for value in reply.values(b"content-encoding")]
    return gzip.decompress(reply.body) if packed and reply.body else reply.body


def tagged(document: bytes) -> bytes:
    return re.sub(rb"<head[^>]*>", lambda found: found[0] + MARKUP, document, count=1, flags=re.IGNORECASE)


def mapped(value: bytes, asked: Asked, terms: Terms) -> bytes:
    """Put the public authority in the place of the origin's own."""
    host = (asked.values(b"host") or [b""])[0]
    inner = terms.origin.partition(b":")[0]
    if not host or host.partition(b":")[0] == inner:
        return value
    value = re.sub(rb"^((?:\d+; url=)?http://)%b(?=[/?#]|$)" % re.escape(terms.origin), rb"\g<1>" + host, value)
    return re.sub(rb"; Domain=%b(?=;|$)" % re.escape(inner), b"", value)
