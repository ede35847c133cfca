"""Any answer of Ometria replaced while everything is exported: in the end it holds what it holds without a fault.

The bound of docs/delivery.md: a record goes out once, and once more for each push that was taken and whose answer was
lost. Where the push was not taken nothing is sent twice.
"""

from __future__ import annotations

import pytest
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.db import db
from bridge.errors import BridgeError
from bridge.events import EntityRef
from bridge.export import Exporter, history, jobs, ledger
from bridge.models import Pending, SentRecord
from bridge.ometria import Ometria
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.settings import load_book
from tests.export import samples
from tests.export.conftest import KEYS, SECRET, Room, account, book, database, settings, shop
from tests.export.serving import serve
from tests.faults.replaced import HTML, Replaced, json_answer, slow, work

pytestmark = pytest.mark.redis
__all__ = ["account", "book", "database", "settings", "shop"]
TOTAL = 1.0
LATE = 1.5
BEFORE = {
    "time-out before": slow(lambda _: None, LATE),
    "hung up before": lambda _: None,
    "429": lambda _: json_answer(429, '{"status":"ERROR","message":"Rate limit exceeded"}'),
    "429 with a time": lambda _: json_answer(429, "{}", **{"Retry-After": "7"}),
    "403": lambda _: json_answer(403, '{"message":"API key is not authorised to access this resource"}'),
    "401": lambda _: json_answer(401, "{}"),
    "404 by a wrong address": lambda _: json_answer(404, "{}"),
    "500 before": lambda _: json_answer(500, "{}"),
    "503 of a web server": lambda _: Response(HTML, 503, mimetype="text/html"),
    "html with 200, not taken": lambda _: Response(HTML, 200, mimetype="text/html"),
    "a redirect": lambda _: Response("", 302, headers={"Location": "https://example.com/"}),
    "413": lambda _: json_answer(413, "{}"),
    "400": lambda _: json_answer(400, '{"message":"Payload invalid"}'),
}
AFTER = {
    "time-out after": slow(lambda _: None, LATE),
    "hung up after": lambda _: None,
    "500 after": lambda _: json_answer(500, "{}"),
    "html with 200, taken": lambda _: Response(HTML, 200, mimetype="text/html"),
    "truncated": lambda whole: json_answer(200, whole[: len(whole) // 2].decode()),
    "empty": lambda _: json_answer(200, ""),
    "null": lambda _: json_answer(200, "null"),
}


@pytest.fixture(scope="module")
def fake():
    options = OmetriaOptions(api_keys=KEYS, push_per_second=100, data_per_second=100, validation_delay=0)
    replaced = Replaced(create_ometria(options))
    with serve(replaced) as url:
        yield replaced, url


@pytest.fixture
def room(database, book, shop, fake, redis_client, settings, monkeypatch, request):
    replaced, url = fake
    received = replaced.app.extensions["received"]
    received.reset()
    replaced.on, replaced.count = False, 0
    replaced.sent.clear()
    replaced.lost.clear()
    config = Config(secret_keys=(SECRET,), ometria_api_url=f"{url}/v2")
    # On a loaded machine an answer may come after TOTAL; only where that is meant may it be taken for lost, and said again.
    total = TOTAL if "time-out" in request.node.name else 60
    ometria = Ometria(config.ometria_api_url, redis_client, total=total)
    from bridge.queues import Wakes

    exporter = Exporter(config, redis_client, Wakes(redis_client), shop, ometria)
    database.extensions["bridge.export"] = exporter
    settings(export__requests_per_second=100)
    # Small chunks: many pushes of few records.
    monkeypatch.setattr("bridge.export.session.CHUNK", 4)
    for number in range(100, 112):
        shop.put(samples.product(str(number), f"S{number}", f"Thing {number}", "5"))
        shop.put(samples.order(str(number), samples.line("1", "1", "BAG", "34")))
    return Room(exporter, received, shop)


def export_all(room, replaced, *, faults: bool):
    """Export everything there is; return what Ometria holds then, by kind and id."""
    for kind in ("product", "contact", "order"):
        history.begin(kind, "default", again=True)
    redis = room.exporter.redis
    if faults:
        replaced.on = True
        work(redis, 4)
        assert replaced.count > replaced.every, "answers were replaced"
        replaced.on = False
        jobs.ledger.retry_refused()
    work(redis, 12)
    assert not history.running()
    assert db.session.query(Pending).count() == 0
    return {kind: room.records(kind) for kind in ("product", "contact", "order")}


@pytest.fixture(scope="module")
def expected():
    """What a run without faults leaves at Ometria; the first test of the module makes it."""
    return {}


def test_a_run_without_faults_sends_everything_once(room, fake, expected):
    replaced, _ = fake
    expected |= export_all(room, replaced, faults=False)
    ids = {
        kind: [ref.id for ref in room.shop._entities if ref.kind == kind] for kind in ("product", "order", "contact")
    }
    assert set(expected["product"]) == set(ids["product"])
    assert len(expected["order"]) == len(ids["order"])
    assert set(expected["contact"]) == {id_.removeprefix("customer:") for id_ in ids["contact"]}
    assert set(replaced.sent.values()) == {1}


@pytest.mark.parametrize("name", [*BEFORE, *AFTER])
def test_in_the_end_ometria_holds_what_the_shop_holds(room, fake, expected, name):
    replaced, _ = fake
    assert expected, "the run without faults"
    replaced.answer, replaced.after = (AFTER | BEFORE)[name], name in AFTER
    assert export_all(room, replaced, faults=True) == expected
    assert {key: count for key, count in replaced.sent.items() if count > 1 + replaced.lost[key]} == {}
    assert bool(replaced.lost) is (name in AFTER)


@pytest.mark.parametrize("name", ["html with 200", "null", "truncated", "500", "429", "hung up"])
def test_an_error_list_that_is_replaced_confirms_nothing_and_is_read_again(room, fake, account, name):
    """A record that was refused late is found once the list can be read, and what is not known stays unknown."""
    answers = {
        "html with 200": Response(HTML, 200, mimetype="text/html"),
        "null": json_answer(200, "null"),
        "truncated": json_answer(200, '[{"request_id":"x","rec'),
        "500": json_answer(500, "[]"),
        "429": json_answer(429, "{}"),
        "hung up": None,
    }
    replaced, _ = fake
    room.received.faults.plan({"refuse": {"type": "product", "id": "100"}})
    ledger.add([ledger.Owed(account.id, EntityRef("product", "100"))], "live")
    db.session.commit()
    jobs.session(account.id)
    whole = replaced.app.wsgi_app

    def other(environ, start_response):
        if environ["PATH_INFO"].endswith("/_errors"):
            answer = answers[name]
            if answer is None:
                from tests.faults.replaced import hang_up

                hang_up(environ)
                answer = Response("", 504)
            return answer(environ, start_response)
        return whole(environ, start_response)

    replaced.app.wsgi_app = other
    try:
        with pytest.raises(BridgeError):
            room.exporter.ometria.errors(load_book().accounts()[0])
        jobs.upkeep()
        assert db.session.query(SentRecord).one().state == "sent"
    finally:
        replaced.app.wsgi_app = whole
    jobs.upkeep()
    db.session.rollback()
    assert db.session.query(SentRecord).one().state == "refused"
    assert db.session.query(Pending).one().state == "refused"
