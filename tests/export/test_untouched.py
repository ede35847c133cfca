"""Every change that leaves ``updated_at`` where it was, as a running shop showed, is found by another signal.

The sandbox keeps the same rule: its stock moves and partial shipments touch no product and no order.
"""

from __future__ import annotations

import datetime as dt
import time

import msgspec
import pytest
import requests

from bridge.errors import Misconfigured, Stumbled
from bridge.events import EntityRef
from bridge.export import cursors, jobs, stock
from bridge.settings import load_book
from bridge.store import Listed, Paper
from tests.export import samples
from tests.export.test_jobs import waiting
from tests.export.test_sandbox import TOKEN, export_all, sandbox

pytestmark = pytest.mark.redis
__all__ = ["sandbox"]


def paper(order, moment, name="shipment:1"):
    listed = Listed(ref=EntityRef("order", order), updated_at=moment, store_id=1)
    return Paper(id=name, order=listed)


class TestDocuments:
    @pytest.fixture
    def quiet(self, room):
        """A shop whose changes were all seen: nothing waits."""
        room.shop.clock = lambda: samples.at(3)
        jobs.poll()
        room.shop.clock = lambda: samples.at(5)
        return room

    @pytest.mark.parametrize("kind", ["shipment", "invoice", "credit_memo"])
    def test_a_new_document_owes_its_order_once(self, quiet, kind):
        assert ("order", "4") not in waiting()
        quiet.shop.made.append(paper("4", samples.at(4, 59), f"{kind}:1"))
        jobs.poll()
        assert waiting()["order", "4"].lane == "live"
        generation = waiting()["order", "4"].generation
        jobs.poll()
        assert waiting()["order", "4"].generation == generation

    def test_a_document_that_appears_late_is_found(self, quiet):
        jobs.poll()
        quiet.shop.made.append(paper("4", samples.at(4, 57)))
        quiet.shop.clock = lambda: samples.at(5, 1)
        jobs.poll()
        assert ("order", "4") in waiting()

    def test_old_documents_are_no_news(self, quiet):
        quiet.shop.made.append(paper("4", samples.at(2)))
        jobs.poll()
        assert waiting() == {}

    def test_a_kind_that_the_shop_fails_to_list_hides_none_of_the_others(self, quiet, monkeypatch):
        whole = quiet.shop.changed_since

        def failing(kind, since, until):
            if kind == "order":
                raise Stumbled("The shop failed.")
            return whole(kind, since, until)

        monkeypatch.setattr(quiet.shop, "changed_since", failing)
        quiet.shop.put(msgspec.structs.replace(samples.BAG, updated_at=samples.at(4, 59)))
        quiet.shop.made.append(paper("4", samples.at(4, 59)))
        jobs.poll()
        assert {("product", "1"), ("order", "4")} <= set(waiting())

    def test_a_missing_right_for_documents_stops_no_other_poll(self, quiet, monkeypatch):
        def refused(*_):
            raise Misconfigured("The shop refuses the token for Magento_Sales::shipment (401).")

        monkeypatch.setattr(quiet.shop, "papers", refused)
        quiet.shop.put(msgspec.structs.replace(samples.BAG, updated_at=samples.at(4, 59)))
        jobs.poll()
        assert ("product", "1") in waiting()
        assert "Magento_Sales::shipment" in cursors.read("shop")["problem"]


def ask(own, method, route, **given):
    answer = requests.request(
        method,
        f"{own.config.store_url}/rest/V1/{route}",
        headers={"Authorization": f"Bearer {TOKEN}", "Host": "shop.test"},
        timeout=20,
        **given,
    )
    assert answer.ok, answer.text
    return answer.json()


def stamp(own, kind, id_):
    return own.store.fetch([EntityRef(kind, id_)])[EntityRef(kind, id_)].updated_at


def test_stock_set_by_the_api_is_told_by_the_stock_sweep(room, sandbox):
    export_all("product")
    stock.sweep(sandbox.store, load_book())
    product = next(one for one in sandbox.store.pages("product").rows if one.type == "simple")
    before = stamp(sandbox, "product", product.id)
    assert room.records("product")[product.id]["is_in_stock"] is True
    item = {"sku": product.sku, "source_code": "default", "quantity": 0, "status": 0}
    ask(sandbox, "POST", "inventory/source-items", json={"sourceItems": [item]})
    assert stamp(sandbox, "product", product.id) == before, "the shop does not tell"
    more, touched = stock.sweep(sandbox.store, load_book(), now=time.time() + 901)
    assert (more, len(touched)) == (False, 1)
    jobs.session(next(iter(touched)))
    assert room.records("product")[product.id]["is_in_stock"] is False


def test_a_partial_shipment_of_an_order_in_progress_is_told_by_its_document(room, sandbox):
    papers = list(sandbox.store.papers(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), sandbox.store.now()))
    kinds = {one.id.partition(":")[0] for one in papers}
    assert kinds == {"shipment", "invoice", "credit_memo"}, "the sandbox has documents of each kind"
    order = next(one for one in sandbox.store.pages("order").rows if one.state == "processing")
    made = ask(sandbox, "POST", f"order/{order.id}/ship", json={})
    later = sandbox.store.now() + dt.timedelta(minutes=1)
    fresh = [one for one in sandbox.store.papers(later - dt.timedelta(hours=1), later) if one.id == f"shipment:{made}"]
    assert [one.order.ref for one in fresh] == [EntityRef("order", order.id)]
