"""One request to the shop at a time, over all workers."""

from __future__ import annotations

import threading

import pytest
import redis

from bridge.config import Config
from bridge.errors import Retry
from bridge.store import Turns, make_store
from tests.export.serving import serve
from tests.store.scripted import Scripted

pytestmark = pytest.mark.redis


class Busy:
    """Counts how many requests are under way at once; each waits until another came or a moment passed."""

    def __init__(self):
        self.now = self.most = 0
        self.lock, self.two = threading.Lock(), threading.Event()

    def __call__(self, _):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now > 1:
                self.two.set()
        self.two.wait(0.1)
        with self.lock:
            self.now -= 1
        return [{"id": 1, "code": "base"}]


def ask_by_two_workers(url, connections, most):
    """Let two workers with connections of their own ask the shop four times each."""

    def work(connection):
        store = make_store(Config(store_url=url, store_token="t"), Turns(connection, most))
        for _ in range(4):
            store.now()

    threads = [threading.Thread(target=work, args=(one,)) for one in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def two(redis_client):
    address = redis_client.connection_pool.connection_kwargs["path"]
    made = [redis.Redis(unix_socket_path=address) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def test_two_workers_have_one_request_under_way_at_a_time(two):
    busy = Busy()
    with serve(Scripted(busy)) as url:
        ask_by_two_workers(url, two, 1)
    assert busy.most == 1


def test_more_may_be_allowed(two):
    busy = Busy()
    with serve(Scripted(busy)) as url:
        ask_by_two_workers(url, two, 16)
    assert busy.most == 2


def test_who_waits_too_long_is_told_to_come_again(redis_client):
    with (
        Turns(redis_client).one(),
        pytest.raises(Retry, match="took all the time"),
        Turns(redis_client, wait=0.05).one(),
    ):
        pass
    with Turns(redis_client, wait=0.05).one():
        pass


def test_a_fault_in_the_request_gives_the_place_back(redis_client):
    turns = Turns(redis_client, wait=0.05)
    with pytest.raises(ValueError, match="odd"), turns.one():
        raise ValueError("odd")
    with turns.one():
        pass


def test_without_redis_requests_go_as_they_come():
    gone = redis.Redis(unix_socket_path="/nonexistent/redis.sock")
    with Turns(gone).one():
        pass
