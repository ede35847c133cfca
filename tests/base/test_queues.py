"""Wake-ups are coalesced, and jobs are JSON."""

from __future__ import annotations

import pytest
import redis
from rq import Queue

from bridge.queues import JOBS, QUEUES, SERIALIZER, WAKE_KEPT_SECONDS, WAKE_SECONDS, Wakes, connect

pytestmark = pytest.mark.redis


def test_many_wakes_before_the_job_begins_are_one_job(redis_client):
    wakes = Wakes(redis_client)
    assert [wakes.wake("session", "abc") for _ in range(3)] == [True, False, False]
    assert wakes.wake("session", "other")
    assert wakes.depth()["live"] == 2


def test_a_wake_after_the_job_has_begun_is_a_job_of_its_own(redis_client):
    wakes = Wakes(redis_client)
    wakes.wake("session", "abc")
    wakes.awake("session", "abc")
    assert wakes.wake("session", "abc")


def age(redis_client, seconds):
    """Let every wake-up be this old."""
    for key in redis_client.keys("bridge:wake:*"):
        redis_client.expire(key, WAKE_KEPT_SECONDS - seconds)


def test_a_wake_up_that_still_waits_is_not_doubled_however_old(redis_client):
    wakes = Wakes(redis_client)
    wakes.wake("poll")
    age(redis_client, WAKE_SECONDS * 100)
    assert not wakes.wake("poll"), "a weekend without a worker must not become a queue of thousands"
    assert wakes.depth()["upkeep"] == 1


def test_a_wake_up_that_was_lost_with_its_worker_is_made_again(redis_client):
    wakes = Wakes(redis_client)
    wakes.wake("poll")
    Queue("upkeep", connection=redis_client, serializer=SERIALIZER).empty()
    assert not wakes.wake("poll"), "its worker may be about to begin"
    age(redis_client, WAKE_SECONDS + 1)
    assert wakes.wake("poll")
    assert wakes.depth()["upkeep"] == 1


def test_jobs_are_stored_as_json_never_as_code(redis_client):
    Wakes(redis_client).wake("session", "abc")
    job = Queue("live", connection=redis_client, serializer=SERIALIZER).jobs[0]
    assert job.func_name == "bridge.export.jobs.session"
    assert job.args == ["abc"]
    assert job.serializer.__name__ == "JSONSerializer"
    assert not any(value.startswith(b"\x80") for value in redis_client.hgetall(job.key).values())


def test_every_job_belongs_to_a_queue_that_is_worked():
    assert {queue for queue, _ in JOBS.values()} <= set(QUEUES)


def test_a_missing_redis_leaves_the_wake_to_the_clock(tmp_path):
    wakes = Wakes(connect(f"unix://{tmp_path}/none", timeout=0.1))
    assert wakes.try_wake("session", "abc") is False
    with pytest.raises(redis.RedisError):
        wakes.wake("session", "abc")
