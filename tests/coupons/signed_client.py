"""A client of the signed API, written from the contract alone: it shares no code with what checks it."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from urllib.parse import quote


def php_json(parameters: dict) -> str:
    """What PHP's json_encode makes of text, lists and one number, all that Ometria sends."""
    text = json.dumps(parameters, separators=(",", ":"), ensure_ascii=True).replace("/", "\\/")
    return text if parameters else "[]"


def signature(host: str, method: str, parameters: dict, public: str, private: str) -> str:
    """Sign as the contract says: no signature, nothing falsy, the time a number, by sorted names."""
    kept = {name: value for name, value in sorted(parameters.items()) if value not in ("", "0", None, [])}
    kept.pop("signature", None)
    kept["request_timestamp"] = int(kept["request_timestamp"])
    message = f"{host}:{method}:{php_json(kept)}:{public}"
    return hmac.new(private.encode(), message.encode(), hashlib.sha256).hexdigest()


def encoded(parameters: dict) -> str:
    """The query that carries them: ``codes[]=A&codes[]=B`` for lists."""
    parts = []
    for name, value in parameters.items():
        if isinstance(value, list):
            parts += [f"{quote(name)}[]={quote(item, safe='')}" for item in value]
        else:
            parts.append(f"{quote(name)}={quote(str(value), safe='')}")
    return "&".join(parts)


class SignedClient:
    """Calls an application as Ometria does. ``now`` gives the seconds that are signed.

    The time of each call is another, as the replay memory wants; clients that share ``ticks`` sign no time twice.
    """

    def __init__(self, client, now, ticks=None, *, host, public, private):
        self.client = client
        self.now = now
        self.host = host
        self.public = public
        self.private = private
        self._ticks = ticks or itertools.count(1)

    def query(self, method: str, **parameters) -> str:
        """The query of a signed call."""
        found = {name: value for name, value in parameters.items() if value is not None}
        found.setdefault("request_timestamp", str(int(self.now()) - next(self._ticks)))
        found["signature"] = signature(self.host, method, found, self.public, self.private)
        return encoded(found)

    def get(self, method: str, *, front: str = "", rest: str = "", **parameters):
        query = self.query(method, **parameters)
        return self.client.get(
            f"{front}/ometria_api/v1/{method}{rest}?{query}", headers={"Host": self.host}, buffered=True
        )

    def post(self, method: str, **parameters):
        return self.client.post(
            f"/ometria_api/v1/{method}",
            data=self.query(method, **parameters),
            content_type="application/x-www-form-urlencoded",
            headers={"Host": self.host},
            buffered=True,
        )
