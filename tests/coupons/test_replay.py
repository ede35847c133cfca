from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from bridge.coupons.replay import MARGIN_SECONDS, Replays
from bridge.coupons.signature import ForbiddenError, Proof
from bridge.errors import Retry

NOW = 1_700_000_000.0


@pytest.mark.redis
def test_a_signature_opens_once_whichever_process_took_it(redis_client):
    proof = Proof("a" * 64, NOW + 1200)
    Replays(redis_client).take(proof, NOW)
    for _ in range(2):
        with pytest.raises(ForbiddenError, match="used before"):
            Replays(redis_client).take(proof, NOW + 1)
    Replays(redis_client).take(Proof("b" * 64, NOW + 1200), NOW)


@pytest.mark.redis
@pytest.mark.parametrize("left", [0, 1200, 1500])
def test_it_is_kept_for_longer_than_the_signature_is_good(redis_client, left):
    Replays(redis_client).take(Proof("a" * 64, NOW + left), NOW)
    (key,) = redis_client.keys("bridge:signed:*")
    assert left + MARGIN_SECONDS - 5 <= redis_client.ttl(key) <= left + MARGIN_SECONDS
    assert b"a" * 20 not in key  # who reads the memory learns no signature


@pytest.mark.redis
def test_of_many_at_once_one_is_let_in(redis_client):
    memory, proof = Replays(redis_client), Proof("a" * 64, NOW + 1200)

    def call(_):
        try:
            memory.take(proof, NOW)
        except ForbiddenError:
            return False
        return True

    with ThreadPoolExecutor(50) as callers:
        assert sum(callers.map(call, range(50))) == 1


def test_without_the_memory_nothing_is_taken():
    gone = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
    with pytest.raises(Retry, match="memory of signatures"):
        Replays(gone).take(Proof("a" * 64, NOW + 1200), NOW)
    gone.close()
