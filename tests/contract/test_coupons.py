"""What the coupon room may rely on, whatever the store."""

from __future__ import annotations

import datetime as dt

import pytest

from bridge.config import Config
from bridge.errors import Refused
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.store import CodeFormat, Rule, make_store
from bridge.store.memory import Memory
from tests.export import samples
from tests.export.serving import serve

TOKEN = "token-of-the-sandbox"
AUTO, OWN_CODE, OFF, UNKNOWN = 2, 1, 3, 999
LATER = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


@pytest.fixture(params=["memory", "magento"])
def store(request):
    if request.param == "memory":
        memory = Memory(samples.TREE)
        memory.price_rules = {
            OWN_CODE: Rule(id=OWN_CODE, name="One code", auto=False, website_ids=(1, 2)),
            AUTO: Rule(
                id=AUTO, name="Pool", website_ids=(1, 2), group_ids=(0, 1, 2, 3), uses_per_coupon=1, uses_per_customer=1
            ),
            OFF: Rule(id=OFF, name="Over", active=False, to_date=dt.date(2024, 8, 31)),
        }
        yield memory
        return
    with serve(create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN))) as url:
        yield make_store(Config(store_url=url, public_url="http://shop.test", store_token=TOKEN))


def test_a_rule_says_what_it_takes_to_use_it(store):
    rule = store.rule(AUTO)
    assert (rule.id, rule.active, rule.coupon_type, rule.auto) == (AUTO, True, "SPECIFIC_COUPON", True)
    assert (rule.website_ids, rule.group_ids) == ((1, 2), (0, 1, 2, 3))
    assert (rule.uses_per_coupon, rule.uses_per_customer) == (1, 1)
    off = store.rule(OFF)
    assert (off.active, off.to_date) == (False, dt.date(2024, 8, 31))
    assert store.rule(OWN_CODE).auto is False
    assert store.rule(UNKNOWN) is None
    listed = [rule.id for rule in store.rules()]
    assert listed == sorted(listed)
    assert {OWN_CODE, AUTO, OFF} <= set(listed)


def test_codes_that_the_shop_makes_look_as_asked_for_and_are_found_by_their_beginning(store):
    made = store.make_coupons(AUTO, 5, CodeFormat(kind="num", length=8, prefix="OM-", suffix="-X", every=4))
    assert len(set(made)) == 5
    assert all(code.startswith("OM-") and code.endswith("-X") and len(code) == 14 for code in made)
    found = list(store.find_coupons(AUTO, beginning="om-"))
    assert [one.code for one in found] == made
    assert all((one.rule_id, one.usage_limit, one.times_used, one.type) == (AUTO, 1, 0, 1) for one in found)
    assert all(one.created_at is not None for one in found)
    assert list(store.find_coupons(AUTO, beginning="om-", after=found[1].id)) == found[2:]
    assert list(store.find_coupons(OWN_CODE, beginning="om-")) == []


def test_a_code_of_our_own_is_kept_with_its_expiry_and_the_rules_limits(store):
    made = store.insert_coupon(AUTO, "Mine/1", LATER)
    assert (made.code, made.rule_id, made.expires_at) == ("Mine/1", AUTO, LATER)
    assert (made.usage_limit, made.usage_per_customer) == (1, 1)
    assert [one.id for one in store.find_coupons(codes=["MINE/1", "never made"])] == [made.id]
    assert store.insert_coupon(AUTO, "endless").expires_at is None


@pytest.mark.parametrize("rule_id", [OWN_CODE, UNKNOWN])
def test_a_rule_without_auto_generation_takes_no_codes(store, rule_id):
    with pytest.raises(Refused):
        store.insert_coupon(rule_id, "CODE-1")
    with pytest.raises(Refused):
        store.make_coupons(rule_id, 1, CodeFormat())
    assert list(store.find_coupons(codes=["CODE-1"])) == []


def test_a_code_is_taken_once_whatever_its_case(store):
    store.insert_coupon(AUTO, "twice")
    with pytest.raises(Refused):
        store.insert_coupon(AUTO, "TWICE")
    assert len(list(store.find_coupons(codes=["twice", "TWICE"]))) == 1


@pytest.mark.parametrize(("quantity", "length"), [(0, 8), (-1, 8), (1, 0)])
def test_the_shop_makes_none_of_nothing(store, quantity, length):
    with pytest.raises(Refused):
        store.make_coupons(AUTO, quantity, CodeFormat(length=length))


def test_a_deletion_tells_what_there_was_not(store):
    store.insert_coupon(AUTO, "one")
    store.insert_coupon(AUTO, "two")
    gone = store.delete_coupons(["ONE", "three"])
    assert (gone.missing, gone.failed) == (("three",), ())
    assert [one.code for one in store.find_coupons(codes=["one", "two"])] == ["two"]
    assert store.delete_coupons([]).missing == ()


def test_pages_by_offset_end_with_an_empty_one(store):
    made = store.make_coupons(AUTO, 5, CodeFormat())
    walked = []
    for number in (1, 2, 3):
        rows, total = store.coupon_page(AUTO, number, 2)
        walked += [one.code for one in rows]
        assert total == 5
    assert walked == made
    assert store.coupon_page(AUTO, 4, 2) == ([], 5)
    assert store.coupon_page(UNKNOWN, 1, 2) == ([], 0)


def test_many_codes_are_found_in_parts(store):
    made = store.make_coupons(AUTO, 320, CodeFormat())
    assert {one.code for one in store.find_coupons(codes=made)} == set(made)
    assert len(list(store.find_coupons(AUTO))) == 320
