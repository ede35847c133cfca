from __future__ import annotations

import pytest

from tests.replay.bridged import ADAPTORS, Heeding, bridged, tracking_room
from tests.replay.shop import ReplayShop


@pytest.fixture(scope="module")
def replay_shop():
    shop = ReplayShop()
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with tracking_room(tmp_path_factory.mktemp("room")) as made:
        yield made


@pytest.fixture(scope="module")
def heeding(room):
    return Heeding(room.tracking.observer)


@pytest.fixture(scope="module", params=ADAPTORS)
def proxy(request, replay_shop, room, heeding):
    """An adaptor in front of the replay shop, with the real tag and observers; the application of ours beside it."""
    with bridged(request.param, replay_shop.url, tags=room.tracking.tags, observer=heeding, app=room.app) as made:
        yield made
