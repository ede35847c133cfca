"""After the shop's pictures moved to another host, a product export is offered, and nothing begins by itself."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from bridge.export import cursors, history, jobs, offers
from tests.export import samples
from tests.export.test_jobs import owe, waiting

pytestmark = pytest.mark.redis


def move(room, host, view="fr"):
    """Let the shop's secure media address of a store view change, and read the tree."""
    views = tuple(
        msgspec.structs.replace(one, secure_media_url=f"https://{host}/media/") if one.code == view else one
        for one in samples.TREE.views
    )
    room.shop._tree = msgspec.structs.replace(samples.TREE, views=views)
    cursors.clear(jobs.TREE)
    jobs.poll()


@pytest.fixture
def known(room):
    """The tree was read before."""
    jobs.poll()
    return room


def test_a_tree_that_stays_offers_nothing(known):
    cursors.clear(jobs.TREE)
    jobs.poll()
    assert offers.media() is None


def test_another_host_offers_a_product_export_and_begins_none(known, account):
    move(known, "cdn.test")
    assert offers.media()["stores"] == {"fr": ["https://eu.store.test/media/", "https://cdn.test/media/"]}
    assert history.progress() == []
    assert waiting() == {}


def test_several_moves_are_one_offer_from_the_first_host(known):
    move(known, "cdn.test")
    move(known, "images.test")
    assert offers.media()["stores"]["fr"] == ["https://eu.store.test/media/", "https://images.test/media/"]


def test_an_export_of_all_products_ends_the_offer_and_one_of_some_days_does_not(known):
    move(known, "cdn.test")
    history.begin("product", "default", since=dt.date(2026, 1, 1))
    assert offers.media() is not None
    history.begin("product", "default", again=True)
    assert offers.media() is None
    move(known, "images.test")
    assert offers.media() is not None


def test_an_offer_that_was_declined_is_gone(known):
    move(known, "cdn.test")
    offers.decline()
    assert offers.media() is None


def test_the_export_sends_the_new_addresses(known, account):
    for ref in list(known.shop._entities):
        if ref.kind == "product":
            owe(account, ref)
    jobs.session(account.id)
    before = [one["image_url"] for one in known.records("product")["9"]["listings"]]
    move(known, "cdn.test")
    history.begin("product", "default")
    jobs.history("product", "default")
    jobs.backlog(account.id)
    after = [one["image_url"] for one in known.records("product")["9"]["listings"]]
    assert "https://eu.store.test/media/catalog/product/tee.jpg" in before
    assert "https://cdn.test/media/catalog/product/tee.jpg" in after
