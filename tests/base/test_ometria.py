"""The seam to Ometria against the fake one, which enforces the documented limits, and answers read by themselves."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from itertools import pairwise

import pytest
import redis

from bridge.errors import Misconfigured, Retry
from bridge.ometria import Ometria, Pacer, Parcel
from bridge.ometria.answers import read_errors, read_push, seconds
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.settings import Book, Store
from tests.export.serving import serve

KEY = "key-main-0001"


@pytest.fixture(scope="module")
def fake():
    options = OmetriaOptions(
        api_keys={KEY: "0123456789abcdef"}, push_per_second=8, data_per_second=8, validation_delay=0
    )
    app = create_ometria(options)
    with serve(app) as url:
        yield app.extensions["received"], f"{url}/v2"


@pytest.fixture
def received(fake):
    fake[0].reset()
    return fake[0]


@pytest.fixture
def ometria(fake, received, redis_client):
    return Ometria(fake[1], redis_client, total=2.0)


def make_account(key: str = KEY, rate: int = 8):
    store = Store(ref="store:default", code="default", id=1, website="base", website_id=1)
    values = {"default": {"general.api_key": key, "export.requests_per_second": rate}}
    return Book({"website:base": "default", "store:default": "website:base"}, (store,), values).accounts()[0]


def parcel(number: int, **fields) -> Parcel:
    record = {"@type": "product", "id": str(number), "title": f"Thing {number}", **fields}
    return Parcel(str(number), json.dumps(record).encode())


def states(receipt) -> list[str]:
    return [result.state for result in receipt.results]


def pushes(received) -> list:
    return [row for row in received.requests if row["path"].endswith("/push")]


def test_a_batch_is_accepted_as_a_whole(ometria, received):
    receipt = ometria.push(make_account(), [parcel(number) for number in range(100)])
    assert set(states(receipt)) == {"accepted"}
    assert {result.request_id for result in receipt.results} == {receipt.calls[0].request_id} != {""}
    assert len(pushes(received)) == 1


def test_no_records_are_no_call(ometria, received):
    assert ometria.push(make_account(), []).results == []
    assert pushes(received) == []


def test_the_bad_record_of_a_hundred_stands_alone(ometria, received):
    received.faults.plan({"refuse": {"type": "product", "id": "57", "at_once": True}})
    receipt = ometria.push(make_account(), [parcel(number) for number in range(100)])
    assert Counter(states(receipt)) == {"accepted": 99, "refused": 1}
    assert receipt.results[57].state == "refused"
    assert len(pushes(received)) <= 2 * 7 + 1, "the batch is halved, not sent one by one"


def test_a_batch_that_is_refused_for_one_oversize_record_is_split(ometria, received):
    receipt = ometria.push(make_account(), [parcel(1), parcel(2, sku="x" * 61_000), parcel(3)])
    assert states(receipt) == ["accepted", "refused", "accepted"]
    assert "too large" in receipt.results[1].reason


def test_when_all_are_rejected_nothing_is_split(ometria, received):
    received.faults.plan({"refuse": [{"type": "product", "id": str(number), "at_once": True} for number in range(3)]})
    receipt = ometria.push(make_account(), [parcel(number) for number in range(3)])
    assert states(receipt) == ["refused"] * 3
    assert len(pushes(received)) == 1


def test_a_refused_key_stops_with_a_sentence_and_the_key_is_in_no_text(ometria, received):
    receipt = ometria.push(make_account("key-wrong-98765"), [parcel(1)])
    assert "API key" in receipt.stop
    assert states(receipt) == ["retry"]
    assert "key-wrong-98765" not in repr(receipt)


def test_a_redis_that_goes_after_the_answer_does_not_make_the_records_be_sent_again(ometria, received, monkeypatch):
    def gone(*_):
        raise Retry("Redis does not answer.")

    monkeypatch.setattr(ometria.pacer, "well", gone)
    assert states(ometria.push(make_account(), [parcel(1), parcel(2)])) == ["accepted", "accepted"]


def test_a_refused_key_is_named_when_the_errors_are_read_too(ometria, received):
    with pytest.raises(Misconfigured, match="refuses the API key"):
        ometria.errors(make_account("key-wrong-98765"))


def test_what_ometria_echoes_of_a_person_is_not_kept():
    answer = read_push(400, b'{"message":"invalid email: anna.b@x.test\\n[ERROR] \\u0000"}', None, 1)
    assert answer.message.split() == ["invalid", "email:", "•••@•••", "[ERROR]"]
    assert "\n" not in answer.message
    assert "\x00" not in answer.message
    (error,) = read_errors(200, b'[{"error_path":"root > email","error_message":"anna@x.test is not a valid value"}]')
    assert "anna" not in error.message


@pytest.mark.parametrize("status", [500, 503, "cut", "html", "timeout"])
def test_what_may_pass_is_tried_again_later(ometria, received, status):
    received.faults.plan({"push": {"status": status, "times": 1, "seconds": 3}})
    receipt = ometria.push(make_account(), [parcel(1), parcel(2)])
    assert states(receipt) == ["retry", "retry"]
    assert receipt.after > 0
    assert not receipt.stop
    assert receipt.calls[0].outcome == "retry"


def test_the_time_that_ometria_asks_for_is_kept_by_all_clients(ometria, received, fake, redis_client):
    received.faults.plan({"push": {"status": 429, "times": 1, "retry_after": "40"}})
    receipt = ometria.push(make_account(), [parcel(1)])
    assert 40 <= receipt.after <= 50
    other = Ometria(fake[1], redis.Redis.from_url(_url(redis_client)))
    again = other.push(make_account(), [parcel(1)])
    assert states(again) == ["retry"]
    assert 35 < again.after <= 50
    assert again.calls == [], "it did not even ask"


def test_other_keys_are_not_slowed(redis_client):
    pacer = Pacer(redis_client)
    pacer.pause("one", 60)
    with pacer.turn("two", 4):
        pass
    with pytest.raises(Retry), pacer.turn("one", 4):
        pass


def test_without_a_time_each_failure_in_a_row_waits_longer_and_one_success_forgets_them(redis_client):
    pacer = Pacer(redis_client)
    waits = [pacer.pause("key", None) for _ in range(8)]
    assert all(later > sooner for sooner, later in pairwise(waits[:7]))
    assert max(waits) <= 300 * 1.25
    pacer.well("key")
    assert pacer.pause("key", None) < 4


def test_no_second_holds_more_calls_than_allowed_with_many_workers(fake, received, redis_client):
    account = make_account(rate=8)
    url = _url(redis_client)

    def work(number: int) -> None:
        client = Ometria(fake[1], redis.Redis.from_url(url))
        for turn in range(4):
            receipt = client.push(account, [parcel(number * 10 + turn)])
            assert states(receipt) == ["accepted"]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row["status"] for row in pushes(received)] == [200] * 16


def test_without_redis_nothing_is_sent(fake, received):
    gone = redis.Redis.from_url("unix:///nowhere/redis.sock")
    receipt = Ometria(fake[1], gone).push(make_account(), [parcel(1)])
    assert states(receipt) == ["retry"]
    assert receipt.after > 0
    assert pushes(received) == []


def test_a_full_queue_holds_back_history(ometria, received):
    received.faults.plan({"queue": {"remaining": 50}})
    ometria.push(make_account(), [parcel(1)])
    assert ometria.pacer.history_waits(KEY)
    assert not ometria.pacer.history_waits("another")


def test_who_lost_the_lease_sends_nothing_more(ometria, received):
    receipt = ometria.push(make_account(), [parcel(1)], lambda _: [])
    assert states(receipt) == ["stale"]
    assert pushes(received) == []


def test_what_the_caller_keeps_back_stays_out_of_the_request(ometria, received):
    receipt = ometria.push(make_account(), [parcel(1), parcel(2), parcel(3)], lambda places: places[::2])
    assert states(receipt) == ["accepted", "stale", "accepted"]
    assert pushes(received)[0]["ids"] == ["1", "3"]


def test_late_refusals_are_read_with_their_record(ometria, received):
    ometria.push(make_account(), [Parcel("5", b'{"@type":"product","id":"5"}')])
    (error,) = ometria.errors(make_account())
    assert (error.record_type, error.record_id) == ("product", "5")
    assert error.request_id
    assert "title" in error.message


def test_the_error_list_that_cannot_be_read_is_no_empty_list(ometria, received):
    received.faults.plan({"data": {"status": 500}})
    with pytest.raises(Retry):
        ometria.errors(make_account())


@pytest.mark.parametrize("url", ["http://api.ometria.test/v2", "http://127.0.0.1.evil.test/v2"])
def test_plain_http_is_for_this_machine_only(url, redis_client):
    with pytest.raises(Misconfigured, match="https"):
        Ometria(url, redis_client)


def test_more_than_a_batch_is_a_mistake_of_the_caller(ometria):
    with pytest.raises(ValueError, match="100"):
        ometria.push(make_account(), [parcel(number) for number in range(101)])


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b'{"status":"OK","request_id":"r","accepted":2,"rejected":0}', "accepted"),
        (200, b'{"success":true,"status":"OK","accepted":2}', "accepted"),
        (200, b'{"status":"OK","accepted":1,"rejected":1}', "split"),
        (200, b'{"status":"OK","accepted":0,"rejected":2}', "all_refused"),
        (200, b'{"status":"ERROR","message":"Payload invalid"}', "split"),
        (200, b"<!doctype html>", "retry"),
        (200, b"[]", "retry"),
        (200, b"", "retry"),
        (400, b"{}", "split"),
        (413, b"", "split"),
        (401, b"{}", "stop"),
        (403, b"", "stop"),
        (404, b"", "stop"),
        (302, b"", "stop"),
        (408, b"", "retry"),
        (429, b"", "retry"),
        (502, b"<html>", "retry"),
    ],
)
def test_each_answer_says_what_happens_next(status, body, verdict):
    assert read_push(status, body, None, 2).verdict == verdict


def test_retry_after_is_seconds_or_a_date():
    assert seconds("30") == 30
    assert seconds("Wed, 25 Nov 2026 12:00:30 GMT", now=1_795_608_000) == 30
    assert seconds("Wed, 25 Nov 2020 12:00:30 GMT") == 0
    assert seconds("soon") is seconds(None) is seconds("") is None
    assert seconds("999999999") == 3600


def test_both_forms_of_the_error_list_are_read():
    old = read_errors(200, b'[{"error_message":"not a valid value","error_path":"root > lastname"}]')
    assert (old[0].record_id, old[0].message) == ("", "root > lastname not a valid value")
    new = read_errors(
        200,
        b'{"errors":[{"request_id":"r","record_type":"contact","record_id":"7","record":{"@collection":"subscribers"},'
        b'"message":{"error_message":"bad","error_path":"root > email"}}]}',
    )
    assert (new[0].request_id, new[0].collection, new[0].message) == ("r", "subscribers", "root > email bad")
    assert read_errors(200, b"<html>") is None
    assert read_errors(500, b"[]") is None


def test_an_opened_gate_lets_the_next_call_through_after_a_fair_interval(redis_client):
    pacer = Pacer(redis_client)
    begins = []
    for _ in range(3):
        with pacer.turn("key", 10):
            begins.append(time.monotonic())
    assert all(later - sooner >= 0.1 for sooner, later in pairwise(begins))


def _url(client) -> str:
    return f"unix://{client.connection_pool.connection_kwargs['path']}"
