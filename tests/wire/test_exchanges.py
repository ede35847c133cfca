"""Heads, targets, bodies and references through both adaptors."""

from __future__ import annotations

import threading
from ipaddress import ip_network

import pytest

from tests.wire.conftest import MARKUP
from tests.wire.origin import chunked, ok

PAGE = b"<!doctype html><html><head></head><body></body></html>"
TAGGED = PAGE.replace(b"<head>", b"<head>" + MARKUP)


def test_repeated_fields_stay_separate_in_their_order(origin, proxy):
    """P03."""
    fields = [
        b"Set-Cookie: PHPSESSID=a; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/",
        b"Set-Cookie: form_key=b; SameSite=Lax",
        b"Set-Cookie: X-Magento-Vary=c; Secure; HttpOnly",
        b"Link: <a>; rel=preload",
        b"Link: <b>; rel=preload",
        b'WWW-Authenticate: Basic realm="a"',
        b'WWW-Authenticate: Digest realm="b"',
        b"Vary: Accept-Encoding",
        b"Vary: Cookie",
        b"Content-Security-Policy: frame-ancestors 'self'",
        b"Content-Security-Policy: default-src 'self'",
        b"x-LOWER-and-Upper: Kept",
        b"X-Empty: ",
    ]
    origin.plays[b"/a.txt"] = ok(b"x", b"text/plain", *fields)
    answer = proxy.get(b"/a.txt")
    assert [line for line in answer.raw_head.split(b"\r\n") if line in fields] == fields


def test_no_cookie_crosses_from_one_visitor_to_another(origin, proxy):
    """P04: interleaved on one worker and one connection to the origin."""

    def play(wire, request):
        cookie = request.values(b"cookie")
        name = cookie[0].partition(b"=")[2] if cookie else b"none"
        return ok(b"hello " + name, b"text/plain", b"Set-Cookie: PHPSESSID=" + name)

    origin.plays[b"*"] = play
    with proxy.visitor() as one, proxy.visitor() as two:
        for turn in range(10):
            answer = one.get(b"/login", b"Cookie: PHPSESSID=A%d" % turn)
            assert answer.body == b"hello A%d" % turn
            answer = two.get(b"/customer/section/load/")
            assert answer.body == b"hello none"
            assert answer.values(b"set-cookie") == [b"PHPSESSID=none"]
    assert origin.connections <= 2
    assert [r.values(b"cookie") for r in origin.received[1::2]] == [[]] * 10


@pytest.mark.parametrize(
    ("method", "answer", "length"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5120\r\n\r\n", None),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 5120\r\n\r\n", b"5120"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"5"),
        (b"POST", b"HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n", None),
    ],
)
def test_answers_without_body_neither_write_nor_wait_for_one(origin, proxy, adaptor, method, answer, length):
    """P07."""
    origin.plays[b"/"] = answer
    with proxy.visitor() as visitor:
        for _ in range(2):
            got = visitor.get(b"/", method=method)
            assert got.status == int(answer.split(b" ")[1])
            assert got.value(b"content-length") in ({length} if adaptor == "edge" else {length, b"0", None})
            assert got.value(b"transfer-encoding") is None
        assert visitor.buffer == b""


@pytest.mark.parametrize(
    "target",
    [
        b"/catalogsearch/result/a%2Fb",
        b"/media/x%20y%2Bz.jpg",
        b"/a;b=1/c",
        b"/caf%C3%A9",
        b"/p$1",
        b"/a//b",
        b"/a/%2e%2e/b",
        b"/a/../b",
        b"/?",
        b"/?q=a+b&c=%26#x",
        b"/\\evil.test/",
        b"/http://evil.test/x",
        b"/@evil.test/",
        b"/:80/",
        b"/%00",
    ],
)
def test_the_target_arrives_byte_for_byte(origin, proxy, target):
    """P10, P11."""
    assert proxy.get(target).status == 200
    assert origin.received[0].target == target
    assert origin.received[0].values(b"host") == [b"shop.example"]


def test_an_absolute_target_with_a_foreign_host_is_refused_and_with_the_own_one_taken(origin, proxy, adaptor):
    """P10."""
    if adaptor == "edge":
        assert proxy.get(b"http://evil.test/x").status == 400
        assert origin.received == []
        assert proxy.get(b"http://SHOP.example/x?y").status == 200
        assert origin.received[0].target == b"/x?y"
    else:  # the server hands the host over as if it had come in the Host field: it is still no address to connect to
        assert proxy.get(b"http://evil.test/x").body == b"none\n"
        assert len(origin.received) == 1


