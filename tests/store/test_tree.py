"""The store tree as scopes, kept only when it changed."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from bridge.db import db
from bridge.models import Scope
from bridge.settings import load_book
from bridge.store import keep_tree, refresh_tree, scopes_of
from bridge.store.memory import Memory
from tests.export import samples
from tests.export.conftest import database  # noqa: F401 a fixture

TREE = samples.TREE


def test_websites_hang_on_the_default_scope_and_views_on_their_website():
    scopes = {scope.ref: scope for scope in scopes_of(TREE, secure=False)}
    assert list(scopes) == ["default", "website:base", "website:europe", "store:default", "store:fr", "store:de"]
    assert [scopes[ref].parent for ref in ("default", "website:base", "store:de")] == [
        None,
        "default",
        "website:europe",
    ]
    assert scopes["store:fr"].magento_id == 2
    assert scopes["store:fr"].is_default


def test_a_shop_on_https_is_known_by_its_secure_addresses():
    plain, secure = (
        next(scope for scope in scopes_of(TREE, secure=https) if scope.ref == "store:fr") for https in (False, True)
    )
    assert (plain.base_url, secure.base_url) == ("http://eu.store.test/", "https://eu.store.test/")
    assert secure.media_url == plain.media_url == "https://eu.store.test/media/"


def test_without_a_secure_address_the_plain_one_is_kept():
    view = msgspec.structs.replace(TREE.views[0], secure_base_url="", secure_media_url="")
    scopes = scopes_of(msgspec.structs.replace(TREE, views=(view,)), secure=True)
    assert scopes[-1].base_url == "http://store.test/"
    assert scopes[-1].media_url == "http://store.test/media/"


def test_the_same_tree_is_not_written_again(database):  # noqa: F811 the fixture
    assert keep_tree(TREE, secure=False)
    db.session.commit()
    assert not keep_tree(TREE, secure=False)
    renamed = msgspec.structs.replace(TREE.views[0], name="Other")
    assert keep_tree(msgspec.structs.replace(TREE, views=(renamed, *TREE.views[1:])), secure=False)


def test_a_read_tree_is_the_tree_of_the_settings(database):  # noqa: F811 the fixture
    assert refresh_tree(Memory(TREE), https=False) == 3
    book = load_book()
    assert [store.code for store in book.stores] == ["default", "fr", "de"]
    assert book.default_store.code == "default"
    gone = msgspec.structs.replace(TREE, views=TREE.views[:2])
    refresh_tree(Memory(gone), https=False)
    assert "store:de" not in set(db.session.scalars(select(Scope.ref)))
