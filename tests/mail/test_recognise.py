"""The four layers, what they do when they disagree, and the traps of Magento's mails, one test each."""

from __future__ import annotations

import dataclasses

import pytest

from bridge.errors import Retry
from bridge.mail.facts import CustomerFacts, Expected
from bridge.mail.markers import header_line, line
from bridge.mail.recognise import CHANGED_BEFORE, EXPECTED_BEFORE, NOTIFIED_SECONDS, TRAFFIC_SECONDS, Verdict
from bridge.mail.rules import DEFAULTS, Rule
from tests.mail.letters import (
    AT,
    CHANGED,
    FORGOT,
    INVOICE,
    ORDER,
    RESET,
    SHIPMENT,
    UPDATE,
    VIEWS,
    WELCOME,
    Shop,
    alert,
    mail,
    shop_with,
    told,
)

JANE = "jane@shop.test"
NUMBER = "100000012"


def marked(body, marker, **more):
    return mail(f"{body}<!-- obx {marker} -->", **more)


def account(id_="7", store="default", *, age=86_400.0):
    return Shop(customers={JANE: CustomerFacts(id_, store, AT - age)})


def own_rules(*rows):
    return lambda _store: (*(Rule(native, pattern) for native, pattern in rows), *DEFAULTS)


# ---- the traps of the contract, section 4.3 ------------------------------------------------------------------------


def test_trap_1_a_password_that_was_set_by_a_link_sends_no_mail_and_the_notice_of_the_account_form_is_one():
    """The reset itself is an event of the traffic (tests/tracking/test_mail_signs.py); this is the native mail."""
    raw = mail(CHANGED, subject="Your Lab Store password has been changed")
    assert told(raw).kind == "password_updated"
    assert told(mail(CHANGED, subject="Mot de passe"), expected=["password_changed"]).kind == "password_updated"


def test_trap_2_a_welcome_with_a_link_that_sets_a_password_is_no_forgotten_password():
    everything = ["password_forgot", "account_new"]
    assert told(mail(WELCOME), expected=everything).kind == "account_creation"
    assert told(mail(FORGOT), expected=everything).kind == "forgot_password"
    assert told(mail(WELCOME), expected=["password_forgot"]).kind is None
    assert told(mail(FORGOT), expected=["account_new"]).kind is None


def test_trap_2_a_welcome_whose_link_is_a_button_is_neither():
    body = FORGOT + "<ul><li>E-mail: jane@shop.test</li></ul>"
    for expected in (["password_forgot"], ["account_new"], ["password_forgot", "account_new"]):
        assert told(mail(body), expected=expected, shop=account()).kind is None


def test_trap_3_the_four_updates_are_told_apart_by_their_subjects():
    cancelled = shop_with(NUMBER, JANE, state="canceled", notified_at=AT)
    for subject, native in (
        ("Update to your Lab Store order", "order_update"),
        ("Update to your Lab Store shipment", "shipment_update"),
        ("Update to your Lab Store invoice", "invoice_update"),
        ("Update to your Lab Store credit memo", "creditmemo_update"),
    ):
        verdict = told(mail(UPDATE, subject=subject), shop=cancelled)
        assert verdict.native == native
        assert (verdict.kind == "order_cancellation") is (native == "order_update")


def test_trap_4_an_order_update_is_a_cancellation_only_when_the_order_is_cancelled_and_the_customer_was_told_now():
    raw = mail(UPDATE, subject="Votre commande")
    assert told(raw, shop=shop_with(NUMBER, JANE, state="canceled", notified_at=AT - 5)).kind == "order_cancellation"
    for state in ("new", "processing", "complete", "closed", "holded", ""):
        verdict = told(raw, shop=shop_with(NUMBER, JANE, state=state, notified_at=AT))
        assert (verdict.kind, verdict.until) == (None, 0)
    silent = told(raw, shop=shop_with(NUMBER, JANE, state="canceled", notified_at=AT - NOTIFIED_SECONDS - 1))
    assert silent.kind is None
    assert silent.until == AT + 120


