"""Which answers may get the tag."""

from __future__ import annotations

import pytest

from bridge.proxy import rules
from bridge.proxy.exchange import RequestHead, ResponseHead
from bridge.proxy.rules import coding_of, decide, is_html, may_be_page, path_reason, takes_gzip

HTML = (b"Content-Type", b"text/html; charset=UTF-8")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (b"/", None), (b"/women/tops.html", None), (b"/checkout/cart/", None), (b"/checkout/onepage/success/", None), (b"/customer/account/", None),
        (b"/restaurant.html", None), (b"/mediation", None), (b"/staticky", None), (b"/administration", None), (b"/pingpong", None), (b"/a/static/b", None),
        (b"/admin", "admin"), (b"/admin/", "admin"), (b"/admin/sales/order/", "admin"), (b"/index.php/admin", "admin"), (b"/%61dmin", "admin"),
        (b"//admin/x", "admin"), (b"/./admin", "admin"), (b"/x/../admin/", "admin"),
        (b"/rest/V1/carts", "path"), (b"/rest", "path"), (b"/index.php/rest/V1", "path"), (b"/graphql", "path"), (b"/soap/default", "path"), (b"/oauth/token", "path"),
        (b"/static/version123/frontend/x.html", "path"), (b"/media/a.html", "path"), (b"/pub/media/x", "path"), (b"/errors/404.php", "path"),
        (b"/robots.txt", "path"), (b"/sitemap.xml", "path"), (b"/sitemap-1-2.xml", "path"), (b"/.well-known/x", "path"), (b"/favicon.ico", "path"),
        (b"/health_check.php", "path"), (b"/ping", "path"), (b"/setup/", "path"), (b"/update", "path"), (b"/swagger", "path"), (b"/magento_version", "path"),
        (b"/customer/section/load/", "path"), (b"/en/customer/section/load", "path"), (b"/page_cache/block/esi/x", "path"), (b"/mui/index/render", "path"),
        (b"/captcha/refresh", "path"), (b"/checkout/sidebar/updateItemQty/", "path"), (b"/paypal/ipn", "path"), (b"/paypal/express/return/", "path"),
        (b"/paypal/express/start", None), (b"/braintree/x", "path"), (b"/adyen/process", "path"), (b"/stripe/webhook", "path"), (b"/mollie/x", "path"),
        (b"/downloadable/download/link/id/1", "path"), (b"/downloadable/customer/products", None),
    ],
)  # fmt: skip
def test_paths(path, reason):
    assert path_reason(path, "/admin") == reason
    if reason:
        assert not may_be_page(path, "/admin")


def test_the_backend_is_where_the_setting_says():
    assert path_reason(b"/secret_1/x", "/secret_1") == "admin"
    assert path_reason(b"/admin/x", "secret_1/") is None
    assert path_reason(b"/x", "") is None


@pytest.mark.parametrize(
    ("path", "page"),
    [
        (b"/", True),
        (b"/a.html", True),
        (b"/a.HTML", True),
        (b"/gear", True),
        (b"/logo.svg", False),
        (b"/A.JPEG", False),
        (b"/feed.xml", False),
        (b"/sw.js", False),
        (b"/x.woff2", False),
    ],
)
def test_requests_for_files_are_not_prepared(path, page):
    assert may_be_page(path, "/admin") is page


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, False), (b"", False), (b"gzip", True), (b"br, GZIP", True), (b"gzip;q=0", False), (b"gzip; q=0.0", False), (b"gzip;q=0.5, br", True), (b"x-gzip", True),
        (b"br", False), (b"*", True), (b"identity", False), (b"notgzip", False), (b"deflate, gzip;q=1.0, *;q=0.5", True),
    ],
)  # fmt: skip
def test_who_takes_gzip(value, expected):
    assert takes_gzip(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"text/html", True),
        (b"TEXT/HTML;charset=x", True),
        (b"text/html ; x", True),
        (b"text/htmlx", False),
        (b"application/json", False),
        (None, False),
    ],
)
def test_what_is_html(value, expected):
    assert is_html(value) is expected


@pytest.mark.parametrize(
    ("fields", "coding"),
    [
        ((), b""),
        ((b"identity",), b""),
        ((b"GZIP",), b"gzip"),
        ((b"x-gzip",), b"gzip"),
        ((b"br",), b"br"),
        ((b"gzip", b"br"), b"gzip,br"),
    ],
)
def test_codings(fields, coding):
    assert coding_of(ResponseHead(headers=[(b"Content-Encoding", value) for value in fields])) == coding


@pytest.mark.parametrize(
    ("method", "status", "fields", "reason"),
    [
        (b"GET", 200, (HTML,), None), (b"POST", 200, (HTML,), None), (b"HEAD", 200, (HTML,), None), (b"GET", 404, (HTML,), None),
        (b"PUT", 200, (HTML,), "method"), (b"GET", 503, (HTML,), "status"), (b"GET", 302, (HTML,), "status"), (b"GET", 206, (HTML,), "range"),
        (b"GET", 200, (HTML, (b"Content-Range", b"bytes 0-1/2")), "range"), (b"GET", 200, (), "type"), (b"GET", 200, ((b"Content-Type", b"text/plain"),), "type"),
        (b"GET", 200, (HTML, (b"Content-Disposition", b" Attachment; x")), "attachment"), (b"GET", 200, (HTML, (b"Content-Disposition", b"inline")), None),
        (b"GET", 200, (HTML, (b"Content-Length", b"8388608")), None), (b"GET", 200, (HTML, (b"Content-Length", b"8388609")), "size"),
        (b"GET", 200, (HTML, (b"Content-Encoding", b"br")), "encoding"), (b"GET", 200, (HTML, (b"Content-Encoding", b"gzip")), None),
    ],
)  # fmt: skip
def test_the_decision(method, status, fields, reason):
    assert decide(RequestHead(method), ResponseHead(status, headers=list(fields)), None) == reason
    if HTML in fields:
        assert decide(RequestHead(method), ResponseHead(status, headers=list(fields)), "admin") == "admin"


def test_the_decision_does_not_look_at_what_a_shared_cache_does_not_key_on():
    asking = [
        (b"X-Requested-With", b"XMLHttpRequest"),
        (b"Sec-Fetch-Dest", b"empty"),
        (b"Sec-Purpose", b"prefetch;prerender"),
        (b"User-Agent", b"Googlebot"),
    ]
    assert decide(RequestHead(headers=asking), ResponseHead(headers=[HTML]), None) is None


def test_what_is_known_of_very_long_paths_is_not_kept():
    before = rules._path_reason.cache_info().currsize
    for number in range(20):
        assert path_reason(b"/admin/%d" % number + b"x" * 10_000, "/admin") == "admin"
        assert may_be_page(b"/%d" % number + b"x" * 10_000, "/admin")
    assert rules._path_reason.cache_info().currsize == before
