"""References to the origin's internal name."""

from __future__ import annotations

import pytest

from bridge.proxy.options import ProxyOptions
from bridge.proxy.references import References


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (b"location", b"http://magento:8080/customer/?a=b", b"https://shop.example/customer/?a=b"),
        (b"location", b"HTTP://Magento:8080", b"https://shop.example"),
        (b"location", b"//magento:8080/x", b"//shop.example/x"),
        (b"location", b"/magento:8080/x", None),
        (b"location", b"http://magento:80801/x", None),
        (b"location", b"http://magento:8080.evil.test/x", None),
        (b"location", b"http://magento/x", None),
        (b"location", b"http://pay.example/?to=http://magento:8080/", None),
        (b"content-location", b"http://magento:8080/x", b"https://shop.example/x"),
        (b"refresh", b"5; url=http://magento:8080/x", b"5; url=https://shop.example/x"),
        (b"refresh", b"0;URL='http://magento:8080/x'", b"0;URL='https://shop.example/x'"),
        (b"refresh", b"5", None),
        (b"set-cookie", b"a=magento; Domain=magento; Path=/; Secure; SameSite=None", b"a=magento; Path=/; Secure; SameSite=None"),
        (b"set-cookie", b"a=1; domain=.Magento", b"a=1"),
        (b"set-cookie", b"a=1; domain=shop.magento.example", None),
        (b"set-cookie", b"a=domain=magento", None),
    ],
)  # fmt: skip
def test_only_the_internal_authority_is_mapped(name, value, expected):
    """P15."""
    references = References(ProxyOptions(origin="http://magento:8080", public_url="https://shop.example"))
    assert references.mapped(name, value, b"shop.example", "https") == (value if expected is None else expected)


def test_without_a_public_address_the_visitors_host_and_scheme_hold():
    references = References(ProxyOptions(origin="https://10.0.0.1"))
    assert (
        references.mapped(b"location", b"https://10.0.0.1:443/x", b"shop.example:8443", "http")
        == b"http://shop.example:8443/x"
    )
    assert references.mapped(b"location", b"https://10.0.0.1/x", b"10.0.0.1", "http") == b"https://10.0.0.1/x"


def test_an_origin_with_an_ipv6_address():
    references = References(ProxyOptions(origin="http://[::1]:8080"))
    assert references.mapped(b"location", b"http://[::1]:8080/x", b"shop.example", "https") == b"https://shop.example/x"


def test_where_no_public_host_is_known_nothing_is_made_up():
    references = References(ProxyOptions(origin="http://magento:8080"))
    assert references.mapped(b"location", b"http://magento:8080/x", b"", "http") == b"http://magento:8080/x"
