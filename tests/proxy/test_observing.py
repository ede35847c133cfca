"""Copies for the observer, and the threads they are shown in."""

from __future__ import annotations

import gzip
import threading
import zlib
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy.counters import Counters
from bridge.proxy.exchange import RequestHead, ResponseHead
from bridge.proxy.observing import ObserverPool, Watch


def watch(*, urgent=False, needs_request_body=True, needs_response_body=True):
    visit = SimpleNamespace(
        request=RequestHead(),
        host=b"shop.example",
        received=1.0,
        sender=SimpleNamespace(scheme="https", client="1.1.1.1"),
    )
    route = SimpleNamespace(
        urgent=urgent, needs_request_body=needs_request_body, needs_response_body=needs_response_body
    )
    return Watch(visit, route)


@pytest.mark.parametrize(
    ("coding", "body", "plain"),
    [
        (None, b"x", b"x"), (b"gzip", gzip.compress(b"x", mtime=0), b"x"), (b"deflate", zlib.compress(b"x"), b"x"), (b"br", b"x", None), (b"gzip", b"junk", None),
        (b"deflate", b"junk", None), (b"gzip", gzip.compress(b"x" * 65536, mtime=0), b"x" * 65536), (b"gzip", gzip.compress(b"x" * 65537, mtime=0), None), (b"gzip", b"", b""),
    ],
)  # fmt: skip
def test_the_answers_body_is_shown_plain_and_within_64_kb(coding, body, plain):
    copy = watch()
    copy.received(body)
    headers = [(b"Content-Encoding", coding)] if coding else []
    assert copy.exchange(ResponseHead(headers=headers)).response_body == plain


def test_only_what_the_route_asks_for_is_copied():
    copy = watch(needs_request_body=False, needs_response_body=False)
    copy.sent(b"x")
    copy.received(b"x")
    exchange = copy.exchange(ResponseHead())
    assert (exchange.request_body, exchange.response_body) == (None, None)


def test_a_full_queue_drops_what_is_not_urgent_and_stopping_shows_the_rest():
    seen, go_on = [], threading.Event()

    class Slow:
        def seen(self, route, exchange):
            go_on.wait(10)
            seen.append(route.urgent)

    registry = CollectorRegistry()
    pool = ObserverPool(Slow(), Counters(registry), threads=1, limit=3)
    accepted = [pool.submit(watch(), ResponseHead()) for _ in range(10)]
    assert pool.submit(watch(urgent=True), ResponseHead())
    assert 3 <= sum(accepted) <= 4
    go_on.set()
    pool.stop()
    assert len(seen) == sum(accepted) + 1
    assert registry.get_sample_value("bridge_observer_dropped_total") == 10 - sum(accepted)