@pytest.mark.parametrize(
    ("method", "status"), [(b"TRACE", 405), (b"PURGE", 405), (b"BAN", 405), (b"CONNECT", 405), (b"PROPFIND", 501)]
)
def test_methods_that_empty_caches_or_open_tunnels_are_refused(origin, proxy, method, status):
    target = b"shop.example:443" if method == b"CONNECT" else b"/"
    assert proxy.get(target, method=method).status == status
    assert origin.received == []


@pytest.mark.parametrize("method", [b"PUT", b"DELETE", b"OPTIONS", b"PATCH"])
def test_other_methods_pass(origin, proxy, method):
    assert proxy.get(b"/rest/V1/x", method=method, body=b"{}").status == 200
    assert origin.received[0].line == method + b" /rest/V1/x HTTP/1.1"
    assert origin.received[0].body == b"{}"


def test_a_chunked_body_arrives_whole_and_once(origin, proxy, adaptor):
    """P12; the trial server of the middleware knows neither extensions nor trailers."""
    extras = (b";x=1", b"X-T: 1\r\n") if adaptor == "edge" else (b"", b"")
    with proxy.visitor() as visitor:
        visitor.send(b"POST /checkout/cart/add/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        visitor.send(b"6\r\nhello \r\n5%b\r\nworld\r\n0\r\n%b\r\n" % extras)
        assert visitor.answer().status == 200
    assert [r.body for r in origin.received] == [b"hello world"]
    assert origin.received[0].values(b"transfer-encoding") == [b"chunked"]
    assert origin.received[0].values(b"x-t") == []


def test_a_post_without_body_stays_without(origin, proxy):
    """P12."""
    with proxy.visitor() as visitor:
        visitor.send(b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert visitor.answer().status == 200
    assert origin.received[0].values(b"transfer-encoding") == []


def test_a_large_upload_streams(origin, proxy):
    """P12: the origin has the beginning before the visitor has sent the end."""
    began = threading.Event()

    def play(wire, request):
        wire.read(100_000)
        began.set()
        wire.read(8_000_000 - 100_000)
        return ok(b"done", b"text/plain")

    origin.plays[b"/upload"] = play
    origin.before_body.add(b"/upload")
    with proxy.visitor() as visitor:
        visitor.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 200_000)
        assert began.wait(10)
        visitor.send(b"x" * 7_800_000)
        assert visitor.answer().body == b"done"


def test_an_event_stream_arrives_event_by_event_and_its_end_is_seen_by_the_origin(origin, proxy):
    """P13."""
    step = threading.Semaphore(0)
    gone = []

    def play(wire, request):
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(3):
            wire.send(b"9\r\ndata: %d\n\n\r\n" % number)
            assert step.acquire(timeout=10)
        gone.append(wire.closed_by_peer() if proxy.adaptor == "edge" else True)

    origin.plays[b"/events"] = play
    with proxy.visitor() as visitor:
        visitor.send(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        for number in range(3):
            assert visitor.until(b"data: %d\n\n" % number)
            if number < 2:
                step.release()
    step.release()
    origin.close()
    assert gone == [True]


def test_a_silent_origin_is_a_504_and_a_stalled_body_is_cut(origin, start):
    """P13."""
    proxy = start(timeout_head=0.2, timeout_idle=0.3)
    end = threading.Event()

    def silent(wire, request):
        end.wait(10)

    def stalled(wire, request):
        wire.send(ok(b"x" * 1000, b"text/plain")[:200])
        end.wait(10)

    origin.plays.update({b"/silent": silent, b"/stalled": stalled})
    answer = proxy.get(b"/silent")
    assert answer.status == 504
    assert answer.value(b"cache-control") == b"no-store"
    assert proxy.count("proxy_failures", kind="head-timeout") == 1
    assert not proxy.get(b"/stalled").complete
    assert proxy.count("proxy_failures", kind="idle-timeout") == 1
    end.set()


def test_an_origin_that_is_down_is_a_502_that_no_cache_keeps(start, origin):
    origin.close()
    proxy = start()
    answer = proxy.get(b"/")
    assert answer.status == 502
    assert answer.value(b"cache-control") == b"no-store"
    assert answer.complete
    assert proxy.count("proxy_failures", kind="connect") == 1


SPOOFED = (
    b"X-Forwarded-For: 1.2.3.4",
    b"X-Forwarded-Host: evil.test",
    b"X-Forwarded-Proto: https",
    b"X-Original-URL: /admin",
    b"X-Rewrite-URL: /admin",
    b"Forwarded: host=evil.test",
    b"Proxy: evil",
    b"X-Real-IP: 1.2.3.4",
)


def test_what_a_visitor_says_about_himself_is_dropped_and_set_anew(origin, start):
    """P14, direct."""
    proxy = start(public_url="http://shop.example")
    proxy.get(b"/", *SPOOFED)
    received = origin.received[0]
    assert received.values(b"x-forwarded-for") == [b"127.0.0.1"]
    assert received.values(b"x-forwarded-proto") == [b"http"]
    assert received.values(b"x-forwarded-host") == [b"shop.example"]
    for name in (b"x-original-url", b"x-rewrite-url", b"forwarded", b"proxy", b"x-real-ip"):
        assert received.values(name) == []


def test_what_a_trusted_proxy_says_is_kept(origin, start):
    """P14, through one trusted load balancer."""
    proxy = start(trusted_proxies=(ip_network("127.0.0.0/8"),))
    proxy.get(b"/", *SPOOFED)
    received = origin.received[0]
    assert received.values(b"x-forwarded-for") == [b"1.2.3.4, 127.0.0.1"]
    assert received.values(b"x-forwarded-proto") == [b"https"]
    assert received.values(b"x-original-url") == []
    assert received.values(b"proxy") == []


def test_the_public_address_gives_the_scheme(origin, start):
    """P14: https outside means https inside."""
    proxy = start(public_url="https://shop.example")
    proxy.get(b"/")
    assert origin.received[0].values(b"x-forwarded-proto") == [b"https"]


def test_only_references_to_the_inner_origin_are_mapped(origin, start):
    """P15."""
    proxy = start(public_url="https://shop.example")
    inner = b"127.0.0.1:%d" % origin.port
    for sent, wanted in [
        (b"Location: http://" + inner + b"/customer/account/", b"Location: https://shop.example/customer/account/"),
        (b"Location: /customer/account/", b"Location: /customer/account/"),
        (b"Location: https://pay.example/?back=http://" + inner + b"/", None),
        (b"Refresh: 5; url=http://" + inner + b"/x", b"Refresh: 5; url=https://shop.example/x"),
        (b"Content-Location: http://" + inner + b"/x", b"Content-Location: https://shop.example/x"),
        (b"Set-Cookie: a=1; Domain=127.0.0.1; Secure; SameSite=None", b"Set-Cookie: a=1; Secure; SameSite=None"),
        (b"Set-Cookie: a=1; Domain=.shop.example; Secure", None),
        (b"X-Other: http://" + inner + b"/", None),
    ]:
        origin.plays[b"/"] = ok(b"", b"text/plain", sent, status=b"302 Found")
        answer = proxy.get(b"/")
        assert answer.status == 302
        assert (wanted or sent) in answer.raw_head.split(b"\r\n")


def test_hop_by_hop_fields_stay_where_they_are(origin, proxy):
    """P16."""
    origin.plays[b"/a.txt"] = ok(
        b"x",
        b"text/plain",
        b"Connection: keep-alive, X-Inner",
        b"X-Inner: 1",
        b"Keep-Alive: timeout=5",
        b"Trailer: X-T",
        b"Proxy-Authenticate: Basic",
        b"X-Outer: 1",
    )
    answer = proxy.get(
        b"/a.txt",
        b"Connection: keep-alive, X-Secret",
        b"X-Secret: 1",
        b"TE: trailers",
        b"Keep-Alive: 1",
        b"Proxy-Authorization: Basic x",
        b"Proxy-Connection: keep-alive",
        b"X-Open: 1",
    )
    received = origin.received[0]
    for name in (b"x-secret", b"te", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"connection"):
        assert received.values(name) == []
    assert received.values(b"x-open") == [b"1"]
    for name in (b"x-inner", b"keep-alive", b"trailer", b"proxy-authenticate"):
        assert answer.values(name) == []
    assert answer.value(b"x-outer") == b"1"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n folded: c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: x=y\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
    ],
)
def test_an_answer_that_two_readers_could_read_differently_is_a_502(origin, proxy, answer):
    """P16."""
    origin.plays[b"/"] = answer
    assert proxy.get(b"/").status == 502
    assert proxy.count("proxy_failures", kind="malformed-answer") == 1


