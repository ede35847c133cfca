"""A shared cache in front of bridge: it gives one visitor's page to another, and nothing of the first goes with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest
import requests

from tests.browser.stack import free_port
from tests.tracking.conftest import make_book
from tests.tracking.sandbox_front import IDRIS, MAREN, PASSWORD, sandbox_behind_bridge
from tests.tracking.test_cart_link_browser import book_of

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if os.access("/usr/sbin/nginx", os.X_OK) else None)

pytestmark = [
    pytest.mark.nginx,
    pytest.mark.skipif(NGINX is None, reason="no nginx on this machine: apt-get install nginx-light"),
]

# Pages are kept whatever the shop says of them, as such caches are often told to; what lies under bridge's own path is
# kept where its answers allow it.
CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  proxy_cache_path {folder}/cache keys_zone=pages:1m;
  server {{
    listen 127.0.0.1:{port};
    proxy_cache pages; proxy_cache_key $request_uri; add_header X-Cache $upstream_cache_status always;
    proxy_set_header Host {host}; proxy_http_version 1.1;
    location /_bridge/ {{ proxy_pass http://{host}; }}
    location /customer/ {{ proxy_pass http://{host}; proxy_cache off; }}
    location / {{
      proxy_pass http://{host}; proxy_cache_valid 200 10m;
      proxy_ignore_headers Cache-Control Expires Set-Cookie Vary; proxy_hide_header Set-Cookie;
    }}
  }}
}}
"""


def tracked_book(url):
    return make_book(book_of(url).stores)


@pytest.fixture
def front(tmp_path):
    with sandbox_behind_bridge(tmp_path, tracked_book) as front:
        yield front


@pytest.fixture
def cached(front, tmp_path):
    """Give the address of the cache."""
    port, folder = free_port(), tmp_path / "nginx"
    folder.mkdir()
    host = front.url.removeprefix("http://")
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, host=host))
    process = subprocess.Popen([NGINX, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 10
    while True:
        try:
            requests.get(f"{address}/_bridge/tag.js", timeout=2)
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "nginx did not start"
            time.sleep(0.05)
    yield address
    process.terminate()
    process.wait(10)


class Visitor:
    """A browser with cookies, as far as this test needs one."""

    def __init__(self, address):
        self.address = address
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path, **headers):
        return self.session.get(self.address + path, headers=headers, timeout=10)

    def me(self):
        return self.get("/_bridge/me", **{"Sec-Fetch-Site": "same-origin"})

    def sign_in(self, email):
        self.get("/customer/account/login/")
        key = next(cookie.value for cookie in self.session.cookies if cookie.name == "form_key")
        form = {"form_key": key, "login[username]": email, "login[password]": PASSWORD}
        answer = self.session.post(
            f"{self.address}/customer/account/loginPost/", data=form, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 302


def test_nothing_of_one_visitor_reaches_another(cached):
    first, second = Visitor(cached), Visitor(cached)
    basket = first.me().json()["basket"]
    first.sign_in(MAREN)
    deadline = time.monotonic() + 5
    while (known := first.me()).json().get("email") != MAREN:
        assert time.monotonic() < deadline, "never identified"
    cookie = next(cookie.value for cookie in first.session.cookies if cookie.name == "bridge_visitor")
    pages = ["/", "/_bridge/tag.js", "/_bridge/cart.js", "/_bridge/snippet/default"]
    seen = [first.get(path) for path in pages]
    assert "data-bridge" in seen[0].text

    shared = [second.get(path) for path in pages]
    assert [answer.headers["X-Cache"] for answer in shared] == ["HIT", "HIT", "HIT", "MISS"]
    assert shared[0].content == seen[0].content
    told = second.me()
    assert told.headers["X-Cache"] != "HIT"
    assert "email" not in told.json()
    everything = "".join(answer.text + str(answer.headers) for answer in [*shared, told])
    assert not [word for word in (MAREN, cookie, basket, known.json()["seen"]) if word in everything]

    second.sign_in(IDRIS)
    deadline = time.monotonic() + 5
    while second.me().json().get("email") != IDRIS:
        assert time.monotonic() < deadline, "never identified"
    assert first.me().json()["email"] == MAREN


def test_neither_a_basket_nor_a_link_is_kept(cached):
    first, second = Visitor(cached), Visitor(cached)
    own = {"Sec-Fetch-Site": "same-origin"}
    question = {"lines": [{"product": "3", "quantity": 2, "sku": "HP-MUG-01"}]}
    told = [
        each.session.post(f"{cached}/_bridge/basket", json=question, headers=own, timeout=10).json()
        for each in (first, second)
    ]
    assert told[0]["link"] != told[1]["link"]
    assert told[0]["id"] != told[1]["id"]
    for each in (first, second):
        page = each.session.get(cached + told[0]["link"], timeout=10)
        assert page.headers["X-Cache"] != "HIT"
