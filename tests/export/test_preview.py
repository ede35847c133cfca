"""The preview beside what was sent last, with differences and the settings that made them."""

from __future__ import annotations

import msgspec
import pytest

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.events import EntityRef
from bridge.export import bodies, jobs, people
from bridge.export.preview import explain
from bridge.models import SentBody
from tests.export import samples
from tests.export.conftest import SECRET
from tests.export.test_jobs import owe

pytestmark = pytest.mark.redis
BAG = EntityRef("product", "1")


def changes(row):
    return {one["field"]: (one.get("was"), one.get("now")) for one in row["changes"]}


def test_a_record_is_shown_beside_the_last_one_sent(room, account):
    owe(account, BAG)
    jobs.session(account.id)
    (row,) = explain("product", "BAG")
    assert row["sent"] == row["record"] == room.records("product")["1"]
    assert (row["changes"], row["owner"], row["state"]) == ([], "default", "sent")
    room.shop.put(samples.product("1", "BAG", "Duffle Bag", "30"))
    (row,) = explain("product", "BAG")
    assert changes(row) == {"price": (34, 30), "listings[0].price": (34, 30)}
    assert len(room.pushes()) == 1, "a preview sends nothing"


def test_a_difference_names_the_setting_and_the_scope_that_made_it(room, account, settings):
    owe(account, BAG)
    jobs.session(account.id)
    settings("website:base", products__url_format="https://x.test/{product_id}")
    (row,) = explain("product", "1")
    first = next(one for one in row["changes"] if one["field"] == "url")
    assert first["now"] == "https://x.test/1"
    assert first["why"][0] == {
        "setting": "products.url_format",
        "value": "https://x.test/{product_id}",
        "scope": "website:base",
    }
    assert row["why"]["id"][0]["scope"] == "built in"


def test_what_was_never_sent_has_nothing_beside_it(room):
    (row,) = explain("order", "100000004")
    assert (row["sent"], row["sent_at"], row["changes"]) == (None, None, None)
    assert row["record"]["id"] == "100000004"


def test_what_is_not_sent_has_its_reason(room, settings):
    settings(general__api_key="key-main-0001")
    settings("website:europe", general__api_key="key-euro-0002")
    rows = explain("order", "100000004")
    assert [("record" in row, row.get("reason", "")) for row in rows] == [
        (True, ""),
        (False, "The order belongs to a store view of another account."),
    ]


def test_what_was_sent_is_kept_encrypted_and_only_where_that_is_wanted(room, account, settings):
    jane = EntityRef("contact", "customer:2")
    owe(account, jane)
    jobs.session(account.id)
    stored = db.session.get(SentBody, (account.id, "contact", "customer:2")).body
    assert b"jane" not in stored
    assert bodies.read(account.id, jane)["email"] == "jane@example.com"
    settings(privacy__keep_sent="no")
    room.shop.put(msgspec.structs.replace(samples.JANE, lastname="Roe"))
    owe(account, jane)
    jobs.session(account.id)
    assert bodies.read(account.id, jane) is None
    (row,) = explain("contact", "2")
    assert (row["changes"], row["state"]) == (None, "sent")


def test_data_quality_is_told_in_the_preview(room, settings):
    room.shop.put(samples.product("1", "BAG", "Duffle Bag", "0"))
    settings(quality__price="warn")
    assert explain("product", "1")[0]["warnings"] == ["The product is for sale and has no price above 0."]
    settings(quality__price="block")
    assert explain("product", "1")[0]["reason"].startswith("Held back by data quality")


@pytest.mark.parametrize("by", ["guest@example.com", "subscriber:{}"])
def test_a_guest_subscriber_is_found_by_address_and_by_our_number(room, by):
    id_ = people.note("guest@example.com", "default", 1, 1_750_000_000.0, (SECRET,))
    db.session.commit()
    (row,) = explain("contact", by.format(id_))
    assert (row["record"]["email"], row["record"]["id"]) == ("guest@example.com", id_)


@pytest.mark.parametrize("typed", ["nobody@example.com", "subscriber:7", "subscriber:" + "9" * 30])
def test_an_unknown_subscriber_is_told_in_a_sentence(room, typed):
    with pytest.raises(Misconfigured, match="The shop has no such contact"):
        explain("contact", typed)


def test_an_order_is_found_by_its_entity_id_where_no_order_has_that_number(room):
    order = room.shop.order_by_number("100000004")
    (row,) = explain("order", order.id)
    assert row["record"]["id"] == "100000004"
    with pytest.raises(Misconfigured, match="The shop has no such order"):
        explain("order", "987654321")
