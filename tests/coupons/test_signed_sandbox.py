"""The signed API through the proxy in front of the sandbox's shop, with the shapes that a real Magento sent."""

from __future__ import annotations

import http.client
import itertools
import json
import time

import pytest
from prometheus_client import CollectorRegistry
from werkzeug.test import Client

from bridge.app import create_app, proxy_wiring, services
from bridge.config import Config
from bridge.coupons.room import room as coupon_room
from bridge.db import db
from bridge.launch import upgrade
from bridge.proxy import Counters, ProxyMiddleware
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import load_book, set_value
from bridge.store import refresh_tree
from tests.coupons.signed_client import SignedClient
from tests.export.serving import serve
from tests.wire.conftest import start_edge

HOST, TOKEN = "shop.test", "token-of-the-sandbox"
PUBLIC, PRIVATE = "0123456789abcdef", "private-key-0001"

pytestmark = pytest.mark.redis


class Stack:
    """bridge in front of the sandbox; ``client`` signs what it asks."""

    def __init__(self, app, proxy):
        self.app = app
        self.proxy = Client(proxy)
        self.client = SignedClient(self.proxy, time.time, itertools.count(1), host=HOST, public=PUBLIC, private=PRIVATE)

    def sets(self, **values):
        with self.app.app_context():
            for name, value in values.items():
                set_value("default", name.replace("__", "."), value, "test")
            db.session.commit()
            services(self.app).books.current = load_book()


@pytest.fixture
def stack(tmp_path, redis_server, redis_client):
    with serve(create_shop(ShopOptions(base_url=f"http://{HOST}/", rest_token=TOKEN))) as url:
        config = Config(
            secret_keys=("a-secret-key-for-tests-0123456789",),
            store_url=url,
            public_url=f"http://{HOST}",
            store_token=TOKEN,
            redis_url=redis_server.url,
            database_url=f"sqlite:///{tmp_path / 'test.db'}",
            data_dir=tmp_path,
        )
        app = create_app(config)
        upgrade(app)
        with app.app_context():
            refresh_tree(services(app).store, https=False)
            db.session.commit()
        proxy = ProxyMiddleware(app.wsgi_app, proxy_wiring(app))
        stack = Stack(app, proxy)
        stack.sets(general__account_id=PUBLIC, coupons__private_key=PRIVATE)
        yield stack
        proxy.close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def test_while_it_is_off_its_paths_are_the_shops_own(stack):
    shops = stack.client.get("version")
    assert shops.status_code == 404
    assert shops.mimetype == "text/html"
    stack.sets(coupons__signed_api=True)
    assert stack.client.get("version").json["version"]
    for action in ("orders", "customers", "products", "subscribers", "get_settings", "magento_info"):
        assert stack.client.get(action).mimetype == "text/html"
    stack.sets(coupons__signed_api=False, coupons__pull_api=True)
    assert stack.client.get("version").mimetype == "text/html"
    assert stack.client.get("orders").mimetype == "application/json"


