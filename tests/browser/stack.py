"""The whole product as a person starts it: `bridge run --sandbox` on free ports, with a data directory of its own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds: float = 30.0, pause: float = 0.1, what: str = ""):
    """Return the first true value of ``condition()``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, what or "waited too long"
        time.sleep(pause)


class Stack:
    """A running bridge with its sandbox. ``lines`` is what it printed so far."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.lines: list[str] = []
        self.shop = f"http://127.0.0.1:{free_port()}"
        self.dashboard = f"http://127.0.0.1:{free_port()}"
        self.ometria = self.mailbox = self.password = ""
        self.store_token = secrets.token_hex(12)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Stack:
        """Start everything and wait for the table of addresses.

        `bridge run --sandbox` takes its usual ports where they are free: of two that begin at once each would find them
        so. The tests may run in several processes, so one waits for the other.
        """
        with (Path(tempfile.gettempdir()) / "bridge-tests-stack.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            return self._start()

    def _start(self) -> Stack:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        environ |= {
            "BRIDGE_LISTEN": self.shop.removeprefix("http://"),
            "BRIDGE_DASHBOARD_LISTEN": self.dashboard.removeprefix("http://"),
            "BRIDGE_DATA_DIR": str(self.data_dir),
            "BRIDGE_STORE_TOKEN": self.store_token,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "run", "--sandbox"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        wait_for(lambda: self._found(r"Ctrl-C stops") or self._ended(), PATIENCE, what="bridge did not come up")
        assert self._found(r"Everything answers"), "".join(self.lines[-60:])
        self.ometria = self._found(r"^\s+fake Ometria\s+(\S+?)/?$")
        self.mailbox = self._found(r"^\s+mailbox\s+(\S+?)/?$")
        self.password = self._found(r"password (\S+)\)")
        return self

    def stop(self) -> int:
        """Stop as Ctrl-C does; return the exit code."""
        process = self._process
        assert process is not None
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
        return process.returncode

    def pid(self, name: str) -> int:
        """Return the process id of one of the processes."""
        return int((self.data_dir / "run" / f"{name}.pid").read_text())

    @property
    def store_origin(self) -> str:
        """The address of the sandbox shop itself, behind the bridge (Linux)."""
        words = Path(f"/proc/{self.pid('sandbox')}/cmdline").read_bytes().decode().split("\0")
        return f"http://{words[words.index('--shop') + 1]}"

    def kill(self, name: str) -> None:
        """Kill a process (-9) and wait until its keeper has started another."""
        old = self.pid(name)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: self.pid(name) != old, what=f"{name} was not started again")
        if name == "web":
            wait_for(self.ready, what="web does not answer again")

    def ready(self) -> bool:
        """Whether the web process answers and its neighbours do."""
        try:
            with urllib.request.urlopen(f"{self.dashboard}/_bridge/readyz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def received(self) -> dict:
        """Return all that the fake Ometria received."""
        with urllib.request.urlopen(f"{self.ometria}/received.json", timeout=10) as answer:
            return json.load(answer)

    def events(self, *types: str) -> list[dict]:
        """Return the tracker's events of these types (all without), in the order they were sent."""
        events = sorted(self.received()["events"], key=lambda event: (event["sent"], event["seq"]))
        return [event for event in events if not types or event["type"] in types]

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
        self._process.stdout.close()

    def _found(self, pattern: str) -> str:
        for line in list(self.lines):
            if found := re.search(pattern, line.rstrip("\n")):
                return found.group(found.lastindex or 0)
        return ""

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None
