"""One suite for every store: what the export room may rely on, whatever the platform."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

import msgspec
import pytest

from bridge.config import Config
from bridge.errors import Misconfigured, Retry
from bridge.events import KINDS, EntityRef
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.store import Customer, Gone, Order, Product, make_store
from bridge.store.memory import Memory
from tests.export import samples
from tests.export.serving import serve

TOKEN = "token-of-the-sandbox"
TYPES = {"contact": Customer, "product": Product, "order": Order}


@pytest.fixture(scope="module")
def sandbox_url():
    with serve(create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN))) as url:
        yield url


@pytest.fixture(params=["memory", "magento"])
def store(request):
    if request.param == "memory":
        memory = Memory(samples.TREE, (*samples.ENTITIES, *samples.SETS), page=2)
        memory.labels.update(samples.LABELS)
        return memory
    url = request.getfixturevalue("sandbox_url")
    return make_store(Config(store_url=url, public_url="http://shop.test", store_token=TOKEN))


def all_rows(walk, kind):
    rows, cursor = [], None
    while True:
        page = walk(kind, cursor)
        rows += page.rows
        cursor = page.cursor
        if cursor is None:
            return rows


def first_view(store) -> str:
    return store.tree().views[0].code


def test_the_tree_has_websites_and_their_store_views(store):
    tree = store.tree()
    websites = {site.id for site in tree.websites}
    assert websites
    assert tree.views
    assert {view.website_id for view in tree.views} <= websites
    assert all(view.id > 0 and view.base_url.endswith("/") and len(view.currency) == 3 for view in tree.views)
    assert any(view.is_default for view in tree.views)


def test_the_clock_is_aware(store):
    assert store.now().tzinfo is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_walk_gives_each_id_once_in_ascending_order(store, kind):
    ids = [row.ref for row in all_rows(store.ids, kind)]
    numbers = [int(ref.id.removeprefix("customer:")) for ref in ids]
    assert numbers == sorted(set(numbers)) != []
    assert all(ref.kind == kind for ref in ids)
    assert all(ref.id.startswith("customer:") == (kind == "contact") for ref in ids)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_and_ids_walk_over_the_same_entities(store, kind):
    entities = all_rows(store.pages, kind)
    assert all(isinstance(entity, TYPES[kind]) for entity in entities)
    assert [entity.id for entity in entities] == [
        row.ref.id.removeprefix("customer:") for row in all_rows(store.ids, kind)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_listed_entity_can_be_fetched_and_says_where_it_belongs(store, kind):
    rows = all_rows(store.ids, kind)
    found = store.fetch([row.ref for row in rows], [first_view(store)])
    assert set(found) == {row.ref for row in rows}
    for row in rows:
        entity = found[row.ref]
        assert isinstance(entity, TYPES[kind])
        assert row.updated_at == entity.updated_at
        if kind == "product":
            assert row.website_ids == entity.website_ids
        else:
            assert row.store_id == entity.store_id


def test_what_the_shop_does_not_have_is_gone_and_stops_nothing(store):
    known = store.ids("product").rows[0].ref
    unknown = [EntityRef("product", "999999"), EntityRef("order", "999999"), EntityRef("contact", "customer:999999")]
    found = store.fetch([known, *unknown])
    assert isinstance(found[known], Product)
    assert all(found[ref] == Gone() for ref in unknown)
    assert store.fetch([]) == {}


def test_a_product_carries_the_values_of_each_store_view_that_was_asked_for(store):
    code = first_view(store)
    refs = [row.ref for row in all_rows(store.ids, "product")]
    for product in store.fetch(refs, [code]).values():
        assert set(product.views) == {code}
        assert product.views[code].name


@pytest.mark.parametrize("kind", KINDS)
def test_all_changes_are_within_the_two_moments_and_come_once(store, kind):
    rows = all_rows(store.ids, kind)
    stamps = sorted(row.updated_at for row in rows)
    middle = stamps[len(stamps) // 2]
    changed = list(store.changed_since(kind, middle, stamps[-1]))
    assert sorted(row.ref for row in changed) == sorted(row.ref for row in rows if row.updated_at >= middle)
    assert (
        list(store.changed_since(kind, stamps[-1] + dt.timedelta(seconds=1), stamps[-1] + dt.timedelta(days=1))) == []
    )


def test_an_order_is_found_by_its_number_and_its_address(store):
    order = store.pages("order").rows[0]
    assert store.order_by_number(order.number).id == order.id
    assert store.order_by_number(order.number, order.email).id == order.id
    assert store.order_by_number(order.number, "nobody@example.com") is None
    assert store.order_by_number("no-such-number") is None


def test_an_order_is_told_with_all_that_its_mails_show(store):
    order = store.pages("order").rows[0]
    found = store.order_details(order.number, order.email)
    assert found.order == store.order_by_number(order.number, order.email)
    assert isinstance(found.shipments, tuple)
    assert store.order_details(order.number, "nobody@example.com") is None


def test_a_customer_is_found_by_address_and_website(store):
    customer = store.pages("contact").rows[0]
    assert store.customer_by_email(customer.email, customer.website_id).id == customer.id
    assert store.customer_by_email("nobody@example.com", customer.website_id) is None


def test_products_are_found_by_sku(store):
    one, other = store.pages("product").rows[:2]
    found = store.products_by_sku([one.sku, other.sku, "no such, sku"])
    assert {sku: product.id for sku, product in found.items()} == {one.sku: one.id, other.sku: other.id}
    assert store.products_by_sku([]) == {}


def test_families_name_what_products_hold(store):
    products = {product.id: product for product in all_rows(store.pages, "product")}
    families = list(store.families())
    kinds = ["configurable", "bundle", "grouped"]
    assert [kind for kind, _ in groupby(family.kind for family in families)] == kinds
    assert {family.parent for family in families} == {one.id for one in products.values() if one.children or one.parts}
    for family in families:
        parent = products[family.parent]
        assert (parent.sku, parent.type) == (family.sku, family.kind)
        held = parent.children or [products[child].sku for child in family.children]
        assert list(held) == list(family.children if parent.children else parent.parts)
        assert all(child in products for child in family.children)


def test_attributes_are_found_with_the_labels_of_their_options(store):
    view = first_view(store)
    names = ["color", "material", "no_such_attribute"]
    found = store.attributes("product", names, view)
    assert list(found) == names[:2]
    assert (found["color"].code, found["color"].input, found["material"].input) == ("color", "select", "multiselect")
    labels = [label for info in found.values() for label in info.options.values()]
    assert labels
    assert all(label.strip() for label in labels)
    assert store.attributes("product", [found["color"].id], view) == {found["color"].id: found["color"]}
    assert store.attributes("product", names, view, fresh=True) == found
    assert store.attributes("order", ["status"], view) == {}


def test_products_carry_the_options_that_their_attributes_name(store):
    view = first_view(store)
    names = store.attributes("product", ["color"], view)["color"].options
    products = store.fetch([row.ref for row in all_rows(store.ids, "product")], [view]).values()
    options = {product.views[view].values["color"] for product in products if "color" in product.views[view].values}
    assert options
    assert options <= names.keys()


def test_the_variant_of_a_configurable_line_is_a_row_below_it(store):
    for order in all_rows(store.pages, "order"):
        lines = {line.id: line for line in order.lines}
        for line in order.lines:
            if line.parent:
                assert lines[line.parent].type in {"configurable", "bundle"}
                assert line.product != lines[line.parent].product


def test_moments_are_aware_and_money_is_decimal(store):
    order = store.pages("order").rows[0]
    assert order.created_at.tzinfo is not None
    assert type(order.local.grand_total).__name__ == "Decimal"
    assert msgspec.json.encode(order)


def test_a_refused_token_and_a_fault_are_raised_by_every_method(store, sandbox_url):
    if isinstance(store, Memory):
        store.fault = Misconfigured("no")
        broken, kind = store, Misconfigured
    else:
        broken, kind = (
            make_store(Config(store_url=sandbox_url, public_url="http://shop.test", store_token="wrong-token")),
            (Misconfigured, Retry),
        )
    now = dt.datetime.now(dt.UTC)
    for call in (
        broken.tree,
        lambda: broken.fetch([EntityRef("order", "1")]),
        lambda: broken.pages("order"),
        lambda: broken.ids("product"),
        lambda: list(broken.changed_since("contact", now, now)),
        lambda: broken.order_by_number("1"),
        lambda: broken.customer_by_email("a@example.com", 1),
        lambda: broken.products_by_sku(["A"]),
        lambda: list(broken.families()),
        lambda: broken.attributes("product", ["color"], "default"),
    ):
        with pytest.raises(kind):
            call()
