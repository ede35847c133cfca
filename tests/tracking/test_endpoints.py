from __future__ import annotations

import gzip
import time
from types import SimpleNamespace

import pytest

from bridge.db import db
from bridge.events import Identified
from bridge.models import CatalogItem, IdentityClaim, Visitor
from bridge.tracking.endpoints import answers, tag
from tests.tracking.conftest import make_book

VISITOR = "0123456789abcdef0123456789abcdef"
OWN = {"Sec-Fetch-Site": "same-origin"}
ADA = "ada@example.com"


@pytest.fixture
def client(room):
    client = room.app.test_client()
    client.set_cookie("bridge_visitor", VISITOR)
    return client


def identify(room, visitor=VISITOR, session=None, email=ADA):
    room.tracking.observer._identities.identify(
        visitor, session, Identified(email=email, source="login", at=time.time())
    )


# ---- the script ----------------------------------------------------------------------------------------------------


def test_the_current_version_is_kept_for_good_and_any_other_briefly(room):
    client, script = room.app.test_client(), room.tracking.tags.script
    current = client.get(f"/_bridge/tag.js?v={script.version}")
    old = client.get("/_bridge/tag.js?v=0123")
    assert current.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert old.headers["Cache-Control"] == "public, max-age=300"
    assert current.data == old.data == script.plain
    assert current.mimetype == "text/javascript"
    assert "Set-Cookie" not in current.headers


