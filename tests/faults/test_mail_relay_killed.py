"""`bridge smtp` killed with -9 while shops send: what got its 250 is on the disk, whole, and nothing else looks like it."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import threading
import time

import pytest

from bridge.mail.spool import MailSpool
from tests.browser.stack import free_port
from tests.mail.raw_client import RawClient, wait_for

SHOPS = 6
BODY = b"Subject: number %s\r\n\r\n" + b"<td>a line of the mail</td>\r\n" * 400
SECONDS = 60


class Shop(threading.Thread):
    """Sends numbered mails to whatever answers at the port, one connection each, until told to stop."""

    def __init__(self, name, port):
        super().__init__(name=name, daemon=True)
        self.answered = []
        self.stopped = threading.Event()
        self._port = port
        self._count = 0

    def run(self):
        while not self.stopped.is_set():
            self._count += 1
            number = f"{self.name}-{self._count}"
            try:
                with RawClient(("127.0.0.1", self._port)) as client:
                    client.greet()
                    if client.mail(BODY % number.encode() + b".\r\n") == 250:
                        self.answered.append(number)
            except (OSError, AssertionError):
                time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_got_its_250_is_kept_whole_whenever_the_relay_dies(tmp_path, seed):
    port, chance = free_port(), random.Random(seed)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    environ |= {
        "BRIDGE_DATA_DIR": str(tmp_path / "var"),
        "BRIDGE_SMTP_LISTEN": f"127.0.0.1:{port}",
        "BRIDGE_SMTP_UPSTREAM": "smtp://127.0.0.1:9",
        "BRIDGE_SMTP_SPOOL": str(tmp_path / "spool"),
    }
    shops = [Shop(f"shop{number}", port) for number in range(SHOPS)]
    for shop in shops:
        shop.start()
    try:
        for _ in range(2):
            before = sum(len(shop.answered) for shop in shops)
            relay = subprocess.Popen([sys.executable, "-m", "bridge", "smtp"], env=environ, stderr=subprocess.DEVNULL)
            try:
                some = before + chance.randrange(5, 40)
                wait_for(lambda some=some: sum(len(shop.answered) for shop in shops) >= some, SECONDS)
            finally:
                relay.kill()
                relay.wait(timeout=10)
    finally:
        for shop in shops:
            shop.stopped.set()
        for shop in shops:
            shop.join(timeout=30)
    spool = MailSpool((tmp_path / "spool",))
    kept = [spool.read(name)[1] for name in spool.waiting()]
    numbers = [re.match(rb"Subject: number (\S+)", raw)[1].decode() for raw in kept]
    assert all(raw == BODY % number.encode() for raw, number in zip(kept, numbers, strict=True))
    assert len(numbers) == len(set(numbers))
    assert {number for shop in shops for number in shop.answered} <= set(numbers)
