"""Transactional mail against the fake Ometria, against answers of every kind, and against none at all."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from bridge.errors import Misconfigured
from bridge.ometria.transactional import TransactionalMail, read_answer
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from tests.base.test_ometria import KEY, make_account
from tests.export.serving import serve

BODY = json.dumps({"to": {"email": "ann@example.com"}, "template_id": 5, "data": {}}).encode()


@pytest.fixture(scope="module")
def fake():
    app = create_ometria(OmetriaOptions(api_keys={KEY: "0123456789abcdef"}, mail_per_second=10))
    with serve(app) as url:
        yield app.extensions["received"], f"{url}/v2"


@pytest.fixture
def received(fake):
    fake[0].reset()
    return fake[0]


@pytest.fixture
def client(fake, received, redis_client):
    return TransactionalMail(fake[1], redis_client, total=2.0)


def send(client, body=BODY, *, begin=lambda: True, key=KEY, **more):
    return client.send(make_account(key), body, begin, **{"rate": 10, **more})


def test_a_mail_is_taken_once_and_has_a_request_id(client, received):
    answer = send(client)
    assert (answer.outcome, answer.status) == ("accepted", 200)
    assert answer.request_id
    (kept,) = received.mails
    assert kept["mail"]["to"] == {"email": "ann@example.com"}


def test_nothing_is_sent_when_the_caller_may_not_any_more(client, received):
    assert send(client, begin=lambda: False).outcome == "withdrawn"
    assert not received.mails


def test_the_call_begins_after_its_turn_has_come(client, received):
    seen = []
    send(client, begin=lambda: seen.append(len(received.requests)) or True)
    assert seen == [0]


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        ({"status": 500}, "later", 0),
        ({"status": 503, "retry_after": "7"}, "later", 0),
        ({"status": 429, "retry_after": "1"}, "later", 0),
        ({"status": 400}, "refused", 0),
        ({"status": 403}, "stopped", 0),
        ({"status": 404}, "stopped", 0),
        ({"status": 302}, "stopped", 0),
        ({"status": 502}, "later", 0),
        ({"status": 504, "retry_after": "7"}, "later", 0),
        ({"status": "cut"}, "uncertain", 0),
        ({"status": "cut", "when": "after"}, "uncertain", 1),
        ({"status": "timeout", "seconds": 3, "when": "after"}, "uncertain", 1),
        ({"status": "html"}, "uncertain", 0),
    ],
    ids=lambda value: str(value).replace("'", ""),
)
def test_every_end_says_whether_the_mail_may_have_gone_out(client, received, fault, outcome, taken):
    received.plan_faults({"mail": fault})
    answer = send(client)
    assert answer.outcome == outcome
    assert len(received.mails) == taken
    assert answer.reason


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (500, b"<h1>Error</h1>", "later"),
        (502, b"<h1>Bad gateway</h1>", "uncertain"),
        (502, b"", "uncertain"),
        (502, b'"lost"', "uncertain"),
        (502, b'{"status": "error", "message": "Try again"}', "later"),
        (503, b"<h1>Unavailable</h1>", "later"),
        (504, b"<h1>Gateway time-out</h1>", "uncertain"),
        (504, b'{"status": "error"}', "later"),
    ],
)
def test_5xx_may_be_tried_again_unless_a_gateway_has_lost_the_answer(status, body, outcome):
    assert read_answer(status, body, None).outcome == outcome


def test_a_connection_that_was_never_made_may_be_tried_again(redis_client):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = send(TransactionalMail(f"http://127.0.0.1:{port}/v2", redis_client, total=2.0))
    assert answer.outcome == "later"
    assert "could not be reached" in answer.reason


def test_a_server_that_hangs_up_during_the_request_leaves_the_outcome_open(redis_client):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            connection, _ = server.accept()
            connection.recv(10)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        answer = send(TransactionalMail(f"http://127.0.0.1:{server.getsockname()[1]}", redis_client, total=2.0))
        thread.join()
    assert answer.outcome == "uncertain"


def test_an_answer_that_never_ends_is_no_answer(redis_client):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try:
                for _ in range(60):
                    connection.sendall(b" ")
                    time.sleep(0.05)
            except OSError:
                pass
            connection.close()

        thread = threading.Thread(target=drip)
        thread.start()
        answer = send(TransactionalMail(f"http://127.0.0.1:{server.getsockname()[1]}", redis_client, total=0.5))
        thread.join()
    assert answer.outcome == "uncertain"


def test_after_429_no_call_of_the_key_is_made_until_the_pause_is_over(client, received):
    received.plan_faults({"mail": {"status": 429, "retry_after": "1"}})
    assert send(client).outcome == "later"
    second = send(client)
    assert second.outcome == "later"
    assert 0 < second.after <= 2
    assert len(received.requests) == 1


def test_after_a_lost_answer_the_next_mails_wait_before_they_are_put_at_risk_too(client, received):
    received.plan_faults({"mail": {"status": "cut", "when": "after"}})
    assert send(client).outcome == "uncertain"
    second = send(client)
    assert (second.outcome, len(received.requests)) == ("later", 1)
    assert 0 < second.after <= 3


def test_a_request_id_has_no_control_characters():
    assert read_answer(200, b'{"request_id": "a\\u0000b\\nc"}', None).request_id == "abc"


def test_no_second_holds_more_mails_than_allowed(client, received):
    assert {send(client).outcome for _ in range(25)} == {"accepted"}
    assert {row["status"] for row in received.requests} == {200}


def test_without_redis_nothing_is_sent(fake, received):
    import redis

    gone = redis.Redis(unix_socket_path="/nonexistent.sock")
    assert send(TransactionalMail(fake[1], gone)).outcome == "later"
    assert not received.mails


def test_what_ometria_echoes_is_not_kept():
    link = "https://shop.test/customer/account/createPassword/?id=3&token=T0ken123"
    echo = {"status": "ERROR", "message": f"Payload invalid: {link} of ann@example.com with T0ken123\r\nX: y"}
    answer = read_answer(400, json.dumps(echo).encode(), None, [link, "T0ken123"])
    assert answer.outcome == "refused"
    assert "Payload invalid" in answer.reason
    for secret in ("T0ken123", "createPassword", "ann@", "\n"):
        assert secret not in answer.reason


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"{}", "accepted"),
        (b'{"status":"OK","request_id":"r1"}', "accepted"),
        (b'{"id": 5}', "accepted"),
        (b'{"status":"ERROR","message":"no"}', "refused"),
        (b"[]", "uncertain"),
        (b"", "uncertain"),
        (b"<html>", "uncertain"),
    ],
)
def test_a_2xx_is_a_receipt_only_as_a_json_object(body, outcome):
    assert read_answer(200, body, None).outcome == outcome
    assert read_answer(202, body, None).outcome == outcome


def test_the_key_never_travels_unprotected(redis_client):
    with pytest.raises(Misconfigured):
        TransactionalMail("http://api.ometria.com/v2", redis_client)
