"""The parts of the edge that need no sockets; all else is in tests/wire."""

from __future__ import annotations

import pytest

from bridge.proxy.edge import listener_of, tune_malloc

LISTENERS = {
    "127.0.0.1:8000": "shop",
    "127.0.0.1:8001": "dashboard",
    "[::1]:8002": "dashboard",
    "0.0.0.0:8003": "dashboard",
    "localhost:8004": "dashboard",
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (("127.0.0.1", 8000), "shop"), (("127.0.0.1", 8001), "dashboard"), (("::1", 8002, 0, 0), "dashboard"), (("0.0.0.0", 8003), "dashboard"),
        (("127.0.0.1", 8004), "dashboard"), (("127.0.0.1", 9999), "shop"), ("/run/bridge.sock", "shop"),
    ],
)  # fmt: skip
def test_a_bound_socket_is_the_listener_that_was_asked_for(name, expected):
    assert listener_of(name, LISTENERS) == expected


def test_the_allocator_is_tuned_without_harm():
    tune_malloc()
