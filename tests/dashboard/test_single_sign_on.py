"""A sign-in service before the dashboard: whose word counts, whose does not."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from bridge.auth import add_user
from bridge.config import config_from_environ
from bridge.errors import Misconfigured
from tests.dashboard.desk import BASE, read_form, sign_in, token

FIELD = "X-Remote-User"
SERVICE = {"bridge.listener": "dashboard", "bridge.peer": "10.0.0.5", "REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def board(make_app):
    return make_app(trusted_user_header=FIELD, trusted_proxies=(ip_network("10.0.0.0/8"),))


@pytest.fixture
def ask(client):
    def send(path="/", name="editor", method="GET", environ=None, **values):
        return client.open(
            BASE + path,
            method=method,
            headers={FIELD: name} if name else {},
            environ_overrides=SERVICE | (environ or {}),
            **values,
        )

    return send


def test_whom_the_service_names_is_signed_in_with_the_role_of_that_name(ask):
    for name, status in (("editor", 403), ("owner", 200)):
        page = ask(name=name).get_data(as_text=True)
        assert f"<span>{name}</span>" in page
        assert "Sign out" not in page, "that is the service's to do"
        assert ask("/people", name=name).status_code == status
    assert ask("/sign-in").location == f"{BASE}/"


@pytest.mark.parametrize(
    "environ",
    [
        {"bridge.listener": "shop"},
        {"bridge.listener": None},
        {"bridge.peer": "203.0.113.9"},
        {"bridge.peer": "", "REMOTE_ADDR": "203.0.113.9"},
        {"bridge.peer": "", "REMOTE_ADDR": ""},
        {"bridge.peer": "unix:"},
        {"bridge.peer": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "10.0.0.5"},
    ],
)
def test_the_field_is_not_believed_from_anybody_else(make_app, environ):
    app = make_app(trusted_user_header=FIELD, trusted_proxies=(ip_network("10.0.0.0/8"),), dashboard_on_shop=True)
    answer = app.test_client().get(f"{BASE}/", headers={FIELD: "owner"}, environ_overrides=SERVICE | environ)
    assert answer.status_code == 302
    assert answer.location.startswith(f"{BASE}/sign-in")


def test_without_the_setting_no_field_is_believed(make_app):
    client = make_app(trusted_proxies=(ip_network("10.0.0.0/8"),)).test_client()
    for field in (FIELD, "Remote-User", "X-Forwarded-User"):
        answer = client.get(f"{BASE}/", headers={field: "owner"}, environ_overrides=SERVICE)
        assert answer.status_code == 302, field


@pytest.mark.parametrize("name", ["nobody", "owner, editor", "OWNER", "owner\u00e9", "<script>alert(1)</script>"])
def test_a_name_that_no_owner_added_gets_no_further_and_is_told_why(ask, name):
    assert ask(name=name).status_code == 302
    for method in ("GET", "POST"):
        form = {"csrf_token": token_of(ask), "name": "owner", "password": "x"} if method == "POST" else None
        answer = ask("/sign-in", name=name, method=method, data=form)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 403
        assert "ask an owner to add this name" in page
        assert "<script>alert" not in page
        assert 'type="password"' not in page


def token_of(ask):
    return read_form(ask("/password").get_data(as_text=True))["csrf_token"]


def test_a_change_still_needs_the_token_of_the_session(ask):
    for path in ("/settings/general", "/comparison", "/people"):
        assert ask(path, name="owner", method="POST", data={"csrf_token": "forged"}).status_code == 400, path
    assert ask("/people", name="owner", method="POST", data={"csrf_token": token_of(ask)}).status_code == 400
    assert "1 to 120" in ask(
        "/people", name="owner", method="POST", data={"csrf_token": token_of(ask), "role": "viewer"}
    ).get_data(as_text=True)


def test_the_service_goes_before_an_open_session(ask, client):
    assert sign_in(client, "owner").status_code == 303
    assert ask("/people", name="viewer").status_code == 403
    assert ask("/people", name="nobody").status_code == 302
    assert ask("/people", name="").status_code == 200, "without the field the session counts"


def test_names_in_utf_8_are_read(board, ask):
    with board.app_context():
        add_user("J\u00e9r\u00f4me", "a good long password", "editor")
    assert "J\u00e9r\u00f4me" in ask(name="J\u00e9r\u00f4me".encode().decode("latin-1")).get_data(as_text=True)


def test_the_password_form_is_there_for_whom_the_service_does_not_name(client):
    answer = client.get(f"{BASE}/sign-in", environ_overrides=SERVICE)
    assert answer.status_code == 200
    assert 'type="password"' in answer.get_data(as_text=True)
    assert token(client)


@pytest.mark.parametrize(
    "values",
    [
        {"BRIDGE_TRUSTED_USER_HEADER": "X-Remote-User"},
        {"BRIDGE_TRUSTED_USER_HEADER": "X Remote", "BRIDGE_TRUSTED_PROXIES": "10.0.0.0/8"},
        {"BRIDGE_TRUSTED_USER_HEADER": "X_Remote_User", "BRIDGE_TRUSTED_PROXIES": "10.0.0.0/8"},
    ],
)
def test_a_field_without_networks_or_of_no_name_is_refused_at_the_start(tmp_path, values):
    with pytest.raises(Misconfigured, match="BRIDGE_TRUSTED_USER_HEADER"):
        config_from_environ({"BRIDGE_DATA_DIR": str(tmp_path), **values})


def test_the_setting_is_read_from_the_environment(tmp_path):
    read = config_from_environ(
        {
            "BRIDGE_DATA_DIR": str(tmp_path),
            "BRIDGE_TRUSTED_USER_HEADER": FIELD,
            "BRIDGE_TRUSTED_PROXIES": "10.0.0.0/8",
        }
    )
    assert read.trusted_user_header == FIELD
