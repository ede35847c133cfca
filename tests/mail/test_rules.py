from __future__ import annotations

import pytest

from bridge.errors import Misconfigured
from bridge.mail.natives import KIND_OF, NATIVES
from bridge.mail.rules import DEFAULTS, Rule, checked, key_of, learned, natives_of, rules_of, shop_name, taught
from bridge.settings import SETTINGS
from tests.mail.letters import FORGOT, mail, told


def test_every_kind_has_its_english_subject():
    assert {rule.native for rule in DEFAULTS} >= set(KIND_OF)
    assert {rule.native for rule in DEFAULTS} <= set(NATIVES)


@pytest.mark.parametrize(
    ("subject", "natives"),
    [
        ("Your Lab Store order confirmation", {"order_new"}),
        ("  your  LAB   store order CONFIRMATION ", {"order_new"}),
        ("Your Lab Store password has been changed", {"password_changed"}),
        ("Your Lab Store email and password has been changed", {"email_password_changed"}),
        ("Your Lab Store email has been changed", {"email_changed"}),
        ("Update to your Lab Store order", {"order_update"}),
        ("Update to your Lab Store shipment", {"shipment_update"}),
        ("Re: Your Lab Store order confirmation", set()),
        ("Welcome to Lab Store", {"account_new"}),
        ("", set()),
    ],
)
def test_a_subject_is_told_by_the_rule_with_the_most_words(subject, natives):
    assert natives_of(subject, DEFAULTS) == natives


def test_a_scope_has_its_own_rules_before_the_english_ones():
    values = {f"mail.{kind}.subject_rule": "" for kind in KIND_OF.values()}
    values["mail.order_confirmation.subject_rule"] = "Confirmation de votre commande {store}\n\nMerci, * !"
    rules = rules_of(values)
    assert rules[:2] == (Rule("order_new", "Confirmation de votre commande {store}"), Rule("order_new", "Merci, * !"))
    assert set(DEFAULTS) <= set(rules)


def test_learning_from_a_captured_subject_makes_a_rule_for_the_next_one():
    subject = "Jane, votre mot de passe Lab Store (#100000012)"
    rule = learned(subject, "password_forgot", DEFAULTS, names=["Jane"], store="Lab Store")
    assert rule.pattern == "*, votre mot de passe {store} (*)"
    assert rule.fits("Élise, votre mot de passe Lab Store (#200000001)")
    raw = mail(FORGOT, subject="Ann, votre mot de passe Lab Store (#1000777)")
    assert told(raw).kind is None
    assert told(raw, rules=lambda _store: (rule, *DEFAULTS)).kind == "forgot_password"


def test_what_was_learned_is_written_beside_the_rules_that_are_there():
    values = {"mail.forgot_password.subject_rule": "Mot de passe {store}", "mail.other.newsletter_success_subjects": ""}
    key, text = taught(values, Rule("password_forgot", "Nouveau mot de passe"))
    assert (key, text) == ("mail.forgot_password.subject_rule", "Mot de passe {store}\nNouveau mot de passe")
    assert taught({key: text}, Rule("password_forgot", "Nouveau mot de passe")) == (key, text)
    assert rules_of({key: text})[1] == Rule("password_forgot", "Nouveau mot de passe")
    key, text = taught(values, Rule("newsletter_success", "Inscription"))
    assert (key, text) == ("mail.other.newsletter_success_subjects", "Inscription")


def test_every_native_mail_has_a_setting_for_its_rules():
    keys = {definition.key for definition in SETTINGS}
    assert {key_of(native) for native in NATIVES} <= keys


def test_the_shops_name_is_what_subject_and_sender_share():
    assert shop_name("Votre commande Lab Store a été expédiée", ["Lab Store Sales"]) == "Lab Store"
    assert shop_name("Bienvenue sur Lab Store.", ["Harbour", "Lab", "Lab Store"]) == "Lab Store"
    assert shop_name("Your order", ["Lab Store"]) == ""
    assert shop_name("", [""]) == ""


def test_a_name_inside_a_word_stays():
    assert learned("Janet und Jane grüßen", "account_new", DEFAULTS, names=["Jane", ""]).pattern == "Janet und * grüßen"


def test_what_tells_nothing_is_not_learned():
    for subject in ("", "#100000012", "Hi", "* * *", "Jane 12345"):
        with pytest.raises(Misconfigured):
            learned(subject, "order_new", DEFAULTS, names=["Jane"])
    with pytest.raises(Misconfigured):
        checked("one * two * three * four * five * six")
    with pytest.raises(Misconfigured):
        learned("A good subject", "order_gone", DEFAULTS)


def test_a_subject_that_another_mail_has_is_not_learned_for_this_one():
    with pytest.raises(Misconfigured, match="invoice_new"):
        learned("Invoice for your Lab Store order", "order_new", DEFAULTS)
    assert learned("Your Lab Store order confirmation", "order_new", DEFAULTS).native == "order_new"


def test_signs_of_patterns_in_a_subject_are_only_signs():
    rule = learned("Order (new) [x] {y} * ready?", "order_new", DEFAULTS)
    assert rule.fits("Order (new) [x] y ready?")
    assert not rule.fits("Order new x y ready")


def test_a_rule_of_many_wildcards_costs_little():
    assert not Rule("order_new", "* a * b * c * d" * 20).fits("a b c " * 5000)
    assert Rule("order_new", "**{store}**").fits("anything")


def test_parts_of_a_rule_do_not_overlap_in_a_subject():
    assert Rule("order_new", "order * order").fits("Order 1 order")
    assert Rule("order_new", "order*order").fits("orderorder")
    assert not Rule("order_new", "order*order").fits("order")
    assert not Rule("order_new", "a*b*a").fits("ab")
