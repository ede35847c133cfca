"""Orders -> records. The captured orders are in tests/replay; these are what no capture shows."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from bridge.errors import Refused, Skipped
from bridge.export.mapping import mapped, order_record
from bridge.store import Address, AttributeInfo, Option
from bridge.store import magento_read as read
from tests.export import samples
from tests.export.books import make, make_book, sent

COLOR = AttributeInfo(id="93", code="color", input="select", options={"4": "Rouge", "5": "Bleu"})
SIZE = AttributeInfo(id="137", code="size", input="select", options={"7": "S"})


def raw(**more) -> dict:
    """Return an order as the shop tells it."""
    return {
        "entity_id": 9,
        "increment_id": "100",
        "store_id": 1,
        "state": "processing",
        "status": "processing",
        "grand_total": 95,
        "subtotal": 90,
        "shipping_amount": 5,
        "discount_amount": 0,
        "tax_amount": 0,
        "order_currency_code": "GBP",
        "base_currency_code": "GBP",
        "created_at": "2026-11-25 01:00:00",
        **more,
    }


MONEY = ("price", "row_total", "discount_amount", "tax_amount", "amount_refunded", "discount_refunded", "tax_refunded")


def item(id_: int, product: int, price: str, quantity: int = 1, **more) -> dict:
    """Return a row of an order as the shop tells it, with the same amounts in both currencies."""
    row = {
        "item_id": id_,
        "product_id": product,
        "sku": f"S{product}",
        "product_type": "simple",
        "qty_ordered": quantity,
        "price": Decimal(price),
        "row_total": Decimal(price) * quantity,
        "discount_amount": 0,
        "tax_amount": 0,
        **more,
    }
    return {f"base_{name}": row[name] for name in MONEY if name in row} | row


def lines_of(*items: dict, settings: dict | None = None, **more) -> list[dict]:
    account, book = make(**(settings or {}))
    return sent(order_record(read.order(raw(items=list(items), **more)), account, book)).get("lineitems", [])


def test_the_global_account_gets_plain_ids_where_namespaces_are_off():
    book = make_book(
        {"default": {"global.api_key": "key-glob-0003", "global.use_namespaces": False, "orders.namespace": "o-"}}
    )
    found = {one.is_global: order_record(samples.GUEST_ORDER, one, book).id for one in book.accounts()}
    assert found == {False: "o-100000004", True: "100000004"}


def test_sku_ids_name_the_parent_by_its_own_sku_although_the_row_carries_the_variants():
    account, book = make(products__id_attribute="sku")
    lines = sent(order_record(samples.GUEST_ORDER, account, book, {"17": "HOOD"}))["lineitems"]
    assert [(one["product_id"], one.get("variant_id")) for one in lines] == [("HOOD", "HOOD-S"), ("BAG", None)]


def test_what_was_chosen_is_named_in_the_words_of_the_shop_and_left_out_where_it_has_none():
    account, book = make()
    first, *others = samples.GUEST_ORDER.lines
    chosen = tuple(
        Option(attribute=attribute, option=option) for attribute, option in (("93", "4"), ("137", "8"), ("150", "1"))
    )
    order = msgspec.structs.replace(
        samples.GUEST_ORDER, lines=(msgspec.structs.replace(first, options=chosen), *others)
    )
    line, plain = sent(order_record(order, account, book, attributes={"93": COLOR, "137": SIZE}))["lineitems"]
    assert line["variant_options"] == [{"type": "color", "id": "4", "label": "Rouge"}]
    assert "variant_options" not in plain
    assert "variant_options" not in sent(order_record(order, account, book))["lineitems"][0]


def test_valid_statuses_follow_the_orders_own_store_view():
    book = make_book({"store:fr": {"orders.valid_statuses": ["complete"]}})
    (account,) = book.accounts()
    assert order_record(samples.GUEST_ORDER, account, book).is_valid
    assert not order_record(samples.FRENCH_ORDER, account, book).is_valid


@pytest.mark.parametrize(
    ("status", "valid"),
    [
        ("pending", True),
        ("pending_payment", False),
        ("processing", True),
        ("complete", True),
        ("closed", False),
        ("canceled", False),
        ("holded", False),
        ("fraud", False),
        ("packed", False),
    ],
)
def test_an_order_counts_by_the_built_in_list_and_by_the_merchants_own(status, valid):
    order = read.order(raw(status=status))
    account, book = make()
    assert order_record(order, account, book).is_valid is valid
    account, book = make(orders__valid_statuses=["packed"])
    assert order_record(order, account, book).is_valid is (status == "packed")


@pytest.mark.parametrize(
    ("kind", "unit_price", "totals"),
    [
        ("local", 52, None),
        ("base", 40, {"base": "EUR"}),
        ("both", 52, {"base": "EUR", "local": "GBP"}),
    ],
)
def test_line_prices_are_in_the_currency_of_the_setting_and_totals_always_local(kind, unit_price, totals):
    account, book = make(orders__currency=kind)
    order = samples.GUEST_ORDER
    first = order.lines[0]
    base = msgspec.structs.replace(first.base, price=Decimal(40), row=Decimal(40))
    order = msgspec.structs.replace(
        order,
        lines=(msgspec.structs.replace(first, base=base), *order.lines[1:]),
        base=msgspec.structs.replace(order.base, currency="EUR", grand_total=Decimal(100)),
    )
    record = sent(order_record(order, account, book))
    assert (record["currency"], record["grand_total"]) == ("GBP", 125)
    assert "totals" not in record
    line = record["lineitems"][0]
    assert line["unit_price"] == unit_price
    assert ({name: side["currency"] for name, side in line["totals"].items()} if "totals" in line else None) == totals


def test_a_shop_that_tells_no_base_currency_is_sent_the_local_prices():
    (line,) = lines_of(item(1, 3, "30"), settings={"orders__currency": "base"}, base_currency_code=None)
    assert line["unit_price"] == 30
    assert "totals" not in line


def test_what_the_shop_leaves_out_is_left_out_and_never_a_word_for_nothing():
    account, book = make()
    order = read.order(
        {
            "entity_id": 9,
            "increment_id": "9",
            "store_id": 1,
            "grand_total": 10,
            "order_currency_code": "GBP",
            "created_at": "2026-11-25 01:00:00",
            "customer_id": None,
            "customer_email": None,
            "customer_lastname": None,
            "items": [
                {"item_id": 1, "product_id": 3, "qty_ordered": 1, "price": None, "product_type": "downloadable"},
                {"item_id": 2, "product_id": None, "qty_ordered": 1, "price": 5},
            ],
            "billing_address": None,
            "extension_attributes": [],
        }
    )
    body = mapped(order_record(order, account, book)).body.decode()
    record = json.loads(body)
    assert "None" not in body
    assert "null" not in body
    assert "customer" not in record
    assert "shipping_address" not in record
    assert record["lineitems"] == [{"product_id": "3", "quantity": 1}]


def test_a_guest_without_name_takes_the_billing_address():
    account, book = make()
    order = msgspec.structs.replace(
        samples.GUEST_ORDER, firstname=None, lastname=None, billing=Address(firstname="Gus", lastname="Guest")
    )
    customer = order_record(order, account, book).customer
    assert (customer.id, customer.firstname, customer.lastname) == (None, "Gus", "Guest")


@pytest.mark.parametrize("missing", [{"created_at": None, "updated_at": None}, {"number": ""}])
def test_an_order_without_what_ometria_requires_is_refused_with_the_reason(missing):
    account, book = make()
    with pytest.raises(Refused, match="no number, no time"):
        order_record(msgspec.structs.replace(samples.GUEST_ORDER, **missing), account, book)


def test_an_order_of_an_unknown_store_view_is_refused_and_of_another_account_skipped():
    account, book = make()
    with pytest.raises(Refused):
        order_record(msgspec.structs.replace(samples.GUEST_ORDER, store_id=77), account, book)
    book = make_book({"website:europe": {"general.api_key": "key-euro-0002"}})
    euro = next(one for one in book.accounts() if one.owner == "website:europe")
    with pytest.raises(Skipped):
        order_record(samples.GUEST_ORDER, euro, book)


def test_a_row_total_after_the_discount_is_recognised():
    account, book = make()
    line = samples.line("1", "1", "BAG", "34", 2)
    amounts = msgspec.structs.replace(line.local, row=Decimal("61.20"), discount=Decimal("6.80"))
    order = samples.order("9", msgspec.structs.replace(line, local=amounts, base=amounts))
    (line,) = order_record(order, account, book).lineitems
    assert (line.subtotal, line.discount, line.total) == (Decimal("68.00"), Decimal("6.80"), Decimal("61.20"))


@pytest.mark.parametrize(("kind", "refunded"), [("paid", Decimal("32.40")), ("row", 30)])
def test_the_refunded_amount_of_a_line_follows_the_setting(kind, refunded):
    one = item(
        1,
        3,
        "30",
        3,
        discount_amount=9,
        tax_amount=Decimal("16.20"),
        qty_refunded=1,
        amount_refunded=30,
        discount_refunded=3,
        tax_refunded=Decimal("5.40"),
    )
    (line,) = lines_of(one, settings={"orders__refunded": kind, "orders__currency": "both"})
    assert (line["quantity_refunded"], line["refunded"]) == (1, refunded)
    assert line["totals"]["base"]["refunded"] == line["totals"]["local"]["refunded"] == refunded
    assert line["total"] == Decimal("97.20")


def test_an_order_that_was_edited_counts_once():
    settings = {"orders__valid_statuses": ["pending", "canceled"]}
    account, book = make(**settings)
    old = raw(increment_id="102", state="canceled", status="canceled", relation_child_id="58")
    new = raw(increment_id="102-1", entity_id=58, status="pending", relation_parent_id="9", edit_increment=1)
    found = [order_record(read.order(one), account, book) for one in (old, new)]
    assert [(one.id, one.is_valid) for one in found] == [("102", False), ("102-1", True)]
    only_cancelled = raw(state="canceled", status="canceled")
    assert order_record(read.order(only_cancelled), account, book).is_valid, "by the merchant's own list"


class TestCancelledPieces:
    """Three pieces ordered, two of them invoiced, the third cancelled, later one given back."""

    LINE = item(1, 3, "30", 3, discount_amount=10, qty_invoiced=2, qty_canceled=1, qty_refunded=1, amount_refunded=30)
    OTHER = item(2, 4, "7", qty_canceled=1)
    ORDER = raw(
        items=[LINE, OTHER],
        state="complete",
        status="complete",
        grand_total=Decimal(92),
        subtotal=97,
        discount_amount=-10,
        total_canceled=Decimal("33.67"),
        subtotal_canceled=37,
        discount_canceled=Decimal("3.33"),
        shipping_canceled=0,
        tax_canceled=0,
    )

    def test_lines_and_totals_count_what_is_left(self):
        account, book = make()
        record = sent(order_record(read.order(self.ORDER), account, book))
        assert record["lineitems"] == [
            {
                "product_id": "3",
                "sku": "S3",
                "quantity": 2,
                "quantity_refunded": 1,
                "unit_price": 30,
                "subtotal": 60,
                "discount": Decimal("6.67"),
                "tax": 0,
                "total": Decimal("53.33"),
                "refunded": 30,
            }
        ]
        totals = {name: record[name] for name in ("grand_total", "subtotal", "discount", "shipping", "tax")}
        assert totals == {
            "grand_total": Decimal("58.33"),
            "subtotal": 60,
            "discount": Decimal("-6.67"),
            "shipping": 5,
            "tax": 0,
        }

    def test_by_setting_they_count_what_was_ordered(self):
        account, book = make(orders__subtract_cancelled=False)
        record = sent(order_record(read.order(self.ORDER), account, book))
        assert (record["grand_total"], record["subtotal"], record["discount"]) == (92, 97, -10)
        assert [line["quantity"] for line in record["lineitems"]] == [3, 1]

    def test_an_order_that_is_cancelled_as_a_whole_keeps_its_figures(self):
        account, book = make()
        whole = self.ORDER | {"state": "canceled", "status": "stopped"}
        record = sent(order_record(read.order(whole), account, book))
        assert (record["grand_total"], [line["quantity"] for line in record["lineitems"]]) == (92, [3, 1])
        assert record["is_valid"] is False


class TestBundles:
    """Two kits of one bag and two straps each."""

    PARTS = (
        item(2, 1, "34", 2, parent_item_id=1, discount_amount=7, tax_amount=12, qty_refunded=1, amount_refunded=34),
        item(3, 21, "5", 4, parent_item_id=1, discount_amount=2, tax_amount=4, qty_refunded=3, amount_refunded=15),
    )
    KIT = item(1, 20, "44", 2, product_type="bundle", sku="KIT-BAG-STRAP")

    def test_a_bundle_is_one_line_with_what_the_shop_keeps_with_its_parts(self):
        (line,) = lines_of(self.KIT, *self.PARTS)
        assert line == {
            "product_id": "20",
            "sku": "KIT-BAG-STRAP",
            "quantity": 2,
            "quantity_refunded": 1,
            "unit_price": 44,
            "subtotal": 88,
            "discount": 9,
            "tax": 16,
            "total": 95,
            "refunded": 49,
            "properties": {"bundle_product_ids": "1,21", "bundle_skus": "S1,S21", "bundle_quantities": "2,4"},
        }

    def test_its_own_figures_stand_where_it_has_some(self):
        kit = self.KIT | {"discount_amount": 8, "tax_amount": 15, "qty_refunded": 2, "amount_refunded": 88}
        (line,) = lines_of(kit, *self.PARTS)
        assert (line["discount"], line["tax"], line["quantity_refunded"], line["refunded"]) == (8, 15, 2, 88)

    def test_by_setting_its_parts_are_lines(self):
        settings = {"orders__bundle_lines": "children", "products__namespace": "p-"}
        bag, strap = lines_of(self.KIT, *self.PARTS, settings=settings)
        assert [(one["product_id"], one["quantity"], one["subtotal"]) for one in (bag, strap)] == [
            ("p-1", 2, 68),
            ("p-21", 4, 20),
        ]
        assert bag["properties"] == strap["properties"] == {"bundle_product_id": "p-20"}

    def test_a_bundle_with_a_price_of_its_own_stays_one_line(self):
        parts = [part | {"price": 0, "row_total": 0, "base_price": 0, "base_row_total": 0} for part in self.PARTS]
        (line,) = lines_of(self.KIT, *parts, settings={"orders__bundle_lines": "children"})
        assert (line["product_id"], line["subtotal"]) == ("20", 88)

    def test_pieces_of_its_parts_that_make_whole_bundles_are_cancelled_bundles(self):
        bag, strap = self.PARTS
        parts = (bag | {"qty_canceled": 1}, strap | {"qty_canceled": 2})
        (line,) = lines_of(self.KIT, *parts, total_canceled=44, subtotal_canceled=44)
        assert (line["quantity"], line["subtotal"], line["discount"]) == (1, 44, Decimal("4.5"))


def test_attributes_that_the_merchant_maps_are_properties_as_the_shop_gave_them():
    rows = ["po_number=order_reference", "total_qty_ordered", "billing_address.company=company", "gift", "none_such"]
    account, book = make(orders__mapping=[*rows, "remote_ip=ip_address", "quote_id=web_id"])
    order = read.order(
        raw(
            po_number=" 77-A ",
            total_qty_ordered=Decimal("3.5"),
            remote_ip="203.0.113.7",
            quote_id=12,
            billing_address={"company": "Acme", "city": "London"},
            extension_attributes={"gift": True},
        )
    )
    record = sent(order_record(order, account, book))
    assert record["properties"] == {
        "order_reference": "77-A",
        "total_qty_ordered": Decimal("3.5"),
        "company": "Acme",
        "gift": True,
    }
    assert (record["ip_address"], record["web_id"]) == ("203.0.113.7", "12")
    plain = sent(order_record(order, *make()))
    assert not {"properties", "ip_address", "web_id"} & plain.keys()
