"""Calls to Ometria: authentication, time-outs, splitting of refused batches.

The key is in the one header that needs it and nowhere else. Redirects are not followed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from bridge.errors import Misconfigured, Retry
from bridge.ometria.answers import Answer, PushError, key_refused, read_errors, read_push
from bridge.ometria.pacing import Pacer
from bridge.ometria.reading import READ_BYTES, list_path, read_list
from bridge.ometria.receipt import BATCH_MOST, Call, Parcel, Receipt, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis

    from bridge.settings import Account

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
TOTAL_SECONDS = 25.0
BODY_BYTES = 4 * 1024 * 1024
QUEUE_RESERVE = 5_000
"""Ometria's queue takes 50,000 records; the last tenth is kept for live ones."""
SLOW_SECONDS = 60.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Ometria:
    """A client of the data API. Each thread, and each process after a fork, has sockets of its own."""

    def __init__(self, url: str, connection: redis.Redis, *, total: float = TOTAL_SECONDS) -> None:
        """Take the API's base URL; plain http only on this machine. Raises :class:`Misconfigured`."""
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Misconfigured("BRIDGE_OMETRIA_API_URL must begin with https://: the API key travels in each call.")
        self._url = url.rstrip("/")
        self._total = total
        self.pacer = Pacer(connection)
        self._local = threading.local()

    def push(
        self,
        account: Account,
        parcels: Sequence[Parcel],
        allow: Callable[[Sequence[int]], Sequence[int]] = lambda part: part,
        *,
        live: bool = True,
    ) -> Receipt:
        """Send at most 100 records of one type.

        ``allow`` is asked when the turn of each request has come, while no other call with this key is under way, and
        returns the places of the records that may still go: a lost lease or a newer version elsewhere keeps the others
        back, which then say ``stale``. What is not ``live`` lets live calls go first. A batch that is refused is split
        until the bad record stands alone; the others go through, some of them twice, which Ometria takes as the same
        record. Never raises for what Ometria says.
        """
        if len(parcels) > BATCH_MOST:
            raise ValueError(f"a push takes {BATCH_MOST} records")
        receipt = Receipt([Result("retry", "not sent yet") for _ in parcels])
        waiting = [tuple(range(len(parcels)))] if parcels else []
        while waiting:
            part = waiting.pop(0)
            try:
                answer, part = self._push_part(account, parcels, (part, allow, live), receipt)
            except Retry as error:
                receipt.after = error.after
                _note(receipt, part, "retry", error.reason)
                break
            if answer is None:
                continue
            if answer.verdict == "split" and len(part) > 1:
                middle = len(part) // 2
                waiting[:0] = [part[:middle], part[middle:]]
            elif answer.verdict in {"split", "all_refused"}:
                _note(receipt, part, "refused", answer.message, answer.request_id)
            elif answer.verdict == "stop":
                receipt.stop = answer.message
                break
        return receipt

    def errors(self, account: Account) -> list[PushError]:
        """Return the newest late refusals (at most 100).

        Raises :class:`Retry` when they cannot be read now, :class:`Misconfigured` when the key is refused.
        """
        headers = {"X-Ometria-Auth": account.key, "Accept": "application/json"}
        with self.pacer.turn(account.key, account.settings["export.requests_per_second"]):
            status, body, _ = self._call("GET", "/push/_errors", headers, None)
        if status in {401, 403}:
            raise Misconfigured(key_refused(status))
        found = read_errors(status, body)
        if found is None:
            raise Retry(f"Ometria's error list could not be read ({status}).", after=60)
        return found

    def records(self, account: Account, kind: str, offset: int, collection: str = "") -> list[dict[str, Any]] | None:
        """Return a page of what Ometria holds of a kind, from ``offset`` on; empty behind the last one.

        None where the key may not read or there is no such list: that says nothing of what is held. Raises
        :class:`Retry` when it cannot be read now.
        """
        headers = {"X-Ometria-Auth": account.key, "Accept": "application/json"}
        with self.pacer.turn(account.key, account.settings["export.requests_per_second"], live=False):
            status, body, answered = self._call(
                "GET", list_path(kind, offset, collection), headers, None, most=READ_BYTES
            )
        return read_list(status, body, answered.get("Retry-After"))

    def _push_part(
        self,
        account: Account,
        parcels: Sequence[Parcel],
        how: tuple[tuple[int, ...], Callable[[Sequence[int]], Sequence[int]], bool],
        receipt: Receipt,
    ) -> tuple[Answer | None, tuple[int, ...]]:
        """Send what may still go; return the answer, None where nothing may, and the places that were sent."""
        wanted, allow, live = how
        headers = {
            "X-Ometria-Auth": account.key,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        with self.pacer.turn(account.key, account.settings["export.requests_per_second"], live=live):
            part = tuple(allow(wanted))
            _note(receipt, tuple(place for place in wanted if place not in part), "stale", "not sent")
            if not part:
                return None, part
            body = b"[" + b",".join(parcels[place].body for place in part) + b"]"
            began = time.monotonic()
            try:
                status, content, answered = self._call("POST", "/push", headers, body)
                answer = read_push(status, content, answered.get("Retry-After"), len(part))
            except Retry as error:
                status, answered = 0, {}
                answer = Answer("retry", message=error.reason)
        _log(receipt, part, status, answer, int((time.monotonic() - began) * 1000))
        if answer.verdict == "retry":
            raise Retry(answer.message, self.pacer.pause(account.key, answer.after))
        if answer.verdict == "accepted":
            _note(receipt, part, "accepted", "", answer.request_id)
        if answer.verdict != "stop":
            # A Redis that is gone just now says nothing of the records; the next call will wait for it.
            with contextlib.suppress(Retry):
                self._well(account, answered)
        return answer, part

    def _well(self, account: Account, answered: dict[str, str]) -> None:
        self.pacer.well(account.key)
        remaining = answered.get("X-QueueSize-Remaining", "")
        if remaining.isdecimal() and int(remaining) < QUEUE_RESERVE:
            self.pacer.slow_history(account.key, SLOW_SECONDS)

    def _session(self) -> requests.Session:
        if getattr(self._local, "process", None) != os.getpid():
            session = requests.Session()
            session.trust_env = False
            self._local.process, self._local.session = os.getpid(), session
        found: requests.Session = self._local.session
        return found

    def _call(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, *, most: int = BODY_BYTES
    ) -> tuple[int, bytes, dict[str, str]]:
        end = time.monotonic() + self._total
        try:
            with self._session().request(
                method,
                self._url + path,
                headers=headers,
                data=body,
                timeout=(CONNECT_SECONDS, min(READ_SECONDS, self._total)),
                allow_redirects=False,
                stream=True,
            ) as response:
                parts: list[bytes] = []
                size = 0
                for part in response.iter_content(65_536):
                    parts.append(part)
                    size += len(part)
                    if time.monotonic() > end or size > most:
                        raise Retry("Ometria answered too slowly or too much.")
                # A plain dict would make the names case sensitive.
                wanted = ("Retry-After", "X-QueueSize-Remaining")
                kept = {name: response.headers[name] for name in wanted if name in response.headers}
                return response.status_code, b"".join(parts), kept
        except requests.RequestException as error:
            raise Retry(f"Ometria did not answer ({type(error).__name__}).") from None


def _note(receipt: Receipt, part: tuple[int, ...], state: str, reason: str, request_id: str = "") -> None:
    result = Result(state, reason, request_id)  # type: ignore[arg-type] # the callers name the three states
    for place in part:
        receipt.results[place] = result


def _log(receipt: Receipt, part: tuple[int, ...], status: int, answer: Answer, milliseconds: int) -> None:
    outcome = {
        "accepted": "accepted",
        "split": "partial" if 200 <= status < 300 else "refused",
        "all_refused": "refused",
        "retry": "retry",
        "stop": "stopped",
    }[answer.verdict]
    receipt.calls.append(
        Call(status, outcome, part, answer.request_id, milliseconds, answer.message)  # type: ignore[arg-type] # as above
    )
