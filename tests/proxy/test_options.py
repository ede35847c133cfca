"""Addresses."""

from __future__ import annotations

import pytest

from bridge.proxy.options import Address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://varnish:80", ("http", "varnish", 80, b"varnish")), ("http://varnish", ("http", "varnish", 80, b"varnish")),
        ("https://shop.example", ("https", "shop.example", 443, b"shop.example")), ("https://a:8443/", ("https", "a", 8443, b"a:8443")),
        ("http://[::1]:81", ("http", "::1", 81, b"[::1]:81")),
    ],
)  # fmt: skip
def test_an_address_is_read_from_a_url(url, expected):
    address = Address.of(url)
    assert (address.scheme, address.host, address.port, address.authority) == expected


@pytest.mark.parametrize("url", ["", "shop.example", "ftp://a", "http://", "//a"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="not an http or https address"):
        Address.of(url)