def test_an_answer_until_close_is_whole_and_its_page_gets_the_tag(origin, proxy):
    def play(wire, request):
        wire.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE)

    origin.plays[b"/"] = play
    answer = proxy.get(b"/")
    assert answer.complete
    assert answer.body == TAGGED


@pytest.mark.parametrize("adaptor", ["edge"], indirect=True)  # else it is the server's business: see test_gunicorn
def test_a_client_of_http_1_0_gets_the_body_without_chunks(origin, proxy, adaptor):
    origin.plays[b"/"] = chunked([PAGE[:20], PAGE[20:]])
    with proxy.visitor() as visitor:
        visitor.send(b"GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n")
        answer = visitor.answer()
    assert answer.value(b"transfer-encoding") is None
    assert answer.body == TAGGED
    assert origin.received[0].line == b"GET / HTTP/1.1"


def test_the_entity_tag_of_a_page_bears_the_mark_and_only_the_current_one_is_taken_off(origin, proxy):
    def play(wire, request):
        if request.values(b"if-none-match") == [b'W/"abc"']:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "abc"\r\nLast-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n'
        return ok(
            PAGE,
            b"text/html",
            b'ETag: "abc"',
            b"Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT",
            b"Accept-Ranges: bytes",
            b"Content-MD5: x",
        )

    origin.plays[b"/"] = play
    page = proxy.get(b"/", b"If-Modified-Since: Wed, 21 Oct 2026 07:28:00 GMT")
    assert page.value(b"etag") == b'W/"abc-b1"'
    assert [page.value(name) for name in (b"last-modified", b"accept-ranges", b"content-md5")] == [None] * 3
    assert origin.received[0].values(b"if-modified-since") == []
    again = proxy.get(b"/", b'If-None-Match: W/"abc-b1"')
    assert again.status == 304
    assert again.value(b"etag") == b'W/"abc-b1"'
    assert again.value(b"last-modified") is None
    older = proxy.get(b"/", b'If-None-Match: W/"abc-b0"')
    assert older.status == 200
    assert origin.received[2].values(b"if-none-match") == [b'W/"abc-b0"']


