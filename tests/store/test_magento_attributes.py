"""Attributes and the labels of their options: asked for in a store view, kept for an hour."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.errors import Stumbled
from bridge.store import magento_attributes
from bridge.store.entities import AttributeInfo
from bridge.store.magento import Magento
from tests.export.serving import serve
from tests.store.scripted import Scripted

COLOR = {
    "attribute_id": 93,
    "attribute_code": "color",
    "frontend_input": "select",
    "options": [{"label": " ", "value": ""}, {"label": "Red", "value": "4"}, {"label": "Blue", "value": 5}],
}
KNOWN = AttributeInfo(id="93", code="color", input="select", options={"4": "Red", "5": "Blue"})


@pytest.fixture
def shop():
    def answer(asked):
        if asked.path.endswith(("/color", "/93")):
            return COLOR
        return Response(json.dumps({"message": "No such entity."}), 404, mimetype="application/json")

    return Scripted(answer)


@pytest.fixture
def magento(shop):
    with serve(shop) as url:
        yield Magento(Config(store_url=url, store_token="token-0123456789"))


@pytest.fixture
def clock(monkeypatch):
    """Moments of the adaptor's clock, in seconds."""
    at = [1000.0]
    monkeypatch.setattr(magento_attributes, "time", SimpleNamespace(monotonic=lambda: at[0]))
    return at


def paths(shop) -> list[str]:
    return [asked.path for asked in shop.asked]


def test_a_products_attribute_is_found_by_code_and_by_id_in_the_views_words(magento, shop):
    assert magento.attributes("product", ["color", "93", "none"], "fr") == {"color": KNOWN, "93": KNOWN}
    assert paths(shop) == [f"/rest/fr/V1/products/attributes/{name}" for name in ("color", "93", "none")]


def test_a_customers_attribute_has_another_route_and_an_orders_none(magento, shop):
    assert magento.attributes("contact", ["color"], "fr") == {"color": KNOWN}
    assert magento.attributes("order", ["color"], "fr") == {}
    assert paths(shop) == ["/rest/fr/V1/attributeMetadata/customer/attribute/color"]


def test_what_was_read_is_kept_for_an_hour_also_that_there_is_none(magento, shop, clock):
    for moment in (1000.0, 1000.0 + 3600):
        clock[0] = moment
        magento.attributes("product", ["color", "none"], "fr")
    assert len(shop.asked) == 2
    clock[0] += 1
    magento.attributes("product", ["color", "none"], "fr")
    assert len(shop.asked) == 4
    magento.attributes("product", ["color"], "de")
    assert len(shop.asked) == 5


def test_something_newer_is_asked_for_at_most_once_a_minute(magento, shop, clock):
    magento.attributes("product", ["color"], "fr")
    for moment, times in ((1030.0, 1), (1061.0, 2), (1100.0, 2)):
        clock[0] = moment
        magento.attributes("product", ["color"], "fr", fresh=True)
        assert len(shop.asked) == times


@pytest.mark.parametrize("name", ["a/../b", "a b", "størrelse", "a?b", ""])
def test_what_cannot_be_an_attribute_is_not_asked_for(magento, shop, name):
    assert magento.attributes("product", [name], "fr") == {}
    assert shop.asked == []


def test_a_fault_is_no_missing_attribute_and_not_kept(magento, shop):
    answer = shop.answer
    shop.answer = lambda _: Response("{}", 500, mimetype="application/json")
    with pytest.raises(Stumbled):
        magento.attributes("product", ["color"], "fr")
    shop.answer = answer
    assert magento.attributes("product", ["color"], "fr") == {"color": KNOWN}


def listing(asked, total):
    """Answer a page of the attribute list as Magento does: behind the last page, that page again."""
    size, page = (int(asked.one(f"searchCriteria[{name}]")) for name in ("pageSize", "currentPage"))
    last = -(-total // size)
    first = (min(page, last) - 1) * size
    rows = [{"attribute_code": f"a{number}"} for number in range(first, min(first + size, total))]
    return Response(json.dumps({"items": rows, "total_count": total}), mimetype="application/json")


@pytest.mark.parametrize(("total", "pages"), [(3, 1), (200, 2), (401, 3)])
def test_all_codes_of_products_are_listed_page_by_page(total, pages):
    shop = Scripted(lambda asked: listing(asked, total))
    with serve(shop) as url:
        magento = Magento(Config(store_url=url, store_token="token-0123456789"))
        assert magento.attribute_codes("product") == [f"a{number}" for number in range(total)]
    assert len(shop.asked) == pages


@pytest.mark.parametrize(
    "answer", ['[{"attribute_code": "dob"}, {"attribute_code": null}, 7]', '{"message": "x"}', "[]"]
)
def test_codes_of_customers_come_in_one_list_and_orders_have_none(answer):
    shop = Scripted(lambda asked: Response(answer, mimetype="application/json"))
    with serve(shop) as url:
        magento = Magento(Config(store_url=url, store_token="token-0123456789"))
        assert magento.attribute_codes("contact") == (["dob"] if "dob" in answer else [])
        assert magento.attribute_codes("order") == []
    assert [path.rpartition("/V1/")[2] for path in paths(shop)] == ["attributeMetadata/customer"]


def test_a_shop_without_such_a_list_has_no_codes():
    shop = Scripted(
        lambda asked: Response('{"message": "Request does not match any route."}', 404, mimetype="application/json")
    )
    with serve(shop) as url:
        assert Magento(Config(store_url=url, store_token="token-0123456789")).attribute_codes("product") == []
