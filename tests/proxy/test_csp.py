"""Policies opened for the tag, and no further."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.proxy.csp import edit_policies, with_nonce

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CSP = b"Content-Security-Policy"
REPORT = b"Content-Security-Policy-Report-Only"
SOURCES = {
    "script-src": (b"https://cdn.ometria.com",),
    "img-src": (b"https://trk.ometria.com",),
    "connect-src": (b"https://trk.ometria.com",),
}
CDN = b"https://cdn.ometria.com"
TRK = b"https://trk.ometria.com"


def edited(*policies, name=CSP):
    headers, nonce, notes = edit_policies([(name, policy) for policy in policies], SOURCES)
    return [value for _, value in headers], nonce, notes


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (b"script-src 'self'", b"script-src 'self' " + CDN),
        (b"script-src 'self';", b"script-src 'self' " + CDN + b";"),
        (b" SCRIPT-SRC  'self' a.test ;img-src *; frame-ancestors 'none'", b" SCRIPT-SRC  'self' a.test " + CDN + b" ;img-src *; frame-ancestors 'none'"),
        (b"script-src 'self' " + CDN, None),
        (b"script-src 'self' HTTPS://CDN.OMETRIA.COM", None),
        (b"script-src 'self' https:", None),
        (b"script-src https:", b"script-src https: 'self'"),
        (b"script-src *", None),
        (b"script-src a.test", b"script-src a.test 'self' " + CDN),
        (b"script-src 'self'; script-src-elem 'self' b.test", b"script-src 'self' " + CDN + b"; script-src-elem 'self' b.test " + CDN),
        (b"script-src-elem 'self'", b"script-src-elem 'self' " + CDN),
        (b"script-src 'self'; script-src 'none'", b"script-src 'self' " + CDN + b"; script-src 'none'"),
        (b"connect-src 'self'; img-src data:", b"connect-src 'self' " + TRK + b"; img-src data: " + TRK),
        (b"connect-src a.test", b"connect-src a.test 'self' " + TRK),
        (b"default-src 'self'", b"default-src 'self'; script-src 'self' " + CDN + b"; img-src 'self' " + TRK + b"; connect-src 'self' " + TRK),
        (b"default-src *; script-src 'self'; ", b"default-src *; script-src 'self' " + CDN + b"; "),
        (b"default-src 'self' 'unsafe-inline'; img-src *; connect-src *;", b"default-src 'self' 'unsafe-inline'; img-src *; connect-src *; script-src 'self' 'unsafe-inline' " + CDN),
        (b"frame-ancestors 'self'", None),
        (b"upgrade-insecure-requests", None),
        (b"", None),
        (b"script-src 'self' 'nonce-abc' 'strict-dynamic'", None),
        (b"script-src 'nonce-abc'", b"script-src 'nonce-abc' " + CDN),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [CSP, REPORT])
def test_each_directive_gets_what_it_lacks(policy, expected, name):
    """P09."""
    assert edited(policy, name=name)[0] == [policy if expected is None else expected]


@pytest.mark.parametrize(
    ("policies", "nonce", "notes"),
    [
        ((b"script-src 'self' 'nonce-abc'",), None, ()),
        ((b"script-src 'nonce-abc'",), b"abc", ()),
        ((b"script-src 'self' 'nonce-abc' 'strict-dynamic'",), b"abc", ()),
        ((b"default-src 'nonce-a+/b=='; connect-src *; img-src *",), b"a+/b==", ()),
        ((b"script-src 'self'; script-src-elem 'nonce-abc'",), b"abc", ()),
        ((b"script-src 'nonce-abc'; script-src-elem 'self'",), None, ()),
        ((b"script-src 'nonce-a' 'nonce-b'", b"script-src 'nonce-b' 'nonce-c'"), b"b", ()),
        ((b"script-src 'nonce-a'", b"script-src 'nonce-b'"), None, ("conflicting-nonces",)),
        ((b"script-src 'nonce-a', script-src 'nonce-b'",), None, ("conflicting-nonces",)),
        ((b"script-src 'nonce-a'", b"script-src 'self' 'nonce-b'"), b"a", ()),
        ((b"script-src 'none'",), None, ("none",)),
        ((b"script-src",), None, ("none",)),
        ((b"default-src 'none'; script-src 'self'",), None, ("none",)),
        ((b"script-src 'strict-dynamic' 'sha256-x'",), None, ("strict-dynamic-without-nonce",)),
        ((b"script-src 'nonce-a\"b'",), None, ("unusable-nonce",)),
        ((b"script-src 'nonce-a><script>'",), None, ("unusable-nonce",)),
    ],
)  # fmt: skip
def test_the_nonce_and_what_stands_in_the_way(policies, nonce, notes):
    values, found, noted = edited(*policies)
    assert (found, noted) == (nonce, notes)
    for before, after in zip(policies, values, strict=True):
        assert set(re.findall(rb"nonce-[^' ]*", after)) == set(re.findall(rb"nonce-[^' ]*", before))
        assert after.count(b"'none'") == before.count(b"'none'")
        assert b"unsafe-inline" not in after


def test_an_enforced_nonce_goes_before_a_reported_one():
    headers = [(REPORT, b"script-src 'nonce-a'"), (CSP, b"script-src 'nonce-b'"), (b"X", b"y")]
    out, nonce, notes = edit_policies(headers, SOURCES)
    assert (nonce, notes) == (b"b", ("conflicting-nonces",))
    assert out[2] == (b"X", b"y")


def test_a_nonce_is_put_on_the_element():
    assert (
        with_nonce(b'<script src="/x" async></script>', b"abc==") == b'<script nonce="abc==" src="/x" async></script>'
    )


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the captures are not beside the checkout")
def test_the_policies_of_a_real_shop_are_opened_and_nothing_else_changes():
    lines = [
        line[2:].partition(b": ")
        for path in (SHARED / "captures/magento/pages").glob("*.headers.txt")
        for line in path.read_bytes().splitlines()
        if line.lower().startswith(b"< content-security-policy")
    ]
    assert lines
    for name, _, value in lines:
        ((_, out),), nonce, notes = edit_policies([(name, value)], SOURCES)
        assert out.replace(b" " + CDN, b"").replace(b" " + TRK, b"") == value
        assert out.count(TRK) == 2
        assert CDN in out
        assert (nonce, notes) == (None, ())


def test_the_word_nonce_is_read_in_any_case():
    _, nonce, notes = edit_policies([(CSP, b"SCRIPT-SRC 'Nonce-aBc'")], SOURCES)
    assert (nonce, notes) == (b"aBc", ())
