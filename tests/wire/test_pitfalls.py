"""The count that the suite prints at its end."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.wire.pitfalls import PITFALLS, Coverage, numbers


def test_the_suite_has_a_test_of_each():
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found |= numbers(ast.get_docstring(node))
    assert found == PITFALLS.keys()


@pytest.mark.parametrize(
    ("docstring", "found"),
    [
        ("P03.", {3}),
        ("P02 (b), P05.", {2, 5}),
        ("P14: https outside means https inside, unlike P15.", {14}),
        ("The spool takes it.\n\nP20 is another matter.", set()),
        ("UTF-P0812 and XP01", set()),
        (None, set()),
    ],
)
def test_a_docstring_names_its_pitfalls_first(docstring, found):
    assert numbers(docstring) == found


def test_only_tests_that_passed_count_and_what_nothing_covers_shows():
    coverage = Coverage()
    coverage.add("one[1]", [1, 3])
    coverage.add("one[2]", [1, 3])
    coverage.add("two", [3])
    coverage.add("failed", [1])
    _, *lines = coverage.lines({"one[1]", "one[2]", "two", "of another folder"})
    assert [line.split()[:3] for line in lines[:3]] == [["P01", "1", "2"], ["P03", "2", "3"], ["all", "2", "3"]]
    assert lines[3].startswith("none of P02, P04, ")
    assert len(lines[3].split(",")) == len(PITFALLS) - 2
    assert coverage.lines({"of another folder"}) == []
