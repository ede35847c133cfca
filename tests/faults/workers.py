"""Real workers on PostgreSQL and a Redis of their own, which can be killed, before the made shop of the benches."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import redis
from sqlalchemy import update

from bridge.app import create_app, services
from bridge.clock import tick
from bridge.config import config_from_environ
from bridge.db import db
from bridge.export import history, ledger
from bridge.models import Pending
from bridge.queues import Wakes, connect
from bridge.settings import set_value
from tests.browser.stack import free_port, wait_for
from tests.redis_server import start_redis
from tests.schema import create_tables

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("product", "contact", "order")
TOKEN = "token-of-the-made-shop"
KEY = "key-main-0001"


class Workers:
    """Two workers, a clock that runs fast, and what they talk to. ``size`` entities of each kind are in the shop."""

    def __init__(self, folder: Path, database_url: str, size: int) -> None:
        self.size = size
        self.workers: list[subprocess.Popen[bytes]] = []
        self._stopped = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._redis_folder = folder / "redis"
        self._redis_folder.mkdir()
        self.redis_server = start_redis(self._redis_folder)
        port = free_port()
        self.made = f"http://127.0.0.1:{port}"
        self._shop = self._run("bench.scale_shop", str(port), str(size), "1")
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")} | {
            "BRIDGE_STORE_URL": self.made,
            "BRIDGE_STORE_TOKEN": TOKEN,
            "BRIDGE_OMETRIA_API_URL": f"{self.made}/v2",
            "BRIDGE_DATABASE_URL": database_url,
            "BRIDGE_REDIS_URL": self.redis_server.url,
            "BRIDGE_DATA_DIR": str(folder),
            "BRIDGE_SECRET_KEY": "a-secret-key-for-tests-0123456789",
        }
        self.database = database_url.replace("postgresql+psycopg://", "postgresql://")
        self.app: Flask = create_app(config_from_environ(self._environ))

    def start(self) -> None:
        """Make the tables, begin a history of everything, and let two workers and the clock run."""
        with self.app.app_context():
            db.drop_all()
            create_tables()
            set_value("default", "general.api_key", KEY, "test")
            set_value("default", "export.requests_per_second", 100, "test")
            db.session.commit()
        wait_for(self._shop_answers, 30, what="the made shop did not come up")
        self.begin()
        self.two_workers()
        self._ticker.start()

    def begin(self, *, force: bool = False) -> None:
        """Begin a history of everything."""
        with self.app.app_context():
            for kind in KINDS:
                history.begin(kind, "default", again=True, force=force)

    def two_workers(self) -> None:
        """Start as many workers as there should be."""
        self.workers = [one for one in self.workers if one.poll() is None]
        self.workers += [self._run("bridge", "worker") for _ in range(2 - len(self.workers))]

    def figures(self) -> dict[str, Any]:
        """Return what the made Ometria received."""
        with urllib.request.urlopen(f"{self.made}/figures", timeout=10) as answer:
            return json.load(answer)

    def forget(self) -> None:
        """Let the made shop and Ometria count anew."""
        urllib.request.urlopen(f"{self.made}/forget", timeout=10).close()

    def kill_worker(self) -> None:
        """End a worker and its job at once (-9)."""
        worker = self.workers.pop(0)
        for pid in [worker.pid, *_children(worker.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        worker.wait()

    def kill_job(self) -> None:
        """End the process in which a worker runs its job (-9), if it runs one."""
        for pid in _children(self.workers[0].pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_redis(self) -> None:
        """End Redis at once (-9) and start it again on what it wrote."""
        self.redis_server.kill()
        self.redis_server = start_redis(self._redis_folder)

    def cut_database(self) -> None:
        """End every connection to the database."""
        with psycopg.connect(self.database) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def pass_time(self) -> None:
        """Kill the workers and let everything that died with them run out: leases, locks, gates, waits."""
        while self.workers:
            self.kill_worker()
        with self.app.app_context():
            with contextlib.suppress(Exception):
                db.session.rollback()
            db.session.execute(update(Pending).where(Pending.state == "waiting").values(due_at=0, lease_until=0))
            db.session.commit()
        client = redis.Redis.from_url(self.redis_server.url)
        for pattern in ("bridge:lock:*", "bridge:ometria:*", "bridge:wake:*", "bridge:shop:*"):
            for name in client.scan_iter(pattern):
                client.delete(name)
        client.close()

    def idle(self) -> bool:
        """Return whether nothing is owed and no walk is under way."""
        with self.app.app_context():
            db.session.rollback()
            rows = [count for count in ledger.counts() if count.state == "waiting"]
            return not rows and not history.running()

    def stop(self) -> None:
        """End everything that was started."""
        self._stopped.set()
        if self._ticker.is_alive():
            self._ticker.join()
        while self.workers:
            self.kill_worker()
        self._shop.kill()
        self._shop.wait()
        self.redis_server.stop()
        with self.app.app_context():
            db.engine.dispose()

    def _tick(self) -> None:
        """Tick as the clock does, a minute of it every two seconds; what fails is tried again in the next one."""
        connection = connect(self.redis_server.url)
        minute = time.time()
        while not self._stopped.wait(2.0):
            minute += 60
            with contextlib.suppress(Exception):
                tick(self.app, connection, Wakes(connection), minute)
        connection.close()

    def _shop_answers(self) -> bool:
        try:
            return bool(self.figures())
        except OSError:
            return False

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=getattr(self, "_environ", None),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _children(pid: int) -> list[int]:
    """Return the processes that come from one, in any generation (Linux)."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *_children(child)]
    return found


__all__ = ["KINDS", "Workers", "services"]
