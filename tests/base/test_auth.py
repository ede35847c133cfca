"""Staff: passwords, roles, throttle, safe return addresses, sessions."""

from __future__ import annotations

import threading
import time

import pytest
import redis
from flask import Flask, g, session
from limits.storage import MemoryStorage

from bridge import auth
from bridge.auth import Staff, Throttle, add_user, first_owner, init_auth, login_required, one_time_password, safe_next
from bridge.config import Config
from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry
from bridge.models import AuditLog, User

PASSWORD = "a good long password"
ADDRESS = "192.0.2.1"


class GoneRedis(MemoryStorage):
    """A storage whose server is away."""

    def acquire_entry(self, *_args, **_values):
        raise redis.ConnectionError

    def clear(self, *_args):
        raise redis.ConnectionError


@pytest.fixture
def staffed(bare_app) -> Flask:
    bare_app.secret_key = "a secret of this test"
    init_auth(bare_app, Config(), Throttle())
    bare_app.add_url_rule("/_bridge/dashboard/sign-in", "dashboard.sign_in", lambda: "sign in here")
    bare_app.add_url_rule("/_bridge/dashboard/", "dashboard.home", lambda: "home")
    return bare_app


@pytest.fixture
def desk(staffed):
    with staffed.test_request_context("/_bridge/dashboard/"):
        yield staffed


@pytest.fixture
def hashes(monkeypatch):
    """Count how often a password is hashed, and make it quick."""
    seen = []
    monkeypatch.setattr(auth, "check_password_hash", lambda stored, _typed: seen.append(stored) or False)
    return seen


def test_the_right_password_begins_a_session_that_names_its_user(desk):
    user = add_user("mary", PASSWORD, "editor")
    session["left"] = "over"
    staff = auth.sign_in(" mary ", PASSWORD, ADDRESS)
    assert staff == Staff(user.id, "mary", "editor") == auth.current_staff()
    assert set(session) == {"_permanent", "user", "key", "at"}, "nothing of an older session is kept"


