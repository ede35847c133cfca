"""The signed API as Ometria calls it, with a client of the contract's own."""

from __future__ import annotations

import datetime as dt
import json
import time

import msgspec
import pytest
import redis
from structlog.testing import capture_logs

from bridge.coupons.actions import VERSION
from bridge.coupons.replay import Replays
from bridge.errors import Misconfigured, Retry
from bridge.store import Coupon
from tests.coupons.api_room import HOST, PRIVATE, PUBLIC, SECOND, make_room, make_shop

pytestmark = pytest.mark.redis

COUPON_FIELDS = {
    "coupon_id", "rule_id", "code", "usage_limit", "usage_per_customer", "times_used", "expiration_date", "is_primary",
    "created_at", "type",
}  # fmt: skip


@pytest.fixture
def room(tmp_path, redis_client):
    room = make_room(tmp_path, redis_client, make_shop())
    yield room
    with room.app.app_context():
        from bridge.db import db

        db.session.remove()
        db.engine.dispose()


def fill(room, count: int, rule_id: int = 2) -> None:
    for number in range(count):
        room.shop.insert_coupon(rule_id, f"OM{number:04}")


# ---- what is answered ------------------------------------------------------------------------------------------------


def test_version_and_stores(room):
    assert room.client.get("version").json == {"version": VERSION}
    assert room.client.get("stores").json[1] == {
        "id": 2, "title": "FR", "group_id": 2, "website_id": 2, "url": f"http://{HOST}/fr/",
    }  # fmt: skip
    assert len(room.client.post("stores").json) == 3


def test_answers_may_be_kept_by_nobody(room):
    for answer in (room.client.get("version"), room.plain.get("/ometria_api/v1/version", headers={"Host": HOST})):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.mimetype == "application/json"


def test_rules_have_the_shops_own_fields(room):
    raw = {"rule_id": 2, "name": "Welcome", "simple_action": "by_percent", "discount_amount": 10, "is_active": True}
    room.shop.price_rules[2] = msgspec.structs.replace(room.shop.price_rules[2], raw=raw)
    rows = room.client.get("salesrules_items").json
    assert [row["rule_id"] for row in rows] == [1, 2, 3]
    assert (
        rows[1].items()
        >= {**raw, "coupon_type": "SPECIFIC_COUPON", "use_auto_generation": True, "from_date": None}.items()
    )
    assert [row["rule_id"] for row in room.client.get("salesrules_items", rule_id="3").json] == [3]
    assert room.client.get("salesrules_items", rule_id="99").json == []
    assert [row["rule_id"] for row in room.client.get("salesrules_items", ids=["3", "1"]).json] == [1, 3]
    assert [row["rule_id"] for row in room.client.get("salesrules_items", website_ids="2").json] == [1, 2]


def test_pages_are_cut_and_end_empty(room):
    def pages(action, **more):
        return [room.client.get(action, page_size="2", current_page=str(page), **more).json for page in (1, 2, 3)]

    assert [[row["rule_id"] for row in page] for page in pages("salesrules_items")] == [[1, 2], [3], []]
    fill(room, 3)
    assert [[row["code"] for row in page] for page in pages("salesrules_items_coupons", rule_id="2")] == [
        ["OM0000", "OM0001"],
        ["OM0002"],
        [],
    ]
    assert room.client.get("salesrules_items", count="1").json == {"count": 3}
    assert room.client.get("salesrules_items_coupons", count="1").json == {"count": 4}
    assert room.client.get("salesrules_items_coupons", count="true", rule_id="2").json == {"count": 3}


def test_a_page_has_a_hundred_rows_unless_told_otherwise(room):
    fill(room, 101)
    assert len(room.client.get("salesrules_items_coupons", rule_id="2").json) == 100
    assert set(room.client.get("salesrules_items_coupons").json[0]) == COUPON_FIELDS


@pytest.mark.parametrize("way", ["get", "post"])
def test_codes_are_put_into_the_shop(room, way):
    answer = getattr(room.client, way)(
        "salesrules_insert_coupons", rule_id="2", codes=["OM-A/1", "OM-B"], usage_limit="1", usage_limit_per_customer="1",
        expiration_date="2099-12-31 23:59:59",
    )  # fmt: skip
    assert answer.status_code == 200
    assert [row["code"] for row in answer.json] == ["OM-A/1", "OM-B"]
    assert set(answer.json[0]) == COUPON_FIELDS
    assert answer.json[0]["expiration_date"] == "2099-12-31 23:59:59"
    assert {"om-a/1", "om-b"} <= room.shop.coupons.keys()


