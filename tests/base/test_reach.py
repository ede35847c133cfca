"""What a person types as an address reaches the public internet alone, however it is spelled and whatever answers."""

from __future__ import annotations

import socket

import pytest

from bridge import reach
from bridge.errors import Misconfigured, Retry
from bridge.reach import find, is_public

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.0.1",
        "100.64.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "no address",
    ],
)
def test_no_address_of_a_private_or_reserved_network_is_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC,
        "8.8.8.8",
        "2606:2800:220:1:248:1893:25c8:1946",
        f"::ffff:{PUBLIC}",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "10.0.0.1",
        "192.168.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
    ],
)
def test_this_machine_and_its_network_are_refused_in_every_spelling(host):
    with pytest.raises((Misconfigured, Retry)) as caught:
        find(f"https://{host}/T0KEN")
    assert "T0KEN" not in str(caught.value)


def answers(monkeypatch, *addresses):
    """Let every name have these addresses; return the list of names that were asked."""
    asked = []

    def look_up(host, port, *_, **__):
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in addresses
        ]

    monkeypatch.setattr(reach.socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [("10.0.0.5",), (PUBLIC, "10.0.0.5"), (PUBLIC, "::1"), ("::ffff:192.168.0.9",), ("169.254.169.254", PUBLIC)],
)
def test_a_name_that_has_any_private_address_is_refused(monkeypatch, addresses):
    answers(monkeypatch, *addresses)
    with pytest.raises(Misconfigured, match=r"^hooks\.test is in a private network: name it in BRIDGE_ALERT_HOSTS"):
        find("https://hooks.test/T0KEN")


def test_the_target_is_what_was_looked_at_and_shows_no_token(monkeypatch):
    asked = answers(monkeypatch, PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", PUBLIC)
    target = find("https://Hooks.test:8443/T0KEN?key=T0KEN")
    assert asked == ["hooks.test"]
    assert target.addresses == (PUBLIC, "2606:2800:220:1:248:1893:25c8:1946")
    assert (target.secure, target.port, target.path) == (True, 8443, "/T0KEN?key=T0KEN")
    assert target.authority == "hooks.test:8443"
    assert "T0KEN" not in repr(target)
    assert find("https://hooks.test").authority == "hooks.test"
    assert find("https://hooks.test").path == "/"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.test/T0KEN", "must begin with https://, unless"),
        ("ftp://hooks.test/T0KEN", "must begin with https://"),
        ("file:///etc/T0KEN", "must begin with https://"),
        ("gopher://hooks.test/T0KEN", "must begin with https://"),
        ("//hooks.test/T0KEN", "must begin with https://"),
        ("https:///T0KEN", "name a host"),
        ("https://user:T0KEN@hooks.test/", "no name and password"),
        ("https://hooks.test@127.0.0.1/T0KEN", "no name and password"),
        ("https://hooks.test:22/T0KEN", "Port 22 is none of a web server"),
        ("https://hooks.test:6379/T0KEN", "Port 6379 is none"),
        ("https://hooks.test:9000/T0KEN", "Port 9000 is none"),
        ("https://hooks.test:99999/T0KEN", "none that can be asked"),
        ("https://hooks.test:x/T0KEN", "none that can be asked"),
        ("https://[::1/T0KEN", "none that can be asked"),
        ("https://" + "ü" * 80 + ".test/T0KEN", "host of the address"),
    ],
)
def test_other_schemes_ports_and_forms_are_refused_in_words_without_the_address(monkeypatch, url, said):
    answers(monkeypatch, PUBLIC)
    with pytest.raises(Misconfigured, match=said) as caught:
        find(url)
    assert "T0KEN" not in str(caught.value)


def test_a_host_that_the_configuration_names_may_be_private_and_asked_without_tls(monkeypatch):
    answers(monkeypatch, "10.0.0.5")
    assert find("http://hooks.internal/x", ("hooks.internal",)).addresses == ("10.0.0.5",)
    assert find("https://hooks.internal:9000/x", ("hooks.internal:9000",)).port == 9000
    assert find("http://[fd00::5]:9000/x", ("[fd00::5]:9000",)).authority == "[fd00::5]:9000"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://hooks.internal:9001/", ("hooks.internal:9000",)),
        ("http://hooks.internal:22/", ("hooks.internal",)),
        ("http://other.internal/", ("hooks.internal",)),
        ("http://hooks.internal.evil.test/", ("hooks.internal",)),
        ("https://xhooks.internal/", ("hooks.internal",)),
    ],
)
def test_a_name_of_the_configuration_opens_no_other_host_or_port(monkeypatch, url, named):
    answers(monkeypatch, "10.0.0.5")
    with pytest.raises(Misconfigured):
        find(url, named)


def test_a_name_that_is_not_known_is_tried_again_later(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror

    monkeypatch.setattr(reach.socket, "getaddrinfo", unknown)
    with pytest.raises(Retry, match=r"^The name hooks\.test is not known\.$"):
        find("https://hooks.test/T0KEN")


def test_a_name_in_letters_of_any_script_is_looked_up_in_its_ascii_form(monkeypatch):
    asked = answers(monkeypatch, PUBLIC)
    assert find("https://bücher.test/").host == "xn--bcher-kva.test"
    assert asked == ["xn--bcher-kva.test"]
