from __future__ import annotations

import pytest

from bridge.tracking.bodies import Odd
from bridge.tracking.proofs import action_of, email_of, guest_email, order_id, path_value, quantity_of
from tests.tracking.wires import JSON, exchange


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("2", 2), ("1.5", 1.5), ("1,5", 1), ("1.000,00", 1), ("", 1), ("0", 1), ("-3", 1), ("1e9", 1), ("9" * 20, 1)],
)
def test_a_quantity_is_read_only_as_a_machine_writes_it(text, quantity):
    assert quantity_of(text) == quantity


@pytest.mark.parametrize("value", ["a@b.test", " a@b.test ", "ü@b.test"])
def test_an_address_is_taken_without_the_white_space_around_it(value):
    assert email_of(value) == value.strip()


@pytest.mark.parametrize(
    "value", [None, "", "a", "a@", "@b", "a b@c.test", "a@b@c", "<a@b.test>", "x" * 65 + "@b.test"]
)
def test_what_is_no_address_is_odd_and_not_quoted(value):
    with pytest.raises(Odd) as refusal:
        email_of(value)
    assert str(refusal.value) == "no e-mail address"


@pytest.mark.parametrize(
    ("status", "body", "order"),
    [
        (200, b'"23"', "23"),
        (200, b"23", "23"),
        (200, b'"abc"', None),
        (200, b"true", None),
        (200, b"null", None),
        (200, b"2.5", None),
        (200, b"", None),
        (400, b'"23"', None),
    ],
)
def test_an_order_is_answered_with_its_entity_id(status, body, order):
    assert order_id(exchange("/", status=status, answer_body=body)) == order


@pytest.mark.parametrize(
    ("body", "email"),
    [
        (b'{"email":"a@b.test","billingAddress":{"email":"c@d.test"}}', "a@b.test"),
        (b'{"billingAddress":{"email":"c@d.test"}}', "c@d.test"),
        (b'{"billingAddress":null}', None),
        (b'{"email":"nobody"}', None),
        (b'{"email":7}', None),
        (b"{", None),
        (b"", None),
    ],
)
def test_the_guests_address_stands_in_the_payment_or_the_billing_address(body, email):
    assert guest_email(exchange("/", body, sent=(JSON,))) == email


def test_a_path_names_its_action_and_its_parameters():
    assert action_of(exchange("/fr/Checkout/sidebar/removeItem/")) == "removeItem"
    assert action_of(exchange("/index.php/wishlist/index/cart/item/3/")) == "cart"
    assert path_value(b"/checkout/cart/add/uenc/x/product/5/", b"product") == "5"
    assert path_value(b"/checkout/cart/add/product", b"product") == ""
    assert path_value(b"/checkout/cart/add", b"product") == ""
