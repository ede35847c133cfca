"""Answers of origins for the differential tests, made with fixed seeds, and requests for servers of files."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from email.utils import formatdate

from tests.wire.asked import CODINGS, HOST, METHODS, Asked, Dice, length
from tests.wire.documented import OPENED
from tests.wire.sides import DOCUMENT, PARAGRAPHS, WRITTEN

STATUSES = (
    b"200 OK", b"200 Fine", b"200 ", b"201 Created", b"202 Accepted", b"203 Non-Authoritative Information",
    b"204 No Content", b"206 Partial Content", b"299 Odd", b"301 Moved Permanently", b"302 Found", b"303 See Other",
    b"304 Not Modified", b"307 Temporary Redirect", b"308 Permanent Redirect", b"400 Bad Request", b"401 Unauthorized",
    b"403 Forbidden", b"404 Not Found", b"404 Nicht gefunden \xfc", b"409 Conflict", b"418 I'm a teapot",
    b"422 Unprocessable", b"429 Too Many Requests", b"500 Internal Server Error", b"503 Service Unavailable", b"599 x",
)  # fmt: skip
FIELDS = (
    (b"Set-Cookie", b"PHPSESSID=a; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; HttpOnly"),
    (b"set-cookie", b"form_key=b; SameSite=Lax"),
    (b"Set-Cookie", b"X-Magento-Vary=c; Secure"),
    (b"SET-COOKIE", b"odd"),
    (b"Link", b"</a.css>; rel=preload; as=style"),
    (b"link", b"</b.js>; rel=preload"),
    (b"Vary", b"Cookie"),
    (b"Vary", b"Accept-Encoding, User-Agent"),
    (b"WWW-Authenticate", b'Basic realm="a, b"'),
    (b"www-authenticate", b'Digest realm="c"'),
    (b"Cache-Control", b"max-age=0, must-revalidate, no-cache, no-store"),
    (b"Pragma", b"no-cache"),
    (b"Expires", b"-1"),
    (b"X-Magento-Tags", b",".join(b"cat_p_%d" % number for number in range(900))),
    (b"X-Frame-Options", b"SAMEORIGIN"),
    (b"X-Powered-By", b"PHP/8.1"),
    (b"Server", b"Apache"),
    (b"Date", b"Wed, 21 Oct 2026 07:28:00 GMT"),
    (b"Age", b"0"),
    (b"Via", b"1.1 varnish (Varnish/7.1)"),
    (b"x-odd-CASE", b"Kept As It Is"),
    (b"X-Empty", b""),
    (b"X-Obs", b"caf\xe9 \xc2\xa3"),
    (b"X-Tabs", b"a\tb"),
    (b"ETag", b'"abc"'),
    (b"etag", b'W/"abc-def"'),
    (b"ETag", b"abc"),
    (b"Last-Modified", b"Wed, 21 Oct 2026 07:28:00 GMT"),
    (b"Accept-Ranges", b"bytes"),
    (b"Content-MD5", b"Q2hlY2sgSW50ZWdyaXR5IQ=="),
    (b"Digest", b"sha-256=x"),
    (b"Repr-Digest", b"sha-256=:x:"),
    (b"Content-Digest", b"sha-256=:x:"),
    (b"Content-Language", b"en"),
    (b"Content-Disposition", b"inline"),
    (b"Content-Disposition", b"attachment; filename=a.html"),
    (b"Alt-Svc", b'h3=":443"'),
    (b"Strict-Transport-Security", b"max-age=1"),
    (b"Keep-Alive", b"timeout=5"),
    (b"Proxy-Authenticate", b"Basic"),
    (b"Trailer", b"X-Sum"),
    (b"Upgrade", b"h2"),
    (b"Connection", b"X-Named"),
    (b"X-Named", b"1"),
    *((b"Content-Security-Policy", policy) for policy in OPENED),
    *((b"content-security-policy-report-only", policy) for policy in OPENED),
)
REFERENCES = (
    (b"Location", b"http://INNER/customer/account/"),
    (b"Location", b"/customer/account/"),
    (b"Location", b"https://pay.example/?back=http://INNER/"),
    (b"Location", b"http://shop.example/"),
    (b"Content-Location", b"http://INNER"),
    (b"Refresh", b"5; url=http://INNER/x"),
    (b"Set-Cookie", b"a=1; Domain=127.0.0.1; Secure; SameSite=None"),
    (b"Set-Cookie", b"a=1; Domain=.shop.example; Secure"),
    (b"X-Other", b"http://INNER/"),
)
SINGLE = {b"etag", b"content-disposition", b"connection", b"trailer", b"server", b"date", b"location"}


@dataclass(frozen=True)
class Told:
    """An answer that the origin gives, cut as `cuts` say, and the request for it."""

    asked: Asked
    raw: bytes
    cuts: tuple[float, ...]

    def written(self, origin: bytes) -> bytes:
        return self.raw.replace(b"INNER", origin)


def answers() -> list[Told]:
    """Return answers of all forms; every third one is a document."""
    dice, out = Dice("answers"), []
    for number in range(150):
        status = STATUSES[number % len(STATUSES)] if number % 3 else dice.random.choice((b"200 OK", b"404 Not Found"))
        accept = dice.random.choice(CODINGS)
        method = dice.random.choice((b"GET", b"GET", b"GET", b"HEAD", b"POST", b"PUT"))
        more = [(b"Accept-Encoding", accept[0])] if dice.random.random() < 0.7 else []
        fields = (HOST, *more, *([length(b"")] if method in {b"POST", b"PUT"} else []))
        takes = bool(more) and accept[1]
        asked = Asked(f"answers-{number}", method, b"/answers/%d" % number, fields=fields, page=True, takes_gzip=takes)
        out.append(Told(asked, _answer(dice, asked, status, document=number % 3 == 0), dice.cut()))
    return out


def _answer(dice: Dice, asked: Asked, status: bytes, *, document: bool) -> bytes:
    fields, body = _content(dice, document=document)
    seen: set[bytes] = {b"content-encoding"}
    for name, value in dice.random.sample(FIELDS, dice.random.randint(0, 14)) + dice.random.sample(REFERENCES, 1):
        if name.lower() not in seen:
            fields.append((name, value))
        seen |= {name.lower()} & SINGLE
    bodyless = asked.method == b"HEAD" or status[:3] in {b"204", b"304"}
    way = dice.random.choice(("length", "length", "chunked", "close"))
    if status[:3] == b"204":
        way = "none"
    if way == "length":
        fields.append((dice.cased(b"Content-Length"), b"%d" % len(body)))
    elif way == "chunked":
        fields.append((dice.cased(b"Transfer-Encoding"), b"chunked"))
        chunks = dice.chunks(len(body), extended=True)
        body = Asked(
            "", body=body, chunks=chunks, trailers=b"X-Sum: 1\r\n" if dice.random.random() < 0.3 else b""
        ).framed()
    elif way == "close" and not bodyless:
        fields = [field for field in fields if field[0] != b"Connection"]
        fields.append((b"Connection", b"close"))
    dice.random.shuffle(fields)
    lines = [b"HTTP/1.1 " + status, *(name + b": " + value for name, value in fields)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (b"" if bodyless else body)


def _content(dice: Dice, *, document: bool) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the fields that describe a body, and the body."""
    if document:
        body = DOCUMENT % PARAGRAPHS[: dice.random.randint(0, len(PARAGRAPHS))]
        kind = dice.random.choice((b"text/html", b"TEXT/HTML; charset=ISO-8859-1", b"text/html ;charset=utf-8"))
        if dice.random.random() < 0.4:
            return [(b"Content-Type", kind), (b"Content-Encoding", b"gzip")], gzip.compress(body, mtime=0)
        return [(b"Content-Type", kind)], body
    body = dice.body(0, 20_000)
    kind = dice.random.choice((b"application/json", b"text/plain;charset=utf-8", b"image/png", b"text/html", b""))
    coding = (
        [(b"Content-Encoding", dice.random.choice((b"br", b"gzip", b"zstd")))] if dice.random.random() < 0.2 else []
    )
    if kind == b"text/html":
        body, coding = b"<div>" + PARAGRAPHS[: len(body)], []
    return [(b"Content-Type", kind), *coding], body


