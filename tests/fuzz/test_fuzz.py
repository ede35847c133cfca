"""A short run of every target, the cases that were once found, and faults planted to be found."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.proxy import coding, core, csp, forwarding, heads, http1, quick, rules, splice, validators
from bridge.proxy.references import References
from fuzz.campaign import TARGETS, again, run_batch

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))
SEED = 20240101
CASES = {
    "requests": 1500, "answers": 1500, "shapes": 300, "chunks": 2000, "splice": 3000,
    "gzip": 500, "csp": 1000, "rules": 3000, "validators": 3000, "references": 3000,
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_finds_nothing(name):
    batch = run_batch(TARGETS[name], SEED, 0, CASES[name])
    assert [f"{finding.kind}: {finding.detail} {finding.data!r}" for finding in batch.findings] == []
    assert batch.comparisons >= batch.executions / 3


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_was_found_once_is_not_found_again(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    found = again(TARGETS[case["target"]], bytes.fromhex(case["hex"]), case["chance"], 200)
    assert found is None, f"{found.kind}: {found.detail}"


def test_the_same_seed_makes_the_same_cases_and_another_one_others():
    def cases(seed):
        made = []
        target = replace(TARGETS["rules"], check=lambda data, chance: made.append((data, chance.random())) or 0)
        run_batch(target, seed, 3, 50)
        return made

    assert len(cases(1)) == 50
    assert cases(1) == cases(1)
    assert cases(1) != cases(2)


def nothing(*args, **kwargs):
    """Stands for a check that is left out."""


def always(*args, **kwargs):
    return True


# Target -> faults: what is replaced, and by what.
FAULTS = {
    "a host is not looked at": ("requests", http1, "_check_host", nothing),
    "any length will do": ("requests", http1, "request_framing", lambda head: int(head.index.get(b"content-length", b"0")[:9] or 0)),
    "every connection is kept": ("requests", http1, "keeps_alive", always),
    "a coding goes on to the origin": ("requests", forwarding, "_DROPPED", forwarding._DROPPED - {b"transfer-encoding"}),
    "a claim goes on to the origin": ("requests", forwarding, "_DROPPED", forwarding._DROPPED - {b"x-forwarded-for"}),
    "an unknown coding is read as chunked": ("answers", http1, "response_framing", lambda method, head: http1.CHUNKED if b"transfer-encoding" in head.index else http1.UNTIL_CLOSE),
    "every origin is asked again": ("answers", http1, "reusable", always),
    "a connection's field goes on to the visitor": ("answers", core, "hop_by_hop", lambda connection: frozenset()),
    "a shape tells another length": ("shapes", heads.ShapedHead, "length", lambda self: 3),
    "fields of the connection take the short way": ("shapes", quick, "_is_odd", lambda head: False),
    "the short way has another length": ("shapes", quick.Template, "fill", lambda self, lines, *more: self._text % (*self._pick(lines), *(each + 1 for each in more))),
    "blanks after a chunk's size": ("chunks", http1, "_CHUNK_LINE", http1._PADDED_CHUNK_LINE),
    "any trailer will do": ("chunks", http1.ChunkedReader, "_trailer", nothing),
    "a chunk may be too long": ("chunks", http1, "CHUNK_LINE_LIMIT", 3),
    "comments end in one way only": ("splice", splice, "_COMMENT_END", re.compile(rb"-->")),
    "a token that is cut is taken as it stands": ("splice", splice.Splicer, "_may_become", lambda self, data: False),
    "a tag ends at the first angle": ("splice", splice, "_TAG", re.compile(rb"<(?:html|head)[^>]*>", re.IGNORECASE)),
    "any comment is a document": ("splice", splice, "PROLOGUE_LIMIT", 40),
    "an end is made up": ("gzip", coding.Recoder, "open", False),
    "what follows a member is lost": ("gzip", coding, "_MAGIC", b"xx"),
    "'none' is overridden": ("csp", csp, "_is_none", lambda sources: False),
    "inline code is let in": ("csp", csp, "_missing", lambda name, *rest: [b"'unsafe-inline'"]),
    "a nonce is not needed": ("csp", csp, "_nonces_needed", lambda *args: frozenset()),
    "a weight is not looked at": ("rules", rules, "_GZIP_CODING", re.compile(rb"gzip()", re.IGNORECASE)),
    "escapes are not undone": ("rules", rules, "_plain", lambda path: path),
    "a strong tag stays strong": ("validators", validators, "marked", lambda etag, suffix: b'"%b-%b"' % (etag.strip(b'W/"'), suffix)),
    "another's mark is taken off": ("validators", validators, "unmarked", lambda tags, suffix: (tags.replace(b"-" + suffix, b""), frozenset())),
    "another's reference is mapped": ("references", References, "_url", lambda self, url, host, scheme: b"//" + host),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(monkeypatch, fault):
    name, owner, attribute, planted = FAULTS[fault]
    for cached in (csp._edit_value, rules._path_reason, rules._may_be_page, rules.takes_gzip):
        cached.cache_clear()
    monkeypatch.setattr(owner, attribute, planted)
    try:
        found = next(
            (batch.findings[0] for number in range(20) if (batch := run_batch(TARGETS[name], 7, number)).findings), None
        )
    finally:
        monkeypatch.undo()
        for cached in (csp._edit_value, rules._path_reason, rules._may_be_page, rules.takes_gzip):
            cached.cache_clear()
    assert found is not None
