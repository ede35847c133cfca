"""The request as the origin gets it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from bridge.proxy.exchange import RequestHead
from bridge.proxy.forwarding import direct_sender, forwarded_headers, hop_by_hop, is_trusted, plain_address, sender_of

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("::1", True),
        ("::ffff:10.1.2.3", True),
        ("::2", False),
        ("", False),
        ("unix:", False),
        ("10.1.2.3, 1.1.1.1", False),
    ],
)
def test_who_is_trusted(address, trusted):
    assert is_trusted(address, TRUSTED) is trusted


@pytest.mark.parametrize(
    ("peer", "fields", "client", "scheme", "chain"),
    [
        ("1.1.1.1", [(b"X-Forwarded-For", b"2.2.2.2"), (b"X-Forwarded-Proto", b"https")], "1.1.1.1", "http", b"1.1.1.1"),
        ("10.0.0.1", [], "10.0.0.1", "http", b"10.0.0.1"),
        ("10.0.0.1", [(b"X-Forwarded-For", b"2.2.2.2")], "2.2.2.2", "http", b"2.2.2.2, 10.0.0.1"),
        ("10.0.0.1", [(b"X-Forwarded-For", b"6.6.6.6, 2.2.2.2, 10.0.0.9"), (b"X-Forwarded-Proto", b"HTTPS")], "2.2.2.2", "https", b"6.6.6.6, 2.2.2.2, 10.0.0.9, 10.0.0.1"),
        ("10.0.0.1", [(b"X-Forwarded-For", b"2.2.2.2"), (b"X-Forwarded-For", b"3.3.3.3")], "3.3.3.3", "http", b"2.2.2.2, 3.3.3.3, 10.0.0.1"),
        ("10.0.0.1", [(b"X-Forwarded-Proto", b"gopher")], "10.0.0.1", "http", b"10.0.0.1"),
        ("10.0.0.1", [(b"Forwarded", b'for=2.2.2.2;proto=https, for="10.0.0.9:80"')], "2.2.2.2", "https", b"2.2.2.2, 10.0.0.9, 10.0.0.1"),
        ("10.0.0.1", [(b"Forwarded", b'For="[2001:db8::1]:4711"'), (b"forwarded", b'by=x; for=unknown; PROTO="https"')], "2001:db8::1", "https", b"2001:db8::1, 10.0.0.1"),
        ("10.0.0.1", [(b"Forwarded", b'for=_hidden;secret="for=6.6.6.6, for=7.7.7.7"')], "10.0.0.1", "http", b"10.0.0.1"),
        ("10.0.0.1", [(b"Forwarded", b"for=6.6.6.6;proto=https"), (b"X-Forwarded-For", b"2.2.2.2")], "2.2.2.2", "http", b"2.2.2.2, 10.0.0.1"),
        ("1.1.1.1", [(b"Forwarded", b"for=2.2.2.2;proto=https")], "1.1.1.1", "http", b"1.1.1.1"),
        ("10.0.0.1", [(b"X-Forwarded-For", b"[2001:db8::1]")], "2001:db8::1", "http", b"[2001:db8::1], 10.0.0.1"),
    ],
)  # fmt: skip
def test_the_visitor_is_the_last_address_that_no_trusted_proxy_owns(peer, fields, client, scheme, chain):
    """P14."""
    sender = sender_of(RequestHead(headers=fields), peer, "http", TRUSTED)
    assert (sender.client, sender.scheme, sender.chain) == (client, scheme, chain)


def test_fields_keep_their_order_and_case_and_the_forwarding_ones_come_last():
    request = RequestHead(
        headers=[
            (b"hOST", b"a"),
            (b"Accept-Encoding", b"br"),
            (b"x-B", b"1"),
            (b"Connection", b"x-b2, Host"),
            (b"X-B2", b"2"),
            (b"Cookie", b"c"),
        ]
    )
    assert forwarded_headers(request, direct_sender("1.1.1.1", "https"), {b"accept-encoding": b"identity"}) == [
        (b"hOST", b"a"), (b"Accept-Encoding", b"identity"), (b"x-B", b"1"), (b"Cookie", b"c"),
        (b"X-Forwarded-For", b"1.1.1.1"), (b"X-Forwarded-Proto", b"https"), (b"X-Forwarded-Host", b"a"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        b"X-Forwarded-For",
        b"x_forwarded_for",
        b"X_Real_IP",
        b"Forwarded",
        b"Proxy",
        b"X-Original-URL",
        b"X_REWRITE_URL",
        b"Client-IP",
        b"X-Forwarded-Port",
        b"Front-End-Https",
    ],
)
def test_no_field_speaks_for_the_connection_in_a_visitors_name(name):
    out = forwarded_headers(
        RequestHead(headers=[(b"Host", b"a"), (name, b"evil")]), direct_sender("1.1.1.1", "http"), {}
    )
    assert b"evil" not in b"".join(value for _, value in out)


def test_a_trusted_proxys_host_and_port_are_kept_but_never_another_path():
    request = RequestHead(
        headers=[
            (b"Host", b"a"),
            (b"X-Forwarded-Host", b"b"),
            (b"X-Forwarded-Port", b"443"),
            (b"X-Original-URL", b"/x"),
            (b"Proxy", b"y"),
        ]
    )
    out = forwarded_headers(request, sender_of(request, "10.0.0.1", "http", TRUSTED), {})
    assert (b"X-Forwarded-Host", b"b") in out
    assert (b"X-Forwarded-Port", b"443") in out
    assert len(out) == 5


def test_what_a_connection_field_names_stays_but_not_the_framing():
    assert b"x-a" in hop_by_hop(b"keep-alive, X-A")
    assert b"content-length" not in hop_by_hop(b"Content-Length, host")
    assert hop_by_hop(None) == hop_by_hop(b"close")


def test_an_ipv4_visitor_on_a_socket_of_both_families_has_his_own_address():
    assert plain_address("::ffff:10.1.2.3") == "10.1.2.3"
    assert plain_address("::ffff:a00:1") == "::ffff:a00:1"
    assert plain_address("2001:db8::1") == "2001:db8::1"


@pytest.mark.parametrize("name", [b"CF-Connecting-IP", b"Fastly-SSL", b"CloudFront-Forwarded-Proto", b"X-Scheme"])
def test_what_a_delivery_network_says_counts_only_from_a_trusted_peer(name):
    request = RequestHead(headers=[(b"Host", b"a"), (name, b"spoofed")])
    for peer, kept in (("9.9.9.9", 0), ("10.0.0.1", 1)):
        out = forwarded_headers(request, sender_of(request, peer, "http", TRUSTED), {})
        assert [field for field, _ in out].count(name) == kept
