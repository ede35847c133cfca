"""Shop, Ometria, mailbox and SMTP started and stopped together. The shop is a stand-in here; it has tests of its own."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import sys
import threading
import types
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import flask
import pytest
import requests

from bridge.sandbox.serve import Sandbox, SandboxOptions, serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACCOUNT = "0123456789abcdef"
FREE: dict[str, Any] = {
    "rest_token": "token",
    "api_key": "key",
    "account_id": ACCOUNT,
    "shop": "127.0.0.1:0",
    "ometria": "127.0.0.1:0",
    "mailbox": "127.0.0.1:0",
    "smtp": "127.0.0.1:0",
}


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Put a shop of three lines in place of the real one; gives the options that it was made with."""
    made: list[Any] = []

    def create_shop(options: Any) -> flask.Flask:
        made.append(options)
        app = flask.Flask("shop")
        app.add_url_rule("/", view_func=lambda: "a shop")
        return app

    module = types.ModuleType("bridge.sandbox.shop")
    module.create_shop = create_shop  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bridge.sandbox.shop", module)
    return made


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    running = Sandbox(SandboxOptions(**FREE))
    running.start()
    yield running
    running.stop()


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=10)


def order_mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", "ann@example.com", "Order"
    message.set_content("Thank you.")
    return message


def test_each_part_answers_at_its_address(sandbox: Sandbox) -> None:
    urls = sandbox.urls
    assert get(urls["shop"]).text == "a shop"
    assert get(f"{urls['ometria']}/received.json").json()["events"] == []
    assert get(urls["tag"].format(account_id=ACCOUNT)).status_code == 200
    assert get(f"{urls['mailbox']}/messages.json").json() == []
    pushed = requests.post(
        f"{urls['ometria_api']}/push",
        json=[{"@type": "product", "id": "1", "title": "Bag"}],
        headers={"X-Ometria-Auth": "key"},
        timeout=10,
    )
    assert pushed.json()["accepted"] == 1


def test_the_real_shop_answers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bridge.sandbox.shop")
    running = Sandbox(SandboxOptions(**FREE))
    running.start()
    try:
        assert "<body" in get(running.urls["shop"]).text
    finally:
        running.stop()


def test_styles_of_the_pages_are_found(sandbox: Sandbox) -> None:
    for page in ("ometria", "mailbox"):
        assert "text/css" in get(f"{sandbox.urls[page]}/assets/panel.css").headers["Content-Type"]


def test_mail_sent_to_the_smtp_address_is_in_the_mailbox(sandbox: Sandbox) -> None:
    host, _, port = sandbox.urls["smtp"].removeprefix("smtp://").rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as connection:
        connection.send_message(order_mail())
    assert get(f"{sandbox.urls['mailbox']}/messages.json").json()[0]["subject"] == "Order"


def test_the_shop_is_made_with_token_public_address_and_a_way_to_mail(sandbox: Sandbox, shop: list[Any]) -> None:
    (options,) = shop
    assert options.rest_token == "token"
    assert options.base_url.rstrip("/") == sandbox.urls["shop"]
    options.mail(order_mail())
    assert [mail.summary()["subject"] for mail in sandbox.mails.mails()] == ["Order"]


def test_the_shop_can_be_told_its_public_address(shop: list[Any]) -> None:
    running = Sandbox(SandboxOptions(**FREE, public_url="http://shop.example.com:8000"))
    running.start()
    running.stop()
    assert shop[0].base_url.rstrip("/") == "http://shop.example.com:8000"


def test_the_shop_can_mail_through_a_relay(sandbox: Sandbox, shop: list[Any]) -> None:
    relayed = Sandbox(SandboxOptions(**FREE, shop_mail=sandbox.urls["smtp"].removeprefix("smtp://")))
    relayed.start()
    try:
        shop[-1].mail(order_mail())
    finally:
        relayed.stop()
    assert relayed.mails.mails() == []
    assert len(sandbox.mails.mails()) == 1


def test_a_relay_that_does_not_answer_costs_the_mail_and_not_the_page(shop: list[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    running = Sandbox(SandboxOptions(**FREE, shop_mail=nobody))
    running.start()
    try:
        shop[-1].mail(order_mail())
    finally:
        running.stop()
    assert running.mails.mails() == []


def test_stop_gives_all_ports_back_and_may_be_called_twice(sandbox: Sandbox) -> None:
    ports = [int(sandbox.urls[name].rpartition(":")[2]) for name in ("shop", "ometria", "mailbox", "smtp")]
    get(sandbox.urls["shop"])
    sandbox.stop()
    sandbox.stop()
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_call_that_hangs_in_a_planned_timeout_does_not_hold_up_stop(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.urls['ometria']}/faults", json={"push": {"status": "timeout", "seconds": 600}}, timeout=10)
    outcome: list[BaseException] = []

    def push() -> None:
        try:
            requests.post(f"{sandbox.urls['ometria_api']}/push", headers={"X-Ometria-Auth": "key"}, timeout=60)
        except requests.ConnectionError as error:
            outcome.append(error)

    client = threading.Thread(target=push)
    client.start()
    while get(f"{sandbox.urls['ometria']}/received.json").json()["faults"]:
        pass
    sandbox.stop()
    client.join(30)
    assert len(outcome) == 1


def test_a_cut_connection_is_seen_as_one(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.urls['ometria']}/faults", json={"push": {"status": "cut"}}, timeout=10)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{sandbox.urls['ometria_api']}/push", headers={"X-Ometria-Auth": "key"}, timeout=10)


@pytest.mark.parametrize("taken", ["shop", "ometria", "mailbox", "smtp"])
def test_an_address_that_is_taken_leaves_nothing_running(taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as once:
        where, free = (f"127.0.0.1:{each.getsockname()[1]}" for each in (other, once))
        once.close()
        fixed = "smtp" if taken != "smtp" else "shop"
        with pytest.raises(OSError, match="in use"):
            Sandbox(SandboxOptions(**{**FREE, taken: where, fixed: free})).start()
        socket.create_server(("127.0.0.1", int(free.rpartition(":")[2]))).close()


def test_an_address_without_port_is_refused() -> None:
    with pytest.raises(ValueError, match="host:port, not 'localhost'"):
        Sandbox(SandboxOptions(**{**FREE, "smtp": "localhost"})).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_runs_until_a_signal_and_then_stops(number: int) -> None:
    seen: dict[str, str] = {}

    def ready(urls: Mapping[str, str]) -> None:
        seen.update(urls)
        assert get(urls["shop"]).text == "a shop"
        os.kill(os.getpid(), number)

    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        serve(ready, **FREE)
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    with pytest.raises(requests.ConnectionError):
        get(seen["shop"])
