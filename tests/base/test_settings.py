"""Shop settings: validation, inheritance and accounts, without a database."""

from __future__ import annotations

import pytest

from bridge.errors import Misconfigured
from bridge.settings import SETTINGS, Book, Store, account_id, parse
from bridge.settings.saved import mask, read_snapshot, write_snapshot

EUROPE, US, UK = "website:europe", "website:us", "website:uk"


def view(code, id_, website, website_id):
    return Store(f"store:{code}", code, id_, website, website_id, is_default=code == "fr")


STORES = (
    view("fr", 1, "europe", 1),
    view("de", 2, "europe", 1),
    view("ca", 3, "us", 2),
    view("us", 4, "us", 2),
    view("ie", 5, "uk", 3),
    view("uk", 6, "uk", 3),
)
PARENTS = {
    EUROPE: "default",
    US: "default",
    UK: "default",
    **{store.ref: f"website:{store.website}" for store in STORES},
}


def book(**values):
    return Book(PARENTS, STORES, values)


def feeds(a_book):
    return {store.code: sorted(account.key for account in a_book.accounts_of((store,))) for store in a_book.stores}


def test_the_nearest_scope_wins_and_says_where_the_value_is_from():
    a_book = book(**{"default": {"orders.currency": "base"}, EUROPE: {"orders.currency": "both"}})
    assert a_book.settings("store:fr")["orders.currency"] == "both"
    assert a_book.settings("store:fr").source("orders.currency") == EUROPE
    assert a_book.settings("store:us")["orders.currency"] == "base"
    assert a_book.settings("store:us").source("orders.namespace") == ""
    assert a_book.settings("store:gone")["orders.currency"] == "base"


def test_the_guide_s_first_case_all_store_views_in_one_account():
    assert feeds(book(default={"general.api_key": "key-one"})) == {store.code: ["key-one"] for store in STORES}


def test_the_guide_s_second_case_websites_and_store_views_in_accounts_of_their_own():
    a_book = book(
        **{
            EUROPE: {"general.api_key": "key-europe"},
            "store:uk": {"general.api_key": "key-europe"},
            "store:ie": {"general.api_key": "key-ie"},
            US: {"general.api_key": "key-us"},
        }
    )
    assert feeds(a_book) == {
        "fr": ["key-europe"],
        "de": ["key-europe"],
        "uk": ["key-europe"],
        "ie": ["key-ie"],
        "ca": ["key-us"],
        "us": ["key-us"],
    }
    europe = next(account for account in a_book.accounts() if account.key == "key-europe")
    assert [store.code for store in europe.stores] == ["fr", "de", "uk"]


def test_a_global_account_gets_a_copy_of_the_websites_where_it_is_set():
    a_book = book(
        **{
            "default": {"general.api_key": "key-x"},
            EUROPE: {"general.api_key": "key-y", "global.api_key": "key-g"},
            "store:de": {"general.api_key": "key-z"},
        }
    )
    assert feeds(a_book) == {
        "fr": ["key-g", "key-y"],
        "de": ["key-g", "key-z"],
        "ca": ["key-x"],
        "us": ["key-x"],
        "ie": ["key-x"],
        "uk": ["key-x"],
    }


def test_the_same_key_as_own_and_global_account_is_one_account():
    a_book = book(default={"general.api_key": "key-one", "global.api_key": "key-one"})
    assert [account.is_global for account in a_book.accounts()] == [False]


def test_a_disabled_scope_feeds_nobody():
    a_book = book(**{"default": {"general.api_key": "key-one"}, US: {"general.enabled": False}})
    assert feeds(a_book)["us"] == []
    assert feeds(a_book)["uk"] == ["key-one"]


def test_the_global_account_carries_namespaces_by_its_own_setting():
    a_book = book(default={"global.api_key": "key-g", "global.use_namespaces": False})
    assert a_book.accounts()[0].use_namespaces is False


def test_an_account_s_id_and_text_reveal_nothing_of_its_key():
    account = book(default={"general.api_key": "om_live_1234567890"}).accounts()[0]
    assert "om_live" not in repr(account)
    assert account.id == account_id("om_live_1234567890")


@pytest.mark.parametrize(
    ("key", "value", "typed"),
    [
        ("general.enabled", "off", False),
        ("general.enabled", "YES", True),
        ("export.max_per_run", " 500 ", 500),
        ("export.schedule", "@hourly", "0 * * * *"),
        ("export.schedule", "*/5  * * * *", "*/5 * * * *"),
        ("orders.valid_statuses", "complete, processing", ["complete", "processing"]),
        ("customers.namespace", "uk-shop_1", "uk-shop_1"),
        ("orders.currency", "both", "both"),
        ("products.url_format", "", ""),
        ("products.url_format", *["http://example.com/{product_id}/{url_path}"] * 2),
        ("products.url_format", *["https://x.test/p?id={product_id}&from=mail"] * 2),
        ("products.url_suffix", "", ""),
        ("products.url_suffix", ".htm", ".htm"),
        ("products.mapping", "color, size=fit:id", ["color", "size=fit:id"]),
    ],
)
def test_a_good_value_is_typed(key, value, typed):
    assert parse(key, value) == typed


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("general.enabled", "perhaps"),
        ("export.max_per_run", "0"),
        ("export.max_per_run", "many"),
        ("export.schedule", "* * * * * *"),
        ("export.schedule", "61 * * * *"),
        ("customers.namespace", "uk:"),
        ("general.api_key", " key-with-space "),
        ("orders.currency", "gold"),
        ("general.account_id", "a/b"),
        ("products.url_format", "example.com/{product_id}"),
        ("products.url_format", "http://x.test/{sku}"),
        ("products.url_format", "javascript:alert({product_id})"),
        ("products.url_format", "http://x.test/{url_path"),
        ("products.url_suffix", ".html?x"),
        ("products.mapping", "color:words"),
    ],
)
def test_a_wrong_value_is_refused_with_the_setting_s_name_and_what_it_takes(key, value):
    with pytest.raises(Misconfigured, match=r"it takes|it has white space") as caught:
        parse(key, value)
    assert key in str(caught.value)


def test_an_unknown_key_is_answered_with_the_keys_of_its_section():
    with pytest.raises(Misconfigured, match=r"no setting 'export\.speed'.*export\.schedule"):
        parse("export.speed", "1")


def test_every_default_is_a_value_its_own_setting_takes():
    for setting in SETTINGS:
        if not setting.secret:
            assert setting.parse(setting.default) == setting.default


def test_a_masked_secret_shows_at_most_its_last_four_characters():
    assert mask("om_live_1234567890") == "••••7890"
    assert mask("short") == "••••"


def test_the_snapshot_keeps_the_tree_and_open_values_but_no_secret(tmp_path):
    path = tmp_path / "settings.json"
    write_snapshot(book(default={"general.api_key": "om_live_1234567890", "general.account_id": "abcd1234"}), path)
    assert "om_live" not in path.read_text()
    again = read_snapshot(path)
    assert again.settings("store:de")["general.account_id"] == "abcd1234"
    assert again.store(code="de") == STORES[1]
    path.write_text("{broken")
    assert read_snapshot(path) is None