def test_trap_4_a_word_about_a_shipment_of_an_order_that_was_just_cancelled_is_no_cancellation():
    raw = mail(
        f'{UPDATE}<table class="message-info"><tr><td>It left<br>the &amp; house</td></tr></table>', subject="Nouvelles"
    )
    for said, kind in (
        ("It was cancelled", None),
        ("It left\nthe & house", "order_cancellation"),
        ("", None),
    ):
        shop = shop_with(NUMBER, JANE, state="canceled", notified_at=AT, said=said)
        assert told(raw, shop=shop).kind == kind


def test_trap_4_a_cancellation_without_words_is_one_without_the_block_of_the_message():
    shop = shop_with(NUMBER, JANE, state="canceled", notified_at=AT, said="")
    assert told(mail(UPDATE, subject="Nouvelles"), shop=shop).kind == "order_cancellation"
    said = shop_with(NUMBER, JANE, state="canceled", notified_at=AT, said="Gone")
    block = '<table class="message-info"><tr><td>It left the house</td></tr></table>'
    assert told(mail(UPDATE + block, subject="Nouvelles"), shop=said).kind is None, "the status is no message"


def test_trap_4_the_status_label_that_merchants_rename_is_not_read():
    body = UPDATE.replace("Gone", "Canceled")
    raw = mail(body, subject="Update to your Lab Store order")
    assert told(raw, shop=shop_with(NUMBER, JANE, state="processing", notified_at=AT)).kind is None


def test_trap_4_the_state_in_the_marker_proves_a_cancellation_alone_and_another_state_none():
    shop = shop_with(NUMBER, JANE, state="processing")
    canceled = marked(UPDATE, f"kind=order_update store=default order={NUMBER} state=canceled")
    verdict = told(canceled, shop=shop)
    assert (verdict.kind, verdict.layer, verdict.order) == ("order_cancellation", "marker", NUMBER)
    closed = marked(UPDATE, f"kind=order_update store=default order={NUMBER} state=closed")
    assert told(closed, shop=shop_with(NUMBER, JANE, state="canceled", notified_at=AT)).kind is None


def test_trap_4_a_marker_without_state_asks_the_shop():
    raw = marked(UPDATE, f"kind=order_update store=default order={NUMBER}")
    assert told(raw, shop=shop_with(NUMBER, JANE, state="canceled")).kind == "order_cancellation"
    assert told(raw, shop=shop_with(NUMBER, JANE, state="new")).kind is None


def test_trap_4_a_confirmation_of_another_design_for_a_cancelled_order_is_no_cancellation():
    body = "<h2>Your order <b>x</b></h2><p>#100000012</p><p>Paid with <strong>a card</strong></p><p>5.00</p>"
    assert told(mail(body), shop=shop_with(NUMBER, JANE, state="canceled", notified_at=AT)).kind is None


def test_trap_5_a_shipment_mail_sent_again_is_a_shipment_mail_again():
    shop = shop_with(NUMBER, JANE)
    first, again = told(mail(SHIPMENT), shop=shop), told(mail(SHIPMENT), shop=shop, received_at=AT + 60)
    assert first == again
    assert first.kind == "order_shipping"


def test_trap_6_a_confirmation_sent_again_is_a_confirmation_also_of_a_cancelled_order():
    for state in ("new", "complete", "canceled"):
        verdict = told(mail(ORDER), shop=shop_with(NUMBER, JANE, state=state, notified_at=AT))
        assert verdict.kind == "order_confirmation"
    header = f"store=default order={NUMBER} state=canceled"
    again = told(marked(ORDER, header), shop=shop_with(NUMBER, JANE, state="canceled"))
    assert again.kind == "order_confirmation"


def test_trap_7_one_alert_may_name_several_products():
    verdict = told(mail(alert(12, 13, 12), subject="Products back in stock alert"))
    assert (verdict.kind, verdict.products) == ("stock_alert", ("12", "13"))


def test_trap_8_the_number_of_a_shipment_is_not_the_orders():
    verdict = told(mail(SHIPMENT), shop=shop_with(NUMBER, JANE))
    assert (verdict.order, verdict.shipment) == (NUMBER, "300000001")