# -- requests for servers of files ------------------------------------------------------------------------------------

PAGES = (b"/page.html", b"/small.html", b"/packed.html", b"/sub/", b"/fragment.html", b"/missing", b"/policy.html",
         b"/attached.html")  # fmt: skip
OTHERS = (b"/static/style.css", b"/media/picture.png", b"/media/large.mp4", b"/rest/list.json", b"/static/empty.txt",
          b"/static/with%20space%2Bplus.txt", b"/static/missing.png")  # fmt: skip
ANSWERS = (b"/sub", b"/cookies", b"/inner", b"/outer", b"/relative", b"/nothing", b"/gone.html", b"/busy", b"/closed",
           b"/rest/said", b"/rest/said?a=b&a=%20", b"/rest/said/../said", b"/media")  # fmt: skip
ODD = (b"/page.html?x=1", b"/page.html?", b"//page.html", b"/./page.html", b"/sub/../page.html", b"/%70age.html",
       b"/static//style.css", b"/static/%2e%2e/page.html", b"/page.html/", b"/sub?a", b"/%00", b"/a%2Fb",
       b"/page.html#x")  # fmt: skip
RANGES = (b"bytes=0-9", b"bytes=-5", b"bytes=100-", b"bytes=0-1,30-40", b"bytes=999999-", b"bytes=5-2", b"lines=1-2")
BEFORE, SAME, AFTER = (formatdate(at, usegmt=True).encode() for at in (WRITTEN - 86_400, WRITTEN, WRITTEN + 86_400))


