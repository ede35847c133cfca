"""What a record does without, so that Ometria takes the rest."""

from __future__ import annotations

import msgspec
import pytest

from bridge.errors import Refused
from bridge.export.fitting import fitted
from bridge.export.mapping import contact_record, order_record, product_record
from tests.export import samples
from tests.export.books import make


def order(**more):
    account, book = make()
    return order_record(msgspec.structs.replace(samples.GUEST_ORDER, **more), account, book)


def test_a_record_that_fits_is_the_same_one():
    account, book = make()
    view = {"default": samples.BAG.views[""]}
    records = [
        order(),
        contact_record(samples.JANE, account, book),
        product_record(msgspec.structs.replace(samples.BAG, views=view), account, book),
    ]
    assert all(fitted(record) is record for record in records)


@pytest.mark.parametrize("country", ["gb", "GBR", "England", "G1", ""])
def test_a_country_that_is_none_is_left_out(country):
    account, book = make()
    record = contact_record(msgspec.structs.replace(samples.JANE, country=country), account, book)
    assert fitted(record).country_id is None
    billing = msgspec.structs.replace(samples.GUEST_ORDER.billing, country=country)
    address = fitted(order(billing=billing)).billing_address
    assert (address.country_code, address.city) == (None, "London")


def test_an_order_goes_without_an_address_that_cannot_be_one():
    assert fitted(order(email="nobody")).customer is None
    left = fitted(order(email="nobody", customer_id="2")).customer
    assert (left.id, left.email, left.firstname) == ("2", None, "Greta")
    assert fitted(order()).customer.email == "guest@example.com"


def test_an_order_in_no_currency_is_refused():
    local = msgspec.structs.replace(samples.GUEST_ORDER.local, currency="pounds")
    with pytest.raises(Refused, match="three capital letters"):
        fitted(order(local=local))


@pytest.mark.parametrize("url", ["/bag.html", "javascript:alert(1)", "http://", "http://[x", "bag"])
def test_what_is_no_address_of_the_web_is_left_out(url):
    account, book = make()
    view = {"default": msgspec.structs.replace(samples.BAG.views[""], url=url)}
    record = fitted(product_record(msgspec.structs.replace(samples.BAG, views=view), account, book))
    assert (record.url, record.listings[0].url) == (None, None)
    assert record.listings[0].image_url is not None
