"""Keepers: a process that dies comes back, a wrong configuration does not, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.errors import Misconfigured
from bridge.processes import EX_CONFIG, free_address, plan_for, require_free, require_upstream, valkey_command
from tests.base.test_config import read

LIVES = "import time; time.sleep(60)"


def wait_for(condition, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def keeper(tmp_path, *code, runner=None):
    environ = {**os.environ, "BRIDGE_DATA_DIR": str(tmp_path)}
    named = [] if runner is None else ["--runner", str(runner)]
    command = [sys.executable, "-m", "bridge", "keep", *named, "child", sys.executable, "-c", *code]
    return subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)


def child_of(tmp_path, other_than=None, name="child"):
    def found():
        try:
            pid = int((tmp_path / "run" / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if pid != other_than and alive(pid) else None

    return wait_for(found)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_process_is_started_again_and_ends_with_its_keeper(tmp_path):
    kept = keeper(tmp_path, LIVES)
    try:
        first = child_of(tmp_path)
        os.kill(first, signal.SIGKILL)
        second = child_of(tmp_path, other_than=first)
        kept.terminate()
        assert kept.wait(timeout=10) == 0
        wait_for(lambda: not alive(second))
    finally:
        kept.kill()
        kept.wait()


def test_a_killed_keeper_leaves_no_process_behind(tmp_path):
    kept = keeper(tmp_path, LIVES)
    child = child_of(tmp_path)
    kept.kill()
    kept.wait()
    wait_for(lambda: not alive(child))


RUNS = """
from bridge.processes import Plan, run_plan
plan = Plan()
plan.add("valkey", "valkey")
run_plan(plan, lambda: None)
"""


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


def test_a_killed_run_leaves_no_process_behind(tmp_path):
    environ = {**os.environ, "BRIDGE_DATA_DIR": str(tmp_path)}
    run = subprocess.Popen([sys.executable, "-c", RUNS], env=environ, stdout=subprocess.DEVNULL)
    try:
        child = child_of(tmp_path, name="valkey")
        kept = parent(child)
        between = parent(kept)
        assert parent(between) == run.pid
    finally:
        run.kill()
        run.wait()
    for pid in (child, kept, between):
        wait_for(lambda pid=pid: not alive(pid))


def test_a_keeper_whose_run_is_gone_already_starts_nothing(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    kept = keeper(tmp_path, LIVES, runner=gone.pid)
    assert kept.wait(timeout=15) == 0
    assert not (tmp_path / "run" / "child.pid").exists()


def test_a_wrong_configuration_is_not_tried_again(tmp_path):
    kept = keeper(tmp_path, f"raise SystemExit({EX_CONFIG})")
    assert kept.wait(timeout=15) == EX_CONFIG


def test_an_address_in_use_is_one_sentence_with_the_variable(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(Misconfigured, match="set BRIDGE_LISTEN"):
            require_free(address, "BRIDGE_LISTEN")
        assert free_address(address) != address


def test_one_machine_runs_valkey_only_when_no_redis_is_named(tmp_path):
    assert list(plan_for(read(tmp_path)).commands) == ["valkey", "web", "worker", "clock"]
    assert "valkey" not in plan_for(read(tmp_path, BRIDGE_REDIS_URL="redis://host")).commands


def test_what_is_left_out_is_said(tmp_path):
    assert "BRIDGE_SMTP_UPSTREAM" in plan_for(read(tmp_path)).notes[0]


def test_the_relay_runs_where_an_upstream_is_named(tmp_path):
    plan = plan_for(read(tmp_path, BRIDGE_SMTP_UPSTREAM="smtp://mail.test"))
    assert plan.commands["smtp"][-2:] == ["bridge", "smtp"]
    assert plan.notes == []


@pytest.mark.parametrize("upstream", ["smtp://127.0.0.1:2525", "smtp://localhost:2525"])
def test_an_upstream_that_is_the_relay_itself_is_refused(tmp_path, upstream):
    with pytest.raises(Misconfigured, match="in circles"):
        require_upstream(read(tmp_path, BRIDGE_SMTP_UPSTREAM=upstream))


def test_an_upstream_that_says_something_unknown_stops_the_start(tmp_path):
    with pytest.raises(Misconfigured, match="BRIDGE_SMTP_UPSTREAM is not usable"):
        plan_for(read(tmp_path, BRIDGE_SMTP_UPSTREAM="smtp://mail.test?tls=perhaps"))


def test_the_embedded_valkey_is_append_only_and_never_evicts(tmp_path):
    command = " ".join(valkey_command(read(tmp_path)))
    assert "--appendonly yes --appendfsync everysec" in command
    assert "--maxmemory-policy noeviction" in command