def test_a_document_stored_before_the_tag_is_sent_anew(origin, proxy):
    origin.plays[b"/"] = lambda _, request: (
        b'HTTP/1.1 304 Not Modified\r\nETag: "abc"\r\n\r\n' if request.values(b"if-none-match") else ok(PAGE)
    )
    assert proxy.get(b"/", b'If-None-Match: "abc"', b"Sec-Fetch-Dest: document").body == TAGGED
    assert proxy.get(b"/", b'If-None-Match: "abc"', b"Sec-Fetch-Dest: empty").status == 304


def test_a_file_keeps_its_validators(origin, proxy):
    origin.plays[b"/static/a.js"] = ok(
        b"x", b"text/javascript", b'ETag: "abc"', b"Last-Modified: x", b"Accept-Ranges: bytes"
    )
    answer = proxy.get(
        b"/static/a.js",
        b"If-Modified-Since: y",
        b'If-None-Match: W/"abc-b1"',
        b"Range: bytes=0-1",
        b"Accept-Encoding: br",
    )
    received = origin.received[0]
    assert received.values(b"if-modified-since") == [b"y"]
    assert received.values(b"if-none-match") == [b'W/"abc-b1"']
    assert received.values(b"range") == [b"bytes=0-1"]
    assert received.values(b"accept-encoding") == [b"br"]
    assert answer.value(b"etag") == b'"abc"'


@pytest.mark.parametrize(
    ("policies", "wanted", "nonce"),
    [
        (
            [b"script-src 'self' 'nonce-abc' 'strict-dynamic'; connect-src 'self'"],
            [b"script-src 'self' 'nonce-abc' 'strict-dynamic'; connect-src 'self' https://trk.ometria.com"],
            b"abc",
        ),
        (
            [b"default-src 'self'"],
            [
                b"default-src 'self'; script-src 'self' https://cdn.ometria.com; img-src 'self' https://trk.ometria.com; connect-src 'self' https://trk.ometria.com"
            ],
            None,
        ),
        ([b"script-src 'self'", b"img-src *"], [b"script-src 'self' https://cdn.ometria.com", b"img-src *"], None),
        ([b"script-src 'none'"], [b"script-src 'none'"], None),
    ],
)
@pytest.mark.parametrize("name", [b"Content-Security-Policy", b"Content-Security-Policy-Report-Only"])
def test_policies_are_opened_for_the_tag(origin, proxy, name, policies, wanted, nonce):
    """P09."""
    origin.plays[b"/"] = ok(PAGE, b"text/html", *[name + b": " + policy for policy in policies])
    page = proxy.get(b"/")
    assert page.values(name) == wanted
    markup = MARKUP.replace(b"<script ", b'<script nonce="%b" ' % nonce) if nonce else MARKUP
    assert page.body == PAGE.replace(b"<head>", b"<head>" + markup)
    assert proxy.count("csp_notes", note="none") == (b"'none'" in policies[0])


def test_a_body_over_the_limit_is_refused(origin, start):
    proxy = start(max_body=1000)
    assert proxy.get(b"/", method=b"POST", body=b"x" * 1000).status == 200
    assert proxy.get(b"/", method=b"POST", body=b"x" * 1001).status == 413
    with proxy.visitor() as visitor:
        visitor.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n"
        )
        assert visitor.answer().status == 413
