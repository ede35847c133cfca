"""How a REST call proves who is asking: integration bearer token or OAuth 1.0a.

Magento 2.4 takes only HMAC-SHA256. It signs what it sees: scheme, ``Host`` without port, path and query as sent; the
body is not signed. A nonce may be used once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from bridge.config import OAuthKeys


def escape(text: str) -> str:
    """Percent-encode as RFC 5849 section 3.6 wants it: a space is ``%20``, only unreserved characters stay."""
    return quote(text, safe="-._~")


def authorization(
    method: str, url: str, keys: OAuthKeys, *, nonce: str | None = None, timestamp: int | None = None
) -> str:
    """Return the ``Authorization`` header for a call; ``url`` is the one the shop believes to be asked for."""
    parameters = {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(time.time()) if timestamp is None else timestamp),
        "oauth_token": keys.access_token,
        "oauth_version": "1.0",
    }
    base = signature_base(method, url, parameters)
    secret = f"{escape(keys.consumer_secret)}&{escape(keys.access_token_secret)}"
    mark = hmac.new(secret.encode(), base.encode(), hashlib.sha256).digest()
    parameters["oauth_signature"] = base64.b64encode(mark).decode("ascii")
    return "OAuth " + ", ".join(f'{name}="{escape(value)}"' for name, value in sorted(parameters.items()))


def signature_base(method: str, url: str, parameters: dict[str, str]) -> str:
    """Return the text that is signed (RFC 5849 section 3.4.1), with the port left out as Magento leaves it out."""
    parts = urlsplit(url)
    pairs = [(escape(name), escape(value)) for name, value in parameters.items()]
    for pair in parts.query.split("&") if parts.query else []:
        name, _, value = pair.partition("=")
        pairs.append((escape(unquote(name)), escape(unquote(value))))
    joined = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    address = f"{parts.scheme}://{(parts.hostname or '').lower()}{parts.path}"
    return f"{method.upper()}&{escape(address)}&{escape(joined)}"
