"""Products of Magento: lists no longer than what is asked for, categories, shown prices, parts of bundles."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.store import magento_products
from bridge.store import magento_read as read
from bridge.store.entities import Category, Family
from bridge.store.magento import Magento
from tests.export.serving import serve
from tests.store.scripted import Scripted

CONFIG = {"id": 2, "code": "fr", "website_id": 2, "default_display_currency_code": "EUR"}
CATEGORY = {"id": 15, "name": "Sacs", "path": "1/2/15"}


def product(id_: int, **more) -> dict:
    extension = {"website_ids": [2], "category_links": [{"position": 0, "category_id": "15"}]}
    row = {"id": id_, "sku": f"S{id_}", "type_id": "simple", "price": 9, "status": 1, "visibility": 4}
    return {**row, "extension_attributes": extension, **more}


def named(*skus: str) -> list[dict]:
    return [{"link_type": "associated", "linked_product_sku": sku} for sku in skus]


class Shop:
    """A small shop that refuses pages of more than `most` rows, as an input limit does."""

    def __init__(self, *products: dict, most: int = 300) -> None:
        self.products, self.most = list(products), most
        self.shown: list[dict] = []

    def __call__(self, asked):
        route = asked.path.partition("/V1/")[2]
        size = asked.query.get("searchCriteria[pageSize]")
        if size and int(size[0]) > self.most:
            return Response(json.dumps({"message": "Maximum page size exceeded"}), 400, mimetype="application/json")
        rows = {
            "products": self.products,
            "categories/list": [CATEGORY],
            "products-render-info": self.shown,
        }.get(route, [])
        if route in {"store/storeConfigs", "store/websites"}:
            return [CONFIG] if route.endswith("Configs") else [{"id": 2, "code": "europe"}]
        found = [row for row in rows if _matches(row, asked)]
        return {"items": found, "total_count": len(found)}


def _matches(row: dict, asked) -> bool:
    for name, condition, value in asked.filters:
        own = row.get("id" if name == "entity_id" else name)
        if condition == "gt":
            if int(own) <= int(value):
                return False
        elif str(own) not in (value.split(",") if condition == "in" else [value]):
            return False
    return True


@pytest.fixture
def shop():
    return Shop(product(1), product(2), product(3))


@pytest.fixture
def asked(shop):
    return Scripted(shop)


@pytest.fixture
def magento(asked):
    with serve(asked) as url:
        yield Magento(Config(store_url=url, store_token="token-0123456789"))


def view(magento, id_="1"):
    return magento.products_by_sku([f"S{id_}"], ["fr"])[f"S{id_}"].views["fr"]


def test_a_shop_that_limits_pages_is_asked_for_no_more_rows_than_are_wanted(magento, shop, asked):
    shop.most = 2
    found = magento.products_by_sku(["S1", "S2"], ["fr"])
    assert found.keys() == {"S1", "S2"}
    assert {one.query["searchCriteria[pageSize]"][0] for one in asked.asked if one.filters} <= {"1", "2"}
    assert found["S1"].views["fr"].categories == (Category(id="15", name="Sacs", path=("1", "2", "15")),)


def test_categories_and_the_tree_are_kept_for_an_hour(magento, asked, monkeypatch):
    at = [1000.0]
    monkeypatch.setattr(magento_products, "time", SimpleNamespace(monotonic=lambda: at[0]))
    magento._products._kept_since = at[0]

    def count() -> int:
        return sum("/categories/list" in one.path or "/storeConfigs" in one.path for one in asked.asked)

    view(magento)
    view(magento, "2")
    assert count() == 2
    at[0] += 3601
    view(magento)
    assert count() == 4


@pytest.mark.parametrize(
    ("prices", "shown", "final"),
    [
        ({"regular_price": 52, "final_price": 51}, 52, 51),
        ({"regular_price": 0, "minimal_regular_price": None, "final_price": 49, "minimal_price": 49}, 49, 49),
        ({"regular_price": 0, "minimal_regular_price": 60, "final_price": 0, "minimal_price": 49}, 60, 49),
        ({}, None, None),
    ],
)
def test_the_prices_that_the_shop_front_shows(magento, shop, prices, shown, final):
    shop.shown = [{"id": 1, "url": "http://eu.store.test/s1.html", "price_info": prices}]
    found = view(magento)
    assert (found.shown_price, found.final_price, found.url) == (shown, final, "http://eu.store.test/s1.html")


OTHER = {"id": 9, "url": "http://eu.store.test/s9.html", "price_info": {"regular_price": 1, "final_price": 1}}
OWN = {"id": 1, "url": "http://eu.store.test/s1.html", "price_info": {"regular_price": 52, "final_price": 51}}


class Confused:
    """Answers one route, `times` times, with the rows of another question; then rightly."""

    def __init__(self, route: str, wrong: list[dict], right: list[dict], times: int = 1) -> None:
        self.route, self.wrong, self.right, self.times, self.asked = route, wrong, right, times, 0

    def __call__(self, shop):
        def answer(asked):
            if self.route not in asked.path:
                return shop(asked)
            self.asked += 1
            return {"items": self.wrong if self.asked <= self.times else self.right}

        return answer


@pytest.mark.parametrize("wrong", [[], [OTHER], [OWN, OTHER]])
def test_an_answer_about_other_products_than_were_asked_for_is_asked_for_again(magento, shop, asked, wrong):
    confused = Confused("products-render-info", wrong, [OWN])
    asked.answer = confused(shop)
    assert view(magento).final_price == 51
    assert confused.asked == 2


@pytest.mark.parametrize("hidden", [{"status": 2}, {"visibility": 1}])
def test_what_has_no_page_of_its_own_is_asked_for_once(magento, shop, asked, hidden):
    shop.products = [product(1, **hidden)]
    confused = Confused("products-render-info", [], [])
    asked.answer = confused(shop)
    assert view(magento).final_price is None
    assert confused.asked == 1


@pytest.mark.parametrize(("said", "final"), [([], None), ([OTHER], None), ([OTHER, OWN], 51)])
def test_what_the_shop_says_twice_is_believed_but_for_the_rows_of_others(magento, shop, asked, said, final):
    confused = Confused("products-render-info", said, said)
    asked.answer = confused(shop)
    assert view(magento).final_price == final
    assert confused.asked == 2


@pytest.mark.parametrize("wrong", [[], [{"sku": "S9", "qty": 0, "is_salable": ""}]])
def test_an_answer_about_the_stock_of_others_is_asked_for_again(magento, shop, asked, wrong):
    confused = Confused("export-stock-salable-qty", wrong, [{"sku": "s1", "qty": 3, "is_salable": "1"}])
    asked.answer = confused(shop)
    found = magento.products_by_sku(["S1"], ["fr"])["S1"]
    assert (found.salable, confused.asked) == (True, 2), "the database takes no notice of case"


def test_a_product_in_a_website_that_the_tree_does_not_have_is_read_for_the_others(magento, shop, asked):
    row = product(1)
    row["extension_attributes"]["website_ids"] = [2, 99]
    shop.products = [row]
    asked.answer = Confused("export-stock-salable-qty", [], [{"sku": "S1", "qty": 3, "is_salable": "1"}], times=0)(shop)
    found = magento.products_by_sku(["S1"], ["fr"])["S1"]
    assert (found.website_ids, found.salable) == ((2, 99), True)
    assert not [one.path for one in asked.asked if "99" in one.path]


def test_every_attribute_is_kept_under_its_code(magento, shop):
    shop.products = [
        product(
            1,
            weight=1.5,
            custom_attributes=[
                {"attribute_code": "color", "value": "4"},
                {"attribute_code": "category_ids", "value": ["15"]},
                {"attribute_code": "gone", "value": None},
            ],
        )
    ]
    values = view(magento).values
    assert (values["color"], values["category_ids"], values["weight"]) == ("4", ("15",), Decimal("1.5"))
    assert "gone" not in values
    assert "extension_attributes" not in values


def test_families_of_every_kind_name_their_members_by_id(magento, shop, asked):
    extension = {"configurable_product_links": [1, 2]}
    bundle = {"bundle_product_options": [{"product_links": [{"sku": "S3"}, {"sku": "gone"}]}, {"product_links": []}]}
    shop.products += [
        product(
            5,
            type_id="grouped",
            product_links=[*named("S2", "S1"), {"link_type": "related", "linked_product_sku": "S3"}],
        ),
        product(6, type_id="bundle", extension_attributes=bundle),
        product(7, type_id="configurable", extension_attributes=extension),
    ]
    assert list(magento.families()) == [
        Family(parent="7", sku="S7", children=("1", "2"), kind="configurable"),
        Family(parent="6", sku="S6", children=("3",), kind="bundle"),
        Family(parent="5", sku="S5", children=("2", "1"), kind="grouped"),
    ]
    skus = [one for one in asked.asked if one.filters and one.filters[0][0] == "sku"]
    assert len(skus) == 2


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"extension_attributes": [], "product_links": None},
        {"extension_attributes": {"bundle_product_options": "", "configurable_product_links": None}},
        {
            "extension_attributes": {"bundle_product_options": [{"product_links": None}]},
            "product_links": [{"sku": "A"}],
        },
    ],
)
def test_a_product_that_holds_nothing_has_no_parts(raw):
    assert (read.children(raw), read.parts(raw)) == ((), ())
