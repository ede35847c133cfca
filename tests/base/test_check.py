"""`bridge check` against a shop that is wrong in one way at a time."""

from __future__ import annotations

import pytest
from werkzeug.wrappers import Response

from bridge.app import create_app
from bridge.check import check_shop_page, run_checks
from bridge.db import db
from bridge.sandbox.listener import Listener
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import set_value
from tests.base.test_config import read


@pytest.fixture
def serve():
    listeners = []

    def start(app):
        listener = Listener("127.0.0.1", 0)
        listener.start(app)
        listeners.append(listener)
        return f"http://127.0.0.1:{listener.port}"

    yield start
    for listener in listeners:
        listener.stop()


def answering(response):
    def app(environ, start_response):
        return response(environ, start_response)

    return app


def test_a_shop_that_does_not_answer_is_named(tmp_path):
    finding = check_shop_page(read(tmp_path, BRIDGE_STORE_URL="http://127.0.0.1:9"))
    assert not finding.ok
    assert finding.sentence == "http://127.0.0.1:9 does not answer: correct BRIDGE_STORE_URL."


def test_a_redirect_to_itself_is_a_wrong_public_address(tmp_path, serve):
    url = serve(answering(Response(status=302, headers={"Location": "http://shop.test/"})))
    finding = check_shop_page(read(tmp_path, BRIDGE_STORE_URL=url, BRIDGE_PUBLIC_URL="http://shop.test"))
    assert "redirects to itself: BRIDGE_PUBLIC_URL must be the shop's own base URL" in finding.sentence


def test_a_redirect_elsewhere_tells_the_address_to_set(tmp_path, serve):
    url = serve(answering(Response(status=301, headers={"Location": "https://www.shop.test/"})))
    finding = check_shop_page(read(tmp_path, BRIDGE_STORE_URL=url))
    assert finding.sentence == "The home page redirects to https://www.shop.test/: set BRIDGE_PUBLIC_URL to that."


def test_a_shop_in_maintenance_is_told_by_its_status(tmp_path, serve):
    finding = check_shop_page(read(tmp_path, BRIDGE_STORE_URL=serve(answering(Response(status=503)))))
    assert "answers 503" in finding.sentence


@pytest.mark.redis
def test_the_sandbox_is_found_good_and_a_wrong_key_or_token_is_named(tmp_path, serve, redis_server, redis_client):
    shop = serve(create_shop(ShopOptions(base_url="http://shop.test/", rest_token="right-token")))
    ometria = serve(create_ometria(OmetriaOptions(api_keys={"right-key-0001": "abcd1234abcd1234"})))
    settings = {
        "BRIDGE_STORE_URL": shop,
        "BRIDGE_PUBLIC_URL": "http://shop.test",
        "BRIDGE_REDIS_URL": redis_server.url,
        "BRIDGE_OMETRIA_API_URL": f"{ometria}/v2",
    }

    def findings(token, key):
        app = create_app(read(tmp_path, BRIDGE_STORE_TOKEN=token, **settings))
        with app.app_context():
            db.create_all()
            set_value("default", "general.api_key", key, "test")
            set_value("default", "general.account_id", "abcd1234abcd1234", "test")
            db.session.commit()
            found = {finding.name: finding for finding in run_checks(app)}
            db.session.remove()
            db.engine.dispose()
        return found

    good = findings("right-token", "right-key-0001")
    assert all(finding.ok for finding in good.values()), good
    wrong = findings("wrong-token", "wrong-key-0001")
    assert not wrong["shop's REST API"].ok
    assert "token" in wrong["shop's REST API"].sentence
    assert "wrong-token" not in str(wrong)
    assert not wrong["Ometria (default)"].ok
    assert "wrong-key" not in str(wrong)
