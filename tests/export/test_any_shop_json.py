"""Whatever JSON a shop answers: a record that Ometria takes, or a stated reason; never an exception.

Rows are made from good ones by putting anything into any place, and from anything at all. They go through the real
reading of JSON, the gathering and the mapping; the sandbox's own rules, which share no code with these, judge records.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config import Config
from bridge.errors import Misconfigured, Retry
from bridge.export.gather import Aside, Dropped, Later, Ready
from bridge.export.mapping import RECORD_BYTES
from bridge.sandbox.ometria_rules import faults_of
from bridge.store.magento import Magento
from bridge.store.magento_rest import Answer, NotThere
from tests.export import raw_shop
from tests.export.books import make
from tests.export.raw_shop import RawShop

pytestmark = pytest.mark.usefixtures("settings_of_room")

decoder = msgspec.json.Decoder(float_hook=Decimal)
BUSY = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
VALUES = {
    "customers__mapping": ["loyalty", "billing_address.city=town", "dob", "phone=phone_number", "zone=timezone"],
    "products__mapping": ["color", "size=fit:id", "cost:property"],
    "orders__mapping": ["gift", "billing_address.city=town", "remote_ip=ip_address"],
    "orders__currency": "both",
}

UNJUDGED = re.compile(r"root > (title|lineitems > \d+ > unit_price)")
"""The sandbox wants a title, and a price of each line, as clients of Ometria do; nothing that it published itself does,
and a record without them is worth more than none."""

texts = st.text(max_size=12) | st.sampled_from(
    ["", " ", "0000-00-00", "NaN", "1e999", "-0", "4", "a@x.test", "é🧥", "1" * 40]
)
numbers = (
    st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0, 1, 2, 77])
)
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "value", "sku", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)

PRODUCT = raw_shop.product(
    custom_attributes=[
        {"attribute_code": name, "value": value}
        for name, value in (
            ("url_key", "bag"),
            ("color", "4"),
            ("size", "4,5"),
            ("cost", "3.5000"),
            ("special_price", "20"),
            ("special_from_date", "2020-01-01 00:00:00"),
            ("special_to_date", "2099-01-01 00:00:00"),
        )
    ],
    media_gallery_entries=[
        {"file": "/a.jpg", "types": ["image"], "position": 1, "disabled": False, "media_type": "image"}
    ],
    product_links=[{"link_type": "associated", "linked_product_sku": "S2"}],
    extension_attributes={
        "website_ids": [1, 2],
        "category_links": [{"category_id": "5"}],
        "stock_item": {"is_in_stock": True},
        "configurable_product_links": [13],
        "bundle_product_options": [{"product_links": [{"sku": "S2"}]}],
    },
)
CUSTOMER = raw_shop.customer(
    gender=1,
    dob="1988-02-29",
    prefix="Dr",
    middlename="M",
    addresses=[{"country_id": "GB", "city": "London", "default_billing": True, "telephone": "+44 20 7946 0000"}],
    custom_attributes=[{"attribute_code": "loyalty", "value": "gold"}],
)
ORDER = raw_shop.order(
    customer_id=2,
    discount_amount=-5,
    tax_amount=2,
    shipping_amount=5,
    coupon_code="X",
    remote_ip="1.2.3.4",
    items=[
        raw_shop.item(1, product_type="configurable", product_option={"extension_attributes": {"configurable_item_options": [{"option_id": "93", "option_value": 4}]}}),
        raw_shop.item(2, parent_item_id=1, product_id=13, price=0, row_total=0),
        raw_shop.item(3, product_type="bundle", qty_ordered=2, qty_canceled=1, qty_refunded=1, amount_refunded=3),
        raw_shop.item(4, parent_item_id=3, product_id=9),
    ],
    payment={"method": "checkmo"},
    billing_address={"city": "London", "country_id": "GB", "region": {"region": "Kent"}, "postcode": "N1"},
    extension_attributes={"shipping_assignments": [{"shipping": {"method": "flat", "address": {"city": "Rome"}}}]},
)  # fmt: skip


NEIGHBOURS = [raw_shop.product(13, type_id="simple"), raw_shop.product(2), raw_shop.product(9)]
PAPERS = {
    "creditmemos": [
        {"entity_id": 7, "order_id": 4, "items": [{"order_item_id": 3, "qty": 1, "row_total_incl_tax": 3}]}
    ],
    "shipments": [{"entity_id": 8, "order_id": 4, "items": [{"order_item_id": 1, "qty": 1}]}],
    "invoices": [{"entity_id": 9, "order_id": 4, "items": [{"order_item_id": 1, "qty": 1}]}],
    "categories/list": [{"id": 5, "parent_id": 2, "name": "Bags", "path": "1/2/5", "is_active": True, "level": 2}],
    "store/storeGroups": [{"id": 1, "website_id": 1, "root_category_id": 2}],
}
"""What the shop answers besides, as far as bridge asks for it."""


@st.composite
def bent(draw, good):
    """Draw a good row with anything in up to four of its places; its id stays, since the shop is asked by it."""
    row = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 4))):
        node, key = row, None
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            keys = [one for one in keys if node is not row or one not in {"id", "entity_id"}]
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(node[key], dict | list) or not node[key] or draw(st.booleans()):
                break
            node = node[key]
        if key is None or not keys:
            continue
        if draw(st.integers(0, 5)) == 0 and isinstance(node, dict):
            del node[key]
        else:
            node[key] = draw(anything)
    return row


class Calls:
    """Answers as the connection to the shop does, with no network."""

    def __init__(self, shop: RawShop) -> None:
        self.shop = shop

    def get(self, route, query=None, *, store=None):
        filters = dict(query or [])
        wanted = [
            tuple(
                filters[f"searchCriteria[filter_groups][{n}][filters][0][{part}]"]
                for part in ("field", "condition_type", "value")
            )
            for n in range(9)
            if f"searchCriteria[filter_groups][{n}][filters][0][field]" in filters
        ]
        found = self.shop.answer(route, wanted)
        if found is None:
            raise NotThere("The shop has no such thing.")
        return Answer(decoder.decode(raw_shop.as_json(found)), None)


class OddCalls(Calls):
    """Puts anything into any place of some of the answers: to the question for the row itself, and to all that follow."""

    def __init__(self, shop: RawShop, data) -> None:
        super().__init__(shop)
        self.data = data

    def get(self, route, query=None, *, store=None):
        found = super().get(route, query, store=store).data
        if self.data.draw(st.integers(0, 2), label=route) == 0:
            found = self.data.draw(bent(json.loads(raw_shop.as_json(plain(found)))) | anything, label=f"answer {route}")
        return Answer(decoder.decode(raw_shop.as_json(found)), None)


def plain(data):
    """Return decoded JSON with numbers that can be encoded again."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain(value) for value in data]
    return float(data) if isinstance(data, Decimal) else data


