"""Outgoing requests besides the two seams: only to hosts that the configuration names, no redirects, bounded."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from bridge.errors import Misconfigured, Retry

BODY_BYTES = 2 * 1024 * 1024
SECONDS = 20.0


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
