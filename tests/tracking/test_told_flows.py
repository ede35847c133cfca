"""A visit to each front of the sandbox tells what the documentation says."""

from __future__ import annotations

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.told_flows import FLOWS, HEAD, rows, written

pytestmark = NEEDS_CHROMIUM


@pytest.mark.parametrize("front", FLOWS)
def test_a_visit_is_told_as_the_table_has_it(front, tmp_path, chromium):
    assert rows(front, tmp_path, chromium) == [line for line in written() if line.startswith(f"| {front} |")]


def test_the_table_has_the_fronts_of_the_sandbox_and_no_other():
    lines = written()
    assert lines[:2] == HEAD.splitlines()
    assert {line.split(" | ")[0].removeprefix("| ") for line in lines[2:]} == set(FLOWS)
