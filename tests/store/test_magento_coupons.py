"""Rules and coupons in the shapes that a real Magento answered with, and calls whose outcome is unknown."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from bridge.config import Config, OAuthKeys
from bridge.errors import Misconfigured, Refused, Retry
from bridge.store import CodeFormat, Unsure
from bridge.store.magento import Magento
from bridge.store.magento_auth import authorization
from bridge.store.magento_rest import Rest
from tests.export.serving import serve

TOKEN = "token-0123456789"
CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento" / "rest"
captured = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not beside the checkout")


class Canned:
    """Gives the answers that were put in, in turn; keeps what was asked."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.asked: list[tuple[str, str, object]] = []
        self.headers: list[dict[str, str]] = []

    def will(self, body: object, status: int = 200, mimetype: str = "application/json") -> None:
        self.answers.append(Response(body if isinstance(body, str) else json.dumps(body), status, mimetype=mimetype))

    def will_captured(self, name: str) -> None:
        meta = json.loads((CAPTURES / f"{name}.meta.json").read_text())
        self.will((CAPTURES / f"{name}.json").read_text(), meta["response"]["status"])

    def __call__(self, environ, start_response):
        request = Request(environ)
        data = request.get_data()
        self.asked.append((request.method, request.path, json.loads(data) if data else None))
        self.headers.append(dict(request.headers))
        return self.answers.pop(0)(environ, start_response)


@pytest.fixture
def shop():
    return Canned()


@pytest.fixture
def url(shop):
    with serve(shop) as address:
        yield address


@pytest.fixture
def magento(url):
    return Magento(Config(store_url=url, public_url="https://shop.example.test", store_token=TOKEN))


def request_of(name):
    return json.loads((CAPTURES / f"{name}.meta.json").read_text())["request"]


@captured
@pytest.mark.shared
def test_a_captured_rule_is_read_whole(shop, magento):
    shop.will_captured("salesRule_one")
    rule = magento.rule(1)
    assert (rule.id, rule.name, rule.active, rule.coupon_type) == (1, "Ten percent off", True, "SPECIFIC_COUPON")
    assert (rule.auto, rule.website_ids, rule.group_ids) == (False, (1, 2), (0, 1, 2, 3))
    assert (rule.from_date, rule.to_date, rule.uses_per_coupon, rule.times_used) == (None, None, 0, 0)
    assert rule.raw["simple_action"] == "by_percent"


@captured
@pytest.mark.shared
def test_captured_lists_are_read(shop, magento):
    shop.will_captured("salesRules_search")
    assert [(rule.id, rule.auto, rule.uses_per_coupon) for rule in magento.rules()] == [(1, False, 0), (2, True, 1)]
    shop.will_captured("coupons_search_after_generate")
    found = list(magento.find_coupons(2))
    assert [one.code for one in found] == ["LAB-R2COC8RQPH", "LAB-WNOSXQZ2TS", "LAB-KM1OL8G2VN"]
    assert found[0].created_at == dt.datetime(2026, 11, 25, 2, 2, 38, tzinfo=dt.UTC)
    assert (found[0].is_primary, found[0].expires_at, found[0].type) == (None, None, 1)
    shop.will_captured("coupons_search")
    own = next(magento.find_coupons(1))
    assert (own.is_primary, own.times_used, own.type, own.created_at) == (True, 2, 0, None)


@captured
@pytest.mark.shared
def test_a_generation_asks_as_the_captured_call_did(shop, magento):
    shop.will_captured("coupons_generate")
    made = magento.make_coupons(2, 3, CodeFormat(length=10, prefix="LAB-"))
    assert made == ["LAB-R2COC8RQPH", "LAB-WNOSXQZ2TS", "LAB-KM1OL8G2VN"]
    asked = request_of("coupons_generate")
    assert shop.asked == [("POST", asked["path"], asked["body"])]
    assert shop.headers[0]["Content-Type"] == "application/json"


@captured
@pytest.mark.shared
def test_an_insert_asks_as_the_captured_call_did(shop, magento):
    shop.will_captured("coupon_create_limits_overwritten")
    made = magento.insert_coupon(2, "OBX-CAP", dt.datetime(2026, 12, 31, tzinfo=dt.UTC))
    assert (made.id, made.usage_limit, made.usage_per_customer, made.created_at) == (2655, 1, 1, None)
    assert made.expires_at == dt.datetime(2026, 12, 31, tzinfo=dt.UTC)
    body = shop.asked[0][2]["coupon"]
    captured_body = request_of("coupon_create_limits_overwritten")["body"]["coupon"]
    assert body.items() <= captured_body.items()
    shop.will_captured("coupon_create")
    assert magento.insert_coupon(2, "MANUAL5").expires_at is None
    assert "expiration_date" not in shop.asked[1][2]["coupon"]


@captured
@pytest.mark.shared
def test_a_deletion_asks_as_the_captured_call_did(shop, magento):
    shop.will_captured("coupons_deleteByCodes")
    gone = magento.delete_coupons(["MANUAL5", "NOPE"])
    assert (gone.missing, gone.failed) == (("NOPE",), ())
    assert shop.asked[0][2] == request_of("coupons_deleteByCodes")["body"]


