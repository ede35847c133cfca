"""Staff: who may sign in, as what, how often it may be tried, and the session that follows.

Passwords are kept as scrypt hashes. A session names its user together with the user's session key; a new password
makes a new key, so every open session of that user ends. Sign-in is throttled by address and by name before any
password is hashed. Where a sign-in service stands before the dashboard, :class:`TrustedHeader` takes its word instead
of a password. Functions that read or write users need an application context; those that change users commit.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote

import redis
import structlog
from flask import abort, current_app, g, has_request_context, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from limits import parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry as RedisRetry
from sqlalchemy import func, select
from werkzeug.security import check_password_hash, generate_password_hash

from bridge.db import db
from bridge.errors import Misconfigured, Refused, Retry
from bridge.models import AuditLog, User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask
    from limits import RateLimitItem
    from limits.storage import Storage

    from bridge.config import Config, Network

ROLES = ("viewer", "editor", "owner")
"""From the least to the most: each role may do what those before it may."""

SESSION_SECONDS = 12 * 3600
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
PER_ADDRESS = "30 per 15 minutes"
PER_NAME = "10 per 15 minutes"
PURPOSE = "sign-in"
SIGN_IN_ENDPOINT = "dashboard.sign_in"
HOME_ENDPOINT = "dashboard.home"

EXTENSION = "bridge.auth"
HEADER_EXTENSION = "bridge.auth.header"

View = TypeVar("View", bound=Callable[..., Any])

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Staff:
    """The person who is signed in, free of the database session."""

    id: int
    name: str
    role: str

    def may(self, role: str) -> bool:
        """Return whether this person's role includes ``role``."""
        return ROLES.index(self.role) >= ROLES.index(role)


class _Memory(MemoryStorage):
    """The library's clock thread looks at a key under its lock; what clears the key must hold it, too."""

    def clear(self, key: str) -> None:
        """Forget what was counted under a key."""
        with self.locks[key]:
            super().clear(key)


class Throttle:
    """Bounds sign-in attempts by address and by name; in Redis for all processes, in memory while Redis is away.

    Names are kept as digests: people type passwords into the wrong field.
    """

    def __init__(self, storage: Storage | None = None) -> None:
        memory = _Memory()
        self._limiters = [MovingWindowRateLimiter(store) for store in (storage, memory) if store is not None]

    def admit(self, address: str, name: str) -> None:
        """Count an attempt; raises :class:`Retry` with the seconds to wait when there were too many."""
        for limit, key in self._keys(address, name):
            waits = self._first(functools.partial(_hit, limit, key))
            if waits is not None:
                raise Retry("Too many attempts to sign in.", after=waits)

    def forgive(self, name: str) -> None:
        """Forget the attempts for a name after it signed in; those of the address stay counted."""
        limit, key = self._keys("", name)[1]
        self._first(lambda limiter: limiter.clear(limit, PURPOSE, key))

    def _first(self, ask: Callable[[MovingWindowRateLimiter], float | None]) -> float | None:
        for limiter in self._limiters:
            with contextlib.suppress(redis.RedisError):
                return ask(limiter)
        return None

    @staticmethod
    def _keys(address: str, name: str) -> list[tuple[RateLimitItem, str]]:
        digest = hashlib.sha256(_plain_name(name).casefold().encode()).hexdigest()[:32]
        return [(parse(PER_ADDRESS), f"address:{_network(address)}"), (parse(PER_NAME), f"name:{digest}")]


