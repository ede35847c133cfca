"""A mail client of bare bytes, and relays to talk to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from bridge.config import Config
from bridge.mail.relay import Relay, run
from bridge.mail.spool import MailSpool


def wait_for(condition, seconds=20.0):
    """Return the first true value of ``condition()``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return found


class RawClient:
    """A connection that sends what it is told and reads replies line by line."""

    def __init__(self, address, *, context=None, name="localhost"):
        self.socket = socket.create_connection(address, timeout=20)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        """Return the code and all text of one reply; code 0 when the server closed instead."""
        lines = []
        while True:
            try:
                line = self.file.readline()
            except ConnectionResetError:
                line = b""
            if not line:
                return 0, b"".join(lines)
            lines.append(line)
            if line[3:4] != b"-":
                return int(line[:3]), b"".join(lines)

    def say(self, line):
        """Send a line (CRLF is added) and return the reply's code."""
        self.send(line + b"\r\n")
        return self.reply()[0]

    def greet(self):
        assert self.reply()[0] == 220
        assert self.say(b"EHLO localhost") == 250
        return self

    def begin(self, sender=b"shop@shop.test", *recipients):
        """Bring a message up to its data."""
        assert self.say(b"MAIL FROM:<" + sender + b">") == 250
        for recipient in recipients or (b"ada@example.test",):
            assert self.say(b"RCPT TO:<" + recipient + b">") == 250
        assert self.say(b"DATA") == 354

    def mail(self, data):
        """Send a whole message of these bytes, dots and end as given; return the reply's code."""
        self.begin()
        self.send(data)
        return self.reply()[0]

    def closed(self):
        """Return whether the server closes without another word."""
        return self.reply() == (0, b"")

    def close(self):
        with contextlib.suppress(OSError):
            self.file.close()
            self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RunningRelay:
    """A relay in a thread, with its spool and how often it woke the worker."""

    def __init__(self, folder, *, spool=None, wake=None, **settings):
        self.spool = spool or MailSpool((folder / "spool",))
        self.wakes = 0
        values = {"smtp_listen": "127.0.0.1:0", "smtp_name": "localhost", "data_dir": folder, **settings}
        self._stopped = threading.Event()
        self._relay = Relay(Config(**values), self.spool, wake or self._count)
        self.plain = self._relay.addresses["plain"]
        self.tls = self._relay.addresses.get("tls")
        self._thread = threading.Thread(target=self._run, name="relay")
        self._thread.start()

    def _count(self):
        self.wakes += 1

    def _run(self):
        run(self._relay, self._stopped)

    def client(self, **more):
        return RawClient(self.plain, **more)

    def connections(self):
        """Return how many clients are connected."""
        return sum(peers.total() for peers in self._relay._peers.values())

    def kept(self):
        """Return every spooled (envelope, bytes), oldest first."""
        return [self.spool.read(name) for name in self.spool.waiting()]

    def stop(self):
        self._stopped.set()
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()
