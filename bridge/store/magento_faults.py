"""What an answer of Magento's REST API that brings no data means: the answer in, the error to raise out.

Where a person must change something it is :class:`Misconfigured` and names the change. What may pass is
:class:`Retry`; :class:`Stumbled` where one of the things asked about may be to blame. Magento's words are told by
``message`` alone: what stands beside it (``parameters``) may hold values of the query and paths of the server. They
are translated by store view, so the status decides and the text only refines.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError, Misconfigured, Retry, Stumbled

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSED_SECONDS = 300.0
"""How long a query that the shop refuses is left alone."""
ODD_SECONDS = 60.0
FAILED_SECONDS = 30.0
WAIT_MOST = 3600.0
MESSAGE_MOST = 160
SMALLER = "it is asked again for less, and what fails alone is set aside after some tries"

XML = re.compile(rb"\s*<\?xml[^>]*>\s*<response\b")
RIGHTS = re.compile(r"[A-Za-z0-9_]+::[A-Za-z0-9_:, ]+")
REPORT = re.compile(r"\bwebapi-[0-9a-f]{1,32}\b")
VALUES = re.compile(r'"[^"]*"|\S*@\S*|(?<![\w.])/\S*|\d{5,}')
"""What may tell a value of the query or a place of the server: texts in quotes, addresses, paths, long numbers."""
PLACEHOLDER = re.compile(r'"%\w+"')
ONE = re.compile(r"^(customers|stockStatuses)/(?!search$).*")


class NotThere(BridgeError):
    """The shop answered 404 as Magento does: no such entity, or a module that serves the route is not installed."""


class NotTaken(Stumbled):
    """The shop answered 400: the query is wrong for this shop, such as a page above its limit.

    ``said`` is Magento's own message in one line, without values.
    """

    def __init__(self, reason: str, after: float, said: str = "") -> None:
        super().__init__(reason, after)
        self.said = said


class Barred(Misconfigured):
    """Something in front of the shop refused the call before Magento saw it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came; ``data`` is the decoded JSON, or None where the body is none."""

    status: int
    data: Any
    body: bytes
    headers: Mapping[str, str]


def fault(reply: Reply, route: str) -> BridgeError:
    """Return what to raise for an answer to ``route`` that is not 200 with JSON."""
    if reply.data is None and XML.match(reply.body):
        return _not_json(reply, "")
    return BY_STATUS.get(reply.status, _other)(reply, named(route))


def later(said: str, after: float) -> Retry:
    """Return the error for what may pass; ``said`` is a sentence without its end, ``after`` counts seconds."""
    return Retry(f"{said}; it is asked again after {after:.0f} seconds.", after)


def smaller(said: str, after: float = FAILED_SECONDS) -> Stumbled:
    """Return the error for what may succeed when fewer things are asked for at once."""
    return Stumbled(f"{said}: {SMALLER}.", after)


def named(route: str) -> str:
    """Return a route as a sentence may name it: without the id or SKU of the one entity it asks for."""
    return ONE.sub(r"\1/…", route)


def clock(date: str | None) -> dt.datetime | None:
    """Return the moment of a ``Date`` or ``Retry-After`` field, or None when there is none that can be read."""
    try:
        moment = email.utils.parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _not_json(reply: Reply, _name: str) -> BridgeError:
    """Magento chooses JSON, XML or a refusal (406) by the Accept field, and bridge asks for JSON."""
    if reply.status == 406 and not _message(reply.data):
        return _barred(reply.status)
    return Misconfigured(
        f"The shop's REST API does not answer in JSON ({reply.status}): something between bridge and the shop changes "
        "the Accept header; let it pass as it is, or set BRIDGE_STORE_REST_URL to an address that does."
    )


def _not_taken(reply: Reply, name: str) -> BridgeError:
    if reply.data is None:
        return _barred(reply.status)
    said = ": ".join(filter(None, ("400", _message(reply.data))))
    return NotTaken(
        f"The shop refuses the query for {name} ({said}): {SMALLER}.", REFUSED_SECONDS, _message(reply.data)
    )


def _not_allowed(reply: Reply, _name: str) -> BridgeError:
    message, status = _message(reply.data).lower(), reply.status
    if not message:
        return _barred(status)
    if "nonce" in message:
        return Retry("The shop saw the nonce of a call before; it is asked again with another.", after=1)
    if "timestamp" in message:
        return Misconfigured(f"The shop refuses the time of a signed call ({status}): set this machine's clock right.")
    if "signature" in message:
        return Misconfigured(
            "The shop refuses the OAuth signature: check the four BRIDGE_STORE_… values, "
            "and that BRIDGE_PUBLIC_URL is the shop's base URL with its scheme."
        )
    return _no_right(reply)


def _no_right(reply: Reply) -> BridgeError:
    status, parameters = reply.status, reply.data.get("parameters")
    resource = parameters.get("resources") if isinstance(parameters, dict) else None
    if isinstance(resource, str) and len(resource) <= MESSAGE_MOST and RIGHTS.fullmatch(resource):
        return Misconfigured(
            f"The shop refuses the token for {resource} ({status}): give the integration this right, or, from "
            "Magento 2.4.4, allow integration tokens as bearer tokens or use the four OAuth values."
        )
    return Misconfigured(f"The shop refuses the token ({status}): check BRIDGE_STORE_TOKEN or the four OAuth values.")


def _not_found(reply: Reply, name: str) -> BridgeError:
    if not _message(reply.data):
        return Misconfigured(
            "The shop's address does not answer as Magento's REST API (404): "
            "correct BRIDGE_STORE_URL or BRIDGE_STORE_REST_URL."
        )
    return NotThere(f"The shop has no {name} (404).")


def _busy(reply: Reply, _name: str) -> BridgeError:
    said = {503: "The shop is in maintenance or overloaded", 429: "The shop asks for fewer calls"}
    return later(f"{said.get(reply.status, 'The shop did not take a call')} ({reply.status})", _wait(reply.headers))


def _too_large(reply: Reply, name: str) -> BridgeError:
    return smaller(f"The shop's web server refuses a call for {name} as too large ({reply.status})", ODD_SECONDS)


def _barred(status: int) -> Barred:
    return Barred(
        f"Something in front of the shop refuses bridge's calls ({status}): let its firewall, web server or password "
        "protection pass GET calls under /rest/ from this machine."
    )


def _other(reply: Reply, name: str) -> BridgeError:
    """Return the error for a success without JSON, a redirect, what Magento does not send, and each failure."""
    status = reply.status
    if status < 300:
        return later("The shop's REST API answered with something that is not JSON", ODD_SECONDS)
    if status < 400:
        return Misconfigured(
            f"The shop's REST API redirects ({status}): set BRIDGE_PUBLIC_URL to the shop's base URL, "
            "or BRIDGE_STORE_REST_URL to the address that answers itself."
        )
    if status < 500:
        return _barred(status)
    report = REPORT.search(_told(reply.data))
    logged = f", which its log has as {report.group()}" if report else ""
    return smaller(f"The shop's REST API failed ({status}) at {name}{logged}", _wait(reply.headers))


def _wait(headers: Mapping[str, str]) -> float:
    """Return the seconds that the shop asks to be left alone for, by number or date; at least one, at most an hour."""
    given = (headers.get("Retry-After") or "").strip()
    if given.isdecimal():
        seconds = float(given)
    else:
        until, now = clock(given), clock(headers.get("Date")) or dt.datetime.now(dt.UTC)
        seconds = (until - now).total_seconds() if until else FAILED_SECONDS
    return min(max(seconds, 1.0), WAIT_MOST)


def _told(data: Any) -> str:
    return str(data.get("message") or "") if isinstance(data, dict) else ""


def _message(data: Any) -> str:
    """Return Magento's words in one line: placeholders left as they are, values taken out, no full stop at the end."""
    told = html.unescape(_told(data))
    told = VALUES.sub(lambda found: found[0] if PLACEHOLDER.fullmatch(found[0]) else "…", told)
    line = "".join(letter if letter.isprintable() else " " for letter in told)
    return " ".join(line.split())[:MESSAGE_MOST].rstrip(" .")


BY_STATUS = {
    400: _not_taken,
    401: _not_allowed,
    403: _not_allowed,
    404: _not_found,
    406: _not_json,
    **dict.fromkeys((408, 425, 429, 503), _busy),
    **dict.fromkeys((413, 414, 431), _too_large),
}
