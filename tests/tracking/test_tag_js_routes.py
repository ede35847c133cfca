"""Pages without Magento's classes in real Chromium: what their layout, the shop or the front end says of them."""

from __future__ import annotations

import json

import pytest

from tests.chromium import NEEDS_CHROMIUM
from tests.tracking.tag_shop import LISTING, PAGES, PRODUCT, handles

pytestmark = NEEDS_CHROMIUM
CATEGORY = {"type": "CATEGORY", "uid": "Mw=="}
INLINED = "<script>window.INLINED_PAGE_TYPE = {type: 'PRODUCT'}</script>"


class Shop:
    """Answers what addresses show as Magento's GraphQL does, and keeps what it was asked."""

    def __init__(self, visit, route, status=200):
        self.visit, self.route, self.status, self.asked = visit, route, status, []
        visit.page.route("**/graphql", self.answer)

    def answer(self, route):
        request = route.request
        self.asked.append((json.loads(request.post_data)["variables"]["url"], request.headers.get("store")))
        if isinstance(self.route, str):
            route.fulfill(status=self.status, body=self.route, content_type="text/html")
        else:
            route.fulfill(status=self.status, json={"data": {"route": self.route}})

    def view(self, path):
        """Return the type and the data of the view that the page tells."""
        before = len(self.visit.shop.named("init"))
        self.visit.open(path)
        self.visit.wait("init", before + 1)
        return self.visit.shop.named("init")[-1][:2]


@pytest.mark.parametrize(
    ("names", "body", "view"),
    [
        (["catalog_product_view"], PRODUCT, ["product", {"pid": "5"}]),
        (["cms_index_index"], "", ["homepage", {}]),
        (["cms_noroute_index"], "", [None, {}]),
        (["checkout_cart_index"], "", ["basket", {}]),
    ],
)
def test_the_layout_says_what_a_page_is_where_no_class_does_and_the_shop_is_not_asked(
    visit, monkeypatch, names, body, view
):
    monkeypatch.setitem(PAGES, "/bare", ("my-theme", handles(*names) + body))
    shop = Shop(visit, CATEGORY)
    assert shop.view("/bare") == view
    assert shop.asked == []


def test_classes_count_more_than_the_layout(visit, monkeypatch):
    monkeypatch.setitem(PAGES, "/bare", ("cms-page-view", handles("catalog_category_view")))
    assert Shop(visit, None).view("/bare") == ["content", {}]


def test_the_shop_is_asked_once_in_a_tab_what_an_address_without_any_sign_shows(visit, monkeypatch):
    monkeypatch.setitem(PAGES, "/bags/small.html", ("", LISTING.replace("catalog_category_view_id_3", "x")))
    shop = Shop(visit, CATEGORY)
    for _ in range(2):
        assert shop.view("/bags/small.html?p=2") == [
            "listing",
            {
                "page": 2,
                "pids": ["5", "6"],
                "nitems": 12,
                "category_path": "bags/small",
                "category_id": "3",
                "attributes": [{"id": "3", "type": "category"}],
            },
        ]
    assert shop.asked == [("bags/small.html", "default")]


@pytest.mark.parametrize(
    ("canonical", "asked"),
    [
        ("/bags.html", "bags.html"),
        ("http://elsewhere.example/bags.html", "catalog/category/view/id/3"),
        ("http://[", "catalog/category/view/id/3"),
    ],
)
def test_the_shop_is_asked_by_the_canonical_address_of_its_own(visit, monkeypatch, canonical, asked):
    monkeypatch.setitem(PAGES, "/catalog/category/view/id/3", ("", f'<link rel="canonical" href="{canonical}">'))
    shop = Shop(visit, {"type": "PRODUCT", "uid": "NQ==", "sku": "SKU-5"})
    assert shop.view("/catalog/category/view/id/3") == ["product", {"pid": "5"}]
    assert [url for url, _ in shop.asked] == [asked]


@pytest.mark.parametrize(
    ("status", "answer", "times"),
    [(200, None, 1), (404, "<html></html>", 1), (503, "<html></html>", 2), (200, "{", 2)],
)
def test_what_the_shop_does_not_tell_is_a_view_without_type(visit, status, answer, times):
    shop = Shop(visit, answer, status)
    assert [shop.view("/plain") for _ in range(2)] == [[None, {}], [None, {}]]
    assert len(shop.asked) == times, "a shop without GraphQL, or the address, is not asked again"
    visit.wrong.clear()


@pytest.mark.parametrize("answer", ["{", {"type": "CMS_PAGE", "uid": "x"}])
def test_what_a_front_end_says_of_the_page_counts_where_the_shop_does_not_answer(visit, monkeypatch, answer):
    monkeypatch.setitem(PAGES, "/venia", ("", INLINED))
    assert Shop(visit, answer).view("/venia") == (["product", {"pid": None}] if answer == "{" else ["content", {}])
