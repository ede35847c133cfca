"""One call to Magento's REST API: address, proof, time-outs, and data or the error of :mod:`magento_faults`.

A failure is never an empty result. Redirects are not followed, cookies are not kept. Neither the token nor a query is
in an error's text.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import requests
from urllib3.exceptions import NameResolutionError, NewConnectionError

from bridge.config import require_store
from bridge.errors import Misconfigured, Retry
from bridge.store import magento_read as read
from bridge.store.magento_auth import authorization
from bridge.store.magento_faults import ODD_SECONDS, NotTaken, NotThere, Reply, clock, fault, later, named, smaller
from bridge.store.magento_search import Query, encode
from bridge.store.promotions import Unsure

if TYPE_CHECKING:
    import datetime as dt

    from bridge.config import Config
    from bridge.store.turns import Turns

__all__ = ["Answer", "NotTaken", "NotThere", "Rest"]

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
TOTAL_SECONDS = 25.0
BODY_BYTES = 64 * 1024 * 1024
UNREACHED_SECONDS = 15.0

_decoder = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Answer:
    """The decoded body and the shop's own clock."""

    data: Any
    date: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Target:
    """Where calls go, and under what address the shop sees them."""

    base: str
    seen: str
    headers: dict[str, str]


class Rest:
    """A connection to the REST API of one shop. Each thread, and each process after a fork, has sockets of its own."""

    def __init__(self, config: Config, *, total: float = TOTAL_SECONDS, turns: Turns | None = None) -> None:
        self._config = config
        self._turn = turns.one if turns is not None else nullcontext
        self._total = total
        self._local = threading.local()

    @cached_property
    def _target(self) -> _Target:
        """Where calls go; read at the first call, since settings and staff can be looked after without a shop."""
        return _target(self._config)

    def get(self, route: str, query: Query | None = None, *, store: str | None = None) -> Answer:
        """Return the answer to ``GET rest[/STORE]/V1/ROUTE``."""
        path = f"/rest/{store}/V1/{route}" if store else f"/rest/V1/{route}"
        try:
            with self._turn():
                return self._ask("GET", path + (f"?{encode(query)}" if query else ""), route)
        except requests.ReadTimeout:
            raise smaller(f"The shop's REST API took too long at {named(route)}", UNREACHED_SECONDS) from None
        except requests.RequestException as error:
            # The library's text may hold the URL with an e-mail in its query: only its kind is told.
            said = f"The shop's REST API did not answer ({type(error).__name__})"
            raise later(said, UNREACHED_SECONDS) from None

    def post(self, route: str, body: Any) -> Answer:
        """Return the answer to ``POST rest/V1/ROUTE`` with a JSON body. It is never sent twice by itself.

        Raises :class:`Unsure` when the shop may have done what was asked: the call was sent, and no answer of Magento's
        own says that it was refused.
        """
        with self._turn():
            try:
                return self._ask("POST", f"/rest/V1/{route}", route, msgspec.json.encode(body))
            except NotTaken:
                raise
            except requests.RequestException as error:
                if _never_sent(error):
                    raise later("The shop's REST API could not be reached", UNREACHED_SECONDS) from None
                raise _unsure(f"The shop's answer at {named(route)} was lost ({type(error).__name__})") from None
            except Retry as error:
                raise _unsure(str(error).rstrip("."), error.after) from None

    def _ask(self, method: str, tail: str, route: str, body: bytes | None = None) -> Answer:
        headers = {
            **self._target.headers,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Authorization": self._proof(method, self._target.seen + tail),
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        with self._session().request(
            method,
            self._target.base + tail,
            data=body,
            headers=headers,
            timeout=(CONNECT_SECONDS, min(READ_SECONDS, self._total)),
            allow_redirects=False,
            stream=True,
        ) as response:
            return _read(response, self._body(response, route), route)

    def _session(self) -> requests.Session:
        if getattr(self._local, "process", None) != os.getpid():
            session = requests.Session()
            # A netrc file would replace the Authorization header.
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            self._local.process, self._local.session = os.getpid(), session
        found: requests.Session = self._local.session
        return found

    def _proof(self, method: str, url: str) -> str:
        if self._config.store_oauth is not None:
            return authorization(method, url, self._config.store_oauth)
        if self._config.store_token is None:
            raise Misconfigured(
                "The shop's REST API needs a token: set BRIDGE_STORE_TOKEN, or the integration's four OAuth values."
            )
        return f"Bearer {self._config.store_token}"

    def _body(self, response: requests.Response, route: str) -> bytes:
        """Read the body within the total time; each single read is bounded by the read time-out."""
        end = time.monotonic() + self._total
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(65_536):
            parts.append(part)
            size += len(part)
            if time.monotonic() > end or size > BODY_BYTES:
                raise smaller(f"The shop's REST API answered too slowly or too much at {named(route)}")
        return b"".join(parts)


def _unsure(said: str, after: float = UNREACHED_SECONDS) -> Unsure:
    return Unsure(f"{said}; whether it was done is looked up before anything is sent again.", after)


def _never_sent(error: requests.RequestException) -> bool:
    """Tell whether a call failed before a byte of it went out: there was no connection."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, (NewConnectionError, NameResolutionError))


def _target(config: Config) -> _Target:
    if config.store_rest_url:
        return _Target(config.store_rest_url, config.store_rest_url, {})
    origin = require_store(config)
    if not config.public_url:
        return _Target(origin, origin, {})
    public = urlsplit(config.public_url)
    return _Target(origin, config.public_url, {"Host": public.netloc, "X-Forwarded-Proto": public.scheme})


def _read(response: requests.Response, body: bytes, route: str) -> Answer:
    data = _decode(body)
    if response.status_code != 200 or data is None:
        raise fault(Reply(response.status_code, data, body, response.headers), route)
    if _hollow(data):
        raise later(f"The shop counts rows of {named(route)} and shows none", ODD_SECONDS)
    return Answer(data, clock(response.headers.get("Date")))


def _decode(body: bytes) -> Any:
    """Return the JSON value, or None when the body is none: an error page, XML, a cut answer."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        return None


def _hollow(data: Any) -> bool:
    """Tell a list that counts rows but shows none: always page 1 is asked, so it is not the end, nor an empty shop."""
    counted = isinstance(data, dict) and "items" in data and read.whole(data.get("total_count"))
    return bool(counted) and not read.rows(data["items"])
