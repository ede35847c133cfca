"""Pages through both adaptors: the tag once, at the right place, every other byte as the origin sent it."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.wire.conftest import MARKUP
from tests.wire.origin import chunked, ok

HEAD = b'<!doctype html>\n<html lang="en">\n<head >'
REST = b'<title>Gear</title></head><body class="page-home"><p>text</p></body></html>'
PAGE = HEAD + REST
TAGGED = HEAD + MARKUP + REST


@pytest.mark.parametrize("answer", [ok(PAGE), chunked([PAGE[:30], PAGE[30:50], PAGE[50:]])], ids=["length", "chunked"])
def test_a_page_gets_the_tag_and_a_length_that_fits(origin, proxy, answer):
    """P02 (b), P05."""
    origin.plays[b"/"] = answer
    page = proxy.get(b"/")
    assert page.status == 200
    assert page.complete
    assert page.body == TAGGED
    assert proxy.count("injected") == 1


def test_a_gzip_page_gets_the_tag_and_stays_gzip(origin, proxy):
    """P01, P02 (a)."""
    body = gzip.compress(PAGE)
    origin.plays[b"/"] = ok(body, b"text/html; charset=UTF-8", b"Content-Encoding: gzip")
    for _ in range(2):
        page = proxy.get(b"/", b"Accept-Encoding: br, gzip")
        assert page.complete
        assert page.value(b"content-encoding") == b"gzip"
        assert gzip.decompress(page.body) == TAGGED
        assert page.value(b"content-type") == b"text/html; charset=UTF-8"
    assert proxy.count("memo", result="hit") == 1
    assert proxy.count("memo", result="miss") == 1


def test_a_gzip_page_is_unpacked_for_a_client_that_takes_none(origin, proxy):
    origin.plays[b"/"] = ok(gzip.compress(PAGE), b"text/html", b"Content-Encoding: gzip")
    page = proxy.get(b"/", b"Accept-Encoding: gzip;q=0")
    assert page.value(b"content-encoding") is None
    assert page.body == TAGGED
    assert page.value(b"vary") == b"Accept-Encoding"
    assert origin.received[0].values(b"accept-encoding") == [b"identity"]


def test_after_a_chunked_gzip_page_the_origin_is_asked_for_identity(origin, proxy):
    def play(wire, request):
        if request.values(b"accept-encoding") == [b"gzip"]:
            return chunked([gzip.compress(PAGE)], b"text/html", b"Content-Encoding: gzip")
        return ok(PAGE)

    origin.plays[b"/"] = play
    for _ in range(3):
        page = proxy.get(b"/", b"Accept-Encoding: gzip, br")
        assert page.complete
        assert gzip.decompress(page.body) == TAGGED
        assert page.value(b"vary") == b"Accept-Encoding" or len(origin.received) == 1
    assert [r.values(b"accept-encoding") for r in origin.received] == [[b"gzip"], [b"identity"], [b"identity"]]


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"deflate", b"gzip, br", b"x-unknown"])
def test_an_encoding_that_is_not_ours_passes_byte_for_byte_and_is_counted(origin, proxy, coding):
    """P01."""
    body = zlib.compress(PAGE)
    origin.plays[b"/"] = ok(body, b"text/html", b"Content-Encoding: " + coding, b'ETag: "x"')
    page = proxy.get(b"/", b"Accept-Encoding: br, gzip")
    assert page.body == body
    assert page.value(b"content-encoding") == coding
    assert page.value(b"etag") == b'"x"'
    assert proxy.not_injected("encoding") == 1


@pytest.mark.parametrize(
    ("target", "kind", "fields"),
    [
        (b"/customer/section/load/", b"application/json", (b"Content-Encoding: gzip",)),
        (
            b"/media/list.csv",
            b"text/csv",
            (b"Content-Encoding: gzip", b'Content-Disposition: attachment; filename="a.csv"'),
        ),
        (b"/catalog.pdf", b"application/pdf", ()),
    ],
)
def test_what_is_no_page_passes_with_body_coding_and_length_unchanged(origin, proxy, target, kind, fields):
    """P02 (c, d)."""
    body = gzip.compress(b'{"cart": {}}')
    origin.plays[target] = ok(body, kind, *fields)
    answer = proxy.get(target, b"Accept-Encoding: gzip, br")
    assert answer.body == body
    assert answer.value(b"content-length") == b"%d" % len(body)
    assert answer.values(b"content-encoding") == [f.partition(b": ")[2] for f in fields if b"Encoding" in f]
    assert proxy.not_injected("type") == 1
    if target != b"/customer/section/load/":
        assert origin.received[0].values(b"accept-encoding") == [b"gzip, br"]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "script",
            b"<!doctype html><html><head>",
            b"<script>var s='</head></body>';</script><!-- </head> --></head><body data-x=\"<body></body>\"><textarea></body></textarea></body>",
        ),
        ("upper case", b"<!DOCTYPE HTML><HTML><HEAD >", b"</HEAD ><BODY></BODY></HTML>"),
        ("comment first", b"<!-- <html><head> --><!doctype html><html><head>", b"</head></html>"),
        ("no head", b"<!doctype html>", b"<title>x</title><p>ok"),
        (
            "bytes",
            b"\xef\xbb\xbf<!doctype html><html><head>",
            b'<meta charset="windows-1252">\xe9 \xff \xc2\xa3</head>',
        ),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_tag_stands_once_at_the_real_place(origin, proxy, name, before, after, packed):
    """P05, P06 (b), P08."""
    body = before + after
    origin.plays[b"/"] = ok(gzip.compress(body), b"text/html", b"Content-Encoding: gzip") if packed else ok(body)
    page = proxy.get(b"/", b"Accept-Encoding: gzip")
    assert page.text == before + MARKUP + after, name
    assert page.value(b"content-type") == b"text/html"


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("grammar", ok(b'<div class="block">..</div>')),
        ("grammar", ok(b'{"html": "<head>"}')),
        ("grammar", ok("<!doctype html><html><head>".encode("utf-16"), b"text/html; charset=utf-16")),
        ("grammar", chunked([b"<div>", b"<head>", b"</div>"])),
        ("grammar", ok(gzip.compress(b"<div>fragment</div>"), b"text/html", b"Content-Encoding: gzip")),
        ("grammar", ok(b"")),
        ("amp", ok(b"<!doctype html><html amp><head></head></html>")),
        ("attachment", ok(PAGE, b"text/html", b'Content-Disposition: attachment; filename="a.html"')),
        ("range", ok(PAGE, b"text/html", b"Content-Range: bytes 0-9/500", status=b"206 Partial Content")),
        ("status", ok(PAGE, status=b"503 Service Unavailable")),
        ("type", ok(PAGE, b"application/xhtml+xml")),
        ("encoding", ok(b"\x1f\x8b\x08not gzip at all", b"text/html", b"Content-Encoding: gzip")),
        ("encoding", ok(gzip.compress(PAGE)[:-9], b"text/html", b"Content-Encoding: gzip")),
        ("size", ok(gzip.compress(PAGE + b"\0" * 9_000_000), b"text/html", b"Content-Encoding: gzip")),
    ],
)
def test_what_is_not_injected_arrives_byte_for_byte_with_its_reason(origin, proxy, reason, answer):
    """P06 (a, d, f)."""
    origin.plays[b"/"] = answer
    page = proxy.get(b"/", b"X-Requested-With: XMLHttpRequest", b"Sec-Fetch-Dest: empty", b"Accept-Encoding: gzip")
    expected = answer.partition(b"\r\n\r\n")[2]
    if b"chunked" in answer:
        expected = b"<div><head></div>"
    assert page.complete
    assert page.body == expected
    assert proxy.not_injected(reason) == 1
    assert proxy.count("injected") == 0


@pytest.mark.parametrize("path", [b"/admin", b"/admin/sales/order", b"/index.php/admin/", b"/%61dmin/x", b"/./admin"])
def test_the_backend_is_never_injected(origin, proxy, path):
    origin.plays[path] = ok(PAGE)
    assert proxy.get(path).body == PAGE
    assert proxy.not_injected("admin") == 1


def test_a_whole_document_is_injected_whoever_asks_and_again_when_it_holds_the_tag(origin, proxy):
    """P06 (c, e)."""
    origin.plays[b"/"] = ok(TAGGED)
    page = proxy.get(b"/", b"X-Requested-With: XMLHttpRequest", b"Sec-Fetch-Dest: iframe")
    assert page.body == HEAD + MARKUP + MARKUP + REST


def test_a_form_answered_with_a_page_and_a_missing_page_get_the_tag(origin, proxy):
    origin.plays[b"/customer/account/loginPost/"] = ok(PAGE)
    origin.plays[b"/gone"] = ok(PAGE, status=b"404 Not Found")
    assert proxy.get(b"/customer/account/loginPost/", method=b"POST", body=b"a=b").body == TAGGED
    assert proxy.get(b"/gone").body == TAGGED


def test_without_markup_the_page_passes_and_is_counted_as_off(origin, proxy):
    origin.plays[b"/off"] = ok(PAGE)
    assert proxy.get(b"/off").body == PAGE
    assert proxy.not_injected("off") == 1


def test_a_page_over_8_mb_streams_without_the_tag(origin, proxy):
    """P13."""
    body = PAGE + b"x" * (8 * 1024 * 1024)
    origin.plays[b"/"] = ok(body)
    assert proxy.get(b"/").body == body
    assert proxy.not_injected("size") == 1


def test_two_visitors_get_the_same_page_byte_for_byte(origin, proxy):
    """P17, P18: nothing of the visitor is in the page."""
    origin.plays[b"/"] = ok(PAGE)
    first = proxy.get(b"/?q=%3C/script%3E", b"Cookie: PHPSESSID=a", b"Referer: http://x/</script>")
    origin.plays[b"/?q=%3C/script%3E"] = ok(PAGE)
    one = proxy.get(b"/", b"Cookie: PHPSESSID=a", b"User-Agent: A")
    two = proxy.get(b"/", b"Cookie: PHPSESSID=b", b"User-Agent: B", b"Accept-Language: fr")
    assert first.status == 200
    assert one.body == two.body == TAGGED


def test_the_kill_file_stops_injection_and_observation(origin, start, tmp_path):
    from tests.wire.conftest import Route, Watching

    watching = Watching({b"/": Route()})
    kill = tmp_path / "no-injection"
    kill.touch()
    proxy = start(kill_file=kill, observer=watching)
    origin.plays[b"/"] = ok(PAGE)
    assert proxy.get(b"/").body == PAGE
    assert proxy.not_injected("killed") == 1
    assert not watching.arrived.wait(0.1)
    kill.unlink()
    proxy.core._killed_until = 0.0
    assert proxy.get(b"/").body == TAGGED
    assert watching.arrived.wait(5)


class Faulty:
    etag_suffix = b"b1"
    csp_sources = None

    def markup(self, request):
        if request.path == b"/policy":
            return MARKUP
        raise RuntimeError("a fault of ours")


@pytest.mark.parametrize("path", [b"/", b"/policy"])
def test_a_fault_of_ours_leaves_the_origins_bytes(origin, start, path):
    proxy = start(tags=Faulty())
    origin.plays[path] = ok(PAGE, b"text/html", b"Content-Security-Policy: default-src 'self'", b'ETag: "a"')
    page = proxy.get(path)
    assert page.body == PAGE
    assert page.value(b"etag") == b'"a"'
    assert page.value(b"content-security-policy") == b"default-src 'self'"
    assert proxy.not_injected("fault") == 1


@pytest.mark.parametrize("packed", [False, True])
def test_the_head_of_a_slowly_made_page_goes_out_at_once(origin, proxy, packed):
    """P13: also when it is packed."""
    import threading

    go_on = threading.Event()
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    first = packer.compress(PAGE[:60]) + packer.flush(zlib.Z_SYNC_FLUSH) if packed else PAGE[:60]
    second = packer.compress(PAGE[60:]) + packer.flush() if packed else PAGE[60:]

    def play(wire, request):
        fields = b"Content-Encoding: gzip\r\n" if packed else b""
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n")
        wire.send(b"%x\r\n%b\r\n" % (len(first), first))
        assert go_on.wait(10)
        return b"%x\r\n%b\r\n0\r\n\r\n" % (len(second), second)

    origin.plays[b"/"] = play
    visitor = proxy.visitor()
    visitor.send(b"GET / HTTP/1.1\r\nHost: shop.example\r\nAccept-Encoding: gzip\r\n\r\n")
    unpacker = zlib.decompressobj(31)
    got = b""
    visitor.until(b"\r\n\r\n")
    while len(got) < 60 + len(MARKUP):
        size = int(visitor.until(b"\r\n"), 16)
        while len(visitor.buffer) < size + 2:
            assert visitor.more()
        data, visitor.buffer = visitor.buffer[:size], visitor.buffer[size + 2 :]
        got += unpacker.decompress(data) if packed else data
    assert got == PAGE[:60].replace(HEAD, HEAD + MARKUP)
    go_on.set()


def test_a_large_chunked_gzip_page_is_recoded_as_it_comes(origin, proxy):
    import random

    noise = random.Random(7).randbytes(1_500_000).hex().encode()
    page = PAGE + noise
    packed = gzip.compress(page, 1)
    origin.plays[b"/"] = chunked(
        [packed[i : i + 7000] for i in range(0, len(packed), 7000)], b"text/html", b"Content-Encoding: gzip"
    )
    answer = proxy.get(b"/", b"Accept-Encoding: gzip")
    assert answer.complete
    assert gzip.decompress(answer.body) == TAGGED + noise


def test_several_gzip_members_are_one_page(origin, proxy):
    origin.plays[b"/"] = ok(
        gzip.compress(PAGE[:60]) + gzip.compress(PAGE[60:]), b"text/html", b"Content-Encoding: gzip"
    )
    assert proxy.get(b"/", b"Accept-Encoding: gzip").text == TAGGED


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("way", ["length", "chunked"])
def test_policies_in_the_page_itself_are_opened_where_that_is_asked_for(origin, start, coding, way):
    """P09: the same in `<meta http-equiv>`."""
    policy = b"<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self'; img-src 'none'\">"
    opened = policy.replace(
        b"'self'; img-src 'none'", b"&#x27;self&#x27; https://cdn.ometria.com; img-src &#x27;none&#x27;"
    )
    body = HEAD + policy + REST
    fields: tuple[bytes, ...] = ()
    if coding == "gzip":
        body, fields = gzip.compress(body), (b"Content-Encoding: gzip",)
    origin.plays[b"/"] = (
        ok(body, b"text/html", *fields) if way == "length" else chunked([body[:40], body[40:]], b"text/html", *fields)
    )
    proxy = start(edit_meta_policies=True)
    page = proxy.get(b"/", b"Accept-Encoding: gzip")
    assert page.complete
    assert (gzip.decompress(page.body) if coding == "gzip" else page.body) == HEAD + MARKUP + opened + REST
    assert proxy.count("csp_notes", note="none") == 1


def test_policies_in_the_page_are_left_where_it_is_not_asked_for(origin, proxy):
    policy = b'<meta http-equiv="Content-Security-Policy" content="script-src \'self\'">'
    origin.plays[b"/"] = ok(HEAD + policy + REST)
    assert proxy.get(b"/").body == HEAD + MARKUP + policy + REST