def test_a_pool_from_its_rule_to_its_last_code(stack):
    stack.sets(coupons__signed_api=True)
    rules = {row["rule_id"]: row for row in stack.client.get("salesrules_items").json}
    usable = [
        row["rule_id"]
        for row in rules.values()
        if row["is_active"] and row["coupon_type"] == "SPECIFIC_COUPON" and row["use_auto_generation"]
    ]
    (rule_id,) = map(str, usable)
    assert {"simple_action", "discount_amount", "condition", "store_labels"} <= rules[int(rule_id)].keys()
    codes = ["OM-A/1", "OM-B", "OM-C"]
    made = stack.client.post(
        "salesrules_insert_coupons", rule_id=rule_id, codes=[*codes, "SAVE10"], expiration_date="2099-12-31 23:59:59"
    )
    assert [row["code"] for row in made.json] == codes
    assert {row["usage_limit"] for row in made.json} == {rules[int(rule_id)]["uses_per_coupon"]}
    assert {row["expiration_date"] for row in made.json} == {"2099-12-31 23:59:59"}
    pages = [
        stack.client.get("salesrules_items_coupons", rule_id=rule_id, page_size="2", current_page=str(page)).json
        for page in (1, 2, 3)
    ]
    assert [[row["code"] for row in page] for page in pages] == [codes[:2], codes[2:], []]
    assert stack.client.get("salesrules_items_coupons", rule_id=rule_id, count="1").json == {"count": 3}
    gone = stack.client.post("salesrules_delete_coupons", rule_id=rule_id, codes=["OM-A/1", "NOPE", "SAVE10"])
    assert gone.json == {
        "deleted_coupons": ["OM-A/1"],
        "missing_coupons": ["NOPE"],
        "failed_coupons": ["SAVE10"],
    }
    with stack.app.app_context():
        left = [coupon.code for coupon in coupon_room().shop.find_coupons(int(rule_id))]
    assert left == codes[1:]


def test_rules_that_cannot_be_used_say_why(stack):
    stack.sets(coupons__signed_api=True)
    told = {
        rule_id: stack.client.get("salesrules_insert_coupons", rule_id=rule_id, codes=["OM-A"])
        for rule_id in ("1", "3", "4", "99")
    }
    assert [answer.status_code for answer in told.values()] == [422, 422, 422, 404]
    assert "Use Auto Generation" in told["1"].json["error"]
    assert "switched off" in told["3"].json["error"]
    assert "Specific Coupon" in told["4"].json["error"]


def test_the_pull_endpoints_read_the_whole_shop_and_never_a_key(stack):
    stack.sets(coupons__signed_api=True, coupons__pull_api=True, general__api_key="ometria-key-0001")
    said = ""
    for action in ("products", "customers", "orders"):
        total = stack.client.get(action, count="1").json["count"]
        rows, page = [], 1
        while found := stack.client.get(action, page_size="25", current_page=str(page)).json:
            rows, page = rows + found, page + 1
        assert len(rows) == total == len({row["id"] for row in rows}) > 0
        said += json.dumps(rows)
    for action in ("version", "stores", "subscribers", "salesrules_items", "salesrules_items_coupons"):
        said += stack.client.get(action).text
    for secret in (PRIVATE, "ometria-key-0001", TOKEN, "a-secret-key-for-tests"):
        assert secret not in said


def test_stores_are_those_of_the_shop(stack):
    stack.sets(coupons__signed_api=True)
    rows = stack.client.get("stores").json
    with stack.app.app_context():
        views = services(stack.app).store.tree().views
    assert [(row["id"], row["website_id"], row["url"]) for row in rows] == [
        (view.id, view.website_id, view.base_url) for view in views
    ]
    assert all(row["group_id"] > 0 for row in rows)


def test_the_event_loop_answers_as_the_middleware_does(stack):
    stack.sets(coupons__signed_api=True)
    _, port, stop = start_edge(proxy_wiring(stack.app), Counters(CollectorRegistry()), stack.app.wsgi_app)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(method, action, **parameters):
        query = stack.client.query(action, **parameters)
        place = f"/ometria_api/v1/{action}" + ("" if method == "POST" else f"?{query}")
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        connection.request(method, place, query if method == "POST" else None, {"Host": HOST, **kind})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()

    try:
        assert ask("GET", "version")[:2] == (200, "application/json")
        status, _, body = ask("POST", "salesrules_insert_coupons", rule_id="2", codes=["OM-É", "OM-A/1", "OM B+C"])
        assert (status, [row["code"] for row in json.loads(body)]) == (200, ["OM-A/1"])
        assert ask("HEAD", "version") == (405, "application/json", b"")
        stack.sets(coupons__signed_api=False)
        assert ask("GET", "version")[0] == 404
    finally:
        connection.close()
        stop()
