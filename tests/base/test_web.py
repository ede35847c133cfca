"""Both ways to serve: `bridge web` with two workers, and any WSGI server on `wsgi:application`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bridge.app import create_app
from bridge.db import db
from bridge.launch import upgrade
from bridge.sandbox.listener import Listener
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import set_value
from bridge.store import make_store, refresh_tree
from tests.base.test_config import read
from tests.browser.stack import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.redis


def fetch(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


@pytest.fixture
def environ(tmp_path, redis_server, redis_client):
    """A shop behind bridge's settings, in the environment that a process is started with."""
    port = free_port()
    shop = Listener("127.0.0.1", 0)
    shop.start(create_shop(ShopOptions(base_url=f"http://127.0.0.1:{port}/", rest_token="right-token")))
    values = {
        "BRIDGE_STORE_URL": f"http://127.0.0.1:{shop.port}",
        "BRIDGE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "BRIDGE_STORE_TOKEN": "right-token",
        "BRIDGE_REDIS_URL": redis_server.url,
        "BRIDGE_DATA_DIR": str(tmp_path / "var"),
        "BRIDGE_LISTEN": f"127.0.0.1:{port}",
        "BRIDGE_DASHBOARD_LISTEN": f"127.0.0.1:{free_port()}",
    }
    config = read(tmp_path, **values)
    app = create_app(config)
    upgrade(app)
    with app.app_context():
        set_value("default", "general.account_id", "abcd1234abcd1234", "test")
        refresh_tree(make_store(config), https=False)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    yield {**{k: v for k, v in os.environ.items() if not k.startswith("BRIDGE_")}, **values}
    shop.stop()


@pytest.fixture
def start(environ):
    started = []

    def begin(*command, **more):
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**environ, **more},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)

        def answers():
            assert process.poll() is None
            try:
                return fetch(environ["BRIDGE_PUBLIC_URL"] + "/_bridge/healthz")[0] == 200
            except OSError:
                return False

        wait_for(answers, 40)
        return environ["BRIDGE_PUBLIC_URL"]

    yield begin
    for process in started:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


TAG = re.compile(
    r'<head [^>]*><script src="/_bridge/tag\.js\?v=\w+&amp;view=\w+" data-bridge data-account="abcd1234abcd1234" data-store="default" async></script>'
)


def test_the_edge_serves_shop_and_dashboard_on_their_own_addresses(start, environ):
    shop = start("bridge", "web", BRIDGE_WORKERS="2")
    dashboard = "http://" + environ["BRIDGE_DASHBOARD_LISTEN"]
    assert TAG.search(fetch(shop + "/")[1])
    assert fetch(shop + "/_bridge/dashboard/")[0] == 404
    assert "Sign in" in fetch(dashboard + "/")[1]
    assert fetch(shop + "/_bridge/metrics")[0] == 404
    for _ in range(5):
        fetch(shop + "/")

    def injected():
        status, text, _ = fetch(dashboard + "/_bridge/metrics")
        assert status == 200
        found = re.search(r"^bridge_injected\w*(?:\{[^}]*\})? (\d+)", text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    # Each worker hands its counts on twice a second.
    wait_for(lambda: injected() >= 6, 10, what="the counters of both workers are not added up")


def test_any_wsgi_server_proxies_with_the_plain_application(start, environ):
    shop = start(
        "gunicorn",
        "--worker-class",
        "gthread",
        "--threads",
        "4",
        "--bind",
        environ["BRIDGE_LISTEN"],
        "wsgi:application",
    )
    status, page, _ = fetch(shop + "/quayside-holdall.html")
    assert status == 200
    assert TAG.search(page)
    assert fetch(shop + "/_bridge/tag.js")[0] == 200
    assert fetch(shop + "/_bridge/dashboard/")[0] == 404
    assert fetch(shop + "/no-such-page")[0] == 404


def test_the_kill_file_takes_the_tag_out_at_once(start, environ):
    shop = start("bridge", "web")
    assert TAG.search(fetch(shop + "/")[1])
    kill_file = Path(environ["BRIDGE_DATA_DIR"]) / "no-injection"
    kill_file.touch()
    time.sleep(1.2)
    assert "data-bridge" not in fetch(shop + "/")[1]
    kill_file.unlink()
    time.sleep(1.2)
    assert TAG.search(fetch(shop + "/")[1])
