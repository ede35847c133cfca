"""Rules before sending: what breaks them, and what block, warn and allow do."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select

from bridge.db import db
from bridge.events import EntityRef
from bridge.export import jobs, ledger, quality
from bridge.export.mapping import contact_record, product_record
from bridge.models import Finding, Pending, RecordStep
from bridge.settings import BY_KEY
from tests.export import samples
from tests.export.books import make
from tests.export.test_jobs import owe

BAG = EntityRef("product", "1")


def product(**more):
    views = {"default": msgspec.structs.replace(samples.BAG.views[""], **more)}
    account, book = make()
    return product_record(msgspec.structs.replace(samples.BAG, views=views), account, book)


def contact(**more):
    account, book = make(customers__subscription_time="none")
    return contact_record(msgspec.structs.replace(samples.JANE, **more), account, book)


def test_every_rule_has_a_sentence_and_a_setting():
    keys = {key.removeprefix("quality.") for key in BY_KEY if key.startswith("quality.")}
    assert keys == set(quality.SAID)
    assert all(BY_KEY[f"quality.{rule}"].choices == ("allow", "warn", "block") for rule in keys)


@pytest.mark.parametrize(
    ("more", "rules"),
    [
        ({}, ()),
        ({"price": Decimal(0)}, ("price",)),
        ({"price": None}, ("price",)),
        ({"price": Decimal(-1)}, ("price",)),
        ({"images": ()}, ("image",)),
        ({"price": None, "images": (), "enabled": False}, ()),
    ],
)
def test_an_active_product_has_a_price_and_a_picture(more, rules):
    assert quality.broken(product(**more)) == rules


def test_a_product_without_page_and_parent_is_told():
    assert quality.broken(product(), orphan=True) == ("parent",)


def test_an_opt_in_has_a_time():
    assert quality.broken(contact()) == ("optin_time",)
    assert quality.broken(contact(subscribed=False)) == ()


@pytest.mark.parametrize(
    "email",
    ["a@x.test", "o'neill+tag@mail.example.co.uk", "jürgen@müller.example", "a_b@x-y.test", "1@2.io"],
)
def test_a_usable_address_is_valid(email):
    assert quality.valid_email(email)
    assert "email" not in quality.broken(contact(email=email))


@pytest.mark.parametrize(
    "email",
    ["", "a", "a@", "@x.test", "a@x", "a b@x.test", "a@@x.test", "a@x..test", ".a@x.test", "a.@x.test", "a@x_y.test", "a@x.test,b@x.test", "<a@x.test>", f"{'a' * 65}@x.test", f"a@{'x' * 64}.test"],
)  # fmt: skip
def test_what_cannot_be_an_address_is_not(email):
    assert not quality.valid_email(email)


def found():
    db.session.rollback()
    return {(row.entity, row.rule): row.blocked for row in db.session.scalars(select(Finding))}


@pytest.mark.redis
class TestSessions:
    @pytest.fixture(autouse=True)
    def _free_bag(self, room):
        room.shop.put(samples.product("1", "BAG", "Duffle Bag", "0"))

    @pytest.mark.parametrize(
        ("action", "sent", "findings"),
        [
            ("allow", True, {}),
            ("warn", True, {("1", "price"): False}),
            ("block", False, {("1", "price"): True}),
        ],
    )
    def test_block_warn_and_allow(self, room, account, settings, action, sent, findings):
        settings(quality__price=action)
        owe(account, BAG)
        jobs.session(account.id)
        assert (set(room.records("product")) == {"1"}) is sent
        assert found() == findings
        states = [row.state for row in db.session.scalars(select(Pending))]
        assert states == ([] if sent else ["refused"])
        warned = [row.detail for row in db.session.scalars(select(RecordStep)) if row.step == "warned"]
        assert warned == ([quality.SAID["price"]] if action == "warn" else [])

    def test_a_blocked_record_goes_once_it_is_good_and_the_finding_is_gone(self, room, account, settings):
        settings(quality__price="block")
        owe(account, BAG)
        jobs.session(account.id)
        reason = db.session.scalar(select(Pending.reason))
        assert reason == (
            "Held back by data quality: The product is for sale and has no price above 0. "
            "Change it in the shop, or quality.price."
        )
        room.shop.put(samples.product("1", "BAG", "Duffle Bag", "5"))
        owe(account, BAG)
        jobs.session(account.id)
        assert room.records("product")["1"]["price"] == 5
        assert found() == {}

    def test_a_rule_that_is_allowed_later_lets_the_held_ones_go(self, room, account, settings):
        settings(quality__price="block")
        owe(account, BAG)
        jobs.session(account.id)
        settings(quality__price="allow")
        assert ledger.retry_refused() == 1
        jobs.session(account.id)
        assert set(room.records("product")) == {"1"}

    def test_a_part_without_page_and_parent_is_found(self, room, account, settings):
        settings(quality__parent="block")
        room.shop.put(samples.product("30", "LONE", "Lone", "3", visibility=1))
        owe(account, EntityRef("product", "30"), EntityRef("product", "13"))
        jobs.session(account.id)
        assert found() == {("30", "parent"): True}
        assert set(room.records("product")) == {"13"}


@pytest.mark.parametrize("rule", sorted(quality.SAID))
@pytest.mark.parametrize("action", ["allow", "warn", "block"])
def test_the_setting_of_each_rule_decides_what_becomes_of_what_breaks_it(rule, action):
    others = {f"quality__{other}": "allow" for other in quality.SAID if other != rule}
    account, _ = make(**others, **{f"quality__{rule}": action})
    if action == "block":
        with pytest.raises(quality.Blocked, match=f"quality.{rule}"):
            quality.judge(tuple(sorted(quality.SAID)), account.settings)
    else:
        warned = quality.judge(tuple(sorted(quality.SAID)), account.settings)
        assert warned == ((rule,) if action == "warn" else ())