@pytest.mark.parametrize(("name", "password"), [("mary", "wrong"), ("nobody", PASSWORD), ("", ""), ("MARY", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_are_refused_with_the_same_words(desk, name, password):
    add_user("mary", PASSWORD, "editor")
    with pytest.raises(Refused, match=r"^The name or the password is not right\.$"):
        auth.sign_in(name, password, ADDRESS)
    assert auth.current_staff() is None


def test_an_unknown_name_costs_the_same_hash_as_a_known_one(desk, hashes):
    add_user("mary", PASSWORD)
    for name in ("mary", "nobody"):
        with pytest.raises(Refused):
            auth.sign_in(name, "x", ADDRESS)
    costs = [stored.split("$")[0] for stored in hashes]
    assert costs == [costs[0]] * 2
    assert costs[0].startswith("scrypt:")


def test_attempts_on_one_name_are_throttled_from_any_address_before_anything_is_hashed(desk, hashes):
    for number in range(10):
        with pytest.raises(Refused):
            auth.sign_in("mary", "x", f"192.0.2.{number}")
    with pytest.raises(Retry) as caught:
        auth.sign_in(" MARY", "x", "192.0.2.99")
    assert 800 < caught.value.after <= 901
    assert len(hashes) == 10


def test_attempts_from_one_address_are_throttled_whatever_the_name(desk, hashes):
    for number in range(30):
        with pytest.raises(Refused):
            auth.sign_in(f"name{number}", "x", ADDRESS)
    with pytest.raises(Retry):
        auth.sign_in("another", "x", ADDRESS)
    assert len(hashes) == 30
    with pytest.raises(Refused):
        auth.sign_in("another", "x", "198.51.100.7")


def test_one_network_of_ipv6_counts_as_one_address(desk, hashes):
    for number in range(30):
        with pytest.raises(Refused):
            auth.sign_in(f"name{number}", "x", f"2001:db8::{number:x}")
    with pytest.raises(Retry):
        auth.sign_in("another", "x", "2001:db8::ffff:1")
    with pytest.raises(Refused):
        auth.sign_in("another", "x", "2001:db8:0:1::1")


def test_the_right_password_forgives_the_attempts_on_its_name(desk):
    add_user("mary", PASSWORD)
    for _ in range(2):
        for _ in range(9):
            desk.extensions[auth.EXTENSION].admit(ADDRESS, "mary")
        auth.sign_in("mary", PASSWORD, "203.0.113.5")
    assert auth.current_staff() is not None


def test_while_redis_is_away_the_throttle_counts_in_memory():
    throttle = Throttle(GoneRedis())
    for _ in range(10):
        throttle.admit(ADDRESS, "mary")
    with pytest.raises(Retry):
        throttle.admit(ADDRESS, "mary")
    throttle.forgive("mary")
    throttle.admit(ADDRESS, "mary")


@pytest.mark.redis
def test_processes_share_the_throttle_through_redis(redis_server, redis_client):
    first, second = (Throttle(auth._redis_storage(redis_server.url)) for _ in range(2))
    for _ in range(5):
        first.admit(ADDRESS, "mary")
        second.admit(ADDRESS, "mary")
    with pytest.raises(Retry):
        first.admit(ADDRESS, "mary")
    assert not any(b"mary" in key for key in redis_client.scan_iter()), "names are kept as digests"


def test_a_new_password_ends_every_open_session(desk):
    user = add_user("mary", PASSWORD)
    auth.sign_in("mary", PASSWORD, ADDRESS)
    auth.set_password(user, "another long password", who="owner")
    g.pop("staff", None)
    assert auth.current_staff() is None
    assert "user" not in session


def test_changing_the_own_password_keeps_this_session_and_needs_the_present_one(desk):
    user = add_user("mary", PASSWORD)
    staff = auth.sign_in("mary", PASSWORD, ADDRESS)
    old = session["key"]
    with pytest.raises(Refused, match=r"^The present password is not right\.$"):
        auth.change_password(staff, "guess", "another long password", ADDRESS)
    auth.change_password(staff, PASSWORD, "another long password", ADDRESS)
    assert session["key"] == user.session_key != old
    assert auth.current_staff() == staff


def test_a_session_ends_after_twelve_hours_and_with_its_user(desk):
    add_user("mary", PASSWORD)
    auth.sign_in("mary", PASSWORD, ADDRESS)
    session["at"] = int(time.time()) - auth.SESSION_SECONDS
    assert auth.current_staff() is None
    auth.sign_in("mary", PASSWORD, ADDRESS)
    assert auth.remove_user("mary")
    g.pop("staff", None)
    assert auth.current_staff() is None
    assert not auth.remove_user("mary")


@pytest.mark.parametrize("forged", [{"user": "1"}, {"key": None}, {"key": "0" * 32}, {"user": 99}, {"at": "soon"}])
def test_a_session_that_does_not_fit_is_nobody(desk, forged):
    add_user("mary", PASSWORD)
    auth.sign_in("mary", PASSWORD, ADDRESS)
    session.update(forged)
    assert auth.current_staff() is None


@pytest.mark.parametrize(
    ("name", "password", "role", "sentence"),
    [
        ("", PASSWORD, "viewer", "name of a user"),
        ("a\nb", PASSWORD, "viewer", "name of a user"),
        ("x" * 121, PASSWORD, "viewer", "name of a user"),
        ("mary", PASSWORD, "admin", "no role 'admin': use one of viewer, editor, owner"),
        ("mary", "short", "viewer", "12 to 256 characters"),
        ("mary", "x" * 257, "viewer", "12 to 256 characters"),
    ],
)
def test_an_unusable_user_is_refused_with_a_sentence_and_not_stored(desk, name, password, role, sentence):
    with pytest.raises(Misconfigured, match=sentence):
        add_user(name, password, role)
    db.session.rollback()
    assert auth.list_users() == []


def test_adding_a_known_name_gives_a_new_password_and_role(desk):
    add_user("mary", PASSWORD, "viewer")
    add_user("mary", "another long password", "owner")
    assert [(user.name, user.role) for user in auth.list_users()] == [("mary", "owner")]
    assert auth.sign_in("mary", "another long password", ADDRESS).role == "owner"


def test_passwords_are_stored_as_scrypt_and_are_in_no_audit_line(desk):
    add_user("mary", PASSWORD)
    assert db.session.scalar(db.select(User.password)).startswith("scrypt:")
    line = db.session.scalar(db.select(AuditLog))
    assert (line.what, line.before, line.after) == ("user mary password", None, None)


def test_the_first_owner_is_made_once(desk):
    name, password = first_owner()
    assert first_owner() is None
    assert auth.sign_in(name, password, ADDRESS).role == "owner"


def test_a_one_time_password_can_be_read_out_and_is_never_the_same():
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) == 24 and password.replace("-", "").isalpha() for password in made)


def test_roles_include_those_below_them():
    may = {role: [other for other in auth.ROLES if Staff(1, "x", role).may(other)] for role in auth.ROLES}
    assert may == {"viewer": ["viewer"], "editor": ["viewer", "editor"], "owner": ["viewer", "editor", "owner"]}


def test_a_view_asks_for_sign_in_and_comes_back_only_to_what_was_read(staffed):
    view = login_required("editor")(lambda: "done")
    staffed.add_url_rule("/_bridge/dashboard/x", "x", view, methods=["GET", "POST"])
    add_user("v", PASSWORD, "viewer")
    client = staffed.test_client()
    assert (
        client.get("/_bridge/dashboard/x?a=b").location == "/_bridge/dashboard/sign-in?next=/_bridge/dashboard/x?a%3Db"
    )
    assert client.post("/_bridge/dashboard/x").location == "/_bridge/dashboard/sign-in"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "//evil.test/_bridge/dashboard/",
        "https://evil.test/_bridge/dashboard/",
        "/\\evil.test",
        "\\\\evil.test",
        "/_bridge/dashboard/\\..\\..",
        "/_bridge/dashboard/../../checkout",
        "/_bridge/dashboard/%2e%2e/%2E%2E/checkout",
        "/_bridge/dashboard/\r\nSet-Cookie: a=b",
        "/_bridge/dashboard/é",
        "/checkout",
        "javascript:alert(1)",
        "",
        None,
    ],
)
def test_a_return_address_elsewhere_leads_home(desk, target):
    assert safe_next(target) == "/_bridge/dashboard/"


def test_a_return_address_in_the_dashboard_is_kept(desk):
    target = "/_bridge/dashboard/settings/general?scope=store:de"
    assert safe_next(target) == target


def test_the_cookie_is_for_the_dashboard_alone_and_for_https_where_there_is_https(staffed):
    def view():
        session["x"] = 1
        return ""

    staffed.add_url_rule("/_bridge/dashboard/set", "set", view)
    plain, secure = (
        staffed.test_client().get("/_bridge/dashboard/set", base_url=f"{scheme}://shop.test")
        for scheme in ("http", "https")
    )
    for name in ("bridge_staff=", "HttpOnly", "SameSite=Lax", "Path=/_bridge/dashboard"):
        assert name in plain.headers["Set-Cookie"]
    assert "Secure" not in plain.headers["Set-Cookie"]
    assert "Secure" in secure.headers["Set-Cookie"]


def test_what_a_sign_in_clears_is_not_taken_from_under_the_clock_of_the_limiter():
    memory = auth._Memory()
    cleared = threading.Thread(target=memory.clear, args=("name",))
    with memory.locks["name"]:
        memory.events["name"] = []
        cleared.start()
        cleared.join(0.2)
        assert "name" in memory.events
    cleared.join(10)
    assert "name" not in memory.events
