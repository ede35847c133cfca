"""Ometria's answers -> what to do next. Values in, values out.

A 2xx with an unexpected body is not a receipt: what is between us and Ometria may answer too.
"""

from __future__ import annotations

import email.utils
import re
import time
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

MESSAGE_MOST = 500
REQUEST_ID_MOST = 64
EMAIL = re.compile(r"[^\s@\"'<>:,;=()\[\]]+@[^\s@\"'<>,;()\[\]]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
AFTER_MOST = 3600.0

Verdict = Literal["accepted", "split", "all_refused", "retry", "stop"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The meaning of one response; ``after`` is given only where Ometria itself named a time."""

    verdict: Verdict
    request_id: str = ""
    message: str = ""
    after: float | None = None


@dataclass(frozen=True, slots=True)
class PushError:
    """One entry of the list of late refusals; the older form of the list names neither record nor request."""

    request_id: str
    record_type: str
    record_id: str
    collection: str
    message: str


def read_push(status: int, body: bytes, retry_after: str | None, sent: int) -> Answer:
    """Say what a response to a push of ``sent`` records means."""
    data = _decode(body)
    message = _message(data)
    if 200 <= status < 300:
        return _read_taken(data, message, sent)
    if status in {401, 403}:
        return Answer("stop", message=key_refused(status))
    if status in {400, 413, 422}:
        return Answer("split", message=message or f"Ometria refused the request ({status}).")
    if status == 429 or status >= 500 or status == 408:
        return Answer("retry", message=message or f"Ometria could not answer ({status}).", after=seconds(retry_after))
    return Answer(
        "stop",
        message=f"What answers is not Ometria's push API ({status}): check BRIDGE_OMETRIA_API_URL.",
    )


def key_refused(status: int) -> str:
    """Return what to do about a key that is not taken."""
    return (
        f"Ometria refuses the API key ({status}): check it under Settings > API Keys in Ometria, then paste it again."
    )


def _read_taken(data: Any, message: str, sent: int) -> Answer:
    if not isinstance(data, dict) or not ("status" in data or "request_id" in data or "accepted" in data):
        return Answer("retry", message="The answer is not one of Ometria's.")
    request_id = str(data.get("request_id") or "")[:REQUEST_ID_MOST]
    rejected = data.get("rejected")
    if str(data.get("status", "OK")).upper() != "OK":
        return Answer("split", request_id, message or "Ometria answered with an error.")
    if not isinstance(rejected, int) or rejected <= 0:
        return Answer("accepted", request_id)
    reason = message or "Ometria rejected the record."
    return Answer("all_refused" if rejected >= sent else "split", request_id, reason)


def read_errors(status: int, body: bytes) -> list[PushError] | None:
    """Return the entries of ``/push/_errors`` in either documented form, or None when the answer is not that list."""
    data = _decode(body)
    if isinstance(data, dict):
        data = next((data[name] for name in ("errors", "data", "results") if isinstance(data.get(name), list)), None)
    if status != 200 or not isinstance(data, list):
        return None
    return [_error(entry) for entry in data if isinstance(entry, dict)]


def _error(entry: dict[str, Any]) -> PushError:
    inner = entry.get("message")
    inner = inner if isinstance(inner, dict) else entry
    record = entry.get("record")
    said = " ".join(str(inner.get(name) or "") for name in ("error_path", "error_message")).strip()
    return PushError(
        request_id=str(entry.get("request_id") or "")[:REQUEST_ID_MOST],
        record_type=str(entry.get("record_type") or ""),
        record_id=str(entry.get("record_id") or ""),
        collection=str(record.get("@collection") or "") if isinstance(record, dict) else "",
        message=_words(said or str(entry.get("message") or "not a valid value")),
    )


def seconds(retry_after: str | None, now: float | None = None) -> float | None:
    """Return ``Retry-After`` in seconds, given as a number or as an HTTP date; None when it says nothing usable."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return min(float(retry_after), AFTER_MOST)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after).timestamp()
    except ValueError:
        return None
    return min(max(moment - (time.time() if now is None else now), 0.0), AFTER_MOST)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _message(data: Any) -> str:
    """Return Ometria's own words, cut short; other parts of the body are not kept, as they may echo a record."""
    if not isinstance(data, dict):
        return ""
    found = data.get("message") or data.get("error") or data.get("error_message") or ""
    return _words(found) if isinstance(found, str) else ""


def _words(text: str) -> str:
    """Return a text as it may be kept and shown: short, without control characters and e-mail addresses."""
    return CONTROL.sub(" ", EMAIL.sub("•••@•••", text))[:MESSAGE_MOST]
