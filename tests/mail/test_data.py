"""The merge fields of each kind: named as Ometria's data sets, complete, and as the documentation lists them."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from bridge.mail.data import template_data
from bridge.mail.material import Material, Wanted
from bridge.mail.trial import invented
from bridge.settings import MAIL_KINDS
from bridge.store import OrderDetails, Shipment, ShippedLine
from tests.export import books, samples

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mail.md"


def settings(**more):
    return books.make(**more)[1].settings("store:default")


def data(kind, material=None, **more):
    wanted = Wanted(kind, "ann@x.test", order="1", products=("1",))
    view = replace_view(name="English", locale="en_GB")
    return template_data(material or invented(wanted, view), view, settings(**more))


def replace_view(**more):
    from dataclasses import replace as changed

    return changed(books.DEFAULT, **more)


def documented():
    """Return the fields that the page lists: ``part.field``, or ``field`` at the top."""
    table = PAGE.read_text().partition("### Merge fields")[2].partition("### Looking after it")[0]
    found = set()
    for row in re.findall(r"^\| (`.*?) \| .*? \| (.*) \|$", table, re.MULTILINE):
        names = re.findall(r"`([A-Za-z0-9]+)`", row[0])
        parts = re.findall(r"`([A-Za-z0-9]+)`", row[1])
        found |= {f"{names[0]}.{part}" for part in parts} if parts else set(names)
    return found


def sent():
    found = set()
    for kind in MAIL_KINDS:
        for name, value in data(kind).items():
            inner = value[0] if isinstance(value, list) else value
            found |= {f"{name}.{one}" for one in inner} if isinstance(inner, dict) else {name}
    return found


def test_the_page_lists_the_fields_that_are_sent_and_no_others():
    assert documented() == sent()


@pytest.mark.parametrize(
    ("part", "one", "other"),
    [
        ("contact", "accountURL", "accountUrl"),
        ("details", "orderDetailsURL", "orderDetailsUrl"),
        ("totals", "subTotal", "subtotal"),
        ("shipping", "trackingURL", "trackingUrl"),
    ],
)
def test_both_spellings_hold_the_same(part, one, other):
    found = data("order_shipping")[part]
    assert found[one] == found[other] != ""


def order(**more):
    details = OrderDetails(order=samples.GUEST_ORDER, **more)
    products = {product.id: product for product in (samples.BAG, samples.HOODIE, samples.VARIANT)}
    plain = {id_: replace(product, views={"default": product.views[""]}) for id_, product in products.items()}
    return Material(Wanted("order_confirmation", "guest@example.com"), details=details, products=plain)


def test_lines_are_those_that_the_shopper_sees_and_a_variant_is_named_with_its_parent():
    hoodie, bag = data("order_confirmation", order())["products"]
    assert (hoodie["id"], hoodie["sku"], hoodie["quantityRaw"]) == ("17", "HOOD-S", 1)
    assert (bag["id"], bag["quantity"], bag["price"], bag["rowTotal"]) == ("1", "2", "£34.00", "£68.00")
    assert bag["url"] == "http://store.test/bag.html"
    assert bag["imageUrl"] == "http://store.test/media/catalog/product/bag.jpg"


def test_a_shop_that_names_products_by_sku_does_so_in_mails():
    lines = data("order_confirmation", order(), products__id_attribute="sku")["products"]
    assert [line["id"] for line in lines] == ["HOOD", "BAG"]


def test_a_shipment_shows_what_is_in_it():
    from dataclasses import replace as changed

    partial = Shipment(id="3", number="000000003", lines=(ShippedLine(line="8", quantity=Decimal(1)),))
    found = data("order_shipping", changed(order(), shipment=partial))
    assert [(line["sku"], line["quantityRaw"]) for line in found["products"]] == [("BAG", 1)]
    assert found["shipping"]["shipmentID"] == "000000003"
    assert "trackingID" not in found["shipping"]


def test_the_child_row_of_a_shipment_counts_for_its_parent():
    from dataclasses import replace as changed

    partial = Shipment(id="3", number="3", lines=(ShippedLine(line="7", quantity=Decimal(1)),))
    found = data("order_shipping", changed(order(), shipment=partial))
    assert [line["sku"] for line in found["products"]] == ["HOOD-S"]


def test_what_is_unknown_is_left_out_and_zero_is_not():
    found = data("order_confirmation", order())
    assert "phone" not in found["contact"]
    assert "lastFour" not in found["payment"]
    assert found["totals"]["totalTaxRaw"] == 0


def test_a_long_street_fills_three_lines_and_loses_nothing():
    found = data("order_confirmation")
    assert [found["shipping"][f"address{n}"] for n in (1, 2, 3)] == ["1 Sample Street", "Flat 2", "Sample House"]