def test_the_script_is_compressed_for_those_who_can_read_it(room):
    client, script = room.app.test_client(), room.tracking.tags.script
    zipped = client.get("/_bridge/tag.js", headers={"Accept-Encoding": "br, gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(zipped.data) == script.plain
    again = client.get("/_bridge/tag.js", headers={"Accept-Encoding": "gzip", "If-None-Match": zipped.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/_bridge/tag.js/x.css", "/_bridge/me/x.js", "/_bridge/me.css", "/_bridge/basket/"])
def test_a_path_with_anything_behind_it_is_not_ours(room, path):
    assert room.app.test_client().get(path, headers=OWN).status_code == 404


# ---- the visitor ---------------------------------------------------------------------------------------------------


def test_a_new_visitor_gets_a_cookie_that_scripts_and_other_sites_cannot_use(room):
    answer = room.app.test_client().get("/_bridge/me", headers=OWN, base_url="https://store.test")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-bridge_visitor=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.json == {"seen": "", "basket": answer.json["basket"]}
    plain = room.app.test_client().get("/_bridge/me", headers=OWN).headers["Set-Cookie"]
    assert plain.startswith("bridge_visitor=")
    assert "Secure" not in plain


def test_over_https_a_cookie_that_another_host_of_the_domain_may_have_set_is_nobodys(room):
    identify(room)
    victim = room.app.test_client()
    victim.set_cookie("bridge_visitor", VISITOR, domain="store.test")
    answer = victim.get("/_bridge/me", headers=OWN, base_url="https://store.test")
    assert "email" not in answer.json
    assert VISITOR not in answer.headers["Set-Cookie"]


def test_a_public_url_with_https_means_https_whatever_the_server_tells(make_room):
    client = make_room(public_url="https://store.test").app.test_client()
    assert client.get("/_bridge/me", headers=OWN).headers["Set-Cookie"].startswith("__Host-bridge_visitor=")


def test_the_e_mail_is_told_until_the_page_has_seen_it(room, client):
    identify(room)
    first = client.get("/_bridge/me", headers=OWN).json
    assert first["email"] == ADA
    again = client.get("/_bridge/me", headers=OWN | {"Bridge-Seen": first["seen"]}).json
    assert "email" not in again
    assert again["seen"] == first["seen"]
    identify(room, email="bob@example.com")
    assert client.get("/_bridge/me", headers=OWN | {"Bridge-Seen": first["seen"]}).json["email"] == "bob@example.com"


def test_a_waiting_claim_is_taken_by_the_session_that_it_waits_for(room):
    identify(room, visitor=None, session=b"abc")
    stranger, visitor = room.app.test_client(), room.app.test_client()
    stranger.set_cookie("PHPSESSID", "other")
    visitor.set_cookie("PHPSESSID", "abc")
    assert "email" not in stranger.get("/_bridge/me", headers=OWN).json
    assert visitor.get("/_bridge/me", headers=OWN).json["email"] == ADA
    visitor.delete_cookie("PHPSESSID")
    assert visitor.get("/_bridge/me", headers=OWN).json["email"] == ADA
    with room.app.app_context():
        assert db.session.query(IdentityClaim).count() == 0


@pytest.mark.parametrize("path", ["/_bridge/me", "/_bridge/basket", "/_bridge/skus", "/_bridge/seen"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
    ],
)
def test_other_sites_and_the_address_bar_get_nothing(room, client, path, headers):
    identify(room)
    call = client.get if path.endswith("me") else client.post
    answer = call(path, headers=headers, **({} if path.endswith("me") else {"json": {"skus": []}}))
    assert answer.status_code == 403
    assert ADA not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_an_own_page_in_a_browser_without_fetch_metadata_is_answered(client):
    assert client.get("/_bridge/me", headers={"Origin": "http://localhost"}).status_code == 200
    assert client.get("/_bridge/me").status_code == 200


def test_a_cookie_that_is_none_of_ours_is_replaced(room):
    client = room.app.test_client()
    client.set_cookie("bridge_visitor", "../../x")
    assert "bridge_visitor=.." not in client.get("/_bridge/me", headers=OWN).headers["Set-Cookie"]


# ---- the basket ----------------------------------------------------------------------------------------------------


def basket(client, question, **headers):
    return client.post("/_bridge/basket", json=question, headers=OWN | headers)


def test_skus_are_answered_with_product_and_parent(room, client):
    room.shop_variants["S-Red"] = ("13", "17")
    answer = basket(client, {"skus": ["S-Red", "GONE"]})
    assert answer.json["variants"] == {"S-Red": {"product": "13", "parent": "17", "parent_sku": None}}
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_id_stays_for_the_life_of_a_cart(room, client):
    first = basket(client, {"skus": []}).json["id"]
    assert basket(client, {"skus": ["x"]}).json["id"] == first
    assert client.get("/_bridge/me", headers=OWN).json["basket"] == first
    emptied = basket(client, {"skus": [], "empty": True}).json["id"]
    assert emptied != first
    room.tracking.observer._identities.end_basket(client.get_cookie("bridge_visitor").value)
    assert basket(client, {"skus": []}).json["id"] not in {first, emptied}


def test_saying_that_a_cart_is_empty_keeps_nothing_of_made_up_visitors(room):
    client = room.app.test_client()
    for number in range(30):
        client.set_cookie("bridge_visitor", f"{number:032x}")
        assert basket(client, {"skus": [], "empty": True}).status_code == 200
    with room.app.app_context():
        assert db.session.query(Visitor).count() == 0


def test_a_visitor_who_is_known_stays_the_same_when_the_cart_is_emptied(room, client):
    identify(room)
    first = basket(client, {"skus": []}).json["id"]
    assert basket(client, {"skus": [], "empty": True}).json["id"] != first
    assert client.get_cookie("bridge_visitor").value == VISITOR
    assert client.get("/_bridge/me", headers=OWN).json["email"] == ADA


def test_a_front_end_without_cookies_of_the_shop_claims_by_its_token(room):
    event = Identified(email=ADA, source="login", at=time.time())
    room.tracking.observer._identities.identify(None, None, event, b"secret-token")
    client = room.app.test_client()
    assert "email" not in client.get("/_bridge/me", headers=OWN | {"Authorization": "Bearer other"}).json
    assert client.get("/_bridge/me", headers=OWN | {"Authorization": "Bearer secret-token"}).json["email"] == ADA


def test_without_consent_nothing_is_answered_or_set_and_what_was_kept_is_forgotten(make_room):
    room = make_room(make_book(consent__mode="cookie"))
    client = room.app.test_client()
    refused = client.get("/_bridge/me", headers=OWN)
    assert (refused.status_code, refused.json) == (403, {"error": "consent"})
    assert "Set-Cookie" not in refused.headers
    client.set_cookie("bridge_consent", "1")
    client.set_cookie("bridge_visitor", VISITOR)
    identify(room)
    assert client.get("/_bridge/me", headers=OWN).json["email"] == ADA
    client.set_cookie("bridge_consent", "0")
    withdrawn = client.get("/_bridge/me", headers=OWN)
    assert withdrawn.status_code == 403
    assert "bridge_visitor=;" in withdrawn.headers["Set-Cookie"]
    assert "Max-Age=0" in withdrawn.headers["Set-Cookie"]
    with room.app.app_context():
        assert db.session.query(Visitor).count() == 0


def test_two_visitors_who_ask_in_turns_never_see_a_byte_of_each_other(room):
    names = {"a" * 32: "ann@example.com", "b" * 32: "bob@example.com"}
    clients = {}
    for visitor, email in names.items():
        identify(room, visitor=visitor, email=email)
        clients[visitor] = room.app.test_client()
        clients[visitor].set_cookie("bridge_visitor", visitor)
    told = {visitor: [] for visitor in names}
    for turn in range(12):
        for visitor, client in clients.items():
            answer = client.get("/_bridge/me", headers=OWN) if turn % 2 else basket(client, {"skus": []})
            told[visitor].append(str(answer.headers) + answer.text)
    ids = {visitor: clients[visitor].get("/_bridge/me", headers=OWN).json["basket"] for visitor in names}
    for visitor, other in zip(names, reversed(names), strict=True):
        everything = "".join(told[visitor])
        assert names[visitor] in everything
        assert ids[visitor] in everything
        assert not [word for word in (other, names[other], ids[other]) if word in everything]


@pytest.mark.parametrize(
    "question", [{"skus": ["x"] * 51}, {"skus": [""]}, {"skus": ["x" * 65]}, {"skus": "x"}, {"skus": [1]}, [], "x"]
)
def test_a_question_that_no_cart_asks_is_refused(client, question):
    assert basket(client, question).status_code == 400


def test_what_a_foreign_form_could_post_is_refused(client):
    assert client.post("/_bridge/basket", data='{"skus":[]}', content_type="text/plain").status_code == 400
    assert client.post("/_bridge/basket", data={"skus": "x"}).status_code == 400
    assert client.post("/_bridge/basket", data=b" " * 20_000, content_type="application/json").status_code == 400


# ---- faults --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_bridge/me"),
        ("PUT", "/_bridge/me"),
        ("GET", "/_bridge/basket"),
        ("GET", "/_bridge/skus"),
        ("GET", "/_bridge/seen"),
    ],
)
def test_a_wrong_method_is_answered_in_json(client, method, path):
    answer = client.open(path, method=method, headers=OWN)
    assert (answer.status_code, answer.json) == (405, {"error": "method"})
    assert answer.headers["Allow"]


def test_without_the_database_the_answer_is_a_short_503(room, client):
    with room.app.app_context():
        db.drop_all()
    for answer in (client.get("/_bridge/me", headers=OWN), basket(client, {"skus": ["S"]})):
        assert (answer.status_code, answer.json) == (503, {"error": "database"})


def test_a_fault_of_ours_is_told_as_a_status_only(room, client, monkeypatch):
    def fail(*_args):
        raise RuntimeError("ada@example.com")

    monkeypatch.setattr("bridge.tracking.identity.Identities.known", fail)
    answer = client.get("/_bridge/me", headers=OWN)
    assert (answer.status_code, answer.json) == (500, {"error": "fault"})


@pytest.mark.parametrize("limit", ["VISITOR_CALLS", "ADDRESS_CALLS"])
def test_too_many_calls_of_one_visitor_or_address_are_put_off(room, client, monkeypatch, limit):
    monkeypatch.setattr(tag, limit, 3)
    monkeypatch.setattr(answers.time, "monotonic", lambda: 1000.0)
    statuses = [client.get("/_bridge/me", headers=OWN).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    other = room.app.test_client()
    assert other.get("/_bridge/me", headers=OWN, environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200


def test_made_up_visitors_do_not_reset_the_count_of_their_address(room, monkeypatch):
    monkeypatch.setattr(tag, "ADDRESS_CALLS", 3)
    monkeypatch.setattr(answers, "CALLERS", 6)
    monkeypatch.setattr(answers.time, "monotonic", lambda: 1000.0)
    statuses = [room.app.test_client().get("/_bridge/me", headers=OWN).status_code for _ in range(20)]
    assert statuses == [200] * 3 + [429] * 17


def test_the_cookie_lasts_as_long_as_identities_are_kept(make_room):
    room = make_room(make_book(privacy__identity_days=7))
    assert "Max-Age=604800" in room.app.test_client().get("/_bridge/me", headers=OWN).headers["Set-Cookie"]


# ---- SKUs of a page's products -------------------------------------------------------------------------------------


def skus(client, products):
    return client.post("/_bridge/skus", json={"products": products}, headers=OWN)


def test_skus_of_a_page_are_told_without_a_look_at_the_visitor(make_room):
    room = make_room(make_book(consent__mode="cookie", consent__cookie="c", consent__pattern="1"))
    with room.app.app_context():
        db.session.add_all([CatalogItem(sku="A/1", product="5"), CatalogItem(sku="B", product="6")])
        db.session.commit()
    client = room.app.test_client()
    client.set_cookie("bridge_visitor", VISITOR)
    answer = skus(client, ["5", "7"])
    assert (answer.status_code, answer.json) == (200, {"products": {"5": "A/1"}})
    assert "Set-Cookie" not in answer.headers
    with room.app.app_context():
        assert db.session.query(Visitor).count() == 0


@pytest.mark.parametrize("products", [[], [""], ["x"], ["5"] * 201, ["5" * 21], [5], "5"])
def test_a_question_for_skus_that_no_page_asks_is_refused(client, products):
    assert skus(client, products).status_code == 400


def test_no_address_asks_for_skus_without_end(client, monkeypatch):
    monkeypatch.setattr(tag, "SKU_CALLS", 1)
    monkeypatch.setattr(answers.time, "monotonic", lambda: 1000.0)
    assert [skus(client, ["5"]).status_code for _ in range(2)] == [200, 429]


def test_without_the_database_no_sku_is_told(room, client):
    with room.app.app_context():
        db.drop_all()
    assert (skus(client, ["5"]).status_code, skus(client, ["5"]).json) == (503, {"error": "database"})


# ---- page views ----------------------------------------------------------------------------------------------------


def test_a_view_is_counted_by_its_type_without_a_look_at_the_visitor(room, client, monkeypatch):
    counted = []
    monkeypatch.setattr(room.tracking.endpoints, "_views", SimpleNamespace(count=counted.append))
    answer = client.post("/_bridge/seen", data="product", content_type="text/plain;charset=UTF-8", headers=OWN)
    assert (answer.status_code, answer.data, answer.headers["Cache-Control"]) == (204, b"", "private, no-store")
    assert "Set-Cookie" not in answer.headers
    client.post("/_bridge/seen", data=b"\xff" * 70_000, headers=OWN)
    assert counted == ["product", "\xff" * 32]


def test_no_address_floods_the_count_of_views(room, client, monkeypatch):
    monkeypatch.setattr(tag, "VIEW_CALLS", 1)
    monkeypatch.setattr(answers.time, "monotonic", lambda: 1000.0)
    statuses = [client.post("/_bridge/seen", data="product", headers=OWN).status_code for _ in range(2)]
    assert statuses == [204, 429]
