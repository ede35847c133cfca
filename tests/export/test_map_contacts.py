"""Customers and subscribers -> contacts. The captured customers are in tests/replay; these are what no capture shows."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from bridge.errors import Refused, Skipped
from bridge.export.mapping import Subscription, contact_record, guest_record, mapped
from bridge.store import AttributeInfo
from bridge.store import magento_read as read
from tests.export import samples
from tests.export.books import DEFAULT, make, make_book, sent

NOON = samples.NOW
MADE = "2026-11-25T01:49:15Z"
TIER = AttributeInfo(id="", code="tier", input="select", options={"1": "Gold", "2": "Silver"})


def with_values(**values):
    return msgspec.structs.replace(samples.JANE, values=values)


@pytest.mark.parametrize(
    ("subscribed", "known", "optin"),
    [
        (True, None, "EXPLICITLY_OPTEDIN"),
        (False, None, "NOT_SPECIFIED"),
        (False, Subscription(1, NOON), "NOT_SPECIFIED"),
        (False, Subscription(3, NOON), "EXPLICITLY_OPTEDOUT"),
        (False, Subscription(2, NOON), "NOT_SPECIFIED"),
        (False, Subscription(4, NOON), "NOT_SPECIFIED"),
        (True, Subscription(3, NOON), "EXPLICITLY_OPTEDIN"),
        (None, None, None),
        (None, Subscription(3, NOON), None),
    ],
)
def test_only_a_known_unsubscription_is_an_opt_out(subscribed, known, optin):
    account, book = make()
    customer = msgspec.structs.replace(samples.JANE, subscribed=subscribed)
    assert contact_record(customer, account, book, known).marketing_optin == optin


@pytest.mark.parametrize(
    ("known", "account_time", "none"),
    [
        (None, MADE, None),
        (Subscription(0, NOON), MADE, None),
        (Subscription(1, NOON), "2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z"),
        (Subscription(3, NOON), "2026-11-25T12:00:00Z", None),
    ],
)
def test_the_time_of_a_subscription_is_the_one_seen_else_by_setting_the_earliest_possible_never_now(
    known, account_time, none
):
    for setting, expected in (("account", account_time), ("none", none)):
        account, book = make(customers__subscription_time=setting)
        record = sent(contact_record(samples.JANE, account, book, known))
        assert record["marketing_optin"] == "EXPLICITLY_OPTEDIN"
        assert record.get("timestamp_subscribed") == expected


def test_times_are_whole_seconds():
    account, book = make()
    seen = Subscription(1, dt.datetime(2026, 11, 25, 3, 0, 0, 999_999, tzinfo=dt.UTC))
    assert sent(contact_record(samples.JANE, account, book, seen))["timestamp_subscribed"] == "2026-11-25T03:00:00Z"


def test_who_is_not_subscribed_has_no_time_of_a_subscription():
    account, book = make()
    customer = msgspec.structs.replace(samples.JANE, subscribed=False)
    assert "timestamp_subscribed" not in sent(contact_record(customer, account, book, Subscription(1, NOON)))
    left = sent(contact_record(customer, account, book, Subscription(3, NOON)))
    assert left["timestamp_unsubscribed"] == "2026-11-25T12:00:00Z"
    assert "timestamp_subscribed" not in left


def test_without_newsletter_tracking_no_status_and_no_subscriber_is_sent():
    account, book = make(customers__newsletter_tracking=False)
    record = sent(contact_record(samples.JANE, account, book, Subscription(1, NOON)))
    assert not {"marketing_optin", "timestamp_subscribed", "timestamp_unsubscribed"} & record.keys()
    with pytest.raises(Skipped):
        guest_record("7", "anna@x.test", DEFAULT, account, Subscription(1, NOON))


def test_subscriber_and_customer_of_one_number_are_two_contacts():
    account, book = make()
    guest = mapped(guest_record("2", "anna@x.test", DEFAULT, account, Subscription(1, NOON)))
    customer = mapped(contact_record(samples.JANE, account, book))
    assert guest.id == customer.id == "2"
    assert guest.key != customer.key


def test_the_collections_follow_the_settings_and_must_differ():
    account, book = make(customers__collection="shop", customers__subscriber_collection="news")
    assert contact_record(samples.JANE, account, book).collection == "shop"
    assert guest_record("2", "anna@x.test", DEFAULT, account, Subscription(1, NOON)).collection == "news"
    account, book = make(customers__collection="one", customers__subscriber_collection="one")
    assert contact_record(samples.JANE, account, book).collection == "one"
    with pytest.raises(Refused, match="same collection"):
        guest_record("2", "anna@x.test", DEFAULT, account, Subscription(1, NOON))


def test_a_guest_of_another_accounts_store_view_is_skipped():
    book = make_book({"website:europe": {"general.api_key": "key-euro-0002"}})
    euro = next(one for one in book.accounts() if one.owner == "website:europe")
    with pytest.raises(Skipped):
        guest_record("2", "anna@x.test", DEFAULT, euro, Subscription(1, NOON))


def test_a_customer_made_in_the_administration_belongs_to_its_websites_default_store_view():
    account, book = make()
    customer = msgspec.structs.replace(samples.JANE, store_id=0, website_id=2)
    assert contact_record(customer, account, book).store_ids == ["fr"]


def test_a_customer_without_an_e_mail_is_refused():
    account, book = make()
    with pytest.raises(Refused, match="no e-mail"):
        contact_record(msgspec.structs.replace(samples.JANE, email=None), account, book)


@pytest.mark.parametrize(("number", "letter"), [(1, "m"), (2, "f"), (3, None), (None, None)])
def test_gender_is_a_letter_or_nothing(number, letter):
    account, book = make()
    assert contact_record(msgspec.structs.replace(samples.JANE, gender=number), account, book).gender == letter


def test_what_the_shop_knows_of_a_person_is_sent():
    raw = {
        "id": 12,
        "email": "zoe@x.test",
        "website_id": 1,
        "store_id": 1,
        "prefix": "Dr",
        "firstname": "Zoë",
        "middlename": "",
        "lastname": "Ng",
        "gender": 2,
        "dob": "1984-02-29",
        "created_at": "2024-03-01 10:00:00",
        "addresses": [
            {"country_id": "FR"},
            {"country_id": "DE", "default_shipping": True},
            {"country_id": "GB", "default_billing": True},
        ],
        "extension_attributes": {"is_subscribed": False},
    }
    account, book = make()
    assert sent(contact_record(read.customer(raw), account, book)) == {
        "@type": "contact",
        "@collection": "customers",
        "@merge": True,
        "id": "12",
        "email": "zoe@x.test",
        "customer_id": "12",
        "marketing_optin": "NOT_SPECIFIED",
        "prefix": "Dr",
        "firstname": "Zoë",
        "lastname": "Ng",
        "gender": "f",
        "date_of_birth": "1984-02-29",
        "country_id": "GB",
        "store_ids": ["default"],
        "timestamp_acquired": "2024-03-01T10:00:00Z",
    }


@pytest.mark.parametrize(
    ("addresses", "country"),
    [
        ([{"country_id": "FR"}, {"country_id": "DE", "default_shipping": True}], "DE"),
        ([{"country_id": "FR"}, {"country_id": "DE"}], "FR"),
        ([], None),
        (None, None),
    ],
)
def test_the_country_is_that_of_the_default_address(addresses, country):
    assert read.customer({"id": 1, "addresses": addresses}).country == country


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("+44 (0)20-7000.0000", None),
        ("+44 20 7000 0000", "+442070000000"),
        ("+33.1.23.45.67.89", "+33123456789"),
        ("02070000000", None),
        ("0044 20 7000 0000", None),
        ("+44 20 123", None),
    ],
)
def test_a_telephone_number_is_sent_only_with_its_country_code(value, number):
    account, book = make(customers__mapping=["billing_address.telephone=phone_number"])
    customer = with_values(**{"billing_address.telephone": value})
    record = sent(contact_record(customer, account, book))
    assert record.get("phone_number") == number
    assert "properties" not in record


def test_mapped_attributes_are_properties_and_follow_the_customers_own_store_view():
    book = make_book(
        {"store:default": {"customers.mapping": ["tier", "tier=tier_id:id", "taxvat=vat", "time=timezone"]}}
    )
    (account,) = book.accounts()
    customer = with_values(tier="2", taxvat="GB123", time="Europe/London", secret="x")
    record = sent(contact_record(customer, account, book, attributes={"tier": TIER}))
    assert record["properties"] == {"tier": "Silver", "tier_id": "2", "vat": "GB123"}
    assert record["timezone"] == "Europe/London"
    french = msgspec.structs.replace(customer, store_id=2, website_id=2)
    assert not {"properties", "timezone"} & sent(contact_record(french, account, book)).keys()


def test_properties_stay_below_a_kilobyte_and_the_first_rows_go_first():
    account, book = make(customers__mapping=["a", "long", "b", "c"])
    customer = with_values(a="1", long="é" * 600, b="2", c="x" * 980)
    record = sent(contact_record(customer, account, book))
    assert record["properties"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(("length", "kept"), [(989, False), (988, True)])
def test_a_kilobyte_is_a_thousand_bytes_of_json_with_its_keys(length, kept):
    account, book = make(customers__mapping=["note"])
    record = sent(contact_record(with_values(note="x" * length), account, book))
    assert ("properties" in record) is kept
