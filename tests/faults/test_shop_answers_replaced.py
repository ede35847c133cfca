"""Any answer of the shop replaced while everything is exported: in the end Ometria holds what the shop holds.

The bound: a record is sent once, and once more for each push whose answer was lost.
"""

from __future__ import annotations

from collections import Counter

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.db import db
from bridge.export import Exporter, cursors, ease, history, jobs
from bridge.models import Pending
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import load_book
from bridge.store import make_store
from tests.export.conftest import SECRET, account, book, database, ometria_app, room, settings, shop
from tests.export.serving import serve

pytestmark = pytest.mark.redis
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
}


class Faulty:
    """Replaces every n-th REST answer of the shop while ``on``."""

    def __init__(self, shop_app, answer, every):
        self.shop, self.answer, self.every, self.on, self.count = shop_app, answer, every, False, 0

    def __call__(self, environ, start_response):
        if not self.on or not environ["PATH_INFO"].startswith("/rest/"):
            return self.shop(environ, start_response)
        self.count += 1
        if self.count % self.every:
            return self.shop(environ, start_response)
        whole = Response.from_app(self.shop, environ)
        whole.direct_passthrough = False
        return self.answer(whole.get_data())(environ, start_response)


def work(rounds):
    """Let the jobs run as the clock would, as if each wait had passed."""
    for _ in range(rounds):
        db.session.execute(db.update(Pending).where(Pending.state == "waiting").values(due_at=0))
        db.session.commit()
        cursors.clear(ease.PACE)
        for walk in history.running():
            jobs.history(*walk)
        for one in load_book().accounts():
            jobs.backlog(one.id)
        if not history.running() and not db.session.query(Pending).count():
            return


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ANSWERS)
def test_what_ometria_holds_in_the_end_is_what_the_shop_holds(room, database, name):
    faulty = Faulty(create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN)), ANSWERS[name], 3)
    with serve(faulty) as url:
        own = room.exporter
        config = Config(
            secret_keys=(SECRET,),
            store_url=url,
            public_url="http://shop.test",
            store_token=TOKEN,
            ometria_api_url=own.config.ometria_api_url,
        )
        exporter = Exporter(config, own.redis, own.wakes, make_store(config), own.ometria)
        database.extensions["bridge.export"] = exporter
        jobs.poll()
        for kind in ("product", "contact", "order"):
            history.begin(kind, "default")
        faulty.on = True
        work(3)
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