def test_trap_9_where_the_shop_sends_no_mail_there_is_nothing_to_recognise():
    """A type that is switched off sends nothing: no letter, no verdict; an empty letter is relayed."""
    assert told(b"").kind is None
    assert told(mail("")).kind is None


# ---- layer 1: the marker -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("native", "kind", "body"),
    [
        ("order_new", "order_confirmation", "<p>Thanks, in a design of our own</p>"),
        ("shipment_new", "order_shipping", "<p>On its way</p>"),
        ("password_forgot", "forgot_password", FORGOT),
        ("password_changed", "password_updated", "<p>Changed</p>"),
        ("account_new", "account_creation", "<p>Hello</p>"),
        ("stock_alert", "stock_alert", alert(12)),
    ],
)
def test_a_templates_marker_decides_alone_whatever_the_design_and_the_language(native, kind, body):
    fields = f"kind={native} store=fr order={NUMBER} shipment=300000001 customer=7"
    verdict = told(marked(body, fields, subject="Écrit à neuf"), shop=shop_with(NUMBER, JANE, store="default"))
    assert (verdict.kind, verdict.layer, verdict.store, verdict.marked) == (kind, "marker", "fr", True)


@pytest.mark.parametrize(
    ("native", "body"),
    [
        ("order_new", INVOICE),
        ("order_new", SHIPMENT),
        ("shipment_new", ORDER),
        ("stock_alert", alert(12, kind="price")),
        ("account_new", '<a href="http://store.test/customer/account/confirm/?id=1&amp;key=k">go</a>'),
        ("password_forgot", "<p>no link</p>"),
        ("password_changed", alert(12)),
    ],
)
def test_a_marker_in_the_wrong_template_converts_nothing(native, body):
    shop = shop_with(NUMBER, JANE)
    raw = marked(body, f"kind={native} store=default order={NUMBER} shipment=300000001 customer=7")
    assert told(raw, shop=shop).kind is None


def test_a_marker_of_order_updates_in_the_template_of_another_update_is_found_out_by_the_subject():
    raw = marked(UPDATE, f"kind=order_update order={NUMBER} state=canceled", subject="Update to your Lab Store invoice")
    assert told(raw, shop=shop_with(NUMBER, JANE, state="canceled", notified_at=AT)).kind is None


def test_two_markers_that_contradict_each_other_convert_nothing():
    shop = shop_with(NUMBER, JANE)
    two = f"<!-- obx kind=shipment_new order={NUMBER} shipment=300000001 -->"
    assert told(marked(ORDER + two, f"kind=order_new order={NUMBER}"), shop=shop).kind is None
    assert told(marked(ORDER, f"kind=order_new order={NUMBER} --><!-- obx order=100000099"), shop=shop).kind is None
    header = f"<!-- obx store=default order={NUMBER} invoice=500000001 -->"
    assert told(marked("<p>x</p>" + header, f"kind=order_new order={NUMBER}"), shop=shop).kind is None


def test_an_unknown_kind_in_a_marker_converts_nothing():
    assert told(marked(ORDER, f"kind=order_gone order={NUMBER}"), shop=shop_with(NUMBER, JANE)).kind is None