@dataclass(frozen=True, slots=True)
class TrustedHeader:
    """The field in which a sign-in service before the dashboard says who is there; without a name nothing is believed.

    It is believed on the dashboard's own listener only, and only from a peer in ``networks``: through the shop's
    listener come visitors, whose fields nobody has cleared.
    """

    name: str = ""
    networks: tuple[Network, ...] = ()

    def said(self) -> str:
        """Return the name that this request's peer vouches for; empty where it vouches for nobody."""
        if not self.name or request.environ.get("bridge.listener") != "dashboard":
            return ""
        try:
            peer = ipaddress.ip_address(request.environ.get("bridge.peer") or request.environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return ""
        if not any(peer in network for network in self.networks):
            return ""
        text = request.headers.get(self.name, "").strip()
        try:
            return text.encode("latin-1").decode()
        except UnicodeError:
            return text


class StaffSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, marked ``Secure`` whenever the request came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is only for https."""
        return bool(app.config["SESSION_COOKIE_SECURE"]) or (has_request_context() and request.is_secure)


def init_auth(app: Flask, config: Config, throttle: Throttle | None = None) -> None:
    """Give the application its staff sessions and its sign-in throttle (in the Redis of ``config`` by default)."""
    app.session_interface = StaffSessions()
    app.config.update(
        SESSION_COOKIE_NAME="bridge_staff",
        SESSION_COOKIE_PATH=f"{config.prefix}/dashboard",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
    )
    app.extensions[EXTENSION] = throttle or Throttle(_redis_storage(config.redis_url))
    app.extensions[HEADER_EXTENSION] = TrustedHeader(config.trusted_user_header, config.trusted_proxies)


def sign_in(name: str, password: str, address: str) -> Staff:
    """Begin a session for the person who gave the right password.

    Raises :class:`Retry` when throttled and :class:`Refused` for a wrong name or password, without telling which; an
    unknown name costs the same work as a known one.
    """
    user = _proven(name, password, address)
    begin_session(user)
    log.info("signed in", name=user.name, role=user.role, address=address)
    return Staff(user.id, user.name, user.role)


def change_password(staff: Staff, present: str, new: str, address: str) -> None:
    """Give the signed-in person a new password; this browser stays signed in, all other sessions end.

    Raises :class:`Retry` or :class:`Refused` as :func:`sign_in` does for the present password, and
    :class:`Misconfigured` for a new one that is too short or too long.
    """
    try:
        user = _proven(staff.name, present, address)
    except Refused:
        raise Refused("The present password is not right.", "present") from None
    set_password(user, new, who=staff.name)
    begin_session(user)


def begin_session(user: User) -> None:
    """Replace whatever the browser's session held by a fresh one of this user."""
    session.clear()
    session.permanent = True
    session["user"], session["key"], session["at"] = user.id, user.session_key, int(time.time())
    g.pop("staff", None)


def end_session() -> None:
    """Sign out in this browser."""
    session.clear()
    g.pop("staff", None)


def current_staff() -> Staff | None:
    """Return who is signed in; None after a change of the password, after twelve hours, or for a removed user.

    Whom the sign-in service names goes before the session, also where no user has that name.
    """
    if "staff" not in g:
        name = vouched_name()
        g.staff = _staff_named(name) if name else _staff_of_session()
    return cast("Staff | None", g.staff)


def vouched_name() -> str:
    """Return whom the sign-in service before the dashboard names; empty where there is none."""
    header: TrustedHeader = current_app.extensions[HEADER_EXTENSION]
    return header.said()


def login_required(role: str = "viewer") -> Callable[[View], View]:
    """Let a view be reached by people whose role includes ``role``; others sign in first, or get a 403."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **values: Any) -> Any:
            staff = current_staff()
            if staff is None:
                return redirect(url_for(SIGN_IN_ENDPOINT, next=_asked_for()))
            if not staff.may(role):
                abort(403)
            return view(*args, **values)

        return cast("View", guarded)

    return decorate


def safe_next(target: str | None) -> str:
    """Return ``target`` when it is a page of the dashboard on this host, else the dashboard's first page."""
    home = url_for(HOME_ENDPOINT)
    good = (
        target is not None
        and target.startswith(home)
        and target.isascii()
        and target.isprintable()
        and "\\" not in target
        and ".." not in unquote(target)
    )
    return cast("str", target) if good else home


def add_user(name: str, password: str, role: str = "viewer", who: str = "") -> User:
    """Add a member of staff, or give an existing one this password and role; open sessions of that name end.

    ``who`` does so, for the audit log; else it is the user. Raises :class:`Misconfigured` for an unusable name, role or
    password.
    """
    name = _plain_name(name)
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise Misconfigured("The name of a user takes 1 to 120 visible characters.")
    if role not in ROLES:
        raise Misconfigured(f"There is no role {role!r}: use one of {', '.join(ROLES)}.")
    user = db.session.scalar(select(User).where(User.name == name))
    if user is None:
        user = User(name=name, password="", session_key="")
        db.session.add(user)
    user.role = role
    set_password(user, password, who=who or name)
    return user


def set_password(user: User, password: str, who: str) -> None:
    """Give a user a new password and end the sessions that were opened with the old one; the caller need not commit."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Misconfigured(f"A password takes {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", "new")
    user.password = generate_password_hash(password, method="scrypt")
    user.session_key = secrets.token_hex(16)
    db.session.add(AuditLog(who=who, what=f"user {user.name} password", before=None, after=None))
    db.session.commit()


def remove_user(name: str) -> bool:
    """Remove a member of staff, whose sessions end; return whether there was one."""
    user = db.session.scalar(select(User).where(User.name == _plain_name(name)))
    if user is None:
        return False
    db.session.delete(user)
    db.session.commit()
    return True


def list_users() -> Sequence[User]:
    """Return everybody who may sign in, by name."""
    return db.session.scalars(select(User).order_by(User.name)).all()


def first_owner() -> tuple[str, str] | None:
    """Make the user ``owner`` when nobody may sign in yet; return name and one-time password, else None."""
    if db.session.scalar(select(func.count()).select_from(User)):
        return None
    password = one_time_password()
    return add_user("owner", password, "owner").name, password


def one_time_password() -> str:
    """Return a password that can be read out and typed: ten random syllables, 61 bits."""
    syllables = [secrets.choice("bdfghklmnprstv") + secrets.choice("aeiou") for _ in range(10)]
    return "-".join("".join(syllables[at : at + 2]) for at in range(0, 10, 2))


def _proven(name: str, password: str, address: str) -> User:
    """Return the user whose password this is; counted by the throttle before the hash is computed."""
    throttle: Throttle = current_app.extensions[EXTENSION]
    try:
        throttle.admit(address, name)
    except Retry:
        log.warning("sign-in throttled", address=address)
        raise
    nobody = _nobody()
    user = db.session.scalar(select(User).where(User.name == _plain_name(name)))
    right = check_password_hash(user.password if user else nobody, password[:LONGEST_PASSWORD])
    if user is None or not right:
        log.warning("sign-in refused", address=address)
        raise Refused("The name or the password is not right.")
    throttle.forgive(name)
    return user


def _staff_of_session() -> Staff | None:
    user_id, key, began = session.get("user"), session.get("key"), session.get("at")
    if not isinstance(user_id, int) or not isinstance(key, str) or not isinstance(began, int):
        return None
    user = db.session.get(User, user_id)
    fresh = time.time() - began < SESSION_SECONDS
    if user is None or not fresh or not hmac.compare_digest(user.session_key, key):
        session.clear()
        return None
    return Staff(user.id, user.name, user.role)


def _staff_named(name: str) -> Staff | None:
    user = db.session.scalar(select(User).where(User.name == _plain_name(name)))
    return None if user is None else Staff(user.id, user.name, user.role)


def _asked_for() -> str | None:
    if request.method != "GET":
        return None
    return request.script_root + request.full_path.rstrip("?")


def _hit(limit: RateLimitItem, key: str, limiter: MovingWindowRateLimiter) -> float | None:
    if limiter.hit(limit, PURPOSE, key):
        return None
    return max(1.0, limiter.get_window_stats(limit, PURPOSE, key).reset_time - time.time())


def _network(address: str) -> str:
    """One person has a whole /64 of IPv6 to try from."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _plain_name(name: str) -> str:
    return name.strip()


@functools.cache
def _nobody() -> str:
    """Return a hash that no password fits, as costly to check as a real one."""
    return generate_password_hash(secrets.token_urlsafe(32), method="scrypt")


def _redis_storage(url: str) -> Storage | None:
    if not url:
        return None
    options: dict[str, Any] = {
        "key_prefix": "bridge:sign-in",
        "socket_timeout": 1,
        "socket_connect_timeout": 1,
        "retry": RedisRetry(NoBackoff(), 0),
    }
    return cast("Storage", storage_from_string(url.replace("unix://", "redis+unix://", 1), **options))
