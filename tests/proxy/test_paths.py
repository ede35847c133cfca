from __future__ import annotations

import pytest

from bridge.proxy.options import ProxyOptions
from bridge.proxy.paths import Paths

OPTIONS = ProxyOptions(origin="http://varnish:80")


class Gate:
    """Lets in what it is told to; keeps what it was asked."""

    def __init__(self, *, on=True):
        self.on = on
        self.asked = []

    def takes(self, path, host):
        self.asked.append((path, host))
        return self.on


def test_the_own_prefix_ends_at_a_segment():
    paths = Paths(OPTIONS, None)
    assert paths.is_own(b"/_bridge")
    assert paths.is_own(b"/_bridge/tag.js")
    assert not paths.is_own(b"/_bridged")
    assert paths.is_own(b"/fr/omcart/cartlink/token/abc")
    assert not paths.is_own(b"/omcart/cartlinks")
    assert not paths.is_own(b"/")


@pytest.mark.parametrize(
    ("path", "gated"),
    [
        (b"/ometria_api/v1/version", True),
        (b"/index.php/fr/ometria_api/v1/orders/", True),
        (b"/ometria_api/v1", False),
        (b"/ometria_api/v2/products", False),
        (b"/ometria_apis/v1/version", False),
        (b"/a/b/c/ometria_api/v1/version", False),
        (b"/catalog/ometria_api", False),
    ],
)
def test_only_the_old_modules_api_is_gated(path, gated):
    assert Paths(OPTIONS, Gate()).kind(path).gated is gated
    assert not Paths(OPTIONS, None).kind(path).gated
    assert not Paths(OPTIONS, Gate()).kind(path).own


def test_the_gate_is_asked_each_time_and_its_answer_not_kept():
    gate = Gate()
    paths = Paths(OPTIONS, gate)
    for on in (True, False, True):
        gate.on = on
        assert paths.kind(b"/ometria_api/v1/version").gated
        assert paths.lets_in(b"/ometria_api/v1/version", b"shop.example") is on
    assert gate.asked == [(b"/ometria_api/v1/version", b"shop.example")] * 3


def test_a_gate_that_fails_leaves_the_path_to_the_shop():
    class Failing:
        def takes(self, path, host):
            raise RuntimeError

    assert Paths(OPTIONS, Failing()).lets_in(b"/ometria_api/v1/version", b"shop.example") is False
    assert Paths(OPTIONS, None).lets_in(b"/ometria_api/v1/version", b"shop.example") is False
