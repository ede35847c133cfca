"""What shops hold in spite of everything: each case with the right value, over HTTP and through the real reading."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.export.gather import Aside, Dropped, Later, Ready
from bridge.store.magento import Magento
from tests.export import raw_shop
from tests.export.books import make
from tests.export.raw_shop import RawShop, customer, item, order, outcomes, product
from tests.export.serving import serve
from tests.store.scripted import Scripted

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def shop():
    return RawShop()


@pytest.fixture
def magento(shop):
    def answer(asked):
        found = shop.answer(asked.path.partition("/V1/")[2], asked.filters)
        if found is None:
            return Response('{"message":"Request does not match any route."}', 404, mimetype="application/json")
        return found

    with serve(Scripted(answer)) as url:
        yield Magento(Config(store_url=url, store_token="token-0123456789"))


@pytest.fixture
def outcome(shop, magento):
    """Give the outcome of one raw row under some settings."""

    def run(kind, raw, **settings):
        shop.rows[kind].append(raw)
        id_ = str(raw["entity_id" if kind == "order" else "id"])
        return outcomes(magento, kind, [id_], *make(**settings))[id_]

    return run


@pytest.fixture
def record(outcome):
    def run(kind, raw, **settings):
        found = outcome(kind, raw, **settings)
        assert isinstance(found, Ready), found
        return json.loads(found.record.body, parse_float=Decimal)

    return run


class TestProducts:
    @pytest.mark.parametrize("price", [None, "", "n/a", [], {}])
    def test_no_price_is_no_field_and_never_0(self, record, price):
        assert "price" not in record("product", product(price=price))

    def test_a_product_whose_price_is_absent_goes_without(self, record):
        raw = product()
        del raw["price"]
        found = record("product", raw)
        assert "price" not in found
        assert found["is_active"] is True

    @pytest.mark.parametrize(
        "sku",
        [
            "a/b/c",
            "two words",
            "tab\there",
            "🧥-coat",
            "x" * 64,
            "q\"uote's",
            "per%cent",
            "50,00",
            "Ä-ö",
            "<b>",
            "a&b=c#d?",
        ],
    )
    def test_any_sku_is_sent_as_it_is(self, record, sku):
        found = record("product", product(sku=sku), products__id_attribute="sku")
        assert (found["id"], found["sku"]) == (sku, sku)

    def test_a_sku_that_looks_like_an_address_cannot_be_an_id(self, outcome):
        found = outcome("product", product(sku="me@x.test"), products__id_attribute="sku")
        assert isinstance(found, Aside)
        assert "e-mail" in found.reason

    def test_a_product_without_sku_is_named_by_its_number(self, record):
        found = record("product", product(sku=None), products__id_attribute="sku")
        assert found["id"] == "1"
        assert "sku" not in found

    @pytest.mark.parametrize("name", ["<b>Bag</b> &amp; more", "Bag </script><script>", "19″ “Bag”", "  "])
    def test_a_name_is_text_and_travels_unchanged(self, record, name):
        assert record("product", product(name=name)).get("title") == (name.strip() or None)

    @pytest.mark.parametrize("label", ["<b>Red</b> &amp; more", "</script><script>alert(1)</script>", "19″ “Red”"])
    def test_the_label_of_an_option_is_text_and_travels_unchanged(self, shop, record, label):
        shop.attributes["color"] = {**raw_shop.select("color", 93), "options": [{"label": label, "value": "4"}]}
        raw = product(custom_attributes=[{"attribute_code": "color", "value": "4"}])
        found = record("product", raw, products__mapping=["color"])
        assert found["attributes"] == [{"type": "color", "id": "4", "label": label}]

    @pytest.mark.parametrize(
        ("given", "sent"),
        [(-5, Decimal(-5)), ("-0.5000", Decimal("-0.5000")), ("12.3456", Decimal("12.3456")), (0, 0), ("0.0000", 0)],
    )
    def test_negative_and_four_digit_amounts_keep_their_digits(self, record, given, sent):
        assert Decimal(record("product", product(price=given))["price"]) == sent

    def test_a_price_keeps_the_digits_of_json(self, shop, magento):
        shop.rows["product"].append(product(price=34.1))
        found = outcomes(magento, "product", ["1"], *make())["1"]
        assert b'"price":34.1,' in found.record.body

    @pytest.mark.parametrize("price", ["NaN", "Infinity", True, "12abc"])
    def test_what_is_no_amount_is_none(self, record, price):
        assert "price" not in record("product", product(price=price))

    @pytest.mark.parametrize(
        ("value", "entries"),
        [
            ("4", [{"type": "color", "id": "4", "label": "Red"}]),
            (4, [{"type": "color", "id": "4", "label": "Red"}]),
            ("999", []),
            (None, []),
            ("", []),
            ([], []),
            (["4"], [{"type": "color", "id": "4", "label": "Red"}]),
            ({"odd": 1}, []),
            ([["4"]], []),
        ],
    )
    def test_option_ids_without_label_arrays_null_and_empty_values(self, shop, record, value, entries):
        shop.attributes["color"] = raw_shop.select("color", 93)
        raw = product(custom_attributes=[{"attribute_code": "color", "value": value}])
        found = record("product", raw, products__mapping=["color"])
        assert [one for one in found.get("attributes", []) if one["type"] == "color"] == entries

    @pytest.mark.parametrize(
        "custom",
        [
            None,
            [],
            {},
            "",
            [None],
            [{"value": 1}],
            [{"attribute_code": None}],
            [["x"]],
            [{"attribute_code": ["color"], "value": "4"}],
        ],
    )
    def test_attributes_may_be_absent_or_of_any_form(self, record, custom):
        found = record("product", product(custom_attributes=custom), products__mapping=["color"])
        assert found["attributes"] == []

    @pytest.mark.parametrize("extension", [None, [], "", {}, {"website_ids": None}, {"website_ids": {"0": 1}}])
    def test_a_product_in_no_website_is_told_to_nobody(self, outcome, extension):
        assert isinstance(outcome("product", product(extension_attributes=extension)), Dropped)

    @pytest.mark.parametrize(
        "gallery", [None, {}, [None], [{"file": None}], [{"file": "no_selection"}], [{"types": 5}]]
    )
    def test_an_odd_gallery_is_no_picture(self, record, gallery):
        assert "image_url" not in record("product", product(media_gallery_entries=gallery))

    @pytest.mark.parametrize("types", [None, "image", 5, {"a": 1}])
    def test_a_picture_whose_roles_are_odd_is_a_picture(self, record, types):
        found = record("product", product(media_gallery_entries=[{"file": "/a.jpg", "types": types}]))
        assert found["image_url"].endswith("/catalog/product/a.jpg")


MARKUP = ("<b>Ada</b> &amp; co", "</script><script>alert(1)</script>", 'O\'Neill "x" <i>')


class TestCustomers:
    @pytest.mark.parametrize("name", MARKUP)
    def test_a_name_is_text_and_travels_unchanged(self, record, name):
        found = record("contact", customer(firstname=name, lastname=name))
        assert (found["firstname"], found["lastname"]) == (name, name)

    @pytest.mark.parametrize("name", [None, "", "   ", [], False])
    def test_a_customer_without_a_name_has_none(self, record, name):
        found = record("contact", customer(firstname=name, lastname=name))
        assert found["email"] == "c2@example.com"
        assert not {"firstname", "lastname"} & found.keys()

    @pytest.mark.parametrize(
        ("dob", "sent"),
        [
            ("0000-00-00", None),
            ("1988-02-30", None),
            ("", None),
            (None, None),
            ("yesterday", None),
            (19880229, "1988-02-29"),
            ("1988-02-29", "1988-02-29"),
            ("1988-02-29 00:00:00", "1988-02-29"),
        ],
    )
    def test_a_birth_date_is_a_day_of_the_calendar_or_none(self, record, dob, sent):
        assert record("contact", customer(dob=dob)).get("date_of_birth") == sent

    def test_two_customers_with_one_e_mail_on_two_websites_are_two_contacts(self, shop, magento):
        shop.rows["contact"] += [customer(2, email="a@x.test"), customer(3, email="a@x.test", store_id=2, website_id=2)]
        found = outcomes(magento, "contact", ["2", "3"], *make())
        bodies = [json.loads(one.record.body) for one in found.values()]
        assert [(one["id"], one["email"], one["store_ids"]) for one in bodies] == [
            ("2", "a@x.test", ["default"]),
            ("3", "a@x.test", ["fr"]),
        ]
        assert len({one.record.key for one in found.values()}) == 2

    @pytest.mark.parametrize(
        ("store_id", "website_id", "stores"), [(77, 2, ["fr"]), (0, 1, ["default"]), ("x", 2, ["fr"])]
    )
    def test_a_customer_of_an_unknown_store_view_belongs_to_its_website(self, record, store_id, website_id, stores):
        raw = customer(store_id=store_id, website_id=website_id)
        assert record("contact", raw)["store_ids"] == stores

    def test_a_customer_of_no_known_website_is_nobodys(self, outcome):
        assert isinstance(outcome("contact", customer(store_id=77, website_id=9)), Dropped)

    def test_a_customer_without_an_address_cannot_be_sent(self, outcome):
        found = outcome("contact", customer(email=" "))
        assert isinstance(found, Aside)
        assert "no e-mail" in found.reason


class TestOrders:
    def test_an_order_whose_products_are_gone_keeps_its_rows(self, record):
        found = record("order", order(items=[item(1, product_id=None, sku="OLD"), item(2, product_id=9, sku="GONE")]))
        assert [(row["product_id"], row["sku"]) for row in found["lineitems"]] == [("9", "GONE")]
        assert found["grand_total"] == 39

    def test_an_order_all_of_whose_products_are_gone_has_no_rows_and_its_total(self, record):
        found = record("order", order(items=[item(1, product_id=None)]))
        assert "lineitems" not in found
        assert found["grand_total"] == 39

    @pytest.mark.parametrize("items", [None, {}, "", [], [None], [{}]])
    def test_odd_rows_are_none(self, record, items):
        assert "lineitems" not in record("order", order(items=items))

    @pytest.mark.parametrize("store_id", [77, None, "x"])
    def test_an_order_of_an_unknown_store_view_waits_for_the_tree(self, outcome, store_id):
        found = outcome("order", order(store_id=store_id))
        assert isinstance(found, Later)
        assert "store view" in found.reason

    @pytest.mark.parametrize(("given", "sent"), [("-3.1250", Decimal("-3.125")), (-0.0001, Decimal("-0.0001"))])
    def test_negative_and_four_digit_amounts_of_a_row(self, record, given, sent):
        found = record("order", order(items=[item(price=given, row_total=given)]))
        assert found["lineitems"][0]["unit_price"] == sent
        assert found["lineitems"][0]["subtotal"] == sent

    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            ("2026-11-25 10:00:00", "2026-11-25T10:00:00Z"),
            ("2026-11-25T10:00:00", "2026-11-25T10:00:00Z"),
            ("2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z"),
            ("2026-11-25T12:00:00+02:00", "2026-11-25T10:00:00Z"),
            ("2026-11-25 05:00:00-05:00", "2026-11-25T10:00:00Z"),
            ("2026-11-25 10:00:00.123", "2026-11-25T10:00:00Z"),
        ],
    )
    def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_is_brought_to_it(self, record, given, sent):
        assert record("order", order(created_at=given))["timestamp"] == sent

    @pytest.mark.parametrize("given", ["0000-00-00 00:00:00", "", None, "soon"])
    def test_an_order_without_a_time_has_that_of_its_last_change(self, record, given):
        assert record("order", order(created_at=given, updated_at="2026-11-25 11:00:00"))["timestamp"].endswith(
            "11:00:00Z"
        )

    @pytest.mark.parametrize("name", ["increment_id", "grand_total", "order_currency_code"])
    def test_an_order_without_what_ometria_needs_is_set_aside_with_the_reason(self, outcome, name):
        found = outcome("order", order(**{name: None}))
        assert isinstance(found, Aside)
        assert found.reason.startswith("The order has no")


def test_a_day_of_a_special_price_is_a_day_in_the_shops_zone(record, monkeypatch):
    # A date without a time is local: in the summer of London it begins an hour before the day in UTC does.
    raw = product(
        custom_attributes=[
            {"attribute_code": "special_price", "value": "20.0000"},
            {"attribute_code": "special_from_date", "value": "2020-07-01 00:00:00"},
        ]
    )
    assert record("product", raw)["special_price_dt_from"] == "2020-06-30T23:00:00Z"
