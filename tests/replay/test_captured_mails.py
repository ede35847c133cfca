"""Every mail that a stock Magento sent, and by hand what it is: with what the shop and traffic said at that moment."""

from __future__ import annotations

import dataclasses
import json

import pytest

from bridge.mail.facts import CustomerFacts, OrderFacts
from bridge.mail.letter import Letter
from bridge.mail.marks import Marks
from bridge.mail.natives import KIND_OF
from tests.mail.letters import AT, CAPTURED, NEEDS_CAPTURES, Shop, parse, told
from tests.replay.library import CAPTURES

pytestmark = NEEDS_CAPTURES

KINDS = {
    "order_confirmation": "order_confirmation",
    "shipment": "order_shipping",
    "forgot_password": "forgot_password",
    "password_changed": "password_updated",
    "stock_alert": "stock_alert",
    "account_created": "account_creation",
}
"""The name of a captured mail, without number and language -> its kind; all others are relayed."""

CANCELLED = {"027_order_comment_en", "039_order_comment_de"}
COPIES = {"079_order_confirmation_en"}
"""A separate message to the archive, with the archive's address in its header."""

MARKED = {
    "account_new": "account_creation",
    "order_new": "order_confirmation",
    "order_update_canceled": "order_cancellation",
    "password_changed": "password_updated",
    "password_forgot": "forgot_password",
    "shipment_new": "order_shipping",
    "stock_alert": "stock_alert",
}
NATIVE_OF = {kind: native for native, kind in KIND_OF.items()}
NEWS = {"newsletter_subscribed": "subscribed", "newsletter_unsubscribed": "unsubscribed",
        "newsletter_confirm_request": "unconfirmed"}  # fmt: skip
STATES = {
    row["increment_id"]: (row["state"], row["customer_email"])
    for row in json.loads((CAPTURES / "rest" / "orders_search_fields.json").read_text(encoding="utf-8"))["items"]
} if CAPTURED.is_dir() else {}  # fmt: skip


def plain_name(stem):
    """``027_order_comment_en`` -> ``order_comment``."""
    return stem.split("_", 1)[1].rsplit("_", 1)[0]


def kind_of(stem):
    if stem.startswith("marker_"):
        return next((kind for name, kind in MARKED.items() if name in stem), None)
    return "order_cancellation" if stem in CANCELLED else KINDS.get(plain_name(stem))


def recipient_of(letter: Letter):
    return letter.to[0].email


def shop_at(stem, letter: Letter):
    """What REST said: the captured state of the order, as far as it was captured, and the account of the link."""
    marks, email = Marks.of(letter), recipient_of(letter)
    number = (marks.headings or marks.numbers or ("",))[-1]
    state, customer = STATES.get(number, ("processing", email))
    if "cancel" in stem:
        state = "canceled"
    is_update = "comment" in stem or "update" in stem
    store = {"2": "fr", "3": "de"}.get(number[:1], "default")
    owner = "copy@example.com" if stem in COPIES else customer
    order = OrderFacts(number, owner, store, state, AT - 1 if is_update else 0.0, marks.message if is_update else "")
    resets = marks.of_sort("reset")
    account = CustomerFacts(resets[0].value("id") if resets else "9", "", AT - (2 if "account" in stem else 9e5))
    return Shop(orders={number: order}, customers={email: account})


def expected_of(kind):
    """What traffic had asked for: the account mails of a visitor. Nothing of what staff or the shop's clock did."""
    return [NATIVE_OF[kind]] if kind in {"forgot_password", "password_updated", "account_creation"} else []


FILES = sorted(CAPTURED.glob("*.eml")) if CAPTURED.is_dir() else []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_captured_mail_is_what_it_is(path):
    raw, kind = path.read_bytes(), kind_of(path.stem)
    letter = parse(raw)
    verdict = told(raw, to=recipient_of(letter), shop=shop_at(path.stem, letter), expected=expected_of(kind))
    if path.stem in COPIES:
        assert (verdict.kind, verdict.reason[:6], verdict.until) == (None, "a copy", 0)
        return
    assert verdict.kind == kind, verdict.reason
    if path.stem.startswith("marker_") and kind:
        assert verdict.layer == "marker"
        assert verdict.store == ("fr" if path.stem.endswith(("fr", "alert_2")) else "default")
    if "comment" in path.stem and kind is None:
        assert verdict.until == 0


