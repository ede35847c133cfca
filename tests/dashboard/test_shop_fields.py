"""Fields that show what their value means for this shop: tables of attributes, statuses, addresses, schedules, names."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from bridge.config import Config
from bridge.dashboard import hints, shop_facts
from bridge.db import db
from bridge.errors import Misconfigured, Retry
from bridge.models import SentRecord
from bridge.sandbox.attributes import ATTRIBUTES
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import load_book, set_value
from bridge.store import keep_tree, make_store
from tests.dashboard.desk import BASE, changed, read_form, save
from tests.dashboard.export_desk import account, furnish
from tests.dashboard.test_settings_form import page_of, row_of, text_of
from tests.export import samples
from tests.export.serving import serve


@pytest.fixture
def room(board):
    made = furnish(board)
    made.store.clock = lambda: samples.NOW
    return made


@pytest.fixture
def given(board):
    def give(scope, key, value):
        with board.app_context():
            set_value(scope, key, value, "test")
            db.session.commit()

    return give


@pytest.fixture
def own(board):
    def read(scope="default"):
        with board.app_context():
            return {key: value for key, value in load_book().values.get(scope, {}).items() if key != "general.api_key"}

    return read


def act(client, section, what, drop=(), **typed):
    path = f"{BASE}/settings/{section}?scope=default"
    form = read_form(client.get(path).get_data(as_text=True))
    answer = client.post(path, data=changed(form, drop, typed) | {"act": what})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


DROP = ("default.customers.mapping",)


def test_rows_are_added_changed_and_removed(signed_in, own):
    client = signed_in("editor")
    rows = {
        "customers__mapping__0__attribute": "hobby",
        "customers__mapping__0__name": "interest",
        "customers__mapping__0__form": "label",
        "customers__mapping__1__attribute": "taxvat",
        "customers__mapping__1__same": "1",
    }
    assert save(client, "customers", drop=DROP, **rows).status_code == 303
    assert own() == {"customers.mapping": ["hobby=interest:label", "taxvat"]}
    form = read_form(page_of(client, "customers"))
    assert (form["customers.mapping.0.name"], form["customers.mapping.1.name"]) == ("interest", "")
    assert "customers.mapping.0.same" not in form
    assert form["customers.mapping.1.same"] == "1"
    assert form["customers.mapping.2.attribute"] == "", "there is always room for another"
    save(client, "customers", customers__mapping__0__remove="1", customers__mapping__2__attribute="dob")
    assert own() == {"customers.mapping": ["taxvat", "dob"]}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            {"0__attribute": "a", "1__attribute": "b", "1__name": "a"},
            "each Ometria attribute once; &#39;a&#39; is there twice",
        ),
        ({"0__name": "x"}, "Row 1 names no attribute of the shop"),
        ({"0__attribute": "a b"}, "Row 1: an attribute is named by its code"),
        ({"0__attribute": "a", "0__name": "b", "0__same": "1"}, "Row 1: you ticked “same code” and typed another name"),
        ({"0__attribute": "a", "0__name": "1<script>"}, "Row 1: Ometria&#39;s attribute takes letters"),
        ({"0__attribute": "a", "0__form": "colour"}, "with :id or :label behind it where wanted"),
    ],
)
def test_a_wrong_row_is_told_by_its_number_and_all_rows_stay(signed_in, own, typed, sentence):
    client = signed_in("editor")
    named = {f"customers__mapping__{name}": value for name, value in typed.items()}
    answer = save(client, "customers", drop=DROP, **named)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert "<script>" not in page
    again = read_form(page)
    for name, value in typed.items():
        if not name.endswith("form"):
            assert again["customers.mapping." + name.replace("__", ".")] == value
    assert own() == {}


def test_more_rows_are_given_without_saving_and_without_losing_what_was_typed(signed_in, own):
    client = signed_in("editor")
    page = act(client, "customers", "more", DROP, customers__mapping__0__attribute="hobby", customers__namespace="half")
    form = read_form(page)
    assert form["customers.mapping.0.attribute"] == "hobby"
    assert form["customers.namespace"] == "half"
    assert "customers.mapping.8.attribute" in form
    assert own() == {}


def test_a_second_person_sees_the_rows_that_were_stored_meanwhile(signed_in, given, own):
    client = signed_in("editor")
    form = read_form(page_of(client, "customers"))
    given("default", "customers.mapping", "dob")
    mine = changed(form, DROP, {"customers.mapping.0.attribute": "hobby"})
    answer = client.post(f"{BASE}/settings/customers?scope=default", data=mine)
    assert answer.status_code == 409
    assert "Stored now: dob" in text_of(row_of(answer.get_data(as_text=True), "customers.mapping"))
    assert client.post(f"{BASE}/settings/customers", data=read_form(answer.get_data(as_text=True))).status_code == 303
    assert own() == {"customers.mapping": ["hobby"]}


def test_attributes_and_statuses_are_those_of_the_shop(room, signed_in, own):
    client = signed_in("editor")
    assert "None known" in text_of(page_of(client, "products"))
    page = act(client, "products", "look", ("default.products.mapping",), products__mapping__0__attribute="typed")
    assert "Read from the shop (attributes: " in page
    assert 'value="typed"' in page
    assert '<datalist id="known-products.mapping"><option value="color"></option><option value="material">' in page
    assert 'list="known-products.mapping"' in page
    orders = row_of(page_of(client, "orders"), "orders.valid_statuses")
    statuses = sorted({one.status for one in samples.ENTITIES if getattr(one, "number", "")})
    assert re.findall(r'valid_statuses\.pick\.(\w+)"', orders) == statuses
    assert own() == {}


def test_statuses_are_ticked_unticked_and_typed(room, signed_in, own):
    client = signed_in("editor")
    act(client, "orders", "look")
    form = read_form(page_of(client, "orders"))
    assert form["orders.valid_statuses.pick.pending"] == "1"
    assert form["orders.valid_statuses"] == "complete, processing", "what the shop was not seen to use is typed"
    kept = changed(form, ("default.orders.valid_statuses", "orders.valid_statuses.pick.pending"), {})
    client.post(f"{BASE}/settings/orders", data=kept | {"orders.valid_statuses": "complete, picked_up"})
    assert own() == {"orders.valid_statuses": ["complete", "picked_up"]}


def test_a_shop_that_is_away_is_said(room, signed_in):
    room.store.fault = Retry(5, "The shop does not answer.")
    page = act(signed_in("editor"), "products", "look", products__image_number="3")
    assert "The shop could not be asked: " in page
    assert 'value="3"' in page


def test_a_viewer_does_not_ask_the_shop(room, signed_in):
    client = signed_in("viewer")
    page = page_of(client, "products")
    assert 'name="act"' not in page
    form = {"csrf_token": read_form(page)["csrf_token"], "act": "look"}
    assert client.post(f"{BASE}/settings/products", data=form).status_code == 403
    assert room.store.calls == []


def test_the_address_of_a_real_product_shows_what_a_format_makes(room, signed_in):
    client = signed_in("editor")
    act(client, "products", "look")
    row = text_of(row_of(page_of(client, "products"), "products.url_format"))
    assert "Product 1 in DEFAULT: http://store.test/bag.html" in row
    typed = {"products__url_format": "https://x.test/{product_id}/{url_path}"}
    page = act(client, "products", "more", ("default.products.url_format",), **typed)
    assert "Product 1 in DEFAULT: https://x.test/1/bag.html" in text_of(row_of(page, "products.url_format"))
    answer = save(
        client, "products", drop=("default.products.url_format",), products__url_format="https://x.test/{sku}"
    )
    assert answer.status_code == 422
    assert "no placeholders but {product_id} and {url_path}" in text_of(
        row_of(answer.get_data(as_text=True), "products.url_format")
    )


def test_a_schedule_shows_its_next_five_runs_in_the_shops_time():
    now = dt.datetime(2026, 3, 28, 12, 0, tzinfo=dt.UTC).timestamp()
    told = hints.next_runs("30 1 * * *", "Europe/London", now)
    assert told == (
        "Next runs: Sun 29 Mar 02:00; Mon 30 Mar 01:30; Tue 31 Mar 01:30; Wed 1 Apr 01:30; Thu 2 Apr 01:30 "
        "(Europe/London)"
    ), "half past one does not exist on the day on which the clocks change"
    assert hints.next_runs("0 9 * * 1", "no/where", now).startswith("Next runs: Mon 30 Mar 09:00; Mon 6 Apr 09:00")
    assert hints.next_runs("0 9 * * 1", "no/where", now).endswith("(UTC)")
    assert hints.next_runs("0 0 30 2 *", "UTC", now) == ""
    assert hints.next_runs("nonsense", "UTC", now) == ""


def test_the_next_runs_stand_in_the_form(room, signed_in):
    row = text_of(row_of(page_of(signed_in("viewer"), "export"), "export.schedule"))
    assert re.search(r"Next runs: (\w{3} \d+ \w{3} \d\d:\d\d; ){4}.* \(Europe/London\)", row)


@pytest.mark.parametrize(
    ("section", "key", "value", "kind", "said"),
    [
        ("customers", "customers.namespace", "shop", "contact", "what is 123 now is sent again as shop123"),
        ("orders", "orders.namespace", "uk", "order", "what is 123 now is sent again as uk123"),
        ("products", "products.id_attribute", "sku", "product", "under new names; Ometria keeps the old ones"),
        ("customers", "customers.collection", "people", "contact", "under new names; Ometria keeps the old ones"),
    ],
)
def test_names_of_what_was_sent_change_only_after_a_warning(
    room, board, signed_in, own, section, key, value, kind, said
):
    with board.app_context():
        db.session.add(SentRecord(account=account(), kind=kind, entity="4", digest="x"))
        db.session.commit()
    client = signed_in("editor")
    answer = save(client, section, drop=(f"default.{key}",), **{key.replace(".", "__"): value})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f"1 {kind} was sent already" in text_of(page)
    assert said in text_of(page)
    assert own() == {}
    form = read_form(page)
    assert client.post(f"{BASE}/settings/{section}?scope=default", data=form | {"sure": "1"}).status_code == 303
    assert own() == {key: value}


def test_names_may_change_freely_before_the_first_export_and_where_no_record_is_touched(room, board, signed_in, own):
    client = signed_in("editor")
    assert save(client, "orders", drop=("default.orders.namespace",), orders__namespace="uk").status_code == 303
    with board.app_context():
        db.session.add(SentRecord(account=account(), kind="contact", entity="customer:1", digest="x"))
        db.session.commit()
    assert save(client, "orders", orders__namespace="us").status_code == 303, "no order was sent"
    assert (
        save(
            client, "customers", "store:de", drop=("default.customers.namespace",), customers__namespace="x"
        ).status_code
        == 303
    )
    assert own("store:de") == {"customers.namespace": "x"}, "the account takes the value of the scope of its key"
    assert hints.SENT_ALREADY in page_of(client, "customers")
    assert hints.SENT_ALREADY not in page_of(client, "products")


def test_what_was_read_stays_until_it_is_read_again(room, board):
    with board.app_context():
        first = shop_facts.read_again(room.store, load_book())
        assert shop_facts.known() == first
        assert first.at > 0


def test_a_shop_asked_over_rest_tells_attributes_statuses_and_an_address(board):
    with (
        serve(create_shop(ShopOptions(base_url="http://shop.test/", rest_token="a-token"))) as url,
        board.app_context(),
    ):
        shop = make_store(Config(store_url=url, public_url="http://shop.test", store_token="a-token"))
        keep_tree(shop.tree(), secure=False)
        db.session.commit()
        found = shop_facts.read_again(shop, load_book())
    assert {"color", "size"} <= set(found.attributes["product"])
    assert {one.code for one in ATTRIBUTES} <= set(found.attributes["product"]), (
        "also those that no product has a value of"
    )
    assert {"dob", "taxvat"} <= set(found.attributes["contact"])
    assert found.statuses
    assert found.product
    assert all(re.fullmatch(r"https?://[\w.-]*shop\.test/\S+", address) for address in found.addresses.values()), found
    assert found.addresses


@pytest.mark.parametrize(
    "fault", [Retry("The shop failed (500)."), Misconfigured("The token may not read attributes.")]
)
def test_a_list_of_attributes_that_cannot_be_read_leaves_those_that_records_have(room, board, monkeypatch, fault):
    def fail(kind):
        raise fault

    with board.app_context():
        whole = shop_facts.read_again(room.store, load_book())
        monkeypatch.setattr(room.store, "attribute_codes", fail)
        assert shop_facts.read_again(room.store, load_book()).statuses == whole.statuses
        assert shop_facts.known().attributes["product"]
