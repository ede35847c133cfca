"""Two visitors whose requests are on one worker at the same moment: neither gets a byte of the other's."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from tests.tracking.conftest import make_book
from tests.tracking.sandbox_front import IDRIS, MAREN, PASSWORD, sandbox_behind_bridge
from tests.tracking.test_cart_link_browser import book_of

OWN = {"Sec-Fetch-Site": "same-origin"}
AJAX = {"X-Requested-With": "XMLHttpRequest"}
PUBLIC = ["/", "/quayside-holdall.html", "/_bridge/tag.js"]
PRIVATE = ["/customer/section/load/?sections=cart,customer", "/customer/account/", "/checkout/cart/"]
ROUNDS = 4


@pytest.fixture
def front(tmp_path):
    with sandbox_behind_bridge(tmp_path, lambda url: make_book(book_of(url).stores)) as front:
        yield front


class Visitor(threading.Thread):
    """Goes the same way as the other one, each step at the same moment; keeps all that she is given."""

    def __init__(self, url, gate, email, product):
        super().__init__()
        self.url, self.gate, self.email, self.product = url, gate, email, product
        self.session = requests.Session()
        self.session.trust_env = False
        self.given = []
        self.secrets = {email}
        self.told = []

    def run(self):
        try:
            self._travel()
        except BaseException:
            self.gate.abort()
            raise

    def ask(self, method, path, **more):
        self.gate.wait(30)
        answer = self.session.request(method, self.url + path, timeout=20, allow_redirects=False, **more)
        self.given.append((path, answer.status_code, answer.content + str(answer.headers).encode()))
        return answer

    def me(self):
        return self.ask("GET", "/_bridge/me", headers=OWN).json()

    def _travel(self):
        self.me()
        self.ask("GET", "/customer/account/login/")
        key = next(cookie.value for cookie in self.session.cookies if cookie.name == "form_key")
        form = {"form_key": key, "login[username]": self.email, "login[password]": PASSWORD}
        assert self.ask("POST", "/customer/account/loginPost/", data=form).status_code == 302
        for turn in range(ROUNDS):
            key = next(cookie.value for cookie in self.session.cookies if cookie.name == "form_key")
            self.ask("POST", f"/checkout/cart/add/product/{self.product}/", headers=AJAX,
                     data={"product": self.product, "qty": 1, "form_key": key})  # fmt: skip
            for path in (*PUBLIC, *PRIVATE):
                self.ask("GET", path)
            question = {"lines": [{"product": self.product, "quantity": turn + 1}]}
            basket = self.ask("POST", "/_bridge/basket", json=question, headers=OWN).json()
            told = self.me()
            self.told.append((told.get("email"), told["seen"]))
            self.secrets |= {basket["id"], basket["link"], told["seen"]}
        private = ("PHPSESSID", "bridge_visitor", "form_key")
        self.secrets |= {cookie.value for cookie in self.session.cookies if cookie.name in private}


def test_neither_sees_a_byte_of_the_other(front):
    gate = threading.Barrier(2)
    visitors = [Visitor(front.url, gate, MAREN, "1"), Visitor(front.url, gate, IDRIS, "3")]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(120)
        assert not visitor.is_alive()
    for own, other in (visitors, visitors[::-1]):
        assert len(own.given) == 3 + ROUNDS * (1 + len(PUBLIC) + len(PRIVATE) + 2)
        assert {status for _, status, _ in own.given} <= {200, 302}
        assert {email for email, _ in own.told} == {own.email}
        assert len(own.secrets) >= 7
        for secret in other.secrets:
            leaks = [path for path, _, received in own.given if secret.encode() in received]
            assert leaks == [], "what belongs to the other visitor was given to this one"
        # The search would find a leak: each was given her own.
        everything = b"".join(received for _, _, received in own.given)
        assert all(secret.encode() in everything for secret in own.secrets)
    pages = [
        {received.rpartition(b"</html>")[0] for path, _, received in each.given if path == "/"} for each in visitors
    ]
    assert pages[0] == pages[1]
    assert len(pages[0]) == 1
    assert b"data-bridge" in next(iter(pages[0]))


def test_a_log_out_of_one_leaves_the_other_known(front):
    sessions = []
    for email in (MAREN, IDRIS):
        session = requests.Session()
        session.trust_env = False
        session.get(f"{front.url}/customer/account/login/", timeout=20)
        session.get(f"{front.url}/_bridge/me", headers=OWN, timeout=20)
        key = next(cookie.value for cookie in session.cookies if cookie.name == "form_key")
        form = {"form_key": key, "login[username]": email, "login[password]": PASSWORD}
        session.post(f"{front.url}/customer/account/loginPost/", data=form, allow_redirects=False, timeout=20)
        sessions.append(session)

    def emails():
        return [
            session.get(f"{front.url}/_bridge/me", headers=OWN, timeout=20).json().get("email") for session in sessions
        ]

    def wait_for(expected):
        deadline = time.monotonic() + 10
        while emails() != expected:
            assert time.monotonic() < deadline, emails()
            time.sleep(0.05)

    wait_for([MAREN, IDRIS])
    sessions[0].get(f"{front.url}/customer/account/logout/", allow_redirects=False, timeout=20)
    wait_for([None, IDRIS])