def test_a_missing_expiry_is_none_and_not_1970(room):
    row = room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A"]).json[0]
    assert row["expiration_date"] is None


def test_parameters_may_stand_in_a_multipart_body_and_in_the_path(room):
    query = dict(part.split("=") for part in room.client.query("salesrules_items_coupons", rule_id="1").split("&"))
    answer = room.plain.post(
        "/ometria_api/v1/salesrules_items_coupons",
        data=query,
        content_type="multipart/form-data",
        headers={"Host": HOST},
    )
    assert [row["code"] for row in answer.json] == ["SAVE10"]
    query = room.client.query("salesrules_items_coupons", rule_id="1").replace("rule_id=1&", "")
    answer = room.plain.get(f"/ometria_api/v1/salesrules_items_coupons/rule_id/1?{query}", headers={"Host": HOST})
    assert [row["code"] for row in answer.json] == ["SAVE10"]


def test_one_bad_code_does_not_stop_the_others(room):
    room.shop.insert_coupon(2, "OM-OLD")
    codes = ["OM-A", "om-old", "x" * 256, "=cmd|'/c calc'!A1", "ÄÖÜ-1", "OM-B", "OM-A"]
    answer = room.client.get("salesrules_insert_coupons", rule_id="2", codes=codes)
    assert answer.status_code == 200
    assert [row["code"] for row in answer.json] == ["OM-A", "OM-B"]
    assert room.shop.coupons.keys() == {"save10", "om-old", "om-a", "om-b"}


@pytest.mark.parametrize("code", ["x" * 256, "=1+1", "\U0001f381", "+44", "@SUM(A1)", "a b"])
def test_no_usable_code_at_all_is_an_error_that_repeats_none(room, code):
    answer = room.client.get("salesrules_insert_coupons", rule_id="2", codes=[code])
    assert answer.status_code == 422
    assert code not in answer.json["error"]
    assert room.shop.coupons.keys() == {"save10"}


def test_the_same_codes_again_are_the_same_request(room):
    first = room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A", "OM-B"]).json
    calls = room.shop.calls.count("insert_coupon")
    assert room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A", "OM-B"]).json == first
    assert room.shop.calls.count("insert_coupon") == calls


@pytest.mark.parametrize("told", ["+30 days", "2099-12-31 23:59:59"])
def test_a_call_that_is_sent_again_later_is_the_same_request_however_its_expiry_is_told(room, told):
    wanted = {"rule_id": "2", "codes": ["OM-A", "OM-B"], "expiration_date": told}
    first = room.client.get("salesrules_insert_coupons", **wanted).json
    calls = room.shop.calls.count("insert_coupon")
    room.now += 90
    again = room.client.get("salesrules_insert_coupons", **wanted)
    assert (again.status_code, again.json) == (200, first)
    assert room.shop.calls.count("insert_coupon") == calls


def test_codes_that_somebody_else_took_out_say_why_they_do_not_come_again(room):
    room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A"])
    del room.shop.coupons["om-a"]
    answer = room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A"])
    assert (answer.status_code, answer.json) == (422, {"error": "It was given out before."})


