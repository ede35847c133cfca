"""Both adaptors under a real gunicorn: the edge worker class, and the middleware in a threaded worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.wire.conftest import MARKUP
from tests.wire.origin import chunked, ok
from tests.wire.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
PAGE = b"<!doctype html><html><head></head><body></body></html>"
TAGGED = PAGE.replace(b"<head>", b"<head>" + MARKUP)
SHOP = b"Host: shop.example\r\n"


def free_ports(count):
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return ports


class Gunicorn:
    def __init__(self, origin, kind, folder, grace=10):
        self.shop, self.dashboard = free_ports(2)
        worker = ["-k", "bridge.proxy.edge.EdgeWorker"] if kind == "edge" else ["-k", "gthread", "--threads", "8"]
        listeners = {f"127.0.0.1:{self.shop}": "shop", f"127.0.0.1:{self.dashboard}": "dashboard"}
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gunicorn",
                *worker,
                "--workers",
                "1",
                "--graceful-timeout",
                str(grace),
                "--no-control-socket",
                "-b",
                f"127.0.0.1:{self.shop}",
                "-b",
                f"127.0.0.1:{self.dashboard}",
                f"tests.wire.served:{kind}()",
            ],
            cwd=ROOT,
            env={**os.environ, "TEST_ORIGIN": origin.url, "TEST_LISTENERS": json.dumps(listeners)},
            stdout=self.log,
            stderr=self.log,
        )
        self.wait()

    def wait(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self.process.poll() is None, Path(self.log.name).read_text()
            try:
                with Visitor(self.shop) as visitor:
                    if visitor.get(b"/_bridge/ready").status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        pytest.fail(Path(self.log.name).read_text())

    def workers(self):
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


@pytest.fixture(params=["edge", "middleware"])
def kind(request):
    return request.param


@pytest.fixture
def server(origin, kind, tmp_path):
    gunicorn = Gunicorn(origin, kind, tmp_path)
    yield gunicorn
    gunicorn.stop()


def test_pages_targets_and_bodies_under_a_real_server(origin, server, kind):
    """P02, P10, P11, P12, P16 where the server takes part."""
    origin.plays[b"/"] = ok(PAGE)
    origin.plays[b"/chunks"] = chunked([PAGE[:9], PAGE[9:]])
    origin.plays[b"/cut"] = lambda wire, request: wire.send(chunked([PAGE])[:-20])
    with Visitor(server.shop) as visitor:
        for _ in range(2):
            assert visitor.get(b"/").body == TAGGED
            assert visitor.get(b"/chunks").body == TAGGED
        for target in (b"//169.254.169.254/latest/meta-data", b"/a%2Fb//c?d=%20", b"/@evil.test/"):
            assert visitor.get(target).status == 200
            assert origin.received[-1].target == target
        visitor.send(b"POST /x HTTP/1.1\r\n" + SHOP + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert visitor.answer().status == 200
        assert origin.received[-1].body == b"abc"
    with Visitor(server.shop) as visitor:
        assert visitor.get(b"/_bridge/echo", method=b"POST", body=b"hello").body == b"hello"
    with Visitor(server.shop) as visitor:
        assert not visitor.get(b"/cut").complete
    before = len(origin.received)
    for bad in (
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + SHOP + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET http://evil.test/ HTTP/1.1\r\n" + SHOP + b"\r\n",
    ):
        with Visitor(server.shop) as visitor:
            assert visitor.send(bad).answer().status in {400, 501}
    assert len(origin.received) == before
    with Visitor(server.shop) as visitor:
        visitor.send(b"GET / HTTP/1.0\r\n" + SHOP + b"\r\n")
        answer = visitor.answer()
        assert answer.value(b"transfer-encoding") is None
        assert answer.body == TAGGED


@pytest.mark.parametrize("kind", ["edge"], indirect=True)
def test_the_dashboards_listener_is_not_proxied(origin, server, kind):
    with Visitor(server.dashboard) as visitor:
        assert b"bridge.listener=dashboard" in visitor.get(b"/sign-in").body
    assert origin.received == []


def test_a_request_in_hand_ends_when_the_server_is_told_to_stop(origin, server, kind):
    go_on = threading.Event()

    def play(wire, request):
        go_on.wait(10)
        return ok(PAGE)

    origin.plays[b"/slow"] = play
    with Visitor(server.shop) as visitor:
        visitor.send(b"GET /slow HTTP/1.1\r\n" + SHOP + b"\r\n")
        origin.wait_for(1)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        go_on.set()
        answer = visitor.answer()
        assert answer.complete
        assert answer.body == TAGGED
    assert server.process.wait(15) == 0


@pytest.mark.parametrize("kind", ["edge"], indirect=True)
def test_a_reload_loses_no_request_and_a_killed_worker_is_replaced(origin, server, kind):
    origin.plays[b"/"] = ok(PAGE)
    (worker,) = server.workers()
    answers, stop = [], threading.Event()

    def ask_anew():
        while not stop.is_set():
            with Visitor(server.shop) as visitor:
                answers.append(visitor.get(b"/"))

    def ask_on_and_on():
        with Visitor(server.shop) as visitor:
            last = time.monotonic()
            while not stop.is_set():
                idle = time.monotonic() - last > 0.5  # a busy machine: the connection may end as an idle one
                answer = visitor.get(b"/")  # it connects again after an answer that says so
                if answer.status == 0 and idle:
                    visitor.over = True
                else:
                    answers.append(answer)
                last = time.monotonic()

    asking = [threading.Thread(target=act) for act in (ask_anew, ask_on_and_on, ask_on_and_on)]
    for each in asking:
        each.start()
    wait_for(lambda: len(answers) >= 20)
    before = len(answers)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 15
    while worker in server.workers() and time.monotonic() < deadline:
        time.sleep(0.05)
    after = len(answers)
    wait_for(lambda: len(answers) >= after + 20)
    stop.set()
    for each in asking:
        each.join(10)
    assert worker not in server.workers()
    assert after > before, "asked while the workers changed"
    assert [answer.status for answer in answers if answer.body != TAGGED or not answer.complete] == []
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    server.wait()
    with Visitor(server.shop) as visitor:
        assert visitor.get(b"/").body == TAGGED


@pytest.mark.parametrize("kind", ["edge"], indirect=True)
@pytest.mark.parametrize("busy", [False, True])
def test_workers_whose_master_was_killed_end_and_free_the_address(origin, kind, busy, tmp_path):
    """A call of the application that hangs does not keep the process either."""
    server = Gunicorn(origin, kind, tmp_path, grace=1)
    (worker,) = server.workers()
    visitor = Visitor(server.shop)
    if busy:
        visitor.send(b"GET /_bridge/hangs HTTP/1.1\r\n" + SHOP + b"\r\n")
        time.sleep(0.2)
    server.process.kill()
    server.process.wait()
    visitor.close()
    server.stop()
    deadline = time.monotonic() + 8
    while running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(worker)
    socket.create_server(("127.0.0.1", server.shop)).close()


def wait_for(done):
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
