"""While these tests run, what bridge would log as a fault and pass over is raised."""

from __future__ import annotations

import pytest

from fuzz.passing import loud


@pytest.fixture(autouse=True)
def _loud():
    with loud():
        yield
