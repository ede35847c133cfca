"""Values of fields and paths: a word that says what they are on the first line, the value on the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fuzz.chance import Chance

CODINGS: Final = (
    b"gzip",
    b"x-gzip",
    b"GZIP",
    b"deflate",
    b"br",
    b"*",
    b"identity",
    b"gzipx",
    b"x-x-gzip",
    b"",
    b"gzip br",
    b"zstd",
)
WEIGHTS: Final = (
    b"",
    b"",
    b";q=1",
    b";q=0",
    b"; q=0.5",
    b";q=0.000",
    b" ; q=1.0",
    b";Q=0",
    b";q=0.001",
    b";q=",
    b";q=.5",
    b";q=2",
    b";x=y",
    b";q=0;x=y",
    b";q=-1",
    b";q=0.",
    b";q=1.000 ",
)
TYPES: Final = (
    b"text/html", b"text/html", b"TEXT/HTML", b"text/htmlx", b"text/plain", b"application/xhtml+xml", b"text/html/x",
    b"xtext/html", b"", b"text", b"text/ html", b"application/json",
)  # fmt: skip
PARAMETERS: Final = (
    b"",
    b"; charset=utf-8",
    b";charset=utf-8",
    b" ;charset=x",
    b";",
    b" ",
    b"\t",
    b",text/html",
    b" x",
    b'; charset="text/html"',
    b", text/plain",
    b"\xe9",
)
SEGMENTS: Final = (
    b"admin", b"admin", b"index.php", b"rest", b"V1", b"static", b"media", b"customer", b"section", b"load",
    b"page_cache", b"block", b"mui", b"captcha", b"checkout", b"sidebar", b"downloadable", b"download", b"paypal",
    b"ipn", b"return", b"express", b"braintree", b"adyen", b"stripe", b"mollie", b"fr", b"default_store",
    b"robots.txt", b"sitemap.xml", b"sitemap_1.xml", b"favicon.ico", b"health_check.php", b"ping", b"errors",
    b".well-known", b"graphql", b"soap", b"oauth", b"pub", b"setup", b"update", b"swagger", b"magento_version",
    b"shirt.html", b"a.css", b"A.JPG", b"..", b".", b"", b"administrator", b"ADMIN", b"rests", b"cart", b"a.b",
    b"a-b", b"x.woff2", b"x.php", b"%61dmin", b"adm%69n", b"%2e%2e", b"%2E", b"a%2Fb", b"%", b"%zz", b"%41",
    b"caf\xc3\xa9", b"%C3%A9", b"sitemap", b"xml", b"robots.txt.html", b"%2frest", b"%25", b"%5c", b"a%20b",
)  # fmt: skip
TAGS: Final = (
    b'"abc"', b'W/"abc"', b'W/"abc-fuzz1"', b'"abc-fuzz1"', b'W/"abc-fuzz2"', b'w/"abc-fuzz1"', b'""', b'W/""',
    b'W/"-fuzz1"', b'W/"-fuzz1-fuzz1"', b"*", b"abc", b'"a"b"', b'W/ "a"', b'"a,b"', b'W/"a,b-fuzz1"', b'"\xe9"',
    b'W/"fuzz1"', b'W/"a -fuzz1"', b'"', b"W/", b'W/"x', b'W/"a-fuzz1" "b"', b'"W/"abc-fuzz1""',
)  # fmt: skip
AUTHORITIES: Final = (
    b"origin.internal:8080", b"origin.internal:8080", b"ORIGIN.internal:8080", b"origin.internal",
    b"origin.internal:80", b"shop.example", b"evil.test", b"u@origin.internal:8080", b"origin.internal:80800",
    b"origin.internal:8080.evil.test", b"xorigin.internal:8080", b"origin.internal:8080@evil.test", b"",
    b"origin.internal.", b"origin.internal:",
)  # fmt: skip
PATHS: Final = (
    b"",
    b"/",
    b"/a/b?c=d#e",
    b"?x",
    b"#f",
    b"/http://origin.internal:8080/",
    b"?u=//origin.internal:8080/",
    b"/a b",
    b"//origin.internal:8080/",
    b"\\x",
    b";x",
    b"/\xe9",
)
SCHEMES: Final = (
    b"http://",
    b"https://",
    b"//",
    b"HTTP://",
    b"ftp://",
    b"http:/",
    b"",
    b"http:",
    b"/",
    b"javascript://",
    b"http:///",
    b"x:http://",
)
HOSTS: Final = (
    b"shop.example",
    b"shop.example:8443",
    b"origin.internal",
    b"origin.internal:8080",
    b"",
    b"[::1]",
    b"SHOP.example",
)
ATTRIBUTES: Final = (
    b"; Path=/", b"; Domain=origin.internal", b";domain=.origin.internal", b'; DOMAIN = "origin.internal" ',
    b"; Domain=shop.example", b"; Domain=", b"; Secure", b"; HttpOnly", b"; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    b"; Domain=ORIGIN.INTERNAL", b"; xDomain=origin.internal", b"; Domain=origin.internal.evil.test", b"; Domain",
    b";", b"; Domain=\torigin.internal", b"; Max-Age=0", b"; SameSite=Lax", b"; Domain=origin.internal:8080",
    b"; Domain=x origin.internal",
)  # fmt: skip
DELAYS: Final = (
    b"5; url=",
    b"0;URL=",
    b"5;",
    b"5, url=",
    b"url=",
    b" 1.5 ; url = ",
    b"5; url='",
    b'5; url="',
    b"5",
    b"",
    b"x; url=",
    b";",
)


def rules(chance: Chance) -> bytes:
    """Make an Accept-Encoding, a Content-Type or a path."""
    kind = chance.pick((b"accept-encoding", b"content-type", b"path", b"path"))
    if kind == b"accept-encoding":
        parts = [chance.pick(CODINGS) + chance.pick(WEIGHTS) for _ in range(1 + chance.below(4))]
        value = chance.pick((b",", b", ", b" , ")).join(parts)
    elif kind == b"content-type":
        value = chance.pick((b"", b"", b" ")) + chance.pick(TYPES) + chance.pick(PARAMETERS)
    else:
        value = b"".join(b"/" + chance.pick(SEGMENTS) for _ in range(1 + chance.below(6)))
    if chance.one_in(10):
        value = printable(chance.mutated(value, b"gzip;q=0/text/html/admin/%2e"))
    return kind + b"\n" + (b"/" + value.lstrip(b"/") if kind == b"path" and value[:1] != b"/" else value)


def validators(chance: Chance) -> bytes:
    """Make an entity tag, or a list of some."""
    kind = chance.pick((b"etag", b"if-none-match", b"if-none-match"))
    value = chance.pick(TAGS)
    if kind == b"if-none-match":
        value = chance.pick((b", ", b",", b" ,\t")).join([value, *chance.some(TAGS, 4)])
    if chance.one_in(10):
        value = printable(chance.mutated(value, b'W/"x-fuzz1", "'))
    return kind + b"\n" + value


def references(chance: Chance) -> bytes:
    """Make a reference, with the host that was asked for on the second line."""
    kind = chance.pick((b"location", b"content-location", b"refresh", b"set-cookie"))
    url = chance.pick(SCHEMES) + chance.pick(AUTHORITIES) + chance.pick(PATHS)
    if kind == b"set-cookie":
        value = chance.pick((b"a=b", b"a=", b'a="x"', b"a=b=c", b"a=origin.internal")) + b"".join(
            chance.some(ATTRIBUTES, 4)
        )
    else:
        value = chance.pick(DELAYS) + url if kind == b"refresh" else url
    if chance.one_in(10):
        value = printable(chance.mutated(value, b"http://origin.internal:8080/; Domain=origin.internal"))
    return kind + b"\n" + chance.pick(HOSTS) + b"\n" + value


def printable(value: bytes) -> bytes:
    """Leave what the value of a field may hold."""
    return bytes(byte for byte in value if byte in b"\t" or 0x20 <= byte < 0x7F or byte >= 0x80).strip(b" \t")
