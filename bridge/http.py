"""Outgoing requests besides the two seams: to hosts that the configuration names, or to the webhook; no redirects."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

from bridge.errors import Misconfigured, Retry
from bridge.reach import find

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bridge.reach import Target

BODY_BYTES = 2 * 1024 * 1024
SECONDS = 20.0
POST_SECONDS = 10.0
ADDRESSES_MOST = 3
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: header names in lower case, repeated ones joined by a line break; ``text`` at most 2 MB of it."""

    status: int
    headers: dict[str, str]
    text: str

    def header(self, name: str) -> str:
        """Return a header, or an empty text."""
        return self.headers.get(name.lower(), "")


def ask(
    url: str,
    allowed: tuple[str | None, ...],
    headers: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
) -> Page:
    """Return the answer to ``GET url``, or to a ``POST`` of ``form``.

    ``allowed`` are the configured addresses; a host that none of them names raises :class:`Misconfigured`, since
    nothing that a page or a person says may lead elsewhere. A host that does not answer raises :class:`Retry`.
    """
    hosts = {urlsplit(address).netloc for address in allowed if address}
    if urlsplit(url).netloc not in hosts:
        raise Misconfigured(f"{urlsplit(url).netloc} is none of the configured hosts.")
    try:
        with requests.Session() as session:
            session.trust_env = False
            method = "GET" if form is None else "POST"
            with session.request(
                method, url, headers=headers, data=form, timeout=SECONDS, allow_redirects=False, stream=True
            ) as answer:
                body = answer.raw.read(BODY_BYTES, decode_content=True)
                fields: dict[str, str] = {}
                for name, value in answer.raw.headers.items():
                    key = name.lower()
                    fields[key] = f"{fields[key]}\n{value}" if key in fields else value
                return Page(answer.status_code, fields, body.decode("utf-8", "replace"))
    except (requests.RequestException, HTTPError, OSError) as error:
        raise Retry(f"{urlsplit(url).netloc} did not answer ({type(error).__name__}).") from None


def post_json(url: str, data: object, named: Collection[str], headers: Mapping[str, str] = NO_HEADERS) -> int:
    """Post a JSON object to an address that a person typed; return the status. No redirect is followed.

    What may be reached, and ``named``, is said at :func:`bridge.reach.find`, whose errors are raised. A host that does
    not answer raises :class:`Retry`. The address may hold a token: neither an error nor a log line repeats it.
    """
    target = find(url, named)
    fields = {"Host": target.authority, "Content-Type": "application/json", "User-Agent": "bridge", **headers}
    line = http.client.HTTPConnection(target.host, target.port)
    line.sock = _reached(target)
    try:
        line.request("POST", target.path, msgspec.json.encode(data), fields)
        return line.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        fault = _fault(error)
    finally:
        line.close()
    raise Retry(f"{target.host} {fault}.")


def _reached(target: Target) -> socket.socket:
    """Connect to one of the very addresses that were looked at."""
    fault = "has no address"
    for address in target.addresses[:ADDRESSES_MOST]:
        try:
            return _connected(target, address)
        except OSError as error:
            fault = _fault(error)
    raise Retry(f"{target.host} {fault}.")


def _connected(target: Target, address: str) -> socket.socket:
    """Connect to an address; with TLS the certificate must hold the host's name."""
    plain = socket.create_connection((address, target.port), timeout=POST_SECONDS)
    if not target.secure:
        return plain
    try:
        # What the machine trusts, and what every other request of ours does.
        context = ssl.create_default_context()
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        return context.wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


def _fault(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    return f"did not answer ({type(error).__name__})"
