"""A neighbour whose answers are replaced, and the jobs run as the clock would run them, without its waits."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from bridge.db import db
from bridge.export import cursors, ease, history, jobs
from bridge.export.session import pause_name
from bridge.models import Pending
from bridge.settings import load_book

if TYPE_CHECKING:
    from collections.abc import Callable

HTML = "<html><body>Service Temporarily Unavailable</body></html>"
ID = re.compile(rb'"id":"([^"]*)"')
TYPE = re.compile(rb'"@type":"([a-z]+)"')


def hang_up(environ: dict[str, Any]) -> None:
    """End the connection without an answer."""
    connection = environ.get("werkzeug.socket")
    assert isinstance(connection, socket.socket)
    connection.shutdown(socket.SHUT_RDWR)


def json_answer(status: int, body: str, **fields: str) -> Response:
    """Return an answer in the form of an API."""
    return Response(body, status, headers=fields, mimetype="application/json")


@dataclass
class Replaced:
    """Replaces every ``every``-th push to ``app`` while ``on``; ``after``: the push is taken, its answer is lost.

    ``answer`` makes the other answer of the bytes of the right one (empty where the push is not taken). It may sleep.
    """

    app: Any
    answer: Callable[[bytes], Response | None] = lambda _: None
    after: bool = False
    every: int = 2
    on: bool = False
    count: int = 0
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if not environ["PATH_INFO"].endswith("/push"):
            return self.app(environ, start_response)
        body = Request(environ).get_data(cache=True)
        environ["wsgi.input"] = _again(body)
        kind = (TYPE.search(body) or [b"", b"none"])[1].decode()
        keys = [(kind, id_.decode()) for id_ in _ids(body)]
        with self.lock:
            self.count += 1
            replaced = self.on and self.count % self.every == 0
        if replaced and not self.after:
            return self._replace(environ, b"")(environ, start_response)
        whole = Response.from_app(self.app, environ)
        if whole.status_code == 200:
            with self.lock:
                self.sent.update(keys)
                self.lost.update(keys if replaced else ())
        if replaced:
            whole.direct_passthrough = False
            return self._replace(environ, whole.get_data())(environ, start_response)
        return whole(environ, start_response)

    def _replace(self, environ: dict[str, Any], whole: bytes) -> Response:
        made = self.answer(whole)
        if made is None:
            hang_up(environ)
            return Response("", 504)
        return made


def _again(body: bytes) -> Any:
    import io

    return io.BytesIO(body)


def _ids(body: bytes) -> list[bytes]:
    """Return the records' own ids: the first of each record, whatever else in it has one."""
    return [found.group(1) for part in body.split(b'{"@type":')[1:] if (found := ID.search(part))]


def as_if_waited(redis: Any, account_ids: list[str]) -> None:
    """Let each wait be over: of rows, of a key that pauses, of an account that does, and of a slow shop."""
    db.session.execute(db.update(Pending).where(Pending.state == "waiting").values(due_at=0))
    db.session.commit()
    cursors.clear(ease.PACE)
    for account in account_ids:
        cursors.clear(pause_name(account))
    for name in redis.scan_iter("bridge:ometria:*:pause"):
        redis.delete(name)


def work(redis: Any, rounds: int) -> None:
    """Run history and backlog of each account, as often as ``rounds``, until nothing is owed."""
    for _ in range(rounds):
        accounts = [one.id for one in load_book().accounts()]
        as_if_waited(redis, accounts)
        for walk in history.running():
            jobs.history(*walk)
        for account in accounts:
            jobs.backlog(account)
        if not history.running() and not db.session.query(Pending).count():
            return


def slow(answer: Callable[[bytes], Response | None], seconds: float) -> Callable[[bytes], Response | None]:
    """Let an answer come later than the client waits."""

    def late(whole: bytes) -> Response | None:
        time.sleep(seconds)
        return answer(whole)

    return late
