"""Policies: opened for the tag's own sources and for nothing else, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import targets
from fuzz.messages import insist
from fuzz.readers import policy

if TYPE_CHECKING:
    from fuzz.chance import Chance
    from fuzz.messages import Fields
    from fuzz.readers.policy import Policy

ENFORCED: Final = b"content-security-policy"
NAMES: Final = frozenset({ENFORCED, b"content-security-policy-report-only"})
WANTED: Final = {name: [host.decode() for host in hosts] for name, hosts in targets.SOURCES.items()}
# Which of our sources may come into which directive.
MAY: Final = {
    "script-src": {"'self'", *WANTED["script-src"]},
    "script-src-elem": {"'self'", *WANTED["script-src"]},
    "connect-src": {"'self'", *WANTED["connect-src"]},
    "img-src": {*WANTED["img-src"]},
}
NEEDS: Final = {
    "script-src-elem": WANTED["script-src"],
    "connect-src": WANTED["connect-src"],
    "img-src": WANTED["img-src"],
}
PAGE: Final = "https://shop.example/p"
FOREIGN: Final = (
    "https://evil.test/x.js", "http://evil.test/", "data:text/plain,x", "blob:https://shop.example/1",
    "wss://evil.test/", "https://sub.ometria.com/", "http://cdn.ometria.com/a", "https://shop.example:8443/",
    "https://trk.ometria.com.evil.test/", "filesystem:https://a/",
)  # fmt: skip
LIMIT: Final = 64 * 1024


def check(data: bytes, chance: Chance) -> int:
    """Edit the policies among fields, each on a line."""
    del chance
    fields = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in data.split(b"\n")) if name]
    edited, nonce, notes = targets.edited(fields)
    insist([name for name, _ in fields] == [name for name, _ in edited], "fields", edited)
    again, nonce_again, notes_again = targets.edited(edited)
    insist(again == edited, "edited twice differs", (edited, again))
    insist((nonce, notes) == (nonce_again, notes_again), "read otherwise when edited", (notes, notes_again))
    compared = 0
    for (name, before), (_, after) in zip(fields, edited, strict=True):
        if name.lower() not in NAMES or len(before) > LIMIT:
            insist(before == after, "another field changed", name)
            continue
        old, new = policy.read(before.decode("latin-1")), policy.read(after.decode("latin-1"))
        insist(len(old) == len(new), "another number of policies", after)
        for one, other in zip(old, new, strict=True):
            _same_directives(one, other)
            _no_wider(one, other)
            _opened(one, other)
            compared += 1
    _nonce(edited, nonce, notes)
    return compared + 1


def _same_directives(old: Policy, new: Policy) -> None:
    """A directive keeps its sources and may end with some of ours; a new one begins with those of default-src."""
    for name, sources in old.items():
        insist(name in new, "directive lost", name)
        insist(new[name][: len(sources)] == sources, "sources changed", (name, sources, new[name]))
        added = new[name][len(sources) :]
        insist(MAY.get(name, set()).issuperset(added), "foreign source added", (name, added))
        insist(not (added and policy.is_none(sources)), "'none' overridden", name)
    for name in new.keys() - old.keys():
        base = old.get("default-src", [])
        insist(name in WANTED and "default-src" in old and not policy.is_none(base), "directive made", name)
        insist(new[name][: len(base)] == base, "made of other sources", new[name])
        insist(MAY[name].issuperset(new[name][len(base) :]), "foreign source in a directive made", new[name])


def _no_wider(old: Policy, new: Policy) -> None:
    """Nothing that was kept out is let in but the tag's own sources and the shop itself."""
    for kind in policy.FALLBACKS:
        before, after = policy.effective(old, kind), policy.effective(new, kind)
        if before == after:
            continue
        for url in FOREIGN:
            insist(
                policy.allows(after, url, PAGE) <= policy.allows(before, url, PAGE), "wider", (kind, url, before, after)
            )
        if kind.startswith(("script", "style")):
            insist(
                policy.allows_inline(after) <= policy.allows_inline(before),
                "wider for inline code",
                (kind, before, after),
            )


def _opened(old: Policy, new: Policy) -> None:
    """What the tag needs is allowed, wherever the policy is not 'none' and not 'strict-dynamic'."""
    for kind, hosts in NEEDS.items():
        before, after = policy.effective(old, kind), policy.effective(new, kind)
        if before is None or after is None or policy.is_none(before):
            continue
        if kind == "script-src-elem" and "'strict-dynamic'" in {source.lower() for source in before}:
            continue
        for host in hosts:
            insist(policy.allows(after, host + "/tags/x.js", PAGE), "not opened", (kind, host, after))


def _nonce(fields: Fields, nonce: bytes | None, notes: tuple[str, ...]) -> None:
    """The tag runs under every enforced policy, by its nonce or as the shop's own, unless the notes say why not."""
    if nonce is not None:
        found = {each for name, value in fields if name.lower() in NAMES for one in policy.read(value.decode("latin-1"))
                 for sources in one.values() for each in policy.nonces(sources)}  # fmt: skip
        insist(nonce.decode() in found, "a nonce that no policy has")
    if notes:
        return
    for name, value in fields:
        if name.lower() != ENFORCED or len(value) > LIMIT:
            continue
        for one in policy.read(value.decode("latin-1")):
            sources = policy.effective(one, "script-src-elem")
            if sources is None:
                continue
            by_nonce = nonce is not None and nonce.decode() in policy.nonces(sources)
            strict = "'strict-dynamic'" in {source.lower() for source in sources}
            own = not strict and policy.allows(sources, PAGE + "/tag.js", PAGE)
            insist(by_nonce or own, "the tag is kept out and no note says so", sources)
