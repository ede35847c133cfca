"""Requests for the differential tests: tables made with fixed seeds, each entry as a structure and as bytes."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

Fields = tuple[tuple[bytes, bytes], ...]

HOST = (b"Host", b"shop.example")
METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH")
BROWSER = (
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    (b"Accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"Referer", b"https://shop.example/a?b=c&d=%20"),
    (b"X-Requested-With", b"XMLHttpRequest"),
    (b"DNT", b"1"),
    (b"SEC-FETCH-MODE", b"navigate"),
    (b"Cookie", b"PHPSESSID=1; form_key=a=b; mage-cache-storage=%7B%7D"),
    (b"Authorization", b"Bearer abc.def"),
    (b"Origin", b"null"),
    (b"Cache-Control", b"no-cache"),
    (b"pragma", b"no-cache"),
)
CODINGS = (  # value, whether it takes gzip
    (b"gzip, deflate, br, zstd", True),
    (b"GZIP", True),
    (b"*", True),
    (b"br;q=1, gzip;q=0.5", True),
    (b"x-gzip", True),
    (b"br", False),
    (b"identity", False),
    (b"gzip;q=0", False),
    (b"gzip; q=0.000, br", False),
    (b"deflate, notgzip", False),
    (b"", False),
)
BLANKS = (b"", b" ", b"\t", b"  ", b" \t ")
TEXT = bytes(range(0x21, 0x7F))
OBS_TEXT = bytes(range(0x80, 0x100))
TARGET_BYTES = bytes(byte for byte in TEXT if byte not in b'"<>\\^`{|}')
TARGETS = (
    b"/catalogsearch/result/a%2Fb",
    b"/a%2fb%2Fc",
    b"/media/x%20y%2Bz.jpg",
    b"/a;b=1/c;d",
    b"/caf%C3%A9",
    b"/caf%E9",
    b"/%FF%fe%00",
    b"/p$1",
    b"/a//b",
    b"//a//",
    b"///",
    b"//evil.test/x",
    b"/a/%2e%2e/b",
    b"/a/../b/./c",
    b"/../../etc/passwd",
    b"/?",
    b"/a?",
    b"/??",
    b"/a?b",
    b"/a?&&=&",
    b"/a?b=c&b=c&B=C",
    b"/a?b=%",
    b"/%",
    b"/%zz",
    b"/a?next=//evil.test/?x=http://y",
    b"/a?q=a+b%20c&d[]=1&d[]=2",
    b"/a?q='()*!~",
    b'/a?{}|\\^`<>"',
    b"/:80/",
    b"/@evil.test/",
    b"/http://evil.test/x",
    b"/*",
    b"/a#b",
    b"/a?b#c?d",
    b"/index.php/a/b/",
    b"/.well-known/x",
    b"/a.png?x=1",
    b"/a%0d%0aX-Evil:1",
    b"/a?utm_source=x&gclid=y",
)


@dataclass(frozen=True)
class Asked:
    """One request. `fields` come as name, value and the blanks around it; `page`: its path may have a page.

    `chunks` frame the body where it is chunked: size, extension; `trailers` follow the last one.
    """

    name: str
    method: bytes = b"GET"
    target: bytes = b"/a.txt"
    version: bytes = b"1.1"
    fields: tuple[tuple[bytes, ...], ...] = (HOST,)
    body: bytes = b""
    chunks: tuple[tuple[int, bytes], ...] | None = None
    trailers: bytes = b""
    page: bool = False
    takes_gzip: bool = False
    upgrade: bytes = b""
    cuts: tuple[float, ...] = ()

    @property
    def plain(self) -> Fields:
        """The fields without the blanks."""
        return tuple((field[0], field[1]) for field in self.fields)

    def values(self, name: bytes) -> list[bytes]:
        return [field[1] for field in self.fields if field[0].lower() == name]

    def having(self, fields: object) -> Asked:
        return replace(self, fields=tuple(fields))

    def without_extensions(self) -> Asked:
        """Return the request without extensions of chunks and trailers."""
        chunks = None if self.chunks is None else tuple((size, b"") for size, _ in self.chunks)
        return replace(self, chunks=chunks, trailers=b"")

    @property
    def expects(self) -> bool:
        return bool(self.values(b"expect"))

    @property
    def persists(self) -> bool:
        """Whether the connection outlives the answer, as far as the visitor is concerned."""
        options = b",".join(self.values(b"connection")).lower()
        return b"close" not in options and (self.version == b"1.1" or b"keep-alive" in options)

    def head(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self.method, self.target, self.version)]
        for name, value, *blanks in self.fields:
            before, after = blanks or (b" ", b"")
            lines.append(name + b":" + before + value + after)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def framed(self) -> bytes:
        if self.chunks is None:
            return self.body
        at, out = 0, []
        for size, extension in self.chunks:
            out.append(b"%x%b\r\n%b\r\n" % (size, extension, self.body[at : at + size]))
            at += size
        return b"".join(out) + b"0\r\n" + self.trailers + b"\r\n"

    def wire(self) -> bytes:
        return self.head() + self.framed()


class Dice:
    """Random parts of requests, from one seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def cased(self, name: bytes) -> bytes:
        way = self.random.randrange(4)
        if way < 2:
            return name if way else name.lower()
        return (
            name.upper()
            if way == 2
            else bytes(self.random.choice((c, c ^ 32)) if chr(c).isalpha() else c for c in name)
        )

    def text(self, alphabet: bytes, least: int, most: int) -> bytes:
        return bytes(self.random.choices(alphabet, k=self.random.randint(least, most)))

    def bytes(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def value(self) -> bytes:
        way = self.random.randrange(6)
        if way == 0:
            return b""
        if way == 1:
            return self.text(TEXT + OBS_TEXT, 1, 40)
        words = [self.text(TEXT, 1, 9) for _ in range(self.random.randint(1, 5))]
        return self.random.choice((b" ", b"\t", b", ", b"; ")).join(words)

    def name(self) -> bytes:
        return b"X" + self.text(b"-abcXYZ019!#$%&'*+.^`|~", 1, 20)

    def blanks(self, fields: list[tuple[bytes, ...]], *, tabs: bool = True) -> tuple[tuple[bytes, ...], ...]:
        """Put blanks around some values; a tab after a transfer coding is refused, as smugglers use it."""
        some = BLANKS if tabs else (b"", b" ", b"  ")
        pairs = [
            (self.random.choice(some), self.random.choice(BLANKS[:2] if is_coding(field) else some)) for field in fields
        ]
        plain = self.random.random() < 0.5
        return tuple(field[:2] if plain else (*field[:2], *pair) for field, pair in zip(fields, pairs, strict=True))

    def strewn(self, fields: list[tuple[bytes, ...]], more: list[tuple[bytes, ...]]) -> list[tuple[bytes, ...]]:
        """Put more fields at any places among the first ones, whose order stays."""
        out = list(fields)
        for field in more:
            out.insert(self.random.randint(0, len(out)), field)
        return out

    def some(self, most: int = 6) -> list[tuple[bytes, ...]]:
        return self.random.sample(BROWSER, self.random.randint(0, most))

    def cut(self) -> tuple[float, ...]:
        return tuple(sorted(self.random.random() for _ in range(self.random.randint(0, 3))))

    def body(self, least: int = 1, most: int = 3000) -> bytes:
        return self.bytes(self.random.randint(least, most))

    def chunks(self, size: int, *, extended: bool) -> tuple[tuple[int, bytes], ...]:
        chunks = []
        while size:
            piece = min(size, self.random.choice((1, 2, 7, 500, 4096, 70000)))
            extension = self.random.choice((b"", b"", b";a", b';b="c d"')) if extended else b""
            chunks.append((piece, extension))
            size -= piece
        return tuple(chunks)


def is_coding(field: tuple[bytes, ...]) -> bool:
    return field[0].lower() == b"transfer-encoding"


def length(body: bytes) -> tuple[bytes, bytes]:
    return (b"Content-Length", b"%d" % len(body))


def _methods() -> list[Asked]:
    dice, out = Dice("methods"), []
    for number in range(28):
        method = METHODS[number % 7]
        body = dice.body() if number >= 14 else b""
        more = [length(body)] if body or method in {b"POST", b"PUT", b"PATCH"} else []
        fields = dice.blanks(dice.strewn([HOST], dice.some() + more))
        out.append(Asked(f"methods-{number}", method, b"/rest/V1/x", fields=fields, body=body, cuts=dice.cut()))
    return out


def _targets() -> list[Asked]:
    dice = Dice("targets")
    targets = list(TARGETS)
    targets += [b"/" + dice.text(TARGET_BYTES, 1, 60) for _ in range(25)]
    targets += [b"/" + dice.text(TARGET_BYTES, size, size) for size in (1000, 4000, 8190, 8192, 16000)]
    targets += [b"http://shop.example/a/b?c", b"http://shop.example/", b"http://shop.example/a//b?http://c"]
    return [
        Asked(f"targets-{number}", target=target, fields=(HOST, *dice.some(2)), page=True, cuts=dice.cut())
        for number, target in enumerate(targets)
    ]


def _fields() -> list[Asked]:
    dice, out = Dice("fields"), []
    for number in range(50):
        own = [(dice.name(), dice.value()) for _ in range(dice.random.randint(0, 12))]
        if own:
            own += [(dice.cased(own[0][0]), dice.value()) for _ in range(dice.random.randint(0, 3))]
        own = [(name, value.strip(b" \t")) for name, value in own]
        fields = dice.blanks(dice.strewn([HOST], own + [(dice.cased(name), value) for name, value in dice.some()]))
        out.append(Asked(f"fields-{number}", fields=fields, page=bool(number % 2), cuts=dice.cut()))
    long = tuple((b"X-Long-%d" % number, dice.text(TEXT, 4000, 8000)) for number in range(6))
    out.append(Asked("fields-long", fields=(HOST, *long)))
    out.append(Asked("fields-many", fields=(HOST, *((b"X-%d" % number, b"%d" % number) for number in range(90)))))
    return out


def _cookies() -> list[Asked]:
    dice, out = Dice("cookies"), []
    for number in range(15):
        pairs = [
            dice.text(b"abcXYZ_-", 1, 12) + b"=" + dice.text(TEXT.replace(b";", b""), 0, 60) for _ in range(number + 1)
        ]
        fields = dice.blanks(dice.strewn([HOST], [(dice.cased(b"Cookie"), b"; ".join(pairs)), *dice.some(3)]))
        out.append(Asked(f"cookies-{number}", fields=fields, page=bool(number % 2), cuts=dice.cut()))
    two = [(b"Cookie", b"a=1"), (b"cookie", b"b=2; c=3")]
    return [*out, Asked("cookies-in-two", fields=(HOST, *two))]


def _bodies() -> list[Asked]:
    dice, out = Dice("bodies"), []
    for size in (0, 1, 2, 255, 1000, 4095, 4096, 8191, 8192, 8193, 65535, 65536, 65537, 100_000, 300_000):
        kind = dice.random.choice((b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b""))
        body = dice.bytes(size)
        digits = b"%d" % size if size != 255 else b"000255"
        fields = dice.strewn([HOST], [(b"Content-Type", kind), (dice.cased(b"Content-Length"), digits), *dice.some(3)])
        method = dice.random.choice((b"POST", b"PUT", b"PATCH", b"DELETE", b"GET", b"OPTIONS"))
        out.append(
            Asked(f"bodies-{size}", method, b"/x", fields=dice.blanks(fields), body=body, page=True, cuts=dice.cut())
        )
    return out


def _chunked() -> list[Asked]:
    dice, out = Dice("chunked"), []
    for number in range(20):
        body = dice.bytes((0, 1, 11, 5000, 200_000)[number % 5])
        extended = number >= 10
        fields = dice.strewn([HOST], [(dice.cased(b"Transfer-Encoding"), dice.cased(b"chunked")), *dice.some(3)])
        if extended:
            fields.append((b"Trailer", b"X-Sum"))
        asked = Asked(
            f"chunked-{'extended-' if extended else ''}{number}",
            dice.random.choice((b"POST", b"PUT", b"PATCH")),
            b"/checkout/cart/add/",
            fields=dice.blanks(fields),
            body=body,
            chunks=dice.chunks(len(body), extended=extended),
            trailers=b"X-Sum: 1\r\n" if extended else b"",
            page=True,
            cuts=dice.cut(),
        )
        out.append(asked)
    return out


def _expect() -> list[Asked]:
    dice, out = Dice("expect"), []
    for number in range(8):
        body = dice.body(1, 50_000)
        chunked = number % 2
        framing = (b"Transfer-Encoding", b"chunked") if chunked else length(body)
        fields = dice.strewn([HOST], [(dice.cased(b"Expect"), b"100-continue"), framing, *dice.some(3)])
        chunks = dice.chunks(len(body), extended=False) if chunked else None
        out.append(Asked(f"expect-{number}", b"POST", b"/x", fields=tuple(fields), body=body, chunks=chunks, page=True))
    return out


def _connections() -> list[Asked]:
    dice, out = Dice("connections"), []
    options = (
        None,
        b"close",
        b"keep-alive",
        b"Keep-Alive",
        b"CLOSE",
        b"keep-alive, X-Named",
        b"x-named , close, dnt",
        b"",
    )
    for version in (b"1.1", b"1.0"):
        for number, option in enumerate(options):
            more = [(b"X-Named", b"1"), (b"x_named", b"2"), (b"X-Kept", b"3"), *dice.some()]
            if option is not None:
                more.append((dice.cased(b"Connection"), option))
            fields = dice.strewn([HOST], more)
            out.append(Asked(f"connections-{version.decode()}-{number}", version=version, fields=tuple(fields)))
    out.append(Asked("connections-1.0-no-host", version=b"1.0", fields=((b"X-A", b"b"),)))
    two = ((b"Connection", b"x-a"), (b"X-A", b"1"), (b"Connection", b"x-b"), (b"X-B", b"2"))
    return [*out, Asked("connections-two", fields=(HOST, *two))]


CONDITIONS = (
    (b"If-None-Match", b'"abc"'),
    (b"If-None-Match", b'W/"abc-b1"'),
    (b"If-None-Match", b'"a", W/"abc-b1", W/"abc-b0", "abc-b1"'),
    (b"if-none-match", b"*"),
    (b"If-Modified-Since", b"Wed, 21 Oct 2026 07:28:00 GMT"),
    (b"IF-MODIFIED-SINCE", b"no date"),
    (b"If-Unmodified-Since", b"Wed, 21 Oct 2026 07:28:00 GMT"),
    (b"If-Match", b'W/"abc-b1"'),
    (b"If-Range", b'"abc"'),
)


def _conditions() -> list[Asked]:
    dice, out = Dice("conditions"), []
    for number in range(24):
        first = CONDITIONS[number % len(CONDITIONS)]
        more = [first, *(each for each in dice.random.sample(CONDITIONS, 2) if each[0].lower() != first[0].lower())]
        more = list({name.lower(): (name, value) for name, value in more}.values())
        if number % 2:
            more.append((b"Sec-Fetch-Dest", b"document"))
        fields = dice.strewn([HOST], more + dice.some(2))
        page = number % 3 > 0
        target = b"/a.html" if page else b"/static/a.css"
        out.append(Asked(f"conditions-{number}", target=target, fields=dice.blanks(fields), page=page, cuts=dice.cut()))
    return out


def _ranges() -> list[Asked]:
    values = (b"bytes=0-9", b"bytes=-5", b"bytes=5-", b"bytes=0-1,3-4", b"bytes=9-1", b"lines=1-2", b"")
    return [
        Asked(f"ranges-{number}-{kind}", target=target, fields=(HOST, (b"Range", value)), page=kind == "page")
        for number, value in enumerate(values)
        for kind, target in (("page", b"/a"), ("file", b"/media/a.mp4"))
    ]


def _codings() -> list[Asked]:
    dice = Dice("codings")
    return [
        Asked(
            f"codings-{number}-{kind}",
            target=target,
            fields=dice.blanks([HOST, (dice.cased(b"Accept-Encoding"), value)]),
            page=kind == "page",
            takes_gzip=takes,
        )
        for number, (value, takes) in enumerate(CODINGS)
        for kind, target in (("page", b"/a/b.html"), ("file", b"/static/a.js"))
    ]


def _upgrades() -> list[Asked]:
    def asked(name: str, value: bytes, *, passed: bool) -> Asked:
        fields = (HOST, (b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", value), (b"Sec-WebSocket-Key", b"x"))
        return Asked(f"upgrades-{name}", fields=fields, upgrade=value if passed else b"")

    return [
        asked("websocket", b"websocket", passed=True),
        asked("h2c", b"h2c", passed=False),
        asked("tls", b"TLS/1.0", passed=True),
    ]


def stays(dropped: frozenset[bytes], seed: str) -> list[Asked]:
    """Return requests that carry the fields of a documented list, and their spellings with underscores."""
    dice, out = Dice(seed), []
    framing = {b"connection", b"transfer-encoding", b"upgrade"}  # these do more than to be there
    left = sorted(dropped - framing)
    dice.random.shuffle(left)
    left += [name.replace(b"-", b"_") for name in left if b"-" in name]
    while left:
        taken, left = left[:4], left[4:]
        own = [(dice.cased(name), dice.random.choice((b"1", b"evil.test", b"/admin", b"10.0.0.1"))) for name in taken]
        out.append(Asked(f"{seed}-{len(out)}", fields=tuple(dice.strewn([HOST], own + dice.some())), cuts=dice.cut()))
    return out


def table() -> list[Asked]:
    """Return the requests whose way to the origin is compared byte for byte."""
    return [
        *_methods(),
        *_targets(),
        *_fields(),
        *_cookies(),
        *_bodies(),
        *_chunked(),
        *_expect(),
        *_connections(),
        *_conditions(),
        *_ranges(),
        *_codings(),
        *_upgrades(),
    ]