@pytest.mark.parametrize(
    ("fields", "body", "subject", "kind", "native"),
    [
        ("order={n}", ORDER, "x", "order_confirmation", "order_new"),
        ("order={n} shipment=300000001", SHIPMENT, "x", "order_shipping", "shipment_new"),
        ("order={n} shipment=300000001 comment=1", SHIPMENT, "x", "order_shipping", "shipment_new"),
        ("order={n} shipment=300000001 comment=1", UPDATE, "x", None, "shipment_update"),
        ("order={n} invoice=5", INVOICE, "x", None, "invoice_new"),
        ("order={n} creditmemo=5", UPDATE, "x", None, "creditmemo_update"),
        ("order={n} comment=1 state=canceled", UPDATE, "x", "order_cancellation", "order_update"),
        ("order={n} state=canceled", UPDATE, "x", "order_cancellation", "order_update"),
        ("customer=7 rp=1", FORGOT, "x", "forgot_password", "password_forgot"),
        ("customer=7 rp=1", WELCOME, "x", "account_creation", "account_new"),
        ("customer=7", CHANGED, "Your L password has been changed", "password_updated", "password_changed"),
        ("customer=7", CHANGED, "Your L email has been changed", None, "email_changed"),
        ("customer=7", CHANGED, "Your L email and password has been changed", None, "email_password_changed"),
        ("customer=7", CHANGED, "Modification", None, ""),
        ("alert=1", alert(12), "x", "stock_alert", "stock_alert"),
        ("alert=1", alert(12, kind="price"), "x", None, "price_alert"),
        ("order={n}", "<p>a design of our own</p>", "x", None, ""),
    ],
)
def test_the_line_of_the_header_template_needs_the_structure_as_well(fields, body, subject, kind, native):
    raw = marked(body, f"store=default {fields.format(n=NUMBER)}", subject=subject)
    verdict = told(raw, shop=shop_with(NUMBER, JANE))
    assert (verdict.kind, verdict.native) == (kind, native)
    assert not verdict.marked


def test_a_changed_password_under_the_headers_line_is_told_from_a_changed_address_by_traffic():
    raw = marked(CHANGED, "store=fr customer=7", subject="Modification")
    assert told(raw, expected=["password_changed"]).kind == "password_updated"
    assert told(raw, expected=["email_changed"]).kind is None
    assert told(raw, expected=["email_changed", "password_changed"]).kind is None


def test_the_line_of_a_header_that_says_only_the_store_view_leaves_the_mail_to_the_other_layers():
    verdict = told(marked(FORGOT, "store=de"), expected=["password_forgot"])
    assert (verdict.kind, verdict.layer, verdict.store) == ("forgot_password", "expectation", "de")


def test_the_lines_to_copy_are_read_as_what_they_are_once_magento_has_filled_them():
    filled = line("order_new").replace("{{var store.code}}", "fr").replace("{{var order.increment_id}}", NUMBER)
    assert told(mail(f"<p>x</p>{filled}"), shop=shop_with(NUMBER, JANE)).kind == "order_confirmation"
    plain = (
        line("order_new", plain=True).replace("{{var store.code}}", "fr").replace("{{var order.increment_id}}", NUMBER)
    )
    raw = mail(f"Thank you\n\n{plain}\n", subtype="plain")
    assert told(raw, shop=shop_with(NUMBER, JANE)).kind == "order_confirmation"
    assert header_line().count("{{depend") == header_line().count("{{/depend}}") == 9


# ---- layer 2: expectations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "native", "kind"),
    [
        (FORGOT, "password_forgot", "forgot_password"),
        (WELCOME, "account_new", "account_creation"),
        (CHANGED, "password_changed", "password_updated"),
    ],
)
def test_an_expectation_confirms_a_structure_that_fits_and_no_other(body, native, kind):
    verdict = told(mail(body), expected=[native])
    assert (verdict.kind, verdict.layer) == (kind, "expectation")
    for other in {"password_forgot", "account_new", "password_changed", "email_changed"} - {native}:
        assert told(mail(body), expected=[other]).kind is None


def test_a_footer_with_address_and_account_link_makes_no_welcome_of_a_short_mail_that_comes_with_it():
    footer = '<p><a href="http://store.test/customer/account/">Mon compte</a></p><ul><li>jane@shop.test</li></ul>'
    short = f"<p>Merci, vous voilà inscrite.</p>{footer}"
    for expected in (["account_new"], ["password_changed"], ["account_new", "password_changed"]):
        assert told(mail(short, subject="Bonjour"), expected=expected).kind is None
    # What the design lost, the subject or the marker can tell.
    assert told(mail(short, subject="Welcome to Lab Store"), expected=["account_new"]).kind == "account_creation"
    assert told(mail(f"{short}<!-- obx kind=account_new -->", subject="Bonjour")).kind == "account_creation"


