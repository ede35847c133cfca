"""The fake Ometria over HTTP: what it accepts, limits, refuses later, shows, and how it misbehaves on demand."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.sandbox.ometria import OmetriaOptions, create_ometria

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

KEY = "key-of-the-tests"
ACCOUNT = "0123456789abcdef"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Flask:
    return create_ometria(
        OmetriaOptions({KEY: ACCOUNT, "other-key": "fedcba9876543210"}, data_per_second=1000, clock=clock)
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def push(client: FlaskClient, body: Any, key: str | None = KEY, **kwargs: Any) -> TestResponse:
    headers = {} if key is None else {"X-Ometria-Auth": key}
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return client.post("/v2/push", data=data, headers=headers, content_type="application/json", **kwargs)


def product(number: int, **more: Any) -> dict[str, Any]:
    return {"@type": "product", "id": str(number), "title": f"Product {number}", "price": 10.5, **more}


def received(client: FlaskClient, **query: str) -> Any:
    return client.get("/received.json", query_string=query).get_json()


def test_an_accepted_push_answers_as_documented(client: FlaskClient) -> None:
    answer = push(client, [product(1), product(2)])
    assert answer.status_code == 200
    body = answer.get_json()
    assert len(body.pop("request_id")) == 36
    assert body == {"status": "OK", "accepted": 2, "rejected": 0}
    assert answer.headers["X-QueueSize-Limit"] == "50000"
    assert answer.headers["X-QueueSize-Remaining"] == "49998"


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("", 401), ("wrong", 403)])
def test_a_missing_or_wrong_key_is_refused_as_json(client: FlaskClient, key: str | None, status: int) -> None:
    answer = push(client, [product(1)], key)
    assert answer.status_code == status
    assert answer.get_json()["status"] == "ERROR"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (product(1), "Not an array of records."),
        (b"[{]", "Not valid JSON."),
        (b"[1,]", "Not valid JSON."),
        (b"[] []", "Not valid JSON."),
        (b"", "Not valid JSON."),
        (b"[" * 3000, "Not valid JSON."),
        (b'[{"@type":"product","id":"1","price":NaN}]', "Not valid JSON."),
        ('[{"@type":"product","id":"é"}]'.encode("latin-1"), "Not UTF-8."),
        ([], "No records."),
        (["product"], "Record is not an object."),
        ([{"id": "1"}], "Record without a known @type."),
        ([{"@type": "basket", "id": "1"}], "Record without a known @type."),
        ([product(1), {"@type": "order", "id": "1"}], "Records of more than one @type."),
        ([product(number) for number in range(101)], "More than 100 records."),
        ([product(1), product(2, text="é" * 30_000)], "Record is too large."),
    ],
)
def test_an_invalid_payload_is_refused_as_a_whole(client: FlaskClient, clock: Clock, body: Any, message: str) -> None:
    answer = push(client, body)
    assert answer.status_code == 400
    assert answer.get_json()["message"] == f"Payload invalid: {message}"
    clock.pass_(1)
    assert received(client)["products"] == {}


def test_the_size_limit_is_60000_bytes_of_the_record_as_sent(client: FlaskClient) -> None:
    def sized(size: int) -> bytes:
        record = json.dumps(product(1, text="")).encode()
        return b"[ " + record.replace(b'"text": ""', b'"text": "' + b"x" * (size - len(record)) + b'"') + b" ]"

    assert push(client, sized(60_000)).status_code == 200
    assert push(client, sized(60_001)).get_json()["message"] == "Payload invalid: Record is too large."


def test_a_hundred_records_of_one_type_are_taken(client: FlaskClient) -> None:
    assert push(client, [product(number) for number in range(100)]).get_json()["accepted"] == 100


def test_another_content_type_is_refused(client: FlaskClient) -> None:
    answer = client.post("/v2/push", data=b"[]", headers={"X-Ometria-Auth": KEY}, content_type="text/plain")
    assert answer.status_code == 400


def test_no_window_of_one_second_takes_more_than_four_pushes(client: FlaskClient, clock: Clock) -> None:
    statuses = []
    # Two before a full second and two after it: a counter that starts anew each second would let six through.
    for wait in (0.9, 0.05, 0.1, 0.1, 0.1, 0.1):
        clock.pass_(wait)
        statuses.append(push(client, [product(1)]).status_code)
    assert statuses == [200, 200, 200, 200, 429, 429]
    clock.pass_(1 - 0.45 - 0.001)
    assert push(client, [product(1)]).status_code == 429
    clock.pass_(0.002)
    assert push(client, [product(1)]).status_code == 200
    assert received(client)["window_violations"] == 3


def test_each_key_has_a_window_of_its_own(client: FlaskClient) -> None:
    assert [push(client, [product(1)]).status_code for _ in range(5)] == [200] * 4 + [429]
    assert push(client, [product(1)], "other-key").status_code == 200


def test_calls_with_a_wrong_key_use_up_nobodys_window(client: FlaskClient) -> None:
    for _ in range(10):
        push(client, [product(1)], "wrong")
    assert push(client, [product(1)]).status_code == 200


def test_reading_has_a_limit_of_its_own(clock: Clock) -> None:
    client = create_ometria(OmetriaOptions({KEY: ACCOUNT}, clock=clock)).test_client()
    answers = [client.get("/v2/orders", headers={"X-Ometria-Auth": KEY}).status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]
    assert push(client, [product(1)]).status_code == 200
    assert received(client)["violations"] == {"push": 0, "data": 1, "mail": 0}


def test_a_full_queue_takes_nothing_more(clock: Clock) -> None:
    client = create_ometria(OmetriaOptions({KEY: ACCOUNT}, queue_limit=3, clock=clock)).test_client()
    assert push(client, [product(1), product(2)]).headers["X-QueueSize-Remaining"] == "1"
    assert push(client, [product(3), product(4)]).status_code == 429
    clock.pass_(0.3)
    assert push(client, [product(3), product(4)]).status_code == 200


def test_records_are_stored_only_after_the_validation(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1)])
    assert received(client)["products"] == {}
    assert received(client)["pending"] == 1
    clock.pass_(0.2)
    assert received(client)["products"] == {"1": product(1)}


def test_a_record_that_fails_the_validation_is_found_among_the_errors(client: FlaskClient, clock: Clock) -> None:
    request_id = push(client, [product(1), product(2, price="10.50")]).get_json()["request_id"]
    clock.pass_(0.2)
    errors = client.get("/v2/push/_errors", headers={"X-Ometria-Auth": KEY}).get_json()
    assert len(errors) == 1
    assert errors[0].pop("timestamp").endswith("Z")
    assert errors[0] == {
        "request_id": request_id,
        "record_type": "product",
        "record_id": "2",
        "record": product(2, price="10.50"),
        "message": {"error_message": "not a valid value", "error_path": "root > price"},
    }
    assert list(received(client)["products"]) == ["1"]


def test_errors_are_the_newest_hundred_of_the_account_newest_first(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(number, price="x") for number in range(60)])
    push(client, [product(number, price="x") for number in range(60, 120)])
    push(client, [product(7, price="x")], "other-key")
    clock.pass_(0.2)
    errors = client.get("/v2/push/_errors", headers={"X-Ometria-Auth": KEY}).get_json()
    assert [error["record_id"] for error in errors] == [str(number) for number in range(119, 19, -1)]


def test_merge_keeps_the_fields_that_are_not_sent(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1, is_active=True, attributes=[{"type": "brand", "id": "3"}])])
    push(client, [{"@type": "product", "id": "1", "price": 8, "attributes": [], "@merge": True}])
    clock.pass_(0.2)
    assert received(client)["products"]["1"] == {
        **product(1, is_active=True, attributes=[]),
        "price": 8,
        "@merge": True,
    }


def test_without_merge_a_record_replaces_the_stored_one(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1, is_active=True)])
    push(client, [product(1)])
    clock.pass_(0.2)
    assert received(client)["products"]["1"] == product(1)


def test_a_partial_record_without_merge_is_validated_as_it_is(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1)])
    push(client, [{"@type": "product", "id": "1", "price": 8}])
    clock.pass_(0.2)
    assert received(client)["errors"][0]["message"]["error_path"] == "root > title"


def test_contacts_of_two_collections_are_two_contacts(client: FlaskClient, clock: Clock) -> None:
    contact = {"@type": "contact", "id": "7", "email": "ann@example.com"}
    push(client, [{**contact, "@collection": "customers"}, {**contact, "@collection": "subscribers"}])
    clock.pass_(0.2)
    assert sorted(received(client)["contacts"]) == ["customers:7", "subscribers:7"]


def test_two_accounts_do_not_mix(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1)])
    push(client, [product(2)], "other-key")
    clock.pass_(0.2)
    assert list(received(client, account=ACCOUNT)["products"]) == ["1"]
    assert list(received(client, account="fedcba9876543210")["products"]) == ["2"]
    assert sorted(received(client)["products"]) == ["1", "2"]
    assert [each["id"] for each in client.get("/v2/products", headers={"X-Ometria-Auth": KEY}).get_json()] == ["1"]


def test_every_store_of_a_record_is_counted_not_only_the_last(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1)])
    push(client, [product(1)])
    clock.pass_(0.2)
    assert [(each["type"], each["id"]) for each in received(client)["stored"]] == [("product", "1")] * 2


def test_fields_that_nobody_documents_are_taken_and_listed(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1, qty=3), product(2, qty=0)])
    clock.pass_(0.2)
    assert len(received(client)["products"]) == 2
    assert received(client)["unknown_fields"] == {"product": {"qty": 2}}


def test_reading_products_leaves_variants_out_unless_asked_for(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(number, is_variant=number > 3) for number in range(1, 7)])
    clock.pass_(0.2)

    def ids(query: str) -> list[str]:
        answer = client.get(f"/v2/products{query}", headers={"X-Ometria-Auth": KEY}).get_json()
        return [each["id"] for each in answer]

    assert ids("") == ["1", "2", "3"]
    assert ids("?includeVariants=true") == ["1", "2", "3", "4", "5", "6"]
    assert ids("?includeVariants=true&limit=2&offset=3") == ["4", "5"]
    assert client.get("/v2/products/5", headers={"X-Ometria-Auth": KEY}).get_json()["id"] == "5"
    assert client.get("/v2/products/9", headers={"X-Ometria-Auth": KEY}).status_code == 404


def test_reading_gives_at_most_250_records(client: FlaskClient, clock: Clock) -> None:
    for start in (0, 100, 200):
        push(client, [product(number) for number in range(start, start + 100)])
    clock.pass_(0.2)
    assert len(client.get("/v2/products?limit=1000", headers={"X-Ometria-Auth": KEY}).get_json()) == 250


def test_reading_can_choose_active_products_and_sort_by_the_last_update(client: FlaskClient, clock: Clock) -> None:
    push(client, [product(1), product(2, is_active=False), product(3)])
    clock.pass_(0.2)
    push(client, [product(1, title="Again")])
    clock.pass_(0.2)

    def ids(query: str) -> list[str]:
        answer = client.get(f"/v2/products{query}", headers={"X-Ometria-Auth": KEY}).get_json()
        return [each["id"] for each in answer]

    assert ids("?active=true") == ["1", "3"]
    assert ids("?active=false") == ["2"]
    assert ids("?orderby=timestamp_update") == ["2", "3", "1"]


def test_a_person_is_found_by_the_address_whatever_its_letters(client: FlaskClient, clock: Clock) -> None:
    contact = {"@type": "contact", "id": "7", "email": "Ann@example.com"}
    push(client, [{**contact, "@collection": "customers"}, {**contact, "@collection": "subscribers"}])
    clock.pass_(0.2)
    key = {"X-Ometria-Auth": KEY}
    (person,) = client.get("/v2/profiles?email=ann@EXAMPLE.com", headers=key).get_json()
    assert [each["@collection"] for each in person["listings"]] == ["customers", "subscribers"]
    assert client.get("/v2/profiles?email=bob@example.com", headers=key).get_json() == []
    assert client.get("/v2/profiles", headers=key).get_json() == []


def test_a_key_that_may_only_push_reads_nothing(clock: Clock) -> None:
    options = OmetriaOptions({KEY: ACCOUNT}, push_only_keys=frozenset({KEY}), clock=clock)
    client = create_ometria(options).test_client()
    assert push(client, [product(1)]).status_code == 200
    clock.pass_(1.5)
    for path in ("products", "contacts?collection=customers", "orders"):
        assert client.get(f"/v2/{path}", headers={"X-Ometria-Auth": KEY}).status_code == 403
    clock.pass_(1.5)
    for path in ("products/1", "profiles?email=a@b.test"):
        assert client.get(f"/v2/{path}", headers={"X-Ometria-Auth": KEY}).status_code == 403


# ---- faults on demand ------------------------------------------------------------------------------------------------


def test_a_planned_status_is_answered_as_often_as_planned(client: FlaskClient, clock: Clock) -> None:
    client.post("/faults", json={"push": {"status": 500, "times": 2}})
    assert [push(client, [product(number)]).status_code for number in (1, 2, 3)] == [500, 500, 200]
    clock.pass_(0.2)
    assert list(received(client)["products"]) == ["3"]


def test_a_fault_after_acceptance_loses_only_the_answer(client: FlaskClient, clock: Clock) -> None:
    client.post("/faults", json={"push": {"status": 500, "when": "after"}})
    assert push(client, [product(1)]).status_code == 500
    clock.pass_(0.2)
    assert list(received(client)["products"]) == ["1"]


def test_a_planned_429_carries_its_retry_after(client: FlaskClient) -> None:
    client.post("/faults", json={"push": {"status": 429, "retry_after": 30}})
    answer = push(client, [product(1)])
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_a_planned_web_page_is_no_json(client: FlaskClient) -> None:
    client.post("/faults", json={"push": {"status": "html"}})
    answer = push(client, [product(1)])
    assert (answer.status_code, answer.mimetype) == (200, "text/html")


def test_a_fault_without_end_lasts_until_it_is_cleared(client: FlaskClient) -> None:
    client.post("/faults", json={"push": {"status": 403, "times": None}})
    assert [push(client, [product(1)]).status_code for _ in range(3)] == [403] * 3
    client.delete("/faults")
    assert push(client, [product(1)]).status_code == 200


def test_a_refusal_hits_one_record_and_says_what_was_planned(client: FlaskClient, clock: Clock) -> None:
    client.post("/faults", json={"refuse": {"type": "product", "id": "2", "path": "root > title", "times": 1}})
    push(client, [product(1), product(2)])
    clock.pass_(0.2)
    assert list(received(client)["products"]) == ["1"]
    assert received(client)["errors"][0]["message"] == {
        "error_message": "not a valid value",
        "error_path": "root > title",
    }
    push(client, [product(2)])
    clock.pass_(0.2)
    assert list(received(client)["products"]) == ["1", "2"]


def test_a_refusal_at_once_is_counted_in_the_answer(client: FlaskClient, clock: Clock) -> None:
    client.post("/faults", json={"refuse": [{"type": "product", "id": "2", "at_once": True}]})
    answer = push(client, [product(1), product(2)]).get_json()
    assert (answer["accepted"], answer["rejected"]) == (1, 1)
    clock.pass_(0.2)
    assert list(received(client)["products"]) == ["1"]


def test_the_queue_headers_can_be_made_to_claim_anything(client: FlaskClient) -> None:
    client.post("/faults", json={"queue": {"remaining": 50}})
    assert push(client, [product(1)]).headers["X-QueueSize-Remaining"] == "50"


@pytest.mark.parametrize(
    "wish",
    [
        [],
        {"pull": {"status": 500}},
        {"push": 500},
        {"push": {"status": "slow"}},
        {"push": {"status": 500, "times": 0}},
        {"push": {"status": 500, "when": "sometimes"}},
        {"push": {"status": 500, "seconds": "long"}},
        {"refuse": {"type": "product", "id": 5}},
        {"refuse": {"type": "product", "id": "5", "times": -1}},
        {"queue": 5},
    ],
)
def test_a_plan_that_cannot_be_understood_changes_nothing(client: FlaskClient, wish: Any) -> None:
    answer = client.post("/faults", json=wish)
    assert answer.status_code == 400
    assert answer.get_json()["message"]
    assert received(client)["faults"] == []


def test_reset_forgets_everything(client: FlaskClient, clock: Clock) -> None:
    client.post("/faults", json={"push": {"status": 500, "times": 5, "when": "after"}})
    push(client, [product(1)])
    clock.pass_(0.2)
    assert client.post("/reset").get_json() == {"status": "OK"}
    after = received(client)
    assert (after["products"], after["faults"], after["requests"]) == ({}, [], [])


# ---- mails, events, pages --------------------------------------------------------------------------------------------


def send(client: FlaskClient, mail: Any) -> TestResponse:
    return client.post("/v2/transactional-email/send", json=mail, headers={"X-Ometria-Auth": KEY})


MAIL = {"to": {"email": "ann@example.com", "name": "Ann"}, "template_id": 3, "data": {"details": {"orderID": "1"}}}


def test_a_transactional_mail_is_kept(client: FlaskClient) -> None:
    assert send(client, MAIL).status_code == 200
    assert [each["mail"] for each in received(client)["mails"]] == [MAIL]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"to": {}}, "to needs an email."),
        ({"reply_to": "x@example.com"}, "reply_to needs an email."),
        ({"template_id": "3"}, "template_id is not an integer."),
        ({"template_id": None}, "Neither template_id nor content."),
        ({"data": []}, "data is not an object."),
        ({"sandbox": "yes"}, "sandbox is not a boolean."),
        ({"attachments": [{"name": "a", "type": "text/html", "data": ""}]}, "Attachment type is not supported."),
        ({"attachments": [{"name": "a", "type": "image/png", "data": "?"}]}, "Attachment data is not base64."),
        (
            {"attachments": [{"name": "a", "type": "image/png", "data": "AAAA"}] * 2},
            "Two attachments of one name.",
        ),
        (
            {"attachments": [{"name": str(n), "type": "image/png", "data": "AAAA"} for n in range(11)]},
            "attachments is not a list of at most 10 files.",
        ),
        (
            {"attachments": [{"name": "a", "type": "image/png", "data": "A" * 13_333_336}]},
            "Attachments are too large.",
        ),
    ],
)
def test_a_mail_that_the_api_would_refuse_is_refused(client: FlaskClient, change: Any, message: str) -> None:
    answer = send(client, {**MAIL, **change})
    assert answer.status_code == 400
    assert answer.get_json()["message"] == f"Payload invalid: {message}"
    assert received(client)["mails"] == []


def test_a_mail_may_carry_its_content_instead_of_a_template(client: FlaskClient) -> None:
    assert send(client, {"to": {"email": "a@example.com"}, "content": {"html": "<p>hello"}}).status_code == 200


EVENT = {"cid": "c1", "sid": "s1", "type": "pageview", "channel": "web", "url": "http://shop/é?a=1", "d": {"pid": "5"}}


def encoded(event: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(event, ensure_ascii=False).encode()).decode().rstrip("=")


def test_a_pixel_is_an_image_and_its_event_is_kept_in_order_of_arrival(client: FlaskClient) -> None:
    for number in range(3):
        answer = client.get(f"/track/v3/{ACCOUNT}/event.gif", query_string={"data": encoded({**EVENT, "seq": number})})
        assert (answer.status_code, answer.mimetype) == (200, "image/gif")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.data.startswith(b"GIF89a")
    events = received(client)["events"]
    assert [(event["n"], event["seq"], event["url"]) for event in events] == [
        (n + 1, n, EVENT["url"]) for n in range(3)
    ]
    assert events[0]["d"] == {"pid": "5"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "not base64url of JSON"),
        ("%%%", "not base64url of JSON"),
        (base64.urlsafe_b64encode(b"\xff\xfe").decode(), "not base64url of JSON"),
        (encoded([]), "not an object"),
        (encoded({**EVENT, "cid": 5}), "without cid"),
        (encoded({**EVENT, "d": None}), "without d"),
    ],
)
def test_a_pixel_that_holds_no_event_is_reported(client: FlaskClient, data: str, reason: str) -> None:
    assert client.get(f"/track/v3/{ACCOUNT}/event.gif", query_string={"data": data}).status_code == 200
    assert received(client)["events"] == []
    assert [error["reason"] for error in received(client)["event_errors"]] == [reason]


def test_script_and_pixel_exist_for_known_accounts_only(client: FlaskClient) -> None:
    with client.get(f"/tags/{ACCOUNT}.js") as script:
        assert script.mimetype == "text/javascript"
    assert client.get("/tags/unknown.js").status_code == 404
    assert client.get("/track/v3/unknown/event.gif", query_string={"data": encoded(EVENT)}).status_code == 404


def test_the_page_shows_what_came_and_escapes_it(client: FlaskClient, clock: Clock) -> None:
    evil = "<img src=x onerror=alert(1)>"
    push(client, [product(1, title=evil)])
    push(client, [product(2, price=evil)])
    send(client, {**MAIL, "subject": evil})
    event = {**EVENT, "type": "identify", "uiid": evil, "d": {"uiid": evil}}
    client.get(f"/track/v3/{ACCOUNT}/event.gif", query_string={"data": encoded(event)})
    clock.pass_(0.2)
    answer = client.get("/")
    assert evil not in answer.text
    assert answer.text.count("&lt;img src=x onerror=alert(1)&gt;") >= 4
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_page_and_the_requests_name_no_key(client: FlaskClient) -> None:
    push(client, [product(1)])
    push(client, [product(1)], "secret-but-wrong")
    for text in (client.get("/").text, client.get("/received.json").text):
        assert KEY not in text
        assert "secret-but-wrong" not in text


def test_the_version_changes_with_whatever_is_received(client: FlaskClient, clock: Clock) -> None:
    def version() -> int:
        number: int = client.get("/version.json").get_json()["version"]
        return number

    seen = [version(), version()]
    push(client, [product(1)])
    seen.append(version())
    clock.pass_(0.2)
    seen.append(version())
    client.post("/reset")
    seen.append(version())
    assert seen[0] == seen[1] < seen[2] < seen[3] < seen[4]


def test_a_request_is_listed_with_its_outcome_and_its_body_kept(client: FlaskClient) -> None:
    push(client, [product(1), product(2)])
    (call,) = received(client)["requests"]
    assert (call["path"], call["status"], call["type"], call["records"]) == ("/v2/push", 200, "product", 2)
    assert call["ids"] == ["1", "2"]
    assert json.loads(client.get(f"/requests/{call['n']}/body").data) == [product(1), product(2)]
    assert client.get("/requests/99/body").status_code == 404
