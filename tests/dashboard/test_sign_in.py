"""Signing in and out."""

from __future__ import annotations

import pytest

from tests.dashboard.desk import BASE, PASSWORD, sign_in, token


def test_signing_in_leads_to_the_page_that_was_asked_for(client):
    asked = client.get(f"{BASE}/settings/orders?scope=store:de")
    assert asked.location == f"{BASE}/sign-in?next={BASE}/settings/orders?scope%3Dstore:de"
    answer = sign_in(client, "viewer", query="?" + asked.location.partition("?")[2])
    assert (answer.status_code, answer.location) == (303, f"{BASE}/settings/orders?scope=store:de")
    assert client.get(answer.location).status_code == 200
    assert client.get(f"{BASE}/sign-in").location == f"{BASE}/", "somebody signed in needs no form"


@pytest.mark.parametrize(
    "target", ["//evil.test", "https://evil.test/_bridge/dashboard/", "/%5Cevil.test", "/checkout"]
)
def test_signing_in_never_leads_elsewhere(client, target):
    assert sign_in(client, "viewer", query=f"?next={target}").location == f"{BASE}/"
    assert client.get(f"{BASE}/sign-in?next={target}").location == f"{BASE}/"


@pytest.mark.parametrize(
    ("name", "password", "status", "sentence"),
    [
        ("owner", "wrong", 401, "The name or the password is not right."),
        ("nobody", PASSWORD, 401, "The name or the password is not right."),
        ("", PASSWORD, 400, "Type your name and your password."),
        ("owner", "", 400, "Type your name and your password."),
        ("<script>alert(1)</script>", "x", 401, "The name or the password is not right."),
    ],
)
def test_a_wrong_sign_in_says_so_and_shows_no_password(client, name, password, status, sentence):
    answer = sign_in(client, name, password)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert sentence in page
    assert PASSWORD not in page
    assert "<script>alert" not in page
    assert client.get(f"{BASE}/").status_code == 302


def test_too_many_attempts_are_told_when_to_come_back(client):
    csrf = token(client)
    for _ in range(10):
        assert (
            client.post(f"{BASE}/sign-in", data={"csrf_token": csrf, "name": "owner", "password": "x"}).status_code
            == 401
        )
    answer = client.post(f"{BASE}/sign-in", data={"csrf_token": csrf, "name": "owner", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many attempts to sign in. Try again in 15 minutes." in answer.get_data(as_text=True)
    assert 800 < int(answer.headers["Retry-After"]) <= 901
    assert sign_in(client, "editor").status_code == 303, "others sign in as before"


def test_signing_in_gives_a_fresh_session(client):
    with client.session_transaction(path=f"{BASE}/") as before:
        before["planted"] = "by somebody else"
    old = token(client)
    sign_in(client, "editor")
    with client.session_transaction(path=f"{BASE}/") as after:
        assert "planted" not in after
    assert client.post(f"{BASE}/sign-out", data={"csrf_token": old}).status_code == 400


def test_signing_out_ends_the_session(signed_in):
    client = signed_in("owner")
    answer = client.post(f"{BASE}/sign-out", data={"csrf_token": token(client, f"{BASE}/settings/general")})
    assert answer.location == f"{BASE}/sign-in"
    assert client.get(f"{BASE}/").status_code == 302


def test_the_cookie_is_the_dashboards_own(client):
    cookie = next(
        value for value in sign_in(client, "owner").headers.getlist("Set-Cookie") if value.startswith("bridge_staff=")
    )
    for part in ("HttpOnly", "SameSite=Lax", f"Path={BASE}", "Expires="):
        assert part in cookie