@pytest.mark.parametrize("path", [path for path in FILES if kind_of(path.stem)], ids=lambda path: path.stem)
def test_a_captured_mail_to_somebody_else_is_always_the_original(path):
    raw = path.read_bytes()
    letter = parse(raw)
    verdict = told(
        raw, to="archive@example.org", shop=shop_at(path.stem, letter), expected=expected_of(kind_of(path.stem))
    )
    assert (verdict.kind, verdict.news, verdict.until) == (None, None, 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_captured_mail_is_never_taken_for_another_one_whatever_is_expected(path):
    raw, kind = path.read_bytes(), kind_of(path.stem)
    letter = parse(raw)
    everything = [*KIND_OF, "email_changed", "email_password_changed"]
    for shop in (shop_at(path.stem, letter), Shop()):
        for expected in (everything, *([one] for one in everything)):
            taken = told(raw, to=recipient_of(letter), shop=shop, expected=expected).kind
            assert taken in {None, kind}


def test_the_blind_copy_of_a_captured_confirmation_is_the_original_and_the_customers_is_not():
    raw = (CAPTURED / "077_order_confirmation_en.eml").read_bytes()
    shop = shop_at("077_order_confirmation_en", parse(raw))
    assert told(raw, to="bcc@example.com", shop=shop).kind == "order_confirmation"
    assert told(raw, to="archive@example.com", shop=shop).kind is None


def test_numbers_links_and_products_of_captured_mails_are_given_on():
    def verdict(stem):
        raw = (CAPTURED / f"{stem}.eml").read_bytes()
        letter = parse(raw)
        expected = expected_of(kind_of(stem))
        return told(raw, to=recipient_of(letter), shop=shop_at(stem, letter), expected=expected)

    shipment = verdict("024_shipment_fr")
    assert (shipment.order, shipment.shipment, shipment.store) == ("2000000002", "2000000001", "fr")
    forgot = verdict("051_forgot_password_fr")
    assert (forgot.customer, forgot.store) == ("6", "fr")
    assert verdict("055_stock_alert_fr").products == ("12",)
    assert verdict("039_order_comment_de").store == "de"


@pytest.mark.parametrize("path", [path for path in FILES if "newsletter" in path.stem], ids=lambda path: path.stem)
def test_a_captured_newsletter_mail_tells_how_the_subscription_stands_where_its_subject_is_known(path):
    raw = path.read_bytes()
    verdict = told(raw, to=recipient_of(parse(raw)))
    assert verdict.kind is None
    translated = path.stem.endswith(("_fr", "_de"))
    name = plain_name(path.stem) if not path.stem.startswith("marker") else "newsletter_subscribed"
    assert verdict.news == (None if translated else NEWS[name])
    if translated:
        from bridge.mail.rules import DEFAULTS, learned

        rule = learned(parse(raw).subject, "newsletter_success", DEFAULTS, store="Lab Store")
        assert told(raw, to=recipient_of(parse(raw)), rules=lambda _store: (rule, *DEFAULTS)).news == "subscribed"


def test_a_token_of_a_captured_mail_is_in_no_text_of_its_verdict():
    for path in FILES:
        raw = path.read_bytes()
        letter = parse(raw)
        tokens = [link.value("token") for link in Marks.of(letter).of_sort("reset")]
        verdict = told(raw, to=recipient_of(letter), shop=shop_at(path.stem, letter), expected=list(KIND_OF))
        for token in tokens:
            assert len(token) == 32
            assert token not in str(dataclasses.asdict(verdict)) + repr(letter) + Marks.of(letter).summary()
