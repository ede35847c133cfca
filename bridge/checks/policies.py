"""Content-Security-Policy: do the shop's pages let the tag work, with bridge before them and without it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from bridge.checks.finding import Finding, fail, good, warn
from bridge.config import require_store
from bridge.errors import BridgeError, Misconfigured
from bridge.http import Page, ask
from bridge.proxy.csp import edit_policies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bridge.config import Config
    from bridge.settings import Store

    Sources = Mapping[str, tuple[bytes, ...]]
    """Directive -> what the tag needs there."""

POLICIES = "content policy"
PAGES_MOST = 10
"""Base URLs whose home page is read: each is a page that the shop makes."""
ENFORCED, REPORT_ONLY = "content-security-policy", "content-security-policy-report-only"
NOTES = {
    "none": "a directive that the tag needs is 'none', which is left as it is: name the tag's hosts there",
    "conflicting-nonces": "its policies ask for different nonces, and a script carries one: let them share it",
    "strict-dynamic-without-nonce": "'strict-dynamic' without a nonce lets no script in: give the policy a nonce",
    "unusable-nonce": "its nonce is not a valid one",
}


def look_at_policies(config: Config, sources: Sources, stores: Sequence[Store]) -> Iterator[Finding]:
    """Read the home page at each base URL, as the origin gives it, and judge its policies."""
    try:
        origin = require_store(config)
    except Misconfigured:
        return  # told where the shop itself is looked at
    bases = list(dict.fromkeys(store.base_url for store in stores if store.base_url)) or [config.public_url or origin]
    for base in bases[:PAGES_MOST]:
        parts = urlsplit(base)
        headers = {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme}
        try:
            page = ask(origin + (parts.path or "/"), (origin,), headers)
        except BridgeError as error:
            yield warn(POLICIES, f"The home page of {base} could not be read: {error}", base)
            continue
        if page.status != 200:
            yield warn(POLICIES, f"{base} answers {page.status}, so its policies are not known.", base)
        else:
            yield judge(page, base, sources, edits_meta=config.edit_meta_policies)


def judge(page: Page, base: str, sources: Sources, *, edits_meta: bool) -> Finding:
    """Say whether the tag works under the policies of a page: fields, enforced and report-only, and meta elements."""
    metas = _metas(page.text)
    fields = {name: [one.encode() for one in page.header(name).splitlines() if one] for name in (ENFORCED, REPORT_ONLY)}
    count = f"{len(fields[ENFORCED])} enforced, {len(fields[REPORT_ONLY])} report-only, {len(metas)} in the page"
    if not metas and not any(fields.values()):
        return good(POLICIES, f"{base} has no Content-Security-Policy: nothing is in the tag's way.", base)
    blocked = [*_notes(ENFORCED, fields[ENFORCED], sources)]
    shut = _lacking([(ENFORCED, value) for value in metas], sources)
    told = [f"{base}: {'; '.join(NOTES[note] for note in blocked)}."] if blocked else []
    if shut and not edits_meta:
        told.append(
            f"{base}: a policy in a <meta> element lacks {', '.join(shut)}: set BRIDGE_EDIT_META_POLICIES=1, or add "
            "that in the shop."
        )
    if told:
        return fail(POLICIES, f"{' '.join(told)} ({count}.)", base)
    reported = _notes(REPORT_ONLY, fields[REPORT_ONLY], sources)
    if reported:
        said = "; ".join(NOTES[note] for note in reported)
        return warn(POLICIES, f"{base}: report-only, so the tag works and is reported: {said}. ({count}.)", base)
    lacking = _lacking([(name, value) for name, values in fields.items() for value in values], sources)
    if not lacking and not shut:
        return good(POLICIES, f"{base} lets the tag work as it is. ({count}.)", base)
    return good(
        POLICIES,
        f"{base} is opened for the tag as pages pass bridge. Where they do not pass it, add "
        f"{', '.join(dict.fromkeys([*lacking, *shut]))}. ({count}.)",
        base,
    )


def _notes(name: str, values: Sequence[bytes], sources: Sources) -> tuple[str, ...]:
    """Return what stands in the tag's way and cannot be opened."""
    return edit_policies([(name.encode(), value) for value in values], sources)[2]


def _lacking(fields: Sequence[tuple[str, bytes]], sources: Sources) -> list[str]:
    """Return the directives that lack something for the tag, each with the hosts that would be added to it."""
    edited, _, _ = edit_policies([(name.encode(), value) for name, value in fields], sources)
    found: dict[str, None] = {}
    for (_, before), (_, after) in zip(fields, edited, strict=True):
        had = _directives(before.decode("utf-8", "replace"))
        for directive, words in _directives(after.decode("utf-8", "replace")).items():
            added = [word for word in words if word not in had.get(directive, ())]
            # One that is new takes the place of default-src, so what that allows must stand in it, too.
            wanted = {*(host.decode() for host in sources.get(directive, ())), "'self'"}
            needed = added if directive not in had else [word for word in added if word in wanted]
            if needed:
                found[" ".join((directive, *needed))] = None
    return list(found)


def _directives(value: str) -> dict[str, list[str]]:
    """Return directive -> words of a field, which may hold several policies."""
    found: dict[str, list[str]] = {}
    for part in value.replace(",", ";").split(";"):
        name, *words = part.split() or [""]
        found.setdefault(name.lower(), []).extend(words)
    return found


def _metas(text: str) -> list[bytes]:
    """Return the policies in a page's own elements."""
    nodes = LexborHTMLParser(text).css("meta[http-equiv][content]")
    found = [
        node.attributes.get("content") or ""
        for node in nodes
        if (node.attributes.get("http-equiv") or "").strip().lower() == ENFORCED
    ]
    return [one.encode() for one in found if one.strip()]


__all__ = ["judge", "look_at_policies"]
