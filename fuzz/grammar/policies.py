"""Policy headers as Magento, its extensions and careless merchants write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fuzz.chance import Chance

NAMES: Final = (
    b"Content-Security-Policy",
    b"Content-Security-Policy",
    b"content-security-policy-report-only",
    b"Content-Security-Policy-Report-Only",
    b"X-Other",
)
DIRECTIVES: Final = (
    b"script-src", b"script-src", b"default-src", b"default-src", b"connect-src", b"img-src", b"script-src-elem",
    b"script-src-attr", b"style-src", b"frame-ancestors", b"child-src", b"worker-src", b"Script-Src",
    b"upgrade-insecure-requests", b"report-uri", b"font-src", b"frame-src", b"object-src", b"base-uri", b"IMG-SRC",
    b"sandbox",
)  # fmt: skip
SOURCES: Final = (
    b"'self'", b"'self'", b"'none'", b"'unsafe-inline'", b"'unsafe-eval'", b"'strict-dynamic'", b"'nonce-abc123=='",
    b"'nonce-xyz'", b"'NONCE-Abc'", b"'sha256-AAAA='", b"*", b"https:", b"http:", b"data:", b"blob:", b"wss:",
    b"https://cdn.ometria.com", b"HTTPS://CDN.OMETRIA.COM", b"https://trk.ometria.com", b"*.ometria.com",
    b"https://*.google.com", b"cdn.ometria.com", b"http://cdn.ometria.com", b"https://cdn.ometria.com:443",
    b"https://cdn.ometria.com/tags/", b"'none", b"'SELF'", b"'nonce-'", b"'nonce-a b'", b"http://*", b"https://*",
    b"*:*", b"'report-sample'", b"'wasm-unsafe-eval'", b"'Strict-Dynamic'", b"'nonce-a;b'", b"\xe9", b"'None'",
)  # fmt: skip
BLANKS: Final = (b" ", b" ", b" ", b"  ", b"\t", b"\f", b" \t ")
ENDS: Final = (b";", b"; ", b"; ", b" ; ", b";;", b" ;\t", b"; ;")


def _directive(chance: Chance) -> bytes:
    words = [chance.case_of(chance.pick(DIRECTIVES)), *chance.some(SOURCES, 5)]
    out = words[0]
    for word in words[1:]:
        out += chance.pick(BLANKS) + word
    return out + (b"" if chance.below(6) else chance.pick(BLANKS))


def _policy(chance: Chance) -> bytes:
    out = b"" if chance.below(8) else chance.pick((b" ", b";", b" ; "))
    for _ in range(chance.below(6)):
        out += _directive(chance) + chance.pick(ENDS)
    return out if chance.one_in(3) else out.rstrip(b"; \t")


def policies(chance: Chance) -> bytes:
    """Make some fields, each on a line."""
    lines = []
    for _ in range(1 + chance.below(3)):
        joint = chance.pick((b",", b", ", b" , "))
        value = joint.join(_policy(chance) for _ in range(1 if chance.below(4) else 1 + chance.below(3)))
        if chance.one_in(3000):
            value += b"; font-src " + b"https://a.example " * 3700
        lines.append(chance.pick(NAMES) + b": " + value)
    data = b"\n".join(lines)
    if chance.one_in(6):
        data = chance.mutated(data, b" 'self' 'none' default-src ; , script-src 'nonce-q'")
    # What a head can hold: no other control characters reach the policies.
    return bytes(byte for byte in data if byte >= 0x20 or byte in b"\t\n\x0c")
