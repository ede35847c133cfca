"""`bridge check` against a sandbox that is right, and with one thing wrong at a time."""

from __future__ import annotations

import pytest

from bridge.app import create_app
from bridge.checks import run_checks
from bridge.db import db
from bridge.sandbox.listener import Listener
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import set_value
from bridge.store.magento_rest import NotTaken
from bridge.store.magento_rights import RIGHTS, check_rights
from tests.base.test_config import read
from tests.schema import create_tables

pytestmark = pytest.mark.redis


@pytest.fixture
def findings(tmp_path, redis_server, redis_client):
    """Run every check with a token and a key; the neighbours are the sandbox's."""
    listeners = [Listener("127.0.0.1", 0), Listener("127.0.0.1", 0)]
    shop, ometria = listeners
    shop.start(create_shop(ShopOptions(base_url=f"http://127.0.0.1:{shop.port}/", rest_token="right-token")))
    ometria.start(create_ometria(OmetriaOptions(api_keys={"right-key-0001": "abcd1234abcd1234"})))
    url = f"http://127.0.0.1:{shop.port}"

    def run(token="right-token", key="right-key-0001", **more):
        values = {
            "BRIDGE_STORE_URL": url,
            "BRIDGE_PUBLIC_URL": url,
            "BRIDGE_REDIS_URL": redis_server.url,
            "BRIDGE_OMETRIA_API_URL": f"http://127.0.0.1:{ometria.port}/v2",
            "BRIDGE_STORE_TOKEN": token,
            **more,
        }
        app = create_app(read(tmp_path, **values))
        with app.app_context():
            create_tables()
            set_value("default", "general.api_key", key, "test")
            set_value("default", "general.account_id", "abcd1234abcd1234", "test")
            db.session.commit()
            found = list(run_checks(app))
            db.session.remove()
            db.engine.dispose()
        return found

    yield run
    for listener in listeners:
        listener.stop()


def of(found, name):
    return [finding for finding in found if finding.name == name]


def test_the_sandbox_is_found_good(findings):
    found = findings()
    assert [finding for finding in found if finding.level == "fail"] == []
    assert "Every right that is needed is granted." in of(found, "shop's REST API")[1].sentence
    assert "does not come through bridge yet" in of(found, "visitors")[0].sentence


def test_a_refused_token_is_named_without_being_told(findings):
    found = findings(token="wrong-token")
    (finding,) = of(found, "shop's REST API")
    assert finding.level == "fail"
    assert "The shop refuses the token" in finding.sentence
    assert "wrong-token" not in str(found)


def test_a_refused_key_is_named_without_being_told(findings):
    found = findings(key="wrong-key-0001")
    (finding,) = of(found, "Ometria (default)")
    assert finding.level == "fail"
    assert "wrong-key" not in str(found)


def test_a_shop_that_does_not_answer_is_named(findings):
    found = findings(BRIDGE_STORE_URL="http://127.0.0.1:9", BRIDGE_PUBLIC_URL="http://127.0.0.1:9")
    (finding,) = of(found, "shop")
    assert finding.sentence == "http://127.0.0.1:9 does not answer: correct BRIDGE_STORE_URL."


def test_each_missing_right_is_named_as_the_backend_shows_it():
    from bridge.errors import Misconfigured, Retry

    def get(route, _query):
        if route == "orders":
            raise Misconfigured("The shop refuses the token for Magento_Sales::actions_view (401).")
        if route == "shipments":
            raise Retry("The shop's REST API failed (500).")
        if route == "creditmemos":
            raise NotTaken("The shop refuses the query for creditmemos (400).", 60)

    rights = list(check_rights(get))
    assert len(rights) == len(RIGHTS)
    assert [right.name for right in rights if right.missing] == ["Sales > Operations > Orders > Actions > View"]
    assert [right.needed_for for right in rights if right.fault and not right.missing] == ["shipped orders", "refunds"]
