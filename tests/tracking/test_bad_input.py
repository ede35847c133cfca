"""What a visitor, a theme or a shop may send that nobody expects: nothing is raised, quoted or made of it."""

from __future__ import annotations

import json
import logging
import random

import pytest

from bridge.db import db
from bridge.models import CartLink, IdentityClaim, Visitor
from bridge.tracking.capture import ROUTES
from tests.tracking.test_capture import ACCOUNT_PAGE, CONTEXT, NEW_SESSION, seen
from tests.tracking.test_endpoints import OWN
from tests.tracking.wires import JSON, exchange, multipart, set_cookie

COOKIES = [
    "", ";", "=", ";;=;", "bridge_visitor", "bridge_visitor=", "bridge_visitor=" + "f" * 31, "bridge_visitor=" + "f" * 33,
    "bridge_visitor=" + "F" * 32, "bridge_visitor=%66" * 11, "bridge_visitor=\xff\xfe" * 16, "PHPSESSID=", "PHPSESSID",
    "PHPSESSID=" + "x" * 6000, "mage-messages=%5B", "mage-messages=[[[[", "mage-messages=%5B%7B%22type%22%3A7%7D%5D",
    "bridge_consent=" + "1" * 4000, "a=b" * 2000, "bridge_visitor=" + "a" * 32 + "; bridge_visitor=" + "b" * 32,
]  # fmt: skip


@pytest.mark.parametrize("cookie", COOKIES)
def test_a_malformed_cookie_names_nobody_and_breaks_nothing(room, cookie):
    client = room.app.test_client(use_cookies=False)
    sent = OWN | {"Cookie": cookie}
    me = client.get("/_bridge/me", headers=sent)
    assert me.status_code == 200
    assert "email" not in me.json
    assert client.post("/_bridge/basket", json={"skus": [], "empty": True}, headers=sent).status_code == 200
    login = exchange("/customer/account/loginPost/", "login%5Busername%5D=a%40b.test", cookie=cookie,
                     answer=[NEW_SESSION, CONTEXT, ACCOUNT_PAGE])  # fmt: skip
    assert seen(room, login) == [("Identified", "a@b.test", "login")]


EMAILS = [
    "o'neill@example.com",
    "a+b@example.com",
    "a.b-c_d@sub.example.co.uk",
    "ü@exämple.test",
    "x!#$%&*/=?^`{|}~@b.test",
]


@pytest.mark.parametrize("email", EMAILS)
def test_quotes_pluses_and_letters_of_other_alphabets_stay_as_they_are(room, email):
    kind, body = multipart(email=email)
    form = exchange("/customer/account/createpost/", body, sent=(kind,),
                    answer=[CONTEXT, set_cookie("mage-messages=%5B%7B%22type%22%3A%22success%22%7D%5D")])  # fmt: skip
    token = exchange("/rest/V1/integration/customer/token", json.dumps({"username": email}), sent=(JSON,), status=200,
                     answer_body='"t"')  # fmt: skip
    assert [told[1] for told in seen(room, form) + seen(room, token)] == [email] * 3


QUESTIONS = [
    "", "null", "[]", "7", '"x"', "{", "[" * 20_000, '{"skus": null}', '{"skus": {"a": 1}}', '{"empty": "yes"}',
    '{"lines": {}}', '{"lines": [7]}', '{"lines": [{"product": 5, "quantity": 1}]}', '{"store": "../x"}',
    '{"lines": [{"product": "5", "quantity": {"incl_tax": 1}}]}', '{"lines": [{"product": "5", "quantity": "1,50"}]}',
    '{"lines": [{"product": "5", "quantity": NaN}]}', '{"skus": ["\\ud800"]}', b"\xff\xfe{}", b'{"skus": ["\x00"]}',
]  # fmt: skip


@pytest.mark.parametrize("body", QUESTIONS)
def test_a_question_that_is_none_is_refused_and_leaves_nothing(room, body):
    client = room.app.test_client()
    answer = client.post("/_bridge/basket", data=body, headers=OWN, content_type="application/json")
    assert (answer.status_code, answer.json) == (400, {"error": "body"})
    with room.app.app_context():
        assert [db.session.query(table).count() for table in (Visitor, CartLink, IdentityClaim)] == [0, 0, 0]


def test_a_body_of_50_megabytes_is_not_read(room):
    client = room.app.test_client()
    answer = client.post("/_bridge/basket", data=b" " * 50_000_000, headers=OWN, content_type="application/json")
    assert answer.status_code in {400, 413}


def test_skus_with_slashes_quotes_and_spaces_are_asked_as_they_are(room):
    skus = ["HP/TEA TIN 02", 'a"b', "ü", "a+b", "%2F", "<b>"]
    room.shop_variants.update({sku: (str(number), None) for number, sku in enumerate(skus)})
    answer = room.app.test_client().post("/_bridge/basket", json={"skus": skus}, headers=OWN)
    assert list(answer.json["variants"]) == skus


ANSWERS = [
    b"", b"null", b"<html>", b"[]", b"{}", b'"', b'"x"', b"7", b"1e999", b"true", b"\xff\xfe", b"[" * 60_000,
    b'{"errors": {}, "success": [], "backUrl": 7, "id": "x", "email": {}, "data": 7}', b'"' + b"9" * 30 + b'"',
]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_no_observer_raises_or_tells_of_an_order_or_a_person_whatever_is_answered(room, route, answer, caplog):
    caplog.set_level(logging.DEBUG, logger="bridge")
    for body in (b"", b"{}", b"\xff", b"[" * 60_000, b"email=" + b"x" * 3000, None):
        for status in (200, 302, 500):
            path = b"/" + route.path.replace(b"*", b"abc")
            path = b"/rest" + path if route.path.startswith(b"V1") else path
            passing = exchange(path, body or b"", method=min(route.methods), status=status, answer_body=answer)
            passing.request_body = body
            room.tracking.observer.seen(route, passing)
    assert not [event for event in room.stream.events if hasattr(event, "email")]
    assert not [event for event in room.stream.events if getattr(event, "order", None) not in {None, "7"}]
    assert caplog.text == ""


def test_random_bytes_in_any_place_are_borne(room):
    dice = random.Random(6)
    for _ in range(400):
        route = dice.choice(ROUTES)
        noise = [dice.randbytes(dice.randrange(200)) for _ in range(4)]
        kind = dice.choice(
            [b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"?"]
        )
        passing = exchange(
            b"/rest/V1/" + noise[0], noise[1], sent=(("Content-Type", kind), ("Cookie", noise[2])),
            status=dice.choice([200, 302]), answer=[("Set-Cookie", noise[2]), ("Location", noise[0])],
            answer_body=noise[3], method=min(route.methods),
        )  # fmt: skip
        room.tracking.observer.seen(route, passing)
    assert room.stream.urgent == [] or all(not hasattr(event, "email") for event in room.stream.urgent)