def test_codes_that_were_taken_out_come_again(room):
    for _ in range(3):
        room.now += 1
        assert len(room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A", "OM-B"]).json) == 2
        room.client.get("salesrules_delete_coupons", rule_id="2", codes=["OM-A"])
        assert room.shop.coupons.keys() == {"save10", "om-b"}


def test_only_codes_of_the_named_rule_are_deleted(room):
    fill(room, 2)
    room.shop.coupons["other"] = Coupon(90, 3, "OTHER")
    codes = ["OM0000", "om0001", "NOPE", "OTHER", "SAVE10"]
    assert room.client.get("salesrules_delete_coupons", rule_id="2", codes=codes).json == {
        "deleted_coupons": ["OM0000", "om0001"],
        "missing_coupons": ["NOPE"],
        "failed_coupons": ["OTHER", "SAVE10"],
    }
    # A rule's own fixed code is none that was made for a pool.
    assert room.client.get("salesrules_delete_coupons", rule_id="1", codes=["SAVE10"]).json["failed_coupons"] == [
        "SAVE10"
    ]
    assert room.shop.coupons.keys() == {"save10", "other"}


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "parameters", "status"),
    [
        ("salesrules_insert_coupons", {"rule_id": "2"}, 400),
        ("salesrules_insert_coupons", {"rule_id": "2", "codes": "OM-A"}, 400),  # a scalar where a list belongs
        ("salesrules_insert_coupons", {"codes": ["OM-A"]}, 400),
        ("salesrules_insert_coupons", {"rule_id": ["2"], "codes": ["OM-A"]}, 400),  # a list where a scalar belongs
        ("salesrules_insert_coupons", {"rule_id": "-1", "codes": ["OM-A"]}, 400),
        ("salesrules_insert_coupons", {"rule_id": "2.5", "codes": ["OM-A"]}, 400),
        ("salesrules_insert_coupons", {"rule_id": "9" * 30, "codes": ["OM-A"]}, 400),
        ("salesrules_insert_coupons", {"rule_id": "99", "codes": ["OM-A"]}, 404),
        ("salesrules_insert_coupons", {"rule_id": "3", "codes": ["OM-A"]}, 422),  # switched off
        ("salesrules_insert_coupons", {"rule_id": "1", "codes": ["OM-A"]}, 422),  # no auto generation
        ("salesrules_insert_coupons", {"rule_id": "2", "codes": ["OM-A"], "usage_limit": "-1"}, 400),
        ("salesrules_insert_coupons", {"rule_id": "2", "codes": ["OM-A"], "usage_limit": ["1"]}, 400),
        ("salesrules_insert_coupons", {"rule_id": "2", "codes": ["OM-A"], "expiration_date": "soon"}, 400),
        ("salesrules_insert_coupons", {"rule_id": "2", "codes": ["OM-A"], "expiration_date": "2001-01-01"}, 400),
        ("salesrules_insert_coupons", {"rule_id": "2", "codes": [f"OM{number}" for number in range(1001)]}, 400),
        ("salesrules_delete_coupons", {"rule_id": "2", "codes": "OM-A"}, 400),
        ("salesrules_delete_coupons", {"rule_id": "2", "codes": []}, 400),
        ("salesrules_delete_coupons", {"codes": ["OM-A"]}, 400),
        ("salesrules_items", {"page_size": "10000000"}, 400),
        ("salesrules_items", {"page_size": "-1"}, 400),
        ("salesrules_items", {"current_page": "x"}, 400),
        ("salesrules_items", {"ids": ["a"]}, 400),
        ("salesrules_items_coupons", {"rule_id": "٣"}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_and_leaves_nothing_behind(room, action, parameters, status):
    answer = room.client.get(action, **parameters)
    assert answer.status_code == status
    assert list(answer.json) == ["error"]
    assert len(answer.json["error"].split()) > 3
    assert room.shop.coupons.keys() == {"save10"}


def test_the_reason_why_a_rule_is_no_good_is_told(room):
    assert "switched off" in room.client.get("salesrules_insert_coupons", rule_id="3", codes=["OM-A"]).json["error"]


def test_lists_within_lists_are_refused(room):
    query = room.client.query("salesrules_insert_coupons", rule_id="2", codes=["OM-A"])
    # The signature covers the nested list, so it must be made for it: only who has the key gets so far.
    from bridge.coupons.parameters import form_pairs, parsed
    from bridge.coupons.signature import Call, sign

    query = query.partition("&signature=")[0].replace("codes[]=", "codes[][x]=")
    call = Call(HOST, "salesrules_insert_coupons", parsed(form_pairs(query.encode())))
    answer = room.plain.get(
        f"/ometria_api/v1/salesrules_insert_coupons?{query}&signature={sign(call, PUBLIC, PRIVATE)}",
        headers={"Host": HOST},
    )
    assert answer.status_code == 400


def test_ten_million_codes_are_too_large_before_anything_is_read(room):
    answer = room.plain.post(
        "/ometria_api/v1/salesrules_insert_coupons",
        data=b"codes[]=ABCDEFGH&" * 300_000,
        content_type="application/x-www-form-urlencoded",
        headers={"Host": HOST},
    )
    assert answer.status_code == 413
    answer = room.plain.post(
        "/ometria_api/v1/salesrules_insert_coupons",
        data=b"codes[]=A&" * 20_000,
        content_type="application/x-www-form-urlencoded",
        headers={"Host": HOST},
    )
    assert (answer.status_code, answer.json) == (403, {})


# ---- who is let in ---------------------------------------------------------------------------------------------------


def refused(room, answer) -> bool:
    return answer.status_code == 403 and answer.data == b"{}" and room.shop.calls == []


def test_wrong_old_future_and_truncated_signatures_are_refused_alike(room):
    now = int(room.now)
    assert refused(room, room.signed(private="private-key-0009").get("stores"))
    assert refused(room, room.signed(public="fedcba9876543210").get("stores"))
    assert refused(room, room.client.get("stores", request_timestamp=str(now - 1201)))
    assert refused(room, room.client.get("stores", request_timestamp=str(now + 301)))
    for cut in (1, 32, 64):
        query = room.client.query("stores")[:-cut]
        assert refused(room, room.plain.get(f"/ometria_api/v1/stores?{query}", headers={"Host": HOST}))
    assert refused(room, room.plain.get("/ometria_api/v1/stores", headers={"Host": HOST}))
    query = room.client.query("stores").replace("signature=", "signature[]=")
    assert refused(room, room.plain.get(f"/ometria_api/v1/stores?{query}", headers={"Host": HOST}))
    query = room.client.query("stores") + "&x=%FF"
    assert refused(room, room.plain.get(f"/ometria_api/v1/stores?{query}", headers={"Host": HOST}))
    assert room.client.get("stores", request_timestamp=str(now - 1199)).status_code == 200
    assert room.client.get("stores", request_timestamp=str(now + 299)).status_code == 200


def test_a_signature_is_good_for_its_own_call_alone(room):
    query = room.client.query("salesrules_items_coupons", rule_id="1")
    for path in (
        f"salesrules_items?{query}",
        f"salesrules_items_coupons?{query.replace('rule_id=1', 'rule_id=2')}",
        f"salesrules_items_coupons?{query}&current_page=2",
        f"salesrules_items_coupons/ids/1?{query}",
    ):
        assert refused(room, room.plain.get(f"/ometria_api/v1/{path}", headers={"Host": HOST}))
    for host in ("evil.example.com", f"{HOST}:8443", HOST.upper()):
        answer = room.plain.get(f"/ometria_api/v1/salesrules_items_coupons?{query}", headers={"Host": host})
        assert refused(room, answer)


def test_a_replayed_call_is_refused_and_does_nothing(room):
    query = room.client.query("salesrules_insert_coupons", rule_id="2", codes=["OM-A"])
    path = f"/ometria_api/v1/salesrules_insert_coupons?{query}"
    assert room.plain.get(path, headers={"Host": HOST}).status_code == 200
    room.shop.calls.clear()
    for answer in (room.plain.get(path, headers={"Host": HOST}), room.plain.post(path, headers={"Host": HOST})):
        assert refused(room, answer)


def test_a_refused_call_is_not_remembered(room, redis_client):
    room.signed(private="private-key-0009").get("stores")
    assert redis_client.keys("bridge:signed:*") == []


def test_without_the_memory_no_call_is_taken(room):
    gone = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
    room.api._replays = Replays(gone)
    answer = room.client.get("stores")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert room.shop.calls == []
    gone.close()


def test_both_keys_open_while_the_key_is_changed(room):
    assert room.signed(private=SECOND).get("version").status_code == 200
    room.sets(coupons__private_key=SECOND, coupons__private_key_second=None)
    assert room.client.get("version").status_code == 403
    assert room.signed(private=SECOND).get("version").status_code == 200


def test_without_a_key_nobody_is_let_in(room):
    room.sets(coupons__private_key=None, coupons__private_key_second=None)
    assert refused(room, room.client.get("stores"))
    assert refused(room, room.signed(private="").get("stores"))


def test_keys_and_switches_are_those_of_the_store_view_that_is_addressed(room):
    room.sets("website:europe", coupons__private_key="private-key-euro", general__account_id="00000000000000ee")
    euro = room.signed(private="private-key-euro", public="00000000000000ee")
    assert euro.get("version", front="/fr").status_code == 200
    assert euro.get("version").status_code == 403
    assert room.client.get("version", front="/fr").status_code == 403
    assert room.signed(host="de.example.com", private="private-key-euro", public="00000000000000ee").get("version").json
    room.sets("website:europe", coupons__signed_api=False)
    assert euro.get("version", front="/fr").status_code == 404
    assert room.client.get("version", front="/index.php").status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_do_nothing(room, method):
    query = room.client.query("salesrules_insert_coupons", rule_id="2", codes=["OM-A"])
    answer = room.plain.open(
        f"/ometria_api/v1/salesrules_insert_coupons?{query}", method=method, headers={"Host": HOST}
    )
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert room.shop.calls == []


def test_the_action_may_be_written_in_any_case_and_is_signed_as_written(room):
    assert room.client.get("Version").json == {"version": VERSION}
    assert room.client.get("nothing").status_code == 404


# ---- faults of the shop ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [Retry("The shop does not answer.", 7.0), Misconfigured("Set the token PRIVATE anew.")]
)
def test_a_shop_that_cannot_be_asked_is_a_503_that_tells_nothing_inner(room, fault):
    room.shop.fault = fault
    for action in ("stores", "salesrules_items", "salesrules_items_coupons"):
        answer = room.client.get(action)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 7
        assert "token" not in answer.json["error"]
    answer = room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A"])
    assert answer.status_code == 503
    room.shop.fault = None
    assert len(room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A"]).json) == 1


def test_a_database_that_does_not_answer_is_a_503_and_the_call_can_be_sent_again(room):
    from bridge.db import db

    with room.app.app_context():
        db.session.execute(db.text("ALTER TABLE coupon_request RENAME TO away"))
        db.session.commit()
    answer = room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A"])
    assert answer.status_code == 503
    assert "OM-A" not in answer.text
    assert "coupon_request" not in answer.text
    with room.app.app_context():
        db.session.execute(db.text("ALTER TABLE away RENAME TO coupon_request"))
        db.session.commit()
    assert [row["code"] for row in room.client.get("salesrules_insert_coupons", rule_id="2", codes=["OM-A"]).json] == [
        "OM-A"
    ]


def test_errors_can_have_status_200_as_the_old_modules_had(room):
    room.sets(coupons__legacy_errors=True)
    answer = room.client.get("salesrules_insert_coupons", rule_id="99", codes=["OM-A"])
    assert (answer.status_code, list(answer.json)) == (200, ["error"])
    assert room.client.get("salesrules_delete_coupons", rule_id="2", codes=[]).json["error"]
    # Who is not let in is told so in either way.
    assert room.signed(private="private-key-0009").get("version").status_code == 403


def test_no_key_signature_or_code_is_in_a_log_or_an_answer(room):
    with capture_logs() as lines:
        room.client.get("salesrules_insert_coupons", rule_id="2", codes=["SECRET-CODE"])
        room.client.get("salesrules_insert_coupons", rule_id="99", codes=["SECRET-CODE"])
        room.signed(private="private-key-0009").get("version")
        room.shop.fault = Retry("The shop does not answer.")
        told = room.client.get("stores")
    said = json.dumps(lines) + told.text
    assert {line["event"] for line in lines} == {"signed call", "signed call refused", "signed call not answered"}
    for secret in (PRIVATE, SECOND, "private-key-0009", "SECRET-CODE", "signature="):
        assert secret not in said


def test_an_expiry_may_be_told_as_programs_tell_it(room):
    for number, text in enumerate(("2099-12-31", "2099-12-31T23:59:59+01:00", "@4102444800", "+30 days", "1 month")):
        row = room.client.get(
            "salesrules_insert_coupons", rule_id="2", codes=[f"OM{number}"], expiration_date=text
        ).json[0]
        assert row["expiration_date"] > f"{dt.datetime.fromtimestamp(time.time(), dt.UTC):%Y-%m-%d %H:%M:%S}"
