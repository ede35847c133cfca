"""The page behind a cart link, asked as a browser and as others ask."""

from __future__ import annotations

import json
import time
from urllib.parse import unquote

import pytest

from bridge.db import db
from bridge.events import Identified
from bridge.tracking.endpoints import cart
from tests.tracking.conftest import STORES, make_book
from tests.tracking.test_capture import seen
from tests.tracking.test_endpoints import ADA, OWN, VISITOR, basket, identify
from tests.tracking.wires import AJAX, exchange

LINE = {"product": "17", "quantity": 2, "sku": "S-Red", "options": {"93": "4"}}


@pytest.fixture
def client(room):
    client = room.app.test_client()
    client.set_cookie("bridge_visitor", VISITOR)
    return client


def link_of(client, **more):
    return basket(client, {"lines": [LINE], **more}).json.get("link")


def opened(client, link, **headers):
    return client.post(link, json={}, headers=OWN | headers)


def is_cart_with_notice(answer, base="/"):
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{base}checkout/cart/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("mage-messages=")
    [message] = json.loads(unquote(cookie.partition(";")[0].partition("=")[2]))
    assert message["type"] == "notice"
    return message["text"]


def test_the_page_tells_nothing_of_the_basket_and_is_kept_by_nobody(client):
    answer = client.get(link_of(client))
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    assert not [word for word in ("S-Red", '"17"', VISITOR) if word in answer.text]
    assert "<script>" not in answer.text


def test_the_pages_script_is_given_the_lines(client):
    assert opened(client, link_of(client)).json == {"lines": [LINE]}


@pytest.mark.parametrize("token", ["0" * 48, "none", "x", "é", "0" * 5000, "%00", "' OR 1=1 --"])
def test_a_wrong_token_leads_to_the_cart_with_a_notice(client, token):
    is_cart_with_notice(client.get(f"/_bridge/cart/{token}"))
    assert opened(client, f"/_bridge/cart/{token}").status_code == 403


def test_the_notice_is_in_the_language_of_the_store_view(make_room):
    views = [STORES[0], *(type(view)(**{**_fields(view), "locale": "fr_FR"}) for view in STORES[1:])]
    client = make_room(make_book(stores=tuple(views))).app.test_client()
    told = is_cart_with_notice(client.get("/_bridge/cart/none", base_url="http://eu.store.test"))
    assert told.startswith("Ce lien")


def _fields(view):
    return {name: getattr(view, name) for name in view.__dataclass_fields__}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Content-Type": "text/plain"},
    ],
)
def test_the_lines_are_for_the_pages_own_script(client, headers):
    assert opened(client, link_of(client), **headers).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_refused(client, method):
    assert client.open(link_of(client), method=method).status_code == 405


def test_a_path_behind_the_token_is_not_ours(client):
    assert client.get(f"{link_of(client)}/x.css").status_code == 404


def told_by_shop(room, email, session="s1", *, asked=True):
    """The shop answers ``customers/me``, as the page's script asks it in the bridge's sight."""
    sent = [AJAX, *([("Bridge-Cart", "1")] if asked else [])]
    answer = json.dumps({"id": 7, "email": email})
    passing = exchange("/rest/default/V1/customers/me", method="GET", sent=sent, cookie=f"PHPSESSID={session}",
                       status=200, answer_body=answer)  # fmt: skip
    seen(room, passing)


@pytest.fixture
def owned(room, client):
    identify(room)
    return link_of(client, customer=True)


def test_a_customers_basket_needs_the_shops_word_that_she_is_logged_in(room, owned):
    visitor = room.app.test_client()
    visitor.set_cookie("PHPSESSID", "s1")
    assert 'data-customer="1"' in visitor.get(owned).text
    assert opened(visitor, owned).status_code == 403
    told_by_shop(room, "bob@example.com")
    assert opened(visitor, owned).status_code == 403
    told_by_shop(room, ADA.upper())
    assert opened(visitor, owned).json == {"lines": [LINE]}
    visitor.set_cookie("PHPSESSID", "s2")
    assert opened(visitor, owned).status_code == 403


def test_an_identity_is_no_such_word(room, owned, client):
    client.set_cookie("PHPSESSID", "s1")
    newsletter = Identified(email=ADA, source="newsletter", at=time.time())
    room.tracking.observer._identities.identify(VISITOR, b"s1", newsletter)
    assert client.get("/_bridge/me", headers=OWN).json["email"] == ADA
    assert opened(client, owned).status_code == 403
    told_by_shop(room, ADA, asked=False)
    assert opened(client, owned).status_code == 403


def test_the_word_ends_with_the_log_out_and_after_ten_minutes(room, owned, monkeypatch):
    visitor = room.app.test_client()
    visitor.set_cookie("PHPSESSID", "s1")
    told_by_shop(room, ADA)
    assert opened(visitor, owned).status_code == 200
    left = [("Location", "http://store.test/customer/account/logoutSuccess/")]
    seen(room, exchange("/customer/account/logout/", method="GET", cookie="PHPSESSID=s1", answer=left))
    assert opened(visitor, owned).status_code == 403
    told_by_shop(room, ADA)
    monkeypatch.setattr("bridge.tracking.identity.CLAIM_SECONDS", -1)
    assert opened(visitor, owned).status_code == 403


def test_a_customers_basket_of_whom_nothing_is_known_has_no_link(client):
    assert link_of(client, customer=True) is None


def test_a_link_ends_with_the_basket(client):
    link = link_of(client)
    basket(client, {"empty": True})
    is_cart_with_notice(client.get(link))


def test_a_cart_of_ten_thousand_lines_is_refused_as_a_whole(client):
    assert basket(client, {"lines": [LINE] * 101}).status_code == 400
    assert basket(client, {"lines": [LINE] * 10_000}).status_code == 400
    assert "link" not in basket(client, {"lines": []}).json


def test_without_the_database_the_visitor_sees_the_cart(room, client):
    link = link_of(client)
    with room.app.app_context():
        db.drop_all()
    is_cart_with_notice(client.get(link))
    assert opened(client, link).status_code == 503


def test_too_many_calls_are_put_off(room, monkeypatch):
    monkeypatch.setattr(cart, "ADDRESS_CALLS", 3)
    client = room.app.test_client()
    assert [client.get("/_bridge/cart/none").status_code for _ in range(5)] == [302, 302, 302, 429, 429]


def test_the_script_is_a_file_that_may_be_kept(client):
    answer = client.get("/_bridge/cart.js")
    assert answer.mimetype == "text/javascript"
    again = client.get("/_bridge/cart.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/omcart/cartlink", "/omcart/cartlink/", "/omcart/cartlink?token=ab12&id=7", "/fr/omcart/cartlink/index/id/7/token/ab/",
     "/index.php/fr/omcart/cartlink/index"],
)  # fmt: skip
def test_a_link_of_the_old_module_leads_to_the_cart_with_a_notice(room, path):
    room.app.register_blueprint(room.tracking.old_links)
    assert is_cart_with_notice(room.app.test_client().get(path, base_url="http://store.test"))


def test_an_address_that_only_looks_like_such_a_link_is_not_ours(room):
    room.app.register_blueprint(room.tracking.old_links)
    for path in ("/omcart/cartlinks", "/a/b/c/omcart/cartlink", "/x-omcart/cartlink"):
        assert room.app.test_client().get(path).status_code == 404
