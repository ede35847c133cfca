"""One GET to Magento's REST API: address, proof, time-outs, and what each failure means.

A failure is never an empty result: a refused token or right is :class:`Misconfigured`, everything that may pass is
:class:`Retry`. Redirects are not followed, cookies are not kept. Neither the token nor a query is in an error's text.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import os
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import requests

from bridge.config import require_store
from bridge.errors import BridgeError, Misconfigured, Retry, Stumbled
from bridge.store.magento_auth import authorization
from bridge.store.magento_search import Query, encode

if TYPE_CHECKING:
    from bridge.config import Config

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
TOTAL_SECONDS = 25.0
BODY_BYTES = 64 * 1024 * 1024
REFUSED_SECONDS = 60.0

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class NotThere(BridgeError):
    """The shop answered 404 as Magento does: no such entity, or a module that serves the route is not installed."""


class NotTaken(BridgeError):
    """The shop answered 400: the query is wrong for this shop, such as a page above its limit."""


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

    def __init__(self, config: Config, *, total: float = TOTAL_SECONDS) -> None:
        self._config = config
        self._total = total
        self._local = threading.local()

    @cached_property
    def _target(self) -> _Target:
        """Where calls go; read at the first call, since settings and staff can be looked after without a shop."""
        return _target(self._config)

    def get(self, route: str, query: Query | None = None, *, store: str | None = None) -> Answer:
        """Return the answer to ``GET rest[/STORE]/V1/ROUTE``."""
        path = f"/rest/{store}/V1/{route}" if store else f"/rest/V1/{route}"
        tail = path + (f"?{encode(query)}" if query else "")
        headers = {
            **self._target.headers,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Authorization": self._proof(self._target.seen + tail),
        }
        try:
            with self._session().get(
                self._target.base + tail,
                headers=headers,
                timeout=(CONNECT_SECONDS, min(READ_SECONDS, self._total)),
                allow_redirects=False,
                stream=True,
            ) as response:
                return _read(response, self._body(response), route)
        except requests.ReadTimeout:
            raise Stumbled("The shop's REST API took too long.", after=15) from None
        except requests.RequestException as error:
            # The library's text may hold the URL with an e-mail in its query: only its kind is told.
            raise Retry(f"The shop's REST API did not answer ({type(error).__name__}).", after=15) from None

    def _session(self) -> requests.Session:
        if getattr(self._local, "process", None) != os.getpid():
            session = requests.Session()
            # A netrc file would replace the Authorization header.
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            self._local.process, self._local.session = os.getpid(), session
        found: requests.Session = self._local.session
        return found

    def _proof(self, url: str) -> str:
        if self._config.store_oauth is not None:
            return authorization("GET", url, self._config.store_oauth)
        if self._config.store_token is None:
            raise Misconfigured(
                "The shop's REST API needs a token: set BRIDGE_STORE_TOKEN, or the integration's four OAuth values."
            )
        return f"Bearer {self._config.store_token}"

    def _body(self, response: requests.Response) -> bytes:
        """Read the body within the total time; each single read is bounded by the read time-out."""
        end = time.monotonic() + self._total
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(65_536):
            parts.append(part)
            size += len(part)
            if time.monotonic() > end or size > BODY_BYTES:
                raise Retry("The shop's REST API answered too slowly or too much.", after=30)
        return b"".join(parts)


def _target(config: Config) -> _Target:
    if config.store_rest_url:
        return _Target(config.store_rest_url, config.store_rest_url, {})
    origin = require_store(config)
    if not config.public_url:
        return _Target(origin, origin, {})
    public = urlsplit(config.public_url)
    return _Target(origin, config.public_url, {"Host": public.netloc, "X-Forwarded-Proto": public.scheme})


def _read(response: requests.Response, body: bytes, route: str) -> Answer:
    status = response.status_code
    if 300 <= status < 400:
        raise Misconfigured(
            f"The shop's REST API redirects ({status}): set BRIDGE_PUBLIC_URL to the shop's base URL, "
            "or BRIDGE_STORE_REST_URL to the address that answers itself."
        )
    data = _decode(body)
    if status == 200 and data is not None:
        return Answer(data, _clock(response.headers.get("Date")))
    raise _fault(status, data, response.headers.get("Retry-After"), route)


def _clock(date: str | None) -> dt.datetime | None:
    """Return the moment of a ``Date`` header, or None when there is none that can be read."""
    try:
        moment = email.utils.parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _decode(body: bytes) -> Any:
    """Return the JSON value, or None when the body is none: an error page, XML, a cut answer."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        return None


def _fault(status: int, data: Any, retry_after: str | None, route: str) -> BridgeError:
    if status in {401, 403}:
        return _not_allowed(status, data)
    if status == 404:
        if data is None:
            return Misconfigured(
                "The shop's address does not answer as Magento's REST API (404): "
                "correct BRIDGE_STORE_URL or BRIDGE_STORE_REST_URL."
            )
        return NotThere(f"The shop has no {route}.")
    if status == 400 and data is not None:
        return NotTaken(f"The shop refused a query for {route}: {_message(data)}")
    if status == 200:
        return Retry("The shop's REST API answered with something that is not JSON.", after=REFUSED_SECONDS)
    seconds = float(retry_after) if retry_after and retry_after.isdecimal() else 30.0
    said = "The shop is in maintenance" if status == 503 else "The shop's REST API failed"
    failure = Stumbled if status == 500 else Retry
    return failure(f"{said} ({status}).", after=min(seconds, 3600.0))


def _not_allowed(status: int, data: Any) -> BridgeError:
    message = _message(data)
    if "nonce" in message:
        return Retry("The shop saw the nonce of a call before; it is asked again with another.", after=1)
    if "signature" in message:
        return Misconfigured(
            "The shop refuses the OAuth signature: check the four BRIDGE_STORE_… values, "
            "and that BRIDGE_PUBLIC_URL is the shop's base URL with its scheme."
        )
    parameters = data.get("parameters") if isinstance(data, dict) else None
    resource = parameters.get("resources") if isinstance(parameters, dict) else None
    if resource:
        return Misconfigured(
            f"The shop refuses the token for {resource} ({status}): give the integration this right, or, from "
            "Magento 2.4.4, allow integration tokens as bearer tokens or use the four OAuth values."
        )
    return Misconfigured(f"The shop refuses the token ({status}): check BRIDGE_STORE_TOKEN or the four OAuth values.")


def _message(data: Any) -> str:
    """Return Magento's sentence with its placeholders left empty: the parameters may hold paths and personal data."""
    return str(data.get("message", ""))[:200] if isinstance(data, dict) else ""
