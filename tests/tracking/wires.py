"""Exchanges for tests, written down as headers and bodies."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from urllib.parse import quote


class Head:
    def __init__(self, headers):
        self.headers = [(_bytes(name), _bytes(value)) for name, value in headers]

    def get(self, name: bytes) -> bytes | None:
        return next(iter(self.get_all(name)), None)

    def get_all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]


class Request(Head):
    def __init__(self, method, target, headers=()):
        super().__init__(headers)
        self.method = _bytes(method)
        self.target = _bytes(target)
        self.path = self.target.partition(b"?")[0]


class Response(Head):
    def __init__(self, status, headers=()):
        super().__init__(headers)
        self.status = status


@dataclass
class Exchange:
    request: Request
    request_body: bytes | None
    response: Response
    response_body: bytes | None
    host: bytes = b"store.test"
    scheme: str = "http"
    client: str = "192.0.2.1"
    received: float = 0.0

    def __post_init__(self):
        self.received = self.received or time.time()


def _bytes(value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
AJAX = ("X-Requested-With", "XMLHttpRequest")


def messages(*types: str) -> str:
    """The cookie in which Magento tells the shopper how a form went."""
    return "mage-messages=" + quote(json.dumps([{"type": kind, "text": f"{kind} of the day"} for kind in types]))


def set_cookie(pair: str) -> tuple[str, str]:
    return ("Set-Cookie", f"{pair}; path=/; SameSite=Lax")


def exchange(
    target, body="", *, method="POST", sent=(FORM,), cookie="", status=302, answer=(), answer_body=b"", **more
):
    """One exchange; ``cookie`` is the request's, ``answer`` the answer's headers."""
    sent = [*sent, *([("Cookie", cookie)] if cookie else [])]
    return Exchange(Request(method, target, sent), _bytes(body), Response(status, answer), _bytes(answer_body), **more)


def multipart(boundary="----WebKitFormBoundaryTest", **fields: str) -> tuple[tuple[str, str], str]:
    """Return the content type header and the body of a form with these fields."""
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return ("Content-Type", f"multipart/form-data; boundary={boundary}"), f"{parts}--{boundary}--\r\n"
