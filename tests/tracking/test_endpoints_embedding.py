"""The snippet and the beacon: asked plainly, and from a page of another origin in Chromium."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace

import pytest
from flask import Flask, Response, request

from bridge.db import db
from bridge.events import OrderPlaced
from bridge.sandbox.listener import Listener
from bridge.tracking.endpoints import embedding
from tests.chromium import CHROMIUM
from tests.tracking.conftest import ACCOUNT, DEFAULT_VIEW, STORES, make_book
from tests.tracking.tag_shop import OMETRIA

SHOP = {"Origin": "http://store.test"}


@pytest.fixture
def client(room):
    return room.app.test_client()


# ---- the snippet ---------------------------------------------------------------------------------------------------


def test_the_snippet_is_one_element_with_the_public_address(make_room):
    answer = make_room(public_url="https://bridge.test").app.test_client().get("/_bridge/snippet/fr")
    assert answer.text == (
        f'<script src="https://bridge.test/_bridge/tag.js?view=fr" data-bridge data-account="{ACCOUNT}" data-store="fr" async>'
        "</script>\n"
    )
    assert answer.mimetype == "text/plain"
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_snippet_names_the_view_as_the_export_does(make_room):
    client = make_room(make_book(general__store_id_kind="id")).app.test_client()
    assert 'data-store="2"' in client.get("/_bridge/snippet/fr").text


def test_an_unknown_view_and_one_without_account_say_what_to_do(make_room):
    client = make_room(make_book(general__account_id="")).app.test_client()
    assert client.get("/_bridge/snippet/fr").status_code == 409
    unknown = client.get("/_bridge/snippet/%3Cb%3E")
    assert (unknown.status_code, unknown.mimetype) == (404, "text/plain")
    assert unknown.headers["X-Content-Type-Options"] == "nosniff"


# ---- the beacon ----------------------------------------------------------------------------------------------------


def told(client, body, headers=SHOP, **more):
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post("/_bridge/beacon", data=data, headers=headers, content_type="text/plain", **more)


def test_an_order_is_told_once_and_names_its_view(room, client):
    for _ in range(2):
        answer = told(client, {"orders": ["000000001", "000000002", "000000001"], "store": "fr"})
        assert answer.status_code == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "http://store.test"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    events = room.stream.urgent
    assert [(type(event), event.number, event.store, event.visitor) for event in events] == [
        (OrderPlaced, "000000001", "fr", None),
        (OrderPlaced, "000000002", "fr", None),
    ]


def test_the_view_is_that_of_the_page_where_none_is_named(room, client):
    told(client, {"orders": ["7"]}, {"Origin": "http://eu.store.test"})
    assert room.stream.urgent[0].store == "fr"


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.test", "http://store.test.evil.test", "http://store.test:8080", "store.test"]
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "GET"])
def test_a_page_of_another_host_is_refused(room, client, origin, method):
    headers = {"Origin": origin} if origin else {}
    answer = client.open("/_bridge/beacon", method=method, headers=headers, data='{"orders": ["1"]}')
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert room.stream.events == []


def test_a_question_before_the_call_is_answered(client):
    answer = client.options("/_bridge/beacon", headers={"Origin": "https://store.test"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Methods"]) == (204, "POST")
    assert client.get("/_bridge/beacon", headers=SHOP).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", "1", b"\xff\xfe", '{"orders": "1"}', '{"orders": []}', '{"orders": [1]}',
        '{"orders": ["a b"]}', '{"orders": ["<script>"]}', json.dumps({"orders": ["9" * 51]}),
        json.dumps({"orders": ["1"] * 11}), '{"orders": ["1"], "store": "../x"}', "x" * 5000,
        '{"orders": ["1"], "email": "a@example.com"}', '{"email": "a@example.com"}', "[" * 4000,
    ],
)  # fmt: skip
def test_what_names_no_order_is_refused_and_makes_nothing(room, client, body):
    assert told(client, body).status_code == 400
    assert room.stream.events == []


def test_where_nothing_is_enabled_nothing_is_emitted(make_room):
    room = make_room(make_book(general__enabled=False))
    assert told(room.app.test_client(), {"orders": ["1"]}).status_code == 204
    assert room.stream.events == []


def test_without_the_database_the_order_is_told_all_the_same(room, client):
    with room.app.app_context():
        db.drop_all()
    assert told(client, {"orders": ["1"]}).status_code == 204
    assert len(room.stream.events) == 1


@pytest.mark.parametrize("limit", ["ADDRESS_CALLS", "ALL_CALLS"])
def test_too_many_calls_are_put_off(room, client, monkeypatch, limit):
    monkeypatch.setattr(embedding, limit, 2)
    statuses = [told(client, {"orders": [str(number)]}).status_code for number in range(4)]
    assert statuses == [204, 204, 429, 429]
    assert len(room.stream.events) == 2


# ---- a page of another origin --------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(make_room):
    """Give a shop without proxy whose pages have the snippet: (its address, bridge's address, the room, the calls)."""
    with ExitStack() as stack:
        bridge, shop = Listener("127.0.0.1", 0), Listener("127.0.0.1", 0)
        address = f"http://localhost:{shop.port}"
        view = replace(DEFAULT_VIEW, base_url=f"{address}/", link_url=f"{address}/")
        room = make_room(make_book((view, *STORES[1:])), public_url=bridge.url, ometria_tag_url="/tags/{account_id}.js")
        calls = []
        shop.start(_shop(room.app.test_client().get("/_bridge/snippet/default").text, calls))
        bridge.start(room.app)
        stack.callback(shop.stop)
        stack.callback(bridge.stop)
        yield address, bridge.url, room, calls


def _shop(snippet, calls):
    app = Flask("elsewhere")

    @app.get("/")
    def home():
        page = f"<!doctype html><html><head>{snippet}<link rel=icon href=data:,></head>"
        return f'{page}<body class="cms-index-index"></body></html>'

    @app.get("/tags/<account>.js")
    def ometria(account):
        return Response(OMETRIA, mimetype="text/javascript")

    @app.post("/calls")
    def call():
        calls.append(json.loads(request.data)[2])
        return "", 204

    return app


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: install the package chromium")
def test_a_page_of_another_origin_is_tracked_and_its_order_told(elsewhere, chromium):
    address, bridge, room, calls = elsewhere
    context = chromium.new_context()
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.wait_for_function("window.ometria && window.ometria.bridge")
    for _ in range(100):
        if calls:
            break
        page.wait_for_timeout(50)
    assert calls[0][:2] == ["init", "homepage"]
    status = page.evaluate(
        """async (url) => (await fetch(url, {method: 'POST', credentials: 'include',
           body: JSON.stringify({orders: ['000000042'], store: 'default'})}).catch((error) => ({status: 0}))).status""",
        f"{bridge}/_bridge/beacon",
    )
    # With credentials the answer is not readable: the beacon wants none.
    assert status == 0
    sent = page.evaluate(
        "(url) => navigator.sendBeacon(url, JSON.stringify({orders: ['000000042'], store: 'default'}))",
        f"{bridge}/_bridge/beacon",
    )
    assert sent
    status = page.evaluate(
        """async (url) => (await fetch(url, {method: 'POST', credentials: 'omit',
           body: JSON.stringify({orders: ['000000043']})})).status""",
        f"{bridge}/_bridge/beacon",
    )
    assert status == 204
    for _ in range(100):
        if len(room.stream.urgent) == 2:
            break
        page.wait_for_timeout(50)
    assert [(event.number, event.store) for event in room.stream.urgent] == [
        ("000000042", "default"),
        ("000000043", "default"),
    ]
    assert context.cookies() == []
    assert wrong == []
    context.close()
