"""Which pitfalls the tests of the wire cover: a test names their numbers at the beginning of its docstring."""

from __future__ import annotations

import re
from collections.abc import Iterable

PITFALLS = {
    1: "compressed pages without the tag",
    2: "old length or coding kept",
    3: "fields folded",
    4: "one visitor's session handed to another",
    5: "tag in a script, an attribute, a comment",
    6: "fragments and odd documents",
    7: "answers without a body",
    8: "letters damaged",
    9: "a policy that blocks the tag",
    10: "a path that names another host",
    11: "encoded characters changed",
    12: "chunked uploads lost",
    13: "answers held in memory",
    14: "forwarding fields",
    15: "redirects and cookies that leave the host",
    16: "ambiguous framing",
    17: "a visitor's data in a cached page",
    18: "shop text that breaks out of the script",
    20: "orders lost or doubled",
    40: "what is secret in logs",
}
"""What the wire has to do with, by number, in a few words."""
PROPERTY = "wire-pitfalls"
"""Under this a test's report holds their numbers, whichever process ran it."""
_NUMBER = re.compile(r"\bP(\d\d)\b")


def numbers(docstring: str | None) -> set[int]:
    """Return the numbers that a docstring's first sentence names."""
    first = (docstring or "").partition(":")[0].partition("\n")[0]
    return {int(number) for number in _NUMBER.findall(first)}


class Coverage:
    """Pitfalls by test."""

    def __init__(self) -> None:
        self._covered: dict[str, set[int]] = {}

    def add(self, nodeid: str, found: Iterable[int]) -> None:
        """Note a test of the wire."""
        self._covered[nodeid] = set(found)

    def lines(self, passed: set[str]) -> list[str]:
        """Return a line for each pitfall: how many tests of it passed, and in how many cases. Nothing when none ran."""
        here = passed & self._covered.keys()
        if not here:
            return []
        cases: dict[int, set[str]] = {}
        for nodeid in here:
            for number in self._covered[nodeid]:
                cases.setdefault(number, set()).add(nodeid)
        lines = [
            f"P{number:02}  {len(_tests(found)):4}  {len(found):6}  {PITFALLS.get(number, '')}"
            for number, found in sorted(cases.items())
        ]
        missing = ", ".join(f"P{number:02}" for number in PITFALLS if number not in cases)
        lines += [f"all  {len(_tests(here)):4}  {len(here):6}"]
        return ["     tests   cases  that passed", *lines, *([f"none of {missing}"] if missing else [])]


def _tests(cases: set[str]) -> set[str]:
    """Return the tests that cases belong to."""
    return {nodeid.partition("[")[0] for nodeid in cases}
