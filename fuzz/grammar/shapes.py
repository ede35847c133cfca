"""Answers of one origin one after the other, alike but for some values, as a shop's are; now and then one is odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import seeds
from fuzz.grammar.heads import ANSWER_FIELDS, CODINGS, LENGTHS, ODD_FIELDS, ODD_STATUSES
from fuzz.grammar.packed import member

if TYPE_CHECKING:
    from fuzz.chance import Chance

FIXED: Final = (
    b"Server: nginx", b"Content-Type: text/html; charset=UTF-8", b"Content-Type: text/html",
    b"Cache-Control: max-age=0, no-store", b"Vary: Accept-Encoding", b"X-Frame-Options: SAMEORIGIN",
    b"Connection: keep-alive", b"Connection: close", b"Content-Type: application/json", b"Pragma: no-cache",
    b"Content-Security-Policy: default-src 'self'; script-src 'self'",
    b"Content-Security-Policy-Report-Only: script-src 'nonce-abc'", b"Accept-Ranges: bytes",
    b"Last-Modified: Sat, 29 Oct 1994 19:43:31 GMT", b"content-type: TEXT/HTML",
    b"Content-Disposition: attachment; filename=x", b"Content-Disposition: inline", b"Keep-Alive: timeout=5",
    b"X-Percent: 100%", b"X-B: %b %d", b"Vary: *", b"Content-Range: bytes 0-1/2", b"Transfer-Encoding: chunked",
    b"Set-Cookie: a=b; path=/", b"Location: /x", b"Location: http://origin.internal:8080/y", b"Refresh: 5; url=/z",
    b"x-nospace:1", b"X-Wide:   1  ",
)  # fmt: skip
VARYING: Final = (
    b"Date: Sat, 29 Oct 1994 19:43:%02d GMT", b'ETag: "e%d"', b'ETag: W/"e%d"', b"ETag: bad%d",
    b"Set-Cookie: PHPSESSID=s%d; path=/; HttpOnly", b"X-Request-Id: %d", b"x-request-id: %d", b"Location: /r/%d",
    b"Location: http://origin.internal:8080/%d", b"Age: %d", b"Content-Type: text/html; v=%d", b"Connection: x%d",
    b"X-Magento-Tags: cat_%d", b"Vary: X%d", b"Content-Security-Policy: script-src 'nonce-%d'",
    b"Content-Encoding: x%d", b"X-Two:%d", b"X-Tab:\t%d", b"Last-Modified: %d",
)  # fmt: skip
USUAL: Final = (
    b"Server: nginx", b"Cache-Control: max-age=0, no-store", b"Vary: Accept-Encoding", b"X-Frame-Options: SAMEORIGIN",
    b"Connection: keep-alive", b"Pragma: no-cache", b"Vary: Cookie",
    b"Content-Security-Policy: default-src 'self'; script-src 'self'", b"Set-Cookie: a=b; path=/",
    b"X-Percent: 100%b", b"Last-Modified: x", b'ETag: "x"', b"Accept-Ranges: none",
)  # fmt: skip
STATUSES: Final = (
    b"200 OK",
    b"200 OK",
    b"200 OK",
    b"404 Not Found",
    b"302 Found",
    b"304 Not Modified",
    b"204 No Content",
    b"200",
    b"206 Partial Content",
    b"200 100%",
    b"503 X",
)
PAGES: Final = (
    b"<!doctype html><html><head><title>x</title></head><body></body></html>",
    b"<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>", b"<html amp><head>", b"<div>x</div>", b"",
    b"<!-- c --><html><head>x", b"<!doctype html><html><head data-amp>ok", b"{}",
)  # fmt: skip
PATHS: Final = (b"/p", b"/p", b"/p", b"/admin/x", b"/static/a.css", b"/rest/V1/x")


def streams(chance: Chance) -> bytes:
    """Make a line of the fuzzer's own (method, target, what the visitor takes, what was asked for) and answers."""
    usual = chance.below(3) > 0  # a page that gets the tag
    asked = (
        [chance.pick((b"GET", b"GET", b"POST", b"HEAD", b"PUT")), chance.pick(PATHS)] if not usual else [b"GET", b"/p"]
    )
    line = b" ".join([*asked, chance.pick((b"gzip", b"identity")), chance.pick((b"-", b"-", b"identity"))])
    fixed = (
        [b"Content-Type: text/html; charset=UTF-8", *chance.some(USUAL, 3)]
        if usual
        else chance.sample(FIXED, 2 + chance.below(4))
    )
    varying = chance.sample(VARYING[:10] if usual else VARYING, chance.below(4))
    status = b"200 OK" if usual else chance.pick(STATUSES)
    body = chance.pick(PAGES[:3] if usual else PAGES)
    gzip = chance.one_in(3)
    if gzip:
        fixed.append(b"Content-Encoding: gzip")
        body = member(chance, body)
    out = [line + b"\n"]
    for number in range(2 + chance.below(16)):
        head = [status, *fixed, *(each % (number if chance.below(8) else 3) for each in varying)]
        out.append(_answer(chance, head, body if chance.below(4) else chance.pick(PAGES)))
    data = b"".join(out)
    return data if chance.below(12) else chance.mutated(data, chance.pick(seeds.ANSWERS))


def _answer(chance: Chance, head: list[bytes], body: bytes) -> bytes:
    turn = chance.below(30)
    if turn == 0:
        head[chance.below(len(head) - 1) + 1] = chance.pick(ODD_FIELDS)
    elif turn == 1:
        head.append(chance.pick(ANSWER_FIELDS))
    elif turn == 2:
        head[0] = chance.pick(ODD_STATUSES)
    elif turn == 3:
        head.append(chance.pick(LENGTHS + CODINGS))
    elif turn == 4:
        del head[chance.below(len(head) - 1) + 1]
    elif turn == 5:
        head.append(head[-1])
    elif turn == 6:
        head[1:] = reversed(head[1:])
    elif turn == 7:
        head[-1] += chance.pick((b" ", b"\t", b"\0", b"\r", b"\x01", b"\xe9"))
    version = b"HTTP/1.1 " if not chance.one_in(40) else b"HTTP/1.0 "
    if chance.below(20):
        length = chance.pick(
            (
                b"Content-Length: %d",
                b"Content-Length: %d",
                b"Content-Length: %d",
                b"content-length:%d",
                b"Content-Length:  %d",
            )
        )
        place = len(head) if chance.below(3) else 1 + chance.below(len(head))
        head.insert(place, length % len(body))
    return version + b"\r\n".join(head) + b"\r\n\r\n" + body
