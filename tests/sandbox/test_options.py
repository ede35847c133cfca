"""Settings of the shop."""

from __future__ import annotations

import pytest

from bridge.sandbox.options import ShopOptions


@pytest.mark.parametrize(
    ("given", "base_url", "authority", "host"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/", "127.0.0.1:8000", "127.0.0.1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/", "127.0.0.1:8000", "127.0.0.1"),
        ("http://shop.test:80/", "http://shop.test/", "shop.test", "shop.test"),
        ("https://shop.test:443", "https://shop.test/", "shop.test", "shop.test"),
        ("http://shop.test:443", "http://shop.test:443/", "shop.test:443", "shop.test"),
    ],
)
def test_the_base_url_ends_with_one_slash_and_has_no_default_port(given, base_url, authority, host):
    options = ShopOptions(given, "token")
    assert (options.base_url, options.authority, options.host) == (base_url, authority, host)


@pytest.mark.parametrize("given", ["", "shop.test", "/shop", "ftp://shop.test/"])
def test_an_address_that_is_not_absolute_is_refused(given):
    with pytest.raises(ValueError, match="base_url"):
        ShopOptions(given, "token")