def test_an_expectation_holds_some_minutes_and_may_come_a_moment_after_its_mail():
    for at, kind in (
        (-EXPECTED_BEFORE, "forgot_password"),
        (-EXPECTED_BEFORE - 1, None),
        (5, "forgot_password"),
        (99, None),
    ):
        assert told(mail(FORGOT), expected=[Expected("password_forgot", AT + at)]).kind == kind
    for at, kind in ((-CHANGED_BEFORE, "password_updated"), (-CHANGED_BEFORE - 1, None), (5, "password_updated")):
        assert told(mail(CHANGED), expected=[Expected("password_changed", AT + at)]).kind == kind


def test_the_shop_sends_before_it_answers_so_an_unexplained_mail_waits_a_moment_for_its_traffic():
    for body in (FORGOT, WELCOME, CHANGED):
        verdict = told(mail(body))
        assert (verdict.kind, verdict.until) == (None, AT + TRAFFIC_SECONDS)
    assert told(mail(alert(12, kind="price"))).until == 0
    assert told(mail("<p>Anything</p>")).until == 0


def test_a_change_of_password_and_address_is_never_taken_for_one_of_the_password():
    assert told(mail(CHANGED), expected=["email_password_changed"]).kind is None
    assert told(mail(CHANGED), expected=["email_password_changed", "password_changed"]).kind is None


def test_a_newsletter_mail_in_the_minute_after_a_changed_password_is_no_notice_of_it():
    verdict = told(mail("<p>You are on the list.</p>", subject="Bienvenue"), expected=["password_changed"])
    assert verdict.kind is None


# ---- layer 3: structure and the shop's REST ------------------------------------------------------------------------


def test_a_structure_alone_converts_nothing():
    for body in (ORDER, SHIPMENT, UPDATE, FORGOT, WELCOME, CHANGED, alert(12)):
        assert told(mail(body)).kind is None


def test_an_order_that_rest_shows_to_be_the_recipients_confirms_its_mail():
    verdict = told(mail(ORDER), shop=shop_with(NUMBER, JANE, store="fr"))
    assert (verdict.kind, verdict.layer, verdict.order, verdict.store) == (
        "order_confirmation",
        "structure",
        NUMBER,
        "fr",
    )


def test_an_order_that_rest_does_not_show_yet_is_asked_for_again_within_the_patience():
    for raw in (mail(ORDER), marked(ORDER, f"kind=order_new order={NUMBER}")):
        verdict = told(raw, patience=40.0)
        assert (verdict.kind, verdict.until) == (None, AT + 40)


def test_a_shop_that_cannot_answer_is_the_callers_matter():
    class Silent(Shop):
        def order(self, number, email):
            raise Retry("the shop does not answer")

    with pytest.raises(Retry):
        told(mail(ORDER), shop=Silent())


def test_an_account_whose_id_is_in_the_link_confirms_a_reset_that_staff_asked_for():
    verdict = told(mail(FORGOT), shop=account("7"))
    assert (verdict.kind, verdict.layer, verdict.customer) == ("forgot_password", "structure", "7")
    assert told(mail(FORGOT), shop=account("8")).kind is None


def test_an_account_confirms_its_welcome_while_it_is_new_and_a_forgotten_password_when_it_is_not():
    assert told(mail(WELCOME), shop=account(age=5)).kind == "account_creation"
    assert told(mail(WELCOME), shop=account(age=5_000)).kind is None
    assert told(mail(FORGOT), shop=account(age=5)).kind is None
    unknown = Shop(customers={JANE: CustomerFacts("7", "default")})
    assert told(mail(FORGOT), shop=unknown).kind is None
    assert told(mail(WELCOME), shop=unknown).kind is None


def test_traffic_that_asked_for_the_other_mail_with_such_a_link_stands_against_the_shops_word():
    assert told(mail(FORGOT), shop=account(), expected=["account_new"]).kind is None
    assert told(mail(WELCOME), shop=account(age=5), expected=["password_forgot"]).kind is None


