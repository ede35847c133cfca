"""Any answer of the shop replaced while everything is exported: in the end Ometria holds what the shop holds.

The bound: a record is sent once, and once more for each push whose answer was lost.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.db import db
from bridge.export import Exporter, cursors, ease, history, jobs
from bridge.models import Pending
from bridge.sandbox.catalog import PRODUCTS, Catalog
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.sandbox.views import SHELVES
from bridge.sandbox.web import EXTENSION
from bridge.settings import load_book
from bridge.store.magento import Magento
from bridge.store.magento_lists import SIZES
from bridge.store.magento_rest import Rest
from tests.export.conftest import SECRET, account, book, database, ometria_app, room, settings, shop
from tests.export.serving import serve
from tests.faults.replaced import hang_up

pytestmark = [pytest.mark.redis, pytest.mark.slow]
__all__ = ["account", "book", "database", "ometria_app", "room", "settings", "shop"]
TOKEN = "token-of-the-sandbox"
HTML = "<html><body>Service Temporarily Unavailable</body></html>"
ANSWERS = {
    "500": lambda _: Response('{"message":"Internal Error."}', 500, mimetype="application/json"),
    "503": lambda _: Response(HTML, 503, mimetype="text/html"),
    "429": lambda _: Response('{"message":"Too many"}', 429, mimetype="application/json"),
    "403 by a firewall": lambda _: Response(HTML, 403, mimetype="text/html"),
    "html with 200": lambda _: Response(HTML, 200, mimetype="text/html"),
    "truncated": lambda whole: Response(whole[: len(whole) // 2], 200, mimetype="application/json"),
    "empty list": lambda _: Response('{"items":[]}', 200, mimetype="application/json"),
    "none found": lambda _: Response('{"items":[],"total_count":0}', 200, mimetype="application/json"),
    "the page before": None,
    "hung up": None,
    "time-out": None,
}
TOTAL = 1.5
"""Seconds in which the shop must answer here."""


class Faulty:
    """Replaces every n-th REST answer of the shop while ``on``."""

    def __init__(self, shop_app, name, every):
        self.shop, self.name, self.every, self.on, self.count = shop_app, name, every, False, 0
        self.before = {}

    def __call__(self, environ, start_response):
        if not self.on or not environ["PATH_INFO"].startswith("/rest/"):
            return self.shop(environ, start_response)
        self.count += 1
        whole = Response.from_app(self.shop, environ)
        whole.direct_passthrough = False
        if self.count % self.every == 0:
            whole = self.other(environ, whole)
        self.before[environ["PATH_INFO"]] = whole
        return whole(environ, start_response)

    def other(self, environ, whole):
        if ANSWERS[self.name] is not None:
            return ANSWERS[self.name](whole.get_data())
        if self.name == "the page before":
            return self.before.get(environ["PATH_INFO"], whole)
        if self.name == "time-out":
            time.sleep(TOTAL + 0.3)
        hang_up(environ)
        return whole


def work(rounds, *, sweeping=False):
    """Let the jobs run as the clock would, as if each wait had passed; a sweep would put right what was sent wrong."""
    for _ in range(rounds):
        db.session.execute(db.update(Pending).where(Pending.state == "waiting").values(due_at=0))
        db.session.commit()
        cursors.clear(ease.PACE)
        for job in (jobs.poll, jobs.stock, jobs.sweep) if sweeping else ():
            job()
        for walk in history.running():
            jobs.history(*walk)
        for one in load_book().accounts():
            jobs.backlog(one.id)
        if not history.running() and not db.session.query(Pending).count():
            return


def connected(room, database, url):
    """Let the room's jobs read this shop."""
    own = room.exporter
    config = Config(
        secret_keys=(SECRET,),
        store_url=url,
        public_url="http://shop.test",
        store_token=TOKEN,
        ometria_api_url=own.config.ometria_api_url,
    )
    exporter = Exporter(config, own.redis, own.wakes, Magento(config, Rest(config, total=TOTAL)), own.ometria)
    database.extensions["bridge.export"] = exporter
    return exporter


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ANSWERS)
def test_what_ometria_holds_in_the_end_is_what_the_shop_holds(room, database, name):
    faulty = Faulty(
        create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN)), name, 10 if name == "time-out" else 3
    )
    with serve(faulty) as url:
        exporter = connected(room, database, url)
        jobs.poll()
        for kind in ("product", "contact", "order"):
            history.begin(kind, "default")
        faulty.on = True
        work(3, sweeping=True)
        faulty.on = False
        assert faulty.count > faulty.every, "answers were replaced"
        work(20)
        assert not history.running()
        assert {row.state for row in db.session.query(Pending)} <= {"refused"}
        jobs.ledger.retry_refused()
        work(10)
        store = exporter.store
        assert set(room.records("product")) == {row.ref.id for row in store.ids("product").rows}
        assert set(room.records("order")) == {order.number for order in store.pages("order").rows}
        assert len(room.records("contact")) == store.ids("contact").left
        times = Counter((push["type"], id_) for push in room.pushes() if push["status"] == 200 for id_ in push["ids"])
        resent = {key for key, count in times.items() if count > 1}
        # A variant goes out again once its parent is known; nothing else was said twice.
        assert {kind for kind, _ in resent} <= {"product"}
        assert max(times.values()) <= 2
        # What is held is whole: a healthy walk over everything finds no record that differs.
        before = len(room.pushes())
        for kind in ("product", "contact", "order"):
            history.begin(kind, "default")
        work(20)
        assert not history.running()
        assert [push["ids"] for push in room.pushes()[before:]] == []


