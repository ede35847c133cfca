"""A fresh shop and a visitor for each test."""

from __future__ import annotations

import pytest

from tests.sandbox.shop_client import Shop


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def visitor(shop):
    return shop.visitor()