@captured
@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "coupon_create_duplicate",
        "coupon_create_duplicate_same_rule",
        "coupon_create_type0_on_auto_rule",
        "coupons_generate_missing_rule",
        "coupons_generate_wrong_rule",
        "coupons_generate_quantity_zero",
        "coupons_deleteByCodes_strict_missing",
    ],
)
def test_captured_refusals_are_refusals_and_sure(shop, magento, name):
    shop.will_captured(name)
    with pytest.raises(Refused, match="The shop refuses it"):
        magento.insert_coupon(2, "ANY")


def test_what_stands_beside_a_refusal_is_not_told(shop, magento):
    path = "Warning: Undefined array key in /var/www/shop/vendor/magento/module-sales-rule/Helper/Coupon.php on line 9"
    shop.will({"message": "Error occurred when generating coupons: %1", "parameters": [path]}, 400)
    with pytest.raises(Refused) as found:
        magento.make_coupons(2, 1, CodeFormat())
    assert "var/www" not in str(found.value)
    assert "Error occurred when generating coupons" in str(found.value)


@pytest.mark.parametrize(
    ("body", "status", "mimetype"),
    [
        ("<h1>504 Gateway Time-out</h1>", 504, "text/html"),
        ("<h1>503 Backend fetch failed</h1>", 503, "text/html"),
        (
            {"message": "Internal Error. Details are available in Magento log file. Report ID: webapi-1"},
            500,
            "application/json",
        ),
        ("", 200, "text/html"),
        ('["A", "B', 200, "application/json"),
    ],
)
def test_an_answer_that_says_nothing_leaves_the_outcome_unknown(shop, magento, body, status, mimetype):
    shop.will(body, status, mimetype)
    with pytest.raises(Unsure, match="looked up before anything is sent again"):
        magento.make_coupons(2, 2, CodeFormat())
    assert len(shop.asked) == 1, "never sent twice by itself"


def test_a_connection_that_is_cut_after_the_request_leaves_the_outcome_unknown():
    server = socket.create_server(("127.0.0.1", 0))

    def cut():
        connection, _ = server.accept()
        connection.recv(65_536)
        connection.close()

    thread = threading.Thread(target=cut)
    thread.start()
    magento = Magento(Config(store_url=f"http://127.0.0.1:{server.getsockname()[1]}", store_token=TOKEN))
    with pytest.raises(Unsure):
        magento.insert_coupon(2, "A")
    thread.join()
    server.close()


def test_a_shop_that_takes_too_long_leaves_the_outcome_unknown():
    server = socket.create_server(("127.0.0.1", 0))
    config = Config(store_url=f"http://127.0.0.1:{server.getsockname()[1]}", store_token=TOKEN)
    with pytest.raises(Unsure):
        Magento(config, Rest(config, total=0.2)).insert_coupon(2, "A")
    server.close()


def test_what_never_left_is_known_not_to_be_done():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    magento = Magento(Config(store_url=f"http://127.0.0.1:{port}", store_token=TOKEN))
    with pytest.raises(Retry) as found:
        magento.insert_coupon(2, "A")
    assert not isinstance(found.value, Unsure)


def test_a_missing_right_names_what_to_change(shop, magento):
    shop.will(
        {
            "message": "The consumer isn't authorized to access %resources.",
            "parameters": {"resources": "Magento_SalesRule::quote"},
        },
        401,
    )
    with pytest.raises(Misconfigured, match="Magento_SalesRule::quote"):
        magento.insert_coupon(2, "A")


@pytest.mark.parametrize("answer", [{"coupon_id": 5}, [], {"coupon_id": 5, "rule_id": 2, "code": "OTHER"}])
def test_another_thing_than_what_was_asked_is_not_believed(shop, magento, answer):
    shop.will(answer)
    with pytest.raises(Unsure):
        magento.insert_coupon(2, "MINE")


@pytest.mark.parametrize("answer", [{"codes": []}, "A"])
def test_codes_come_as_a_list_or_are_none(shop, magento, answer):
    shop.will(json.dumps(answer))
    with pytest.raises(Unsure):
        magento.make_coupons(2, 1, CodeFormat())


def test_a_rule_that_is_another_is_not_believed(shop, magento):
    shop.will({"rule_id": 3, "name": "Other"})
    with pytest.raises(Retry):
        magento.rule(2)


def test_a_post_is_signed_as_one_without_its_body(shop, url):
    keys = OAuthKeys("ck", "cs", "at", "ats")
    config = Config(store_url=url, public_url="https://shop.example.test", store_oauth=keys)
    shop.will(["A-1"])
    Magento(config).make_coupons(2, 1, CodeFormat())
    sent = shop.headers[0]["Authorization"]
    parts = dict(pair.split("=", 1) for pair in sent.removeprefix("OAuth ").split(", "))
    nonce, stamp = parts["oauth_nonce"].strip('"'), int(parts["oauth_timestamp"].strip('"'))
    address = "https://shop.example.test/rest/V1/coupons/generate"
    assert sent == authorization("POST", address, keys, nonce=nonce, timestamp=stamp)
