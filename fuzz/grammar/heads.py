"""Requests and answers: mostly well made, with one fault or another in them, some changed blindly on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import seeds
from fuzz.grammar.chunks import chunked

if TYPE_CHECKING:
    from fuzz.chance import Chance

METHODS: Final = (b"GET", b"GET", b"GET", b"POST", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH")
ODD_METHODS: Final = (
    b"get", b"TRACE", b"CONNECT", b"PURGE", b"BAN", b"FOO", b"", b"G ET", b"GET\t", b"PRI", b"MKCOL", b"GET\0",
    b"G:T", b"SOURCE", b"M-SEARCH",
)  # fmt: skip
TARGETS: Final = (
    b"/", b"/a", b"/a/b.html?c=d&e=f", b"/checkout/cart/", b"/rest/V1/carts?x=%20", b"//a/b", b"/%2e%2e/x", b"/a;b=c",
    b"/?q=a%0d%0ab", b"/a?b?c", b"/x#y", b'/"<>\\^`{|}', b"/admin/sales", b"/graphql",
    b"/customer/section/load/?sections=cart",
)  # fmt: skip
ODD_TARGETS: Final = (
    b"*", b"", b"a", b"http://a/", b"http://shop.example/x?y", b"HTTPS://SHOP.EXAMPLE", b"http://shop.example:80/",
    b"http://u@shop.example/", b"http:///", b"http://", b"http:/x", b"ftp://shop.example/", b"shop.example:80",
    b"/a b", b"/\xc3\xa9", b"/a\tb", b"/\x7f", b"?x", b"http://shop.example?q", b"http://shop.example#f",
    b"http://shop.example\\x", b"/\0", b"http://shop.example:/x", b"https://shop.example//x",
)  # fmt: skip
VERSIONS: Final = (b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0")
ODD_VERSIONS: Final = (
    b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/1.10", b"http/1.1", b"HTTP/1.1 ", b"HTTP/11", b"HTTP/1,1", b"",
    b"ICE/1.0", b"HTTP/01.1", b"HTTP/1.1\0",
)  # fmt: skip
HOSTS: Final = (
    b"shop.example",
    b"shop.example",
    b"shop.example",
    b"a",
    b"shop.example:8080",
    b"[::1]:80",
    b"127.0.0.1",
)
ODD_HOSTS: Final = (
    b"", b"a b", b"a/b", b"a@b", b"a,b", b"[x]", b"a:80:90", b"\xe9", b"a%41", b"a:x", b"SHOP.EXAMPLE",
    b"shop.example.", b"a;b", b"!a", b"[::1", b"a\\b",
)  # fmt: skip
FIELDS: Final = (
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)", b"Accept: text/html,*/*;q=0.8",
    b"Accept-Encoding: gzip, deflate, br", b"Accept-Encoding: identity", b"Cookie: PHPSESSID=b2c7; form_key=Abc",
    b"Cookie: a=b", b"X-Requested-With: XMLHttpRequest", b"Connection: keep-alive", b"Connection: close",
    b"Connection: keep-alive, X-Private", b"X-Private: 1", b'If-None-Match: W/"abc-fuzz1", "x"',
    b"If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT", b"X-Forwarded-For: 10.0.0.1", b"X_Forwarded_For: 10.0.0.1",
    b"X-Forwarded-Proto: https", b"Forwarded: for=1.2.3.4", b"X-Real-IP: 1.2.3.4", b"TE: trailers", b"Trailer: X",
    b"Upgrade: websocket", b"Connection: Upgrade", b"Expect: 100-continue", b"Proxy: http://x",
    b"Keep-Alive: timeout=5", b"Content-Type: application/json", b"Origin: https://shop.example", b"X-Empty:",
    b"X-Tab:\ta\tb", b"X-Latin: \xe9\xff", b"x:y", b"Proxy-Connection: close", b"Connection: content-length",
    b"Connection: host, x-private", b"Transfer-Coding: chunked", b"X-HTTP-Method-Override: DELETE",
    b"Content-Lengthy: 3", b"X-Rewrite-URL: /admin", b"Sec-Fetch-Dest: document", b"Range: bytes=0-5",
    b"Connection: x-close", b"Connection: keep-alive-not", b"Connection: close, keep-alive",
)  # fmt: skip
ODD_FIELDS: Final = (
    b"X : y", b" X: y", b"\tX: y", b"X: a\r\n b", b"X: a\r\n\tb", b"X: a\rb", b"X: a\nY: b", b"X: a\0b", b"X: \x0b",
    b": x", b"X", b"X\0: y", b"X: \x7f", b"X\xe9: y", b"X: y\r", b"\x0bX: y", b"X:\x0c", b"X(: y", b"X: \x01",
    b"Host: shop.example", b"host: other", b"X\t: y", b"\0", b"X: \r\r\n", b"HTTP/1.1 200 OK", b"From x",
)  # fmt: skip
LENGTHS: Final = (
    b"Content-Length: +5", b"Content-Length: -1", b"Content-Length: 0x5", b"Content-Length: 5, 5",
    b"Content-Length: 5,6", b"Content-Length:", b"Content-Length: 5 ", b"Content-Length: 5\t", b"Content-Length: 05",
    b"Content-Length: 5 5", b"Content-Length: 5\x0b", b"Content-Length: 1e1", b"Content-Length: 5;",
    b"Content-Length: \xb2", b"Content-Length: 99999999999999999999", b"Content-Length: 18446744073709551621",
    b"Content-Length: 999999999999999999", b"Content-Length : 5", b"Content-Length\0: 5", b"Content_Length: 5",
    b"Content-Length: 0000000000000000000005", b"Content-Length: 5_0", b"Content-Length: five",
    b"Content-Length: 5.0",
)  # fmt: skip
CODINGS: Final = (
    b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding : chunked", b"Transfer-Encoding: chunked;q=1", b"Transfer-Encoding:",
    b"Transfer-Encoding: CHUNKED", b"Transfer-Encoding:chunked", b"Transfer-Encoding:\tchunked",
    b"Transfer-Encoding: chunked\t", b'Transfer-Encoding: "chunked"', b"Transfer-Encoding: x\r\n chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"X: y\nTransfer-Encoding: chunked",
    b"Transfer_Encoding: chunked", b"Transfer-Encoding: chunk\xe4d", b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,", b"Transfer-Encoding: c\0hunked", b"Transfer-Encoding\r\n: chunked",
)  # fmt: skip
STATUSES: Final = (
    b"200 OK",
    b"200 OK",
    b"200 OK",
    b"404 Not Found",
    b"301 Moved",
    b"304 Not Modified",
    b"204 No Content",
    b"500 Oops",
    b"206 Partial",
    b"200",
    b"200 ",
)
ODD_STATUSES: Final = (
    b"99 X", b"2000 X", b"abc X", b"020 X", b"20 OK", b" 200 OK", b"200  OK", b"200\tOK", b"200 O\0K", b"200 \x7f",
    b"200 \xe9", b"600 X", b"999 X", b"101 Switching", b"200 a\rb", b"+20 X", b"1e2 X", b"000 X", b"", b"200 \x01",
)  # fmt: skip
ANSWER_FIELDS: Final = (
    b"Content-Type: text/html; charset=UTF-8", b"Content-Type: application/json",
    b"Set-Cookie: PHPSESSID=x; path=/; HttpOnly", b"Vary: Accept-Encoding", b"Cache-Control: no-store",
    b"Date: Sat, 29 Oct 1994 19:43:31 GMT", b"Server: nginx", b"Connection: keep-alive", b"Connection: close",
    b"Keep-Alive: timeout=5", b"X-Magento-Tags: cat_p_1,cat_c_2", b"Location: http://origin.internal:8080/x",
    b'ETag: "abc"', b"Trailer: X", b"Upgrade: h2c", b"Connection: Upgrade, close", b"Connection: X-Private",
    b"X-Private: 1", b"X-Empty:", b"X-Latin: \xe9", b"Set-Cookie: a=b; Domain=origin.internal",
    b"Connection: Keep-Alive", b"Connection: keep-alive, x-a", b"Proxy-Authenticate: x", b"Content-Encoding: gzip",
    b"Content-Length-X: 4", b"x:y", b"Link: </a>; rel=preload",
)  # fmt: skip


def _line_end(chance: Chance) -> bytes:
    return (
        b"\r\n"
        if not chance.one_in(150)
        else chance.pick((b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\r\n\r", b" \r\n", b"\t\r\n", b"\0\r\n", b"\x0b\r\n"))
    )


def _either(chance: Chance, usual: tuple[bytes, ...], odd: tuple[bytes, ...], rarely: int) -> bytes:
    return chance.pick(odd) if chance.one_in(rarely) else chance.pick(usual)


def _field(chance: Chance, usual: tuple[bytes, ...], rarely: int) -> bytes:
    field = _either(chance, usual, ODD_FIELDS, rarely)
    if chance.one_in(10):
        field += chance.pick((b" ", b"\t", b"  "))
    if chance.one_in(8):
        name, colon, value = field.partition(b":")
        return chance.case_of(name) + colon + value
    return field


def _framed(chance: Chance, fields: list[bytes], *, likely: bool) -> bytes:
    """Add framing fields, rightly or wrongly, and return a body for them."""
    turn = chance.below(100)
    if turn < (10 if likely else 60):
        return b""
    body = (
        chance.randbytes(chance.below(12))
        if chance.one_in(3)
        else chance.pick((b"", b"hello", b"a=b&c=d", b"0\r\n\r\n", b"GET /s HTTP/1.1\r\nHost: a\r\n\r\n"))
    )
    if turn < 80:
        if chance.one_in(2):
            fields.append(chance.case_of(b"Content-Length") + b": %d" % len(body))
            return body
        fields.append(chance.case_of(b"Transfer-Encoding") + b": chunked")
        return chunked(chance, body, rarely=4)
    if turn < 88:
        fields.append(chance.pick(LENGTHS))
    elif turn < 95:
        fields.append(chance.pick(CODINGS))
        return chunked(chance, body, rarely=8)
    else:
        fields += [
            b"Content-Length: %d" % len(body),
            chance.pick((b"Transfer-Encoding: chunked", b"Content-Length: %d" % len(body), *CODINGS, *LENGTHS)),
        ]
    return body


def _joined(chance: Chance, first: bytes, fields: list[bytes]) -> bytes:
    if chance.one_in(3):
        chance.shuffle(fields)
    if chance.one_in(3):
        return b"".join([part + _line_end(chance) for part in (first, *fields, b"")])
    return b"\r\n".join([first, *fields]) + b"\r\n\r\n"


def request(chance: Chance) -> bytes:
    """Make one request."""
    method = _either(chance, METHODS, ODD_METHODS, 40)
    fields = [b"Host: " + _either(chance, HOSTS, ODD_HOSTS, 40)] if not chance.one_in(60) else []
    fields += [_field(chance, FIELDS, 60) for _ in range(chance.below(7))]
    body = _framed(chance, fields, likely=method not in {b"GET", b"HEAD"})
    blank = b" " if not chance.one_in(80) else chance.pick((b"  ", b"\t", b"", b"\x0b", b" \0", b"\xa0", b"\x85"))
    target = _either(chance, TARGETS, ODD_TARGETS, 15)
    first = method + b" " + target + blank + _either(chance, VERSIONS, ODD_VERSIONS, 40)
    lead = b"" if not chance.one_in(25) else chance.pick((b"\r\n", b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\r"))
    return lead + _joined(chance, first, fields) + body


def _long(chance: Chance) -> bytes:
    """Make a request of about the size of a limit."""
    if chance.one_in(3):
        return b"GET /" + b"x" * (16 * 1024 - 40 + chance.below(80)) + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    size = chance.pick((1000, 8000, 65_400, 65_600, 70_000))
    return request(chance)[:-2] + b"X: " + b"y" * (size + chance.below(100)) + b"\r\n\r\n"


def requests(chance: Chance) -> bytes:
    """Make what a client sends over a connection: one to three requests."""
    if chance.one_in(1000):
        return _long(chance)
    parts = [request(chance)]
    while chance.one_in(3) and len(parts) < 3:
        if chance.one_in(2):  # the very same fields again, which bridge reads once
            line, _, rest = parts[-1].partition(b"\r\n")
            words = line.split(b" ")
            parts.append(b" ".join([chance.pick(METHODS), chance.pick(TARGETS), *words[2:]]) + b"\r\n" + rest)
        else:
            parts.append(request(chance))
    data = b"".join(parts)
    if chance.one_in(4):
        return chance.mutated(data, chance.pick(seeds.REQUESTS))
    return data[: chance.below(len(data) + 1)] if chance.one_in(30) else data


def answer(chance: Chance, method: bytes) -> bytes:
    """Make one answer."""
    fields = [_field(chance, ANSWER_FIELDS, 60) for _ in range(chance.below(8))]
    body = _framed(chance, fields, likely=method != b"HEAD")
    first = _either(chance, VERSIONS, ODD_VERSIONS, 60) + b" " + _either(chance, STATUSES, ODD_STATUSES, 20)
    return _joined(chance, first, fields) + body


def answers(chance: Chance) -> bytes:
    """Make what an origin sends: the request's method on a line of the fuzzer's own, interim answers, the answer."""
    method = chance.pick((b"GET", b"GET", b"POST", b"HEAD"))
    data = b""
    while chance.one_in(8):
        data += _joined(
            chance,
            b"HTTP/1.1 " + chance.pick((b"100 Continue", b"103 Early Hints", b"102 X")),
            chance.some(ANSWER_FIELDS, 2),
        )
    data += answer(chance, method)
    if chance.one_in(6):
        data += chance.pick((b"x", b"\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"\0"))
    if chance.one_in(4):
        data = chance.mutated(data, chance.pick(seeds.ANSWERS))
    elif chance.one_in(12):
        data = data[: chance.below(len(data) + 1)]
    return method + b"\n" + data
