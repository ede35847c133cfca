"""The endpoints against their own description: whatever is asked, never a fault of ours and never another shape."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bridge.config import Config
from bridge.coupons.arguments import filters
from bridge.coupons.parameters import UnreadableError, form_pairs, parsed, united
from bridge.coupons.signature import Call, sign
from bridge.db import db
from bridge.export import people
from bridge.export.pull import ACTIONS, Pull, Wanted
from tests.coupons.api_room import HOST, PRIVATE, PUBLIC, make_room, make_shop
from tests.export import samples

FILE = Path(__file__).resolve().parents[2] / "docs" / "ometria_api.yaml"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
METHODS = {"get", "post", "put", "patch", "delete"}
SECRET = "a-secret-key-for-tests-0123456789"

pytestmark = [pytest.mark.redis, pytest.mark.slow]
schema = schemathesis.openapi.from_path(FILE)
schema.config.update(base_url=f"http://{HOST}")
unsigned = schemathesis.openapi.from_path(FILE)
unsigned.config.update(base_url=f"http://{HOST}")
unsigned.config.phases.coverage.enabled = False  # what the signed calls are asked in full need not be asked twice


class Signing:
    """Signs whatever passes, so that what lies behind the signature is reached; what cannot be read passes as it is.

    That a call is signed rightly is the other tests' matter: here bridge's own reading of the parameters is used.
    """

    def __init__(self, app, now):
        self.app = app
        self.now = now
        self.ticks = itertools.count()
        self.statuses = {}

    def __call__(self, environ, start_response):
        action = environ["PATH_INFO"].rpartition("/")[2]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ |= {"wsgi.input": io.BytesIO(body), "HTTP_HOST": HOST}
        query = "&".join(
            part
            for part in environ["QUERY_STRING"].split("&")
            if part and not part.startswith(("signature", "request_timestamp"))
        )
        # Some seconds back and some ahead: each call has a time of its own.
        query += f"&request_timestamp={int(self.now()) + 290 - next(self.ticks) % 1480}"
        form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        try:
            found = united(parsed(form_pairs(query.encode())), parsed(form_pairs(body)) if form else {})
            query += f"&signature={sign(Call(HOST, action, found), PUBLIC, PRIVATE)}"
        except UnreadableError:
            pass
        environ["QUERY_STRING"] = query

        def began(status, headers, exc_info=None):
            self.statuses.setdefault(action, set()).add(int(status[:3]))
            return start_response(status, headers, exc_info)

        return self.app(environ, began)


@pytest.fixture(scope="module")
def room(tmp_path_factory, redis_server):
    import redis

    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    shop = make_shop()
    for entity in samples.ENTITIES:
        shop.put(entity)
    for number in range(3):
        shop.insert_coupon(2, f"OM{number}")
    pull = Pull(shop, Config(secret_keys=(SECRET,)), client)

    def pulled(action):
        return lambda asked: pull.answer(action, asked.store, asked.book, Wanted(**filters(asked.arguments)))

    room = make_room(tmp_path_factory.mktemp("openapi"), client, shop, {action: pulled(action) for action in ACTIONS})
    room.sets(coupons__pull_api=True)
    with room.app.app_context():
        people.note("reader@example.com", "default", 1, 1000.0, [SECRET])
        db.session.commit()
    room.app.config["PROPAGATE_EXCEPTIONS"] = False  # as in production: a fault is a 500
    room.signing = Signing(room.app.wsgi_app, lambda: room.now)
    yield room
    with room.app.app_context():
        db.session.remove()
        db.engine.dispose()
    client.close()


def _examples(count):
    return hypothesis.settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def each(schema, count, check):
    """Return a test for each operation, by a name of its own: what runs tests in several processes counts them by names."""

    def made(path, method):
        @schema.include(path=path, method=method.upper()).parametrize()
        @_examples(count)
        def test(case, room, redis_client):
            del redis_client  # its emptying keeps the memory of signatures small
            check(case, room)

        return test

    paths = schema.raw_schema["paths"]
    asked = [(path, method) for path, methods in paths.items() for method in methods if method in METHODS]
    return {f"test_{check.__name__}_{method}_{path.rpartition('/')[2]}": made(path, method) for path, method in asked}


def whatever_is_asked_the_answer_is_one_that_is_described(case, room):
    case.operation.schema.app = room.signing
    answer = case.call(app=room.signing)
    case.validate_response(answer, checks=CHECKS)


def unsigned_the_answer_is_403_and_nothing_else(case, room):
    case.operation.schema.app, calls = room.app, len(room.shop.calls)
    answer = case.call(app=room.app, headers={"Host": HOST})
    assert answer.status_code in {403, 404, 405}
    assert answer.status_code != 403 or answer.content == b"{}"
    assert len(room.shop.calls) == calls
    case.validate_response(answer, checks=CHECKS)


globals().update(each(schema, 12, whatever_is_asked_the_answer_is_one_that_is_described))
globals().update(each(unsigned, 10, unsigned_the_answer_is_403_and_nothing_else))


def test_both_good_and_bad_answers_were_seen(room):
    """The test before would prove nothing if the signatures did not hold."""
    assert {action for action, seen in room.signing.statuses.items() if 200 in seen} >= {
        "version", "stores", "salesrules_items", "salesrules_items_coupons", *ACTIONS,
    }  # fmt: skip
    assert set().union(*room.signing.statuses.values()) >= {200, 400}


def test_the_file_describes_every_action_and_no_other(room):
    described = {path.rpartition("/")[2] for path in schema.raw_schema["paths"]}
    assert described == set(room.api._actions)
