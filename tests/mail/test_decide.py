"""The decision: Ometria only when nothing speaks against it."""

from __future__ import annotations

import pytest

from bridge.mail.decide import Case, account_of, decide, too_old
from bridge.mail.recognise import Verdict
from bridge.settings import MAIL_KINDS
from tests.export import books

LIVE = {"mail__mode": "live"}


def values(**more):
    given = {**LIVE}
    for number, kind in enumerate(MAIL_KINDS):
        given |= {f"mail__{kind}__enabled": True, f"mail__{kind}__template_id": str(100 + number)}
    named = {name.replace("__", "."): value for name, value in {**given, **more}.items()}
    return books.make_book({"default": named}).settings("store:default")


def case(kind="order_confirmation", reason="recognised by marker", settings=None, **more):
    told = {"has_view": True, "has_account": True, **more}
    return Case(Verdict(kind, reason, store="default"), settings or values(), **told)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_a_kind_that_is_on_with_a_template_goes_through_ometria(kind):
    decision = decide(case(kind))
    assert (decision.route, decision.twin, decision.reason) == ("ometria", False, "recognised by marker")


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_the_rule_for_an_unknown_outcome_is_the_kinds(kind):
    assert decide(case(kind)).rule == ("resend" if kind == "forgot_password" else "hold")
    other = values(**{f"mail__{kind}__on_uncertain": "resend"})
    assert decide(case(kind, settings=other)).rule == "resend"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"settings": values(mail__mode="off")}, "the mode is off"),
        ({"kind": None, "reason": "a copy"}, "a copy"),
        ({"has_view": False}, "no store view could be told"),
        ({"settings": values(mail__order_confirmation__enabled=False)}, "Order confirmation is not enabled"),
        ({"settings": values(mail__order_confirmation__template_id="")}, "Order confirmation has no template id"),
        ({"settings": values(mail__order_confirmation__template_id="106")}, "Account creation has the same template"),
        ({"has_account": False}, "the store view feeds no Ometria account"),
        ({"settings": values(general__enabled=False)}, "the store view feeds no Ometria account"),
        ({"kind": "forgot_password", "age": 7200.0}, "the reset link is too old"),
        ({"files": "a file is attached"}, "a file is attached"),
    ],
)
def test_every_doubt_is_the_originals_and_says_so(changed, told):
    decision = decide(case(**changed))
    assert decision.route == "relay"
    assert decision.reason.startswith(told)
    assert not decision.twin


def test_the_sandbox_gets_a_copy_beside_the_original():
    decision = decide(case(settings=values(mail__mode="sandbox")))
    assert (decision.route, decision.twin) == ("relay", True)


def test_a_doubt_makes_no_copy_for_the_sandbox_either():
    decision = decide(case(settings=values(mail__mode="sandbox"), has_account=False))
    assert (decision.route, decision.twin) == ("relay", False)


def test_files_do_not_matter_where_they_are_left_out():
    assert decide(case(files="a file", settings=values(mail__attachments=False))).route == "ometria"


def test_a_reset_link_lives_as_long_as_the_shop_says():
    settings = values(mail__reset_link_minutes=10)
    assert not too_old(settings, "forgot_password", 599)
    assert too_old(settings, "forgot_password", 600)
    assert not too_old(settings, "account_creation", 6000)


def test_the_account_of_a_mail_is_the_store_views_own_before_the_global_one():
    _, book = books.make(global__api_key="key-glob-0003")
    assert account_of(book, books.DEFAULT).key == "key-main-0001"
    assert account_of(book, None) is None
