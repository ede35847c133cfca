"""One transactional mail to Ometria: ``POST /transactional-email/send``.

Ometria knows no idempotency key, so each way in which a call can end says whether the mail may have gone out. Only what
failed before the request was sent, 429 and 5xx may be tried again; an answer that was lost is ``uncertain``. So is a
502 or 504 that is no answer of the API: then a gateway says that it has lost Ometria's, and the mail may be taken. Each
call has a connection of its own: a kept-alive one that the other side closes meanwhile would leave the outcome open.
"""

from __future__ import annotations

import contextlib
import re
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec
import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from bridge.errors import Misconfigured, Retry
from bridge.ometria.answers import CONTROL, EMAIL, REQUEST_ID_MOST, key_refused, seconds
from bridge.ometria.client import LOOPBACK
from bridge.ometria.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import redis

    from bridge.settings import Account

PATH = "/transactional-email/send"
CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
TOTAL_SECONDS = 25.0
ANSWER_BYTES = 64 * 1024
MESSAGE_MOST = 500
LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>]+", re.IGNORECASE)
HIDDEN = "•••"
GATEWAY = {502, 504}
"""What stands between us and Ometria says by these that it has no answer. With the API's JSON they are its own word."""

Outcome = Literal["accepted", "refused", "stopped", "later", "uncertain", "withdrawn"]


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """What became of one call.

    ``refused`` speaks against this mail, ``stopped`` against the key or the address of the API; ``later`` may be tried
    again after ``after`` seconds; ``withdrawn`` was kept back by the caller. ``status`` 0: no answer. ``reason`` holds
    no personal data and no link.
    """

    outcome: Outcome
    reason: str = ""
    request_id: str = ""
    after: float = 0.0
    status: int = 0
    milliseconds: int = 0


class TransactionalMail:
    """A client of the transactional API, paced by itself: its limit is another than that of records."""

    def __init__(self, url: str, connection: redis.Redis, *, total: float = TOTAL_SECONDS) -> None:
        """Take the API's base URL; plain http only on this machine. Raises :class:`Misconfigured`."""
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Misconfigured("BRIDGE_OMETRIA_API_URL must begin with https://: the API key travels in each call.")
        self._url = url.rstrip("/") + PATH
        self._total = total
        self.pacer = Pacer(connection)

    def send(
        self,
        account: Account,
        body: bytes,
        begin: Callable[[], bool],
        *,
        rate: int,
        hide: Sequence[str] = (),
    ) -> MailAnswer:
        """Send one mail, JSON of the contract's fields. Never raises for what Ometria says.

        ``begin`` is asked when the turn has come, right before the call, and writes down that it begins; where it
        returns False nothing is sent. ``hide`` are texts that must not come back in a reason, such as a reset link.
        """
        pace = f"mail {account.key}"
        try:
            with self.pacer.turn(pace, rate):
                if not begin():
                    return MailAnswer("withdrawn", "another worker has it")
                began = time.monotonic()
                answer = self._post(account.key, body, hide)
        except Retry as error:
            return MailAnswer("later", error.reason, after=error.after)
        after = answer.after
        with contextlib.suppress(Retry):
            if answer.outcome in {"later", "uncertain"}:
                # One whose answers get lost would leave mail after mail uncertain: the next ones wait for their turn.
                after = self.pacer.pause(pace, answer.after or None)
            elif answer.outcome == "accepted":
                self.pacer.well(pace)
        took = int((time.monotonic() - began) * 1000)
        return MailAnswer(answer.outcome, answer.reason, answer.request_id, after, answer.status, took)

    def _post(self, key: str, body: bytes, hide: Sequence[str]) -> MailAnswer:
        headers = {"X-Ometria-Auth": key, "Content-Type": "application/json", "Accept": "application/json"}
        end = time.monotonic() + self._total
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.post(
                    self._url,
                    data=body,
                    headers=headers | {"Connection": "close"},
                    timeout=(CONNECT_SECONDS, min(READ_SECONDS, self._total)),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    content = b"".join(_bounded(response, end))
                    return read_answer(response.status_code, content, response.headers.get("Retry-After"), hide)
        except requests.RequestException as error:
            name = type(error).__name__
            if _never_sent(error):
                return MailAnswer("later", f"Ometria could not be reached ({name}).")
            return MailAnswer("uncertain", f"Ometria's answer was lost ({name}).")


def read_answer(status: int, body: bytes, retry_after: str | None, hide: Sequence[str] = ()) -> MailAnswer:
    """Say what a response means. A 2xx that is no JSON object is no receipt: what is between us may answer too."""
    data = _decode(body)
    said = _said(data, hide)
    if 200 <= status < 300:
        # What Ometria says of a mail that it took is not documented: all of it is told, for the request log.
        return _read_taken(status, data, said or _shown(body.decode("utf-8", "replace"), hide))
    if status in {401, 403}:
        return MailAnswer("stopped", key_refused(status), status=status)
    if status in GATEWAY and not isinstance(data, dict):
        return MailAnswer("uncertain", f"The answer was lost between Ometria and here ({status}).", status=status)
    if status in {408, 429} or status >= 500:
        reason = said or f"Ometria could not answer ({status})."
        return MailAnswer("later", reason, after=seconds(retry_after) or 0.0, status=status)
    if status in {400, 413, 415, 422}:
        return MailAnswer("refused", said or f"Ometria refused the mail ({status}).", status=status)
    told = f"What answers is not Ometria's transactional API ({status}): check BRIDGE_OMETRIA_API_URL."
    return MailAnswer("stopped", told, status=status)


def _read_taken(status: int, data: Any, said: str) -> MailAnswer:
    if not isinstance(data, dict):
        return MailAnswer("uncertain", "The answer is not one of Ometria's.", status=status)
    if str(data.get("status", "OK")).upper() not in {"OK", "SUCCESS", "ACCEPTED", "QUEUED", "200"}:
        return MailAnswer("refused", said or "Ometria answered with an error.", status=status)
    request_id = CONTROL.sub("", str(data.get("request_id") or data.get("id") or ""))[:REQUEST_ID_MOST]
    return MailAnswer("accepted", said, request_id, status=status)


def _said(data: Any, hide: Sequence[str]) -> str:
    """Return Ometria's own words, without links, addresses and what the caller names: they may echo the mail."""
    if not isinstance(data, dict):
        return ""
    found = data.get("message") or data.get("error") or data.get("error_message") or ""
    if not isinstance(found, str):
        return ""
    return _shown(found, hide)


def _shown(found: str, hide: Sequence[str]) -> str:
    for text in sorted(filter(None, hide), key=len, reverse=True):
        found = found.replace(text, HIDDEN)
    return CONTROL.sub(" ", EMAIL.sub(f"{HIDDEN}@{HIDDEN}", LINK.sub(HIDDEN, found)))[:MESSAGE_MOST]


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _bounded(response: requests.Response, end: float) -> Iterator[bytes]:
    size = 0
    for part in response.iter_content(8_192):
        yield part
        size += len(part)
        if size > ANSWER_BYTES or time.monotonic() > end:
            raise requests.ReadTimeout


def _never_sent(error: requests.RequestException) -> bool:
    """Return whether the connection was never made, so that nothing of the request can have arrived."""
    seen: set[int] = set()
    todo: list[Any] = [error]
    while todo:
        one = todo.pop()
        if id(one) in seen or not isinstance(one, BaseException):
            continue
        seen.add(id(one))
        if isinstance(one, NewConnectionError | ConnectTimeoutError | ssl.SSLCertVerificationError):
            return True
        todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return False