def move_customers(state):
    """Return the one that goes, as Ometria would hold it."""
    state.add_customer(f"new{len(state.customers)}@example.com", "New", "Buyer", "Password1")
    oldest = min(state.customers)
    del state.customers[oldest]
    return str(oldest)


def move_orders(state):
    newest = state.orders[max(state.orders)]
    id_ = newest.entity_id + 1
    state.orders[id_] = replace(newest, entity_id=id_, increment_id=f"9{id_:08d}", created_at=state.now())
    return state.orders.pop(min(state.orders)).increment_id


def move_products(state):
    goods = state.goods
    number = max(product.id for product in goods) + 1
    single = next(product for product in goods if product.type_id == "simple" and product.visibility == 4)
    goods.append(
        replace(
            single,
            id=number,
            sku=f"NEW-{number}",
            url_key=f"new-{number}",
            created_at=state.now(),
            updated_at=state.now(),
        )
    )
    held = {id_ for product in goods for id_ in (*product.children, *product.associated)}
    held |= {one.product_id for product in goods for option in product.bundle for one in option.selections}
    goods.remove(oldest := next(product for product in goods if product.type_id == "simple" and product.id not in held))
    state.quantities[f"NEW-{number}"] = 5
    state.catalogs = {view.shelf: Catalog(tuple(goods), view=view) for view in SHELVES}
    return str(oldest.id)


MOVES = {
    "contact": ("/customers/search", move_customers, lambda state: {str(id_) for id_ in state.customers}),
    "product": ("/products", move_products, lambda state: {str(product.id) for product in state.goods}),
    "order": ("/orders", move_orders, lambda state: {order.increment_id for order in state.orders.values()}),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", MOVES)
def test_rows_that_come_and_go_while_the_list_is_paged_hide_no_other(room, database, monkeypatch, kind):
    """With each page that is asked for a row comes, another one changes, and the first of those listed is gone."""
    monkeypatch.setitem(SIZES, kind, 2)
    shop_app = create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN))
    state = shop_app.extensions[EXTENSION]
    state.goods = list(PRODUCTS)
    path, move, there_now = MOVES[kind]
    there, numbers, gone = there_now(state), count(), set()

    def moving(environ, start_response):
        if environ["PATH_INFO"].endswith(path) and next(numbers) < 12:
            with state.lock:
                gone.add(move(state))
        return shop_app(environ, start_response)

    with serve(moving) as url:
        connected(room, database, url)
        jobs.poll()
        history.begin(kind, "default")
        work(20)
        jobs.poll()
        work(10)
        held = set(room.records(kind))
        assert gone & there, "some of the first page went"
        assert there_now(state) <= held, "what is in the shop in the end is at Ometria"
        assert held <= there_now(state) | gone
