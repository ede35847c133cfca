"""`bridge check` on the rules that pools name: usable, odd, off, and not to be asked for."""

from __future__ import annotations

import pytest

from bridge.checks.coupons import look_at_coupons
from bridge.coupons import alerts
from bridge.coupons.rules import Verdict
from bridge.db import db
from bridge.errors import Misconfigured, Retry
from bridge.models_coupons import CouponPool
from bridge.store.magento_rights import COUPONS
from tests.schema import create_tables


@pytest.fixture
def pools(bare_app):
    with bare_app.app_context():
        create_tables()
        for rule, name in enumerate(("Autumn", "Birthday", "Spring"), 4):
            db.session.add(CouponPool(name=name, rule_id=rule))
        db.session.commit()
        yield
        db.session.remove()


def test_without_a_pool_there_is_nothing_to_look_at(bare_app):
    with bare_app.app_context():
        create_tables()
        assert [(one.level, one.sentence) for one in look_at_coupons()] == [("ok", "No pool of codes names a rule.")]
        db.session.remove()


def test_each_pool_s_rule_is_told_with_every_reason(pools, monkeypatch):
    verdicts = {4: Verdict(("It is off.", "It ended."), ("It is odd.",)), 5: Verdict((), ("It is odd.",)), 6: Verdict()}
    monkeypatch.setattr(alerts, "look_at", lambda pool: verdicts[pool.rule_id])
    assert [(one.level, one.about, one.sentence) for one in look_at_coupons()] == [
        ("fail", "Autumn", "Rule 4 of Autumn cannot be used. It is off. It ended. It is odd."),
        ("warn", "Birthday", "Rule 5 of Birthday can be used. It is odd."),
        ("ok", "Spring", "Rule 6 of Spring can be used."),
    ]


def test_a_missing_right_is_named_once_and_ends_the_asking(pools, monkeypatch):
    def refused(_):
        raise Misconfigured("The shop refuses the token (401).")

    monkeypatch.setattr(alerts, "look_at", refused)
    (finding,) = look_at_coupons()
    assert (finding.level, finding.about) == ("fail", COUPONS.name)
    assert "Marketing > Promotions > Cart Price Rules" in finding.sentence


def test_a_shop_that_does_not_answer_is_asked_once_and_is_no_missing_right(pools, monkeypatch):
    def away(_):
        raise Retry("The shop did not answer.")

    monkeypatch.setattr(alerts, "look_at", away)
    (finding,) = look_at_coupons()
    assert (finding.level, finding.about) == ("fail", "Autumn")
    assert finding.sentence == "Rule 4 of Autumn could not be asked for: The shop did not answer."
