"""What a change of key, namespace or id would do, told before."""

from __future__ import annotations

import pytest

from bridge.events import EntityRef
from bridge.export import jobs
from bridge.export.whatif import what_if
from bridge.settings import account_id, load_book
from tests.export.test_jobs import ORDER, owe, waiting

pytestmark = pytest.mark.redis


@pytest.fixture
def exported(room, account):
    owe(account, ORDER, EntityRef("contact", "customer:2"))
    jobs.session(account.id)
    owe(account, EntityRef("product", "9"))
    return room


def test_a_namespace_renames_what_was_sent_of_its_kind(exported, account):
    (effect,) = what_if(load_book(), "default", "products.namespace", "uk-")
    assert (effect.fate, effect.renamed, effect.sent, effect.waiting) == ("stays", {"product": 3}, 5, 1)
    assert load_book().settings("default")["products.namespace"] == "", "nothing was changed"


def test_a_separator_without_a_namespace_renames_nothing(exported):
    (effect,) = what_if(load_book(), "default", "orders.namespace_separator", ":")
    assert effect.renamed == {}


def test_skus_for_ids_rename_the_products(exported):
    (effect,) = what_if(load_book(), "default", "products.id_attribute", "sku")
    assert effect.renamed == {"product": 3}


def test_another_collection_renames_the_contacts(exported):
    (effect,) = what_if(load_book(), "default", "customers.collection", "members")
    assert effect.renamed == {"contact": 1}


def test_another_key_is_another_account_that_takes_what_waits(exported, account):
    gone, new = what_if(load_book(), "default", "general.api_key", "key-euro-0002")
    assert (gone.fate, gone.sent, gone.waiting, gone.heirs) == ("gone", 5, 1, (account_id("key-euro-0002"),))
    assert (new.fate, new.sent) == ("new", 0)
    assert set(waiting()) == {("product", "9")}


def test_a_key_taken_away_leaves_what_waits_to_nobody_though_a_global_account_is_there(exported, settings):
    settings(global__api_key="key-glob-0003")
    effects = {effect.fate: effect for effect in what_if(load_book(), "default", "general.api_key", None)}
    assert effects["gone"].heirs == ()
    assert effects["stays"].owner == "default"


def test_an_unchanged_value_changes_nothing(exported):
    (effect,) = what_if(load_book(), "default", "orders.namespace", "")
    assert (effect.fate, effect.renamed) == ("stays", {})