def etags(size: int) -> list[bytes]:
    """Return conditions on entity tags, the first ones true of a file of this size at nginx."""
    own = b"%x-%x" % (WRITTEN, size)
    return [
        b'"%b"' % own,
        b'W/"%b-b1"' % own,
        b'"x", W/"%b"' % own,
        b"*",
        b'"other"',
        b'W/"%b-b0"' % own,
        b'"%b-b1"' % own,
    ]


def for_files(seed: str, count: int, sizes: dict[bytes, int], *, nginx: bool) -> list[Asked]:
    """Return requests for files; `sizes` gives those of pages and others by target, for conditions on entity tags."""
    dice, out = Dice(seed), []
    methods = (b"GET",) * 8 + (b"HEAD",) * 3 + (METHODS[2:] if nginx else (b"POST",))
    known = [*PAGES[:5], *PAGES, *OTHERS, *(ANSWERS if nginx else (b"/sub",)), *(ODD if nginx else ODD[:5])]
    if not nginx:
        known = [target for target in known if target not in {b"/policy.html", b"/attached.html"}]
    for number in range(count):
        target = known[number % len(known)]
        method = dice.random.choice(methods)
        more = dice.some(3)
        # http.server leaves the body of a GET unread, and takes it for the next request on the connection.
        if method == b"POST" or (nginx and method != b"HEAD" and dice.random.random() < 0.1):
            body = dice.body(0, 500)
            more += [length(body), (b"Content-Type", b"application/x-www-form-urlencoded")]
        else:
            body = b""
        coding, takes = dice.random.choice(CODINGS) if dice.random.random() < 0.5 else (None, False)
        if coding is not None:
            more.append((b"Accept-Encoding", coding))
        more += _conditions(dice, sizes.get(target, 1))
        if dice.random.random() < 0.3:
            more.append((b"Connection", dice.random.choice((b"close", b"keep-alive"))))
        if dice.random.random() < 0.3:
            more.append((b"X-Said", dice.random.choice((b"a  b", b"caf\xe9", b"1,2"))))
        version = b"1.0" if dice.random.random() < 0.1 else b"1.1"
        page = not target.startswith((b"/static", b"/media", b"/rest")) or b"%2e" in target
        fields = dice.blanks(dice.strewn([HOST], more), tabs=False)
        asked = Asked(f"{seed}-{number}", method, target, version, fields, body, page=page, takes_gzip=takes)
        out.append(replace(asked, cuts=dice.cut()))
    return out


def _conditions(dice: Dice, size: int) -> list[tuple[bytes, bytes]]:
    """Return none, one or some conditional fields and ranges."""
    fields = []
    if dice.random.random() < 0.25:
        fields.append((b"Range", dice.random.choice(RANGES)))
        if dice.random.random() < 0.4:
            fields.append((b"If-Range", dice.random.choice((SAME, BEFORE, *etags(size)))))
    if dice.random.random() < 0.25:
        fields.append((b"If-None-Match", dice.random.choice(etags(size))))
    if dice.random.random() < 0.2:
        fields.append((b"If-Modified-Since", dice.random.choice((BEFORE, SAME, AFTER))))
    if dice.random.random() < 0.1:
        fields.append((b"If-Unmodified-Since", dice.random.choice((BEFORE, SAME, AFTER))))
    if dice.random.random() < 0.1:
        fields.append((b"If-Match", dice.random.choice(etags(size))))
    return fields
