"""Content-Security-Policy: opened for the tag and for nothing else. Edited in place, never widened further.

Every policy of every header holds (they are ANDed), report-only ones too, so each is edited on its own. A directive of
`'none'` is a wish that is noted and left. A nonce is only ever read, never added to a policy.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.proxy.counters import Note
    from bridge.proxy.exchange import Headers

_ENFORCED: Final = b"content-security-policy"
_REPORT_ONLY: Final = b"content-security-policy-report-only"
POLICY_FIELDS: Final = frozenset({_ENFORCED, _REPORT_ONLY})
_VALUE_LIMIT: Final = 64 * 1024

_DIRECTIVE = re.compile(rb"[\t\n\f\r ]*([^\t\n\f\r ;]+)([^;]*)")
_NONCE = re.compile(rb"'nonce-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_SELF: Final = b"'self'"
# Directives in which the tag itself needs the shop's own origin: it is loaded from there and asks there.
_NEEDS_SELF: Final = frozenset({b"script-src", b"connect-src"})

Sources = tuple[tuple[bytes, tuple[bytes, ...]], ...]


class _Directive(NamedTuple):
    sources: tuple[bytes, ...]
    end: int  # where in the policy its value ends


class _Edited(NamedTuple):
    value: bytes
    nonces: tuple[frozenset[bytes], ...]  # for each policy that needs one: those that will do
    notes: tuple[Note, ...]


def edit_policies(
    headers: Headers, sources: Mapping[str, tuple[bytes, ...]]
) -> tuple[Headers, bytes | None, tuple[Note, ...]]:
    """Open the policies among an answer's fields for the tag.

    `sources` gives for each directive what the tag needs there. Returns the fields,
    the nonce that the tag must carry if any, and what stands in the tag's way.
    """
    wanted: Sources = tuple((name.encode("ascii"), hosts) for name, hosts in sources.items())
    out: Headers = []
    enforced: list[frozenset[bytes]] = []
    reported: list[frozenset[bytes]] = []
    notes: list[Note] = []
    for name, value in headers:
        lower = name.lower()
        if lower not in POLICY_FIELDS or len(value) > _VALUE_LIMIT:
            out.append((name, value))
            continue
        edited = _edit_value(value, wanted)
        out.append((name, edited.value))
        (enforced if lower == _ENFORCED else reported).extend(edited.nonces)
        notes.extend(edited.notes)
    nonce, conflict = _choose(enforced, reported)
    if conflict:
        notes.append("conflicting-nonces")
    return out, nonce, tuple(dict.fromkeys(notes))


def with_nonce(markup: bytes, nonce: bytes) -> bytes:
    """Put a nonce, as edit_policies() gave it, on a script element."""
    return markup.replace(b"<script ", b'<script nonce="%b" ' % nonce, 1)


def _choose(enforced: list[frozenset[bytes]], reported: list[frozenset[bytes]]) -> tuple[bytes | None, bool]:
    """Pick the nonce that satisfies all policies, first the enforced ones; say whether they contradict each other."""
    needed = [*enforced, *reported]
    if not needed:
        return None, False
    common = frozenset.intersection(*needed)
    if common:
        return min(common), False
    if enforced:
        common = frozenset.intersection(*enforced)
        if common:
            return min(common), True
    return None, True


@lru_cache(maxsize=128)
def _edit_value(value: bytes, wanted: Sources) -> _Edited:
    """Edit one field, which may hold several policies."""
    policies: list[bytes] = []
    nonces: list[frozenset[bytes]] = []
    notes: list[Note] = []
    for policy in value.split(b","):
        edited, needed = _edit_policy(policy, wanted, notes)
        policies.append(edited)
        if needed:
            nonces.append(needed)
    return _Edited(b",".join(policies), tuple(nonces), tuple(notes))


def _directives(policy: bytes) -> dict[bytes, _Directive]:
    """Take a policy apart. Of a directive given twice the first counts, as in browsers."""
    found: dict[bytes, _Directive] = {}
    for match in _DIRECTIVE.finditer(policy):
        end = match.start(2) + len(match[2].rstrip())
        found.setdefault(match[1].lower(), _Directive(tuple(match[2].split()), end))
    return found


def _edit_policy(policy: bytes, wanted: Sources, notes: list[Note]) -> tuple[bytes, frozenset[bytes]]:
    directives = _directives(policy)
    additions: list[tuple[int, bytes]] = []
    created: list[bytes] = []
    needed: frozenset[bytes] = frozenset()
    default = directives.get(b"default-src")
    for name, hosts in wanted:
        present = [directives[name]] if name in directives else []
        if name == b"script-src":
            element = directives.get(b"script-src-elem")
            present += [element] if element else []
            effective = element or (present[0] if present else default)
            needed = _nonces_needed(effective, notes)
        effective = (present[-1] if present else None) or default
        if effective is None:
            continue
        if _is_none(effective.sources):
            notes.append("none")
            continue
        for directive in present:
            added = _missing(name, hosts, directive.sources, notes)
            if added:
                additions.append((directive.end, b" " + b" ".join(added)))
        if not present:
            added = _missing(name, hosts, effective.sources, notes)
            if added:
                created.append(b" ".join([name, *effective.sources, *added]))
    return _written(policy, additions, created), needed


def _written(policy: bytes, additions: list[tuple[int, bytes]], created: list[bytes]) -> bytes:
    for end, text in sorted(additions, reverse=True):
        policy = policy[:end] + text + policy[end:]
    for directive in created:
        joint = b" " if policy.rstrip().endswith(b";") else b"; "
        policy = policy.rstrip() + joint + directive
    return policy


def _is_none(sources: tuple[bytes, ...]) -> bool:
    return not sources or (len(sources) == 1 and sources[0].lower() == b"'none'")


def _keywords(sources: tuple[bytes, ...]) -> frozenset[bytes]:
    return frozenset(source.lower() for source in sources)


def _nonces_of(sources: tuple[bytes, ...]) -> frozenset[bytes]:
    matches = (_NONCE.fullmatch(source) for source in sources)
    return frozenset(match[1] for match in matches if match)


def _nonces_needed(directive: _Directive | None, notes: list[Note]) -> frozenset[bytes]:
    """Return the nonces of which the tag must carry one to be run under this directive; none where it needs none."""
    if directive is None or _is_none(directive.sources):
        return frozenset()
    keywords = _keywords(directive.sources)
    nonces = _nonces_of(directive.sources)
    strict = b"'strict-dynamic'" in keywords
    if not nonces:
        if any(keyword.startswith(b"'nonce-") for keyword in keywords):
            notes.append("unusable-nonce")
        elif strict:
            notes.append("strict-dynamic-without-nonce")
        return frozenset()
    return nonces if strict or _SELF not in keywords else frozenset()


def _missing(name: bytes, hosts: tuple[bytes, ...], sources: tuple[bytes, ...], notes: list[Note]) -> list[bytes]:
    """Return the sources that this directive lacks for the tag to work."""
    if _is_none(sources):
        notes.append("none")
        return []
    keywords = _keywords(sources)
    if b"*" in keywords:
        return []
    if name == b"script-src" and b"'strict-dynamic'" in keywords:
        return []  # hosts do not count there: what the tag loads is trusted because the tag is
    needed = list(hosts)
    if name in _NEEDS_SELF and not (name == b"script-src" and _nonces_of(sources)):
        needed.insert(0, _SELF)
    return [source for source in needed if source.lower() not in keywords and not _by_scheme(source, keywords)]


def _by_scheme(source: bytes, keywords: frozenset[bytes]) -> bool:
    """Say whether a scheme source such as `https:` already covers the source."""
    scheme, mark, _ = source.partition(b"://")
    return bool(mark) and scheme.lower() + b":" in keywords
