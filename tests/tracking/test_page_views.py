"""Page views by type, as a share of the visitors' browsers tell them."""

from __future__ import annotations

import pytest
import redis
import time_machine

from bridge.tracking import PageViews
from bridge.tracking.page_views import SHARE

NOON = 1_795_000_020.0


@pytest.fixture
def views(redis_client):
    return PageViews(redis_client)


@pytest.mark.redis
def test_views_of_the_last_hour_are_summed_by_type_and_older_ones_are_not(views, redis_client):
    with time_machine.travel(NOON, tick=False):
        views.count("listing")
    with time_machine.travel(NOON + 1800, tick=False):
        views.count("product")
        views.count("product")
        views.count("other")
        assert views.last_hour() == {"product": 2 * SHARE, "listing": SHARE, "other": SHARE}
    with time_machine.travel(NOON + 3600, tick=False):
        assert views.last_hour() == {"product": 2 * SHARE, "other": SHARE}
    assert all(0 < redis_client.ttl(name) <= 7200 for name in redis_client.scan_iter("bridge:views:*"))


@pytest.mark.redis
def test_what_is_no_type_is_not_counted(views, redis_client):
    for made_up in ("", "Product", "product\n", "<script>", "x" * 5000):
        views.count(made_up)
    assert views.last_hour() == {}
    assert list(redis_client.scan_iter("bridge:views:*")) == []


def test_without_redis_nothing_is_counted_and_nothing_fails(tmp_path):
    views = PageViews(redis.Redis(unix_socket_path=str(tmp_path / "none.sock")))
    views.count("product")
    assert views.last_hour() is None
