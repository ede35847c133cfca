"""What heads say of a page: codings, types, and paths in every spelling that a server takes for the same."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from fuzz import targets
from fuzz.messages import insist

if TYPE_CHECKING:
    from fuzz.chance import Chance

WEIGHT: Final = re.compile(rb"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
ROOTED: Final = frozenset(
    b"rest soap graphql oauth V1 static media pub errors .well-known setup update swagger magento_version ping".split()
)
FILES: Final = frozenset({b"robots.txt", b"favicon.ico", b"health_check.php"})
CONTROLLERS: Final = (
    b"customer/section/load", b"page_cache/block", b"mui", b"captcha", b"checkout/sidebar", b"downloadable/download",
    b"paypal/ipn", b"paypal/*/return", b"braintree", b"adyen", b"stripe", b"mollie",
)  # fmt: skip


def check(data: bytes, chance: Chance) -> int:
    """Compare one rule with a reading by other means."""
    del chance
    kind, _, value = data.partition(b"\n")
    if kind == b"accept-encoding":
        expected = takes_gzip(value)
        insist(expected is None or targets.takes_gzip(value) == expected, "accept-encoding", (value, expected))
        return int(expected is not None)
    if kind == b"content-type":
        insist(
            targets.is_html(value) == (value.partition(b";")[0].strip(b" \t").lower() == b"text/html"), "type", value
        )
        return 1
    reason, page = targets.path_rules(value)
    expected_reason = reason_of(value)
    insist(reason == expected_reason, "path", (value, reason, expected_reason))
    insist(not (page and reason), "a page where none may be", value)
    return 1


def takes_gzip(value: bytes) -> bool | None:
    """Read Accept-Encoding by RFC 9110 section 12.5.3; None where its grammar or its sense is broken.

    bridge does not weigh `*` beside other codings: then the answer is None too.
    """
    weights: dict[bytes, list[bool]] = {}
    for part in value.split(b","):
        if not part.strip(b" \t"):
            continue
        coding, mark, weight = part.partition(b";")
        coding = coding.strip(b" \t").lower()
        name, _, number = weight.strip(b" \t").partition(b"=")
        if re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9a-z]+", coding) is None:
            return None
        if mark and (name.lower() != b"q" or WEIGHT.fullmatch(number) is None):
            return None
        weights.setdefault(coding.removeprefix(b"x-") if coding == b"x-gzip" else coding, []).append(
            not mark or bool(number.strip(b"0."))
        )
    if len(weights.get(b"gzip", [])) > 1 or (b"*" in weights and b"gzip" not in weights):
        return None
    return weights.get(b"gzip", [False])[0]


def reason_of(path: bytes) -> str | None:
    """Say why no page with a tag lives at a path, by its segments after what a server does to it."""
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), path)
    segments = [part for part in posixpath.normpath(plain).split(b"/") if part not in {b"", b"."}]
    below = segments[1:] if segments[:1] == [b"index.php"] else segments
    if below[:1] == [b"admin"]:
        return "admin"
    if below[:1] and below[0] in ROOTED:
        return "path"
    slash = plain.endswith(b"/") and b"//" not in plain and b"/." not in plain
    if len(below) == 1 and not slash and (below[0] in FILES or re.fullmatch(rb"sitemap.*\.xml", below[0], re.DOTALL)):
        return "path"
    store = below[1:] if below[:1] and re.fullmatch(rb"[A-Za-z0-9_]+", below[0]) else below
    return "path" if any(_begins(rest, each) for rest in (below, store) for each in CONTROLLERS) else None


def _begins(segments: list[bytes], controller: bytes) -> bool:
    parts = controller.split(b"/")
    return len(segments) >= len(parts) and all(
        one in {b"*", other} for one, other in zip(parts, segments, strict=False)
    )
