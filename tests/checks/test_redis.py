"""`bridge check` on Redis: does it keep what waits there."""

from __future__ import annotations

import pytest

from bridge.checks import GROUPS


class Connection:
    def __init__(self, **facts):
        self.facts = facts

    def ping(self):
        return True

    def info(self, _section):
        return self.facts


class Wired:
    def __init__(self, **facts):
        self.redis = Connection(**facts)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"aof_enabled": 1, "maxmemory": 0, "maxmemory_policy": "noeviction"}, []),
        ({"aof_enabled": 1, "maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, []),
        ({"aof_enabled": 1, "maxmemory": 100, "maxmemory_policy": "allkeys-lru"}, ["allkeys-lru"]),
        ({"aof_enabled": 0, "maxmemory": 0, "maxmemory_policy": "noeviction"}, ["Set appendonly to yes"]),
    ],
)
def test_a_redis_that_may_lose_events_is_told_with_the_change_to_make(bare_app, facts, words):
    first, *others = GROUPS["base"](Wired(**facts))
    assert (first.level, first.sentence) == ("ok", "Both answer.")
    assert [one.level for one in others] == ["warn"] * len(words)
    assert all(word in one.sentence for word, one in zip(words, others, strict=True))