def test_a_forgotten_password_in_a_design_of_the_merchants_own_is_never_taken_for_a_welcome():
    body = f'<p>Click <a href="{RESET}">here</a> for a new password.</p><p>This mail was sent to jane@shop.test.</p>'
    for age in (5, 86_400):
        for expected in ([], ["password_forgot"], ["account_new"], ["password_forgot", "account_new"]):
            assert told(mail(body), shop=account(age=age), expected=expected).kind is None


def test_an_alert_is_confirmed_by_the_account_of_its_recipient():
    assert told(mail(alert(12)), shop=account()).layer == "structure"
    assert told(mail(alert(12))).kind is None


def test_a_mail_that_is_known_to_be_relayed_asks_the_shop_nothing():
    shop = account()
    for raw in (
        mail(INVOICE),
        mail(alert(12, kind="price")),
        mail("<p>x</p>"),
        mail(UPDATE, subject="Update to your L invoice"),
    ):
        assert told(raw, shop=shop).kind is None
    assert shop.asked == []


# ---- layer 4: subject rules ----------------------------------------------------------------------------------------


def test_a_subject_rule_of_the_store_view_confirms_a_structure():
    french = own_rules(("password_forgot", "Réinitialiser votre mot de passe {store}"))
    raw = mail(FORGOT, subject="Réinitialiser votre mot de passe Lab Store")
    assert told(raw).kind is None
    verdict = told(raw, rules=french)
    assert (verdict.kind, verdict.layer) == ("forgot_password", "subject")


def test_a_subject_never_converts_a_mail_of_another_structure():
    shop = shop_with(NUMBER, JANE, state="canceled", notified_at=AT)
    bodies = {"order": ORDER, "shipment": SHIPMENT, "forgot": FORGOT, "welcome": WELCOME, "alert": alert(12)}
    subjects = {
        "order": "Your L order confirmation",
        "shipment": "Your L order has shipped",
        "forgot": "Reset your L password",
        "welcome": "Welcome to L",
        "alert": "Products back in stock alert",
    }
    for name, body in bodies.items():
        for other, subject in subjects.items():
            assert (told(mail(body, subject=subject), shop=shop).kind is not None) is (name == other)


def test_a_subject_without_a_structure_converts_nothing():
    for rule in DEFAULTS:
        verdict = told(
            mail("<p>Hello #1000001</p><h1>x</h1>", subject=rule.pattern.replace("{store}", "L")), shop=account()
        )
        assert verdict.kind is None


# ---- who gets the original -----------------------------------------------------------------------------------------


def test_a_blind_copy_and_a_separate_copy_are_always_the_original():
    shop = shop_with(NUMBER, JANE)
    raw = marked(ORDER, f"kind=order_new store=default order={NUMBER}")
    assert told(raw, shop=shop).kind == "order_confirmation"
    blind = told(raw, to="archive@shop.test", shop=shop)
    assert (blind.kind, blind.until) == (None, 0)
    separate = told(
        marked(ORDER, f"kind=order_new order={NUMBER}", to="archive@shop.test"), to="archive@shop.test", shop=shop
    )
    assert (separate.kind, separate.until) == (None, 0)
    assert "copy" in blind.reason and "copy" in separate.reason


def test_a_blind_copy_asks_the_shop_nothing():
    shop = shop_with(NUMBER, JANE)
    told(mail(ORDER), to="archive@shop.test", shop=shop)
    assert shop.asked == []


def test_an_address_counts_whatever_its_case():
    assert told(mail(ORDER, to="Jane@Shop.test"), to="JANE@shop.test", shop=shop_with(NUMBER, JANE)).kind


# ---- store views ---------------------------------------------------------------------------------------------------


def test_the_store_view_is_the_markers_then_the_orders_then_the_links():
    shop = shop_with(NUMBER, JANE, store="de")
    assert told(marked(ORDER, f"kind=order_new store=fr order={NUMBER}"), shop=shop).store == "fr"
    assert told(mail(ORDER), shop=shop).store == "de"
    assert told(mail(FORGOT), expected=["password_forgot"]).store == "default"