@pytest.fixture
def settings_of_room(request):
    request.getfixturevalue("settings")


def judge(kind, row, data=None):
    shop = RawShop()
    shop.rows[kind].append(row)
    shop.attributes = {"color": raw_shop.select("color", 93), "93": raw_shop.select("color", 93)}
    if data is not None:
        shop.rows["product"] += NEIGHBOURS
        shop.others = PAPERS
    magento = Magento(Config(), rest=Calls(shop) if data is None else OddCalls(shop, data))
    key = "entity_id" if kind == "order" else "id"
    try:
        (found,) = raw_shop.outcomes(magento, kind, [str(row[key])], *make(**VALUES)).values()
    except (Retry, Misconfigured):
        # The branches of a fault of the whole shop, each with its sentence.
        return
    assert not getattr(found, "reason", "").startswith("The record could not be made"), found
    if isinstance(found, Ready):
        record = json.loads(found.record.body)
        assert [fault for fault in faults_of(record) if not UNJUDGED.fullmatch(fault.path)] == [], record
        assert len(found.record.body) <= RECORD_BYTES
    else:
        assert isinstance(found, Aside | Dropped | Later)
        assert found.reason.endswith(".")


@BUSY
@given(row=bent(PRODUCT))
def test_products(row):
    judge("product", row)


@BUSY
@given(row=bent(CUSTOMER))
def test_customers(row):
    judge("contact", row)


@BUSY
@given(row=bent(ORDER))
def test_orders(row):
    judge("order", row)


@BUSY
@given(
    kind=st.sampled_from(["product", "contact", "order"]),
    row=st.dictionaries(st.sampled_from([*PRODUCT, *CUSTOMER, *ORDER]), anything),
)
def test_rows_of_anything(kind, row):
    judge(kind, {**row, "entity_id" if kind == "order" else "id": 1})


@BUSY
@given(kind=st.sampled_from(["product", "contact", "order"]), data=st.data())
def test_good_rows_among_odd_answers(kind, data):
    judge(kind, {"product": PRODUCT, "contact": CUSTOMER, "order": ORDER}[kind], data)


TREE = {
    "store/websites": [{"id": 0, "code": "admin"}, {"id": 1, "code": "base", "name": "Main", "default_group_id": 1}],
    "store/storeGroups": [{"id": 1, "website_id": 1, "root_category_id": 2, "default_store_id": 1, "name": "Main"}],
    "store/storeViews": [
        {"id": 0, "code": "admin", "website_id": 0, "store_group_id": 0},
        {"id": 1, "code": "default", "website_id": 1, "store_group_id": 1, "is_active": 1, "name": "English"},
    ],
    "store/storeConfigs": [{"id": 1, "code": "default", "website_id": 1, "base_url": "https://shop.example/"}],
}


@BUSY
@given(data=st.data())
def test_trees(data):
    try:
        tree = Magento(Config(), rest=OddCalls(RawShop(others=TREE), data)).tree()
    except Retry:  # with a sentence of its own; the tree that is known stays
        return
    assert all(isinstance(site.id, int) and site.id and site.code for site in tree.websites)
    assert all(isinstance(view.id, int) and isinstance(view.website_id, int) and view.code for view in tree.views)


def test_the_good_tree_is_read_without_the_administration():
    tree = Magento(Config(), rest=Calls(RawShop(others=TREE))).tree()
    assert [(site.id, site.code) for site in tree.websites] == [(1, "base")]
    assert [(view.id, view.website_id, view.is_default, view.root_category) for view in tree.views] == [(1, 1, True, 2)]


def test_the_good_rows_are_good():
    good = {"product": PRODUCT, "contact": CUSTOMER, "order": ORDER}
    for kind, row in good.items():
        shop = RawShop()
        shop.rows[kind].append(row)
        magento = Magento(Config(), rest=Calls(shop))
        id_ = str(row["entity_id" if kind == "order" else "id"])
        (found,) = raw_shop.outcomes(magento, kind, [id_], *make(**VALUES)).values()
        assert isinstance(found, Ready), found
        assert faults_of(json.loads(found.record.body)) == []
