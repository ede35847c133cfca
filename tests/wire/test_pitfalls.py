"""The count that the suite prints at its end."""

from __future__ import annotations

import pytest

from tests.wire.pitfalls import PITFALLS, Coverage, numbers


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
    coverage.add("one[1]", "P01, P03.")
    coverage.add("one[2]", "P01, P03.")
    coverage.add("two", "P03.")
    coverage.add("failed", "P01.")
    _, *lines = coverage.lines({"one[1]", "one[2]", "two", "of another folder"})
    assert [line.split()[:3] for line in lines[:3]] == [["P01", "1", "2"], ["P03", "2", "3"], ["all", "2", "3"]]
    assert lines[3].startswith("none of P02, P04, ")
    assert len(lines[3].split(",")) == len(PITFALLS) - 2
    assert coverage.lines({"of another folder"}) == []