def test_where_links_do_not_tell_the_account_does_and_then_the_smtp_user():
    raw = mail(CHANGED.replace("store.test", "elsewhere.test"), subject="Your L password has been changed")
    raw = raw.replace(b"http://store.test/", b"http://cdn.test/")
    assert told(raw, shop=account(store="fr")).store == "fr"
    assert told(raw, hint="de").store == "de"
    assert told(raw).store == ""
    assert told(raw, views=VIEWS[:1]).store == "default"


def test_the_smtp_user_tells_no_store_view_of_an_order_update():
    raw = marked(UPDATE, f"kind=order_update order={NUMBER} state=canceled").replace(
        b"http://store.test/", b"http://cdn.test/"
    )
    assert told(raw, shop=shop_with(NUMBER, JANE, store=""), hint="de").store == ""


# ---- what a verdict holds ------------------------------------------------------------------------------------------


def test_the_reset_link_of_a_forgotten_password_is_in_no_field_of_the_verdict():
    verdict = told(mail(FORGOT), expected=["password_forgot"])
    assert (verdict.kind, verdict.customer) == ("forgot_password", "7")
    assert "SECRET" not in str(dataclasses.asdict(verdict))


def test_two_reset_links_are_nobodys():
    body = FORGOT + FORGOT.replace("SECRET12", "OTHER999")
    assert told(mail(body), expected=["password_forgot"]).kind is None


@pytest.mark.parametrize(
    ("subject", "body", "news"),
    [
        ("Newsletter subscription success", "<p>You are on.</p>", "subscribed"),
        ("Newsletter unsubscription success", "<p>You are off.</p>", "unsubscribed"),
        (
            "Inscription",
            '<a href="http://store.test/newsletter/subscriber/confirm/id/5/code/q4az0zhcsyws/">yes</a>',
            "unconfirmed",
        ),
    ],
)
def test_newsletter_mails_are_relayed_and_tell_how_the_subscription_stands(subject, body, news):
    verdict = told(mail(body, subject=subject))
    assert (verdict.kind, verdict.news) == (None, news)
    assert told(mail(body, subject=subject), to="archive@shop.test").news is None


def test_a_newsletter_mail_of_a_translated_shop_tells_nothing_without_a_rule_and_with_it_the_same():
    raw = mail("<p>Vous y êtes.</p>", subject="Inscription à la newsletter")
    assert told(raw).news is None
    assert told(raw, rules=own_rules(("newsletter_success", "Inscription à la newsletter"))).news == "subscribed"


def test_a_verdict_without_a_kind_says_why():
    assert told(mail("<p>Anything</p>")).reason
    assert isinstance(told(mail("<p>Anything</p>")), Verdict)


@pytest.mark.parametrize("id_", ["", "%00", "seven", "-1", "1" * 21, "%F0%9F"])
def test_an_id_in_a_link_that_is_no_number_is_none(id_):
    raw = mail(FORGOT.replace("id=7", f"id={id_}"), subject="Reset your Lab Store password")
    verdict = told(raw)
    assert (verdict.kind, verdict.customer) == ("forgot_password", "")


def test_what_an_extension_writes_about_an_order_is_no_confirmation_though_it_shows_the_items():
    items = '<table class="email-items"><tr><td class="item-price">5</td></tr></table>'
    raw = mail(f"<h1>Return for order #{NUMBER}</h1>{items}", subject="Your return")
    assert told(raw, shop=shop_with(NUMBER, JANE)).kind is None
    assert told(raw, shop=shop_with(NUMBER, JANE), expected=["order_new"]).kind == "order_confirmation"
    sent_back = '<table class="shipment-track"></table><table class="email-items"></table>'
    raw = mail(f"<h1>Parcel #300000001 of order #{NUMBER} is back</h1>{sent_back}", subject="Your return")
    assert told(raw, shop=shop_with(NUMBER, JANE)).kind is None


@pytest.mark.parametrize("subject", ["Your email and password has been changed", "Your email has been changed"])
def test_a_subject_that_lost_the_shops_name_is_not_taken_for_a_changed_password(subject):
    assert told(mail(CHANGED, subject=subject), expected=["password_changed"]).kind is None
