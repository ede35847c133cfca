"""A mail server of bare bytes: it keeps what it received as it came, and answers as it is told."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass, field

STRICT = re.compile(rb"\r\n\.\r\n")
LOOSE = re.compile(rb"(?:\r\n|\n|\r)\.(?:\r\n|\n|\r)")
"""Servers that end a message so are those that a smuggled message is meant for."""


@dataclass
class Taken:
    """One message: the envelope lines as sent, and all bytes between DATA's reply and the end, dots included."""

    mail: bytes
    rcpt: list[bytes] = field(default_factory=list)
    data: bytes = b""

    @property
    def message(self):
        """The message with the added dots taken off."""
        return (b"\r\n" + self.data).replace(b"\r\n.", b"\r\n")[2:]


class RawSink:
    """Listens on a free port of 127.0.0.1.

    ``replies`` maps a verb (greeting, EHLO, MAIL, RCPT, DATA, END, AUTH, STARTTLS) to a reply, or to a function of the
    whole line that returns one; None closes the connection instead. ``offers`` are the lines of the EHLO reply.
    """

    def __init__(self, *, offers=(b"8BITMIME",), replies=None, end=STRICT, context=None, implicit=False):
        self.offers = offers
        self.replies = replies or {}
        self.taken = []
        self.verbs = []
        self.connections = 0
        self._end = end
        self._context = context
        self._implicit = implicit
        self._stopping = False
        self._open = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self._threads = [threading.Thread(target=self._accept, name="sink", daemon=True)]
        self._threads[0].start()

    def url(self, query="", user=""):
        scheme = "smtps" if self._implicit else "smtp"
        return f"{scheme}://{user}localhost:{self.address[1]}{query}"

    def stop(self):
        self._stopping = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for client in list(self._open):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)

    def _accept(self):
        while not self._stopping:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(client,), name="sink-client", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client):
        client.settimeout(30)
        with contextlib.suppress(OSError, EOFError):
            if self._implicit:
                client = self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
            dialogue = _Dialogue(self, client)
            self._open.add(dialogue)
            try:
                if self._implicit:
                    client.do_handshake()
                dialogue.run()
            finally:
                self._open.discard(dialogue)
                dialogue.close()

    def reply(self, verb, line, usual):
        told = self.replies.get(verb, usual)
        return told(line) if callable(told) else told


class _Dialogue:
    def __init__(self, sink, client):
        self._sink = sink
        self._client = client
        self._left = bytearray()
        self._taken = None
        self._secret = False

    def close(self):
        self._client.close()

    def shutdown(self, how):
        self._client.shutdown(how)

    def _begin_tls(self):
        self._client = self._sink._context.wrap_socket(self._client, server_side=True, do_handshake_on_connect=False)
        self._client.do_handshake()
        self._secret = True

    def run(self):
        self._answer("greeting", b"", b"220 sink")
        while True:
            line = self._until(re.compile(rb"\r\n"))
            verb = line[:4].upper().decode("latin-1")
            verb = "STARTTLS" if verb == "STAR" else verb
            self._sink.verbs.append(verb)
            if verb == "EHLO":
                self._greet(line)
            elif verb == "MAIL":
                self._taken = Taken(line)
                self._answer(verb, line, b"250 fine")
            elif verb == "RCPT":
                if self._answer(verb, line, b"250 fine").startswith(b"25"):
                    self._taken.rcpt.append(line)
            elif verb == "DATA":
                self._data(line)
            elif verb == "STARTTLS":
                self._answer(verb, line, b"220 go")
                self._begin_tls()
            elif verb == "AUTH":
                self._answer(verb, line, b"235 welcome")
            elif verb == "QUIT":
                self._answer(verb, line, b"221 bye")
                return
            else:
                self._answer(verb, line, b"250 fine" if verb in {"RSET", "NOOP", "HELO"} else b"500 what")

    def _greet(self, line):
        offers = [offer for offer in self._sink.offers if not (self._secret and offer == b"STARTTLS")]
        lines = [b"sink", *offers]
        text = b"\r\n".join(b"250" + (b"-" if at < len(lines) - 1 else b" ") + one for at, one in enumerate(lines))
        self._answer("EHLO", line, text)

    def _data(self, line):
        if not self._answer("DATA", line, b"354 go").startswith(b"354"):
            return
        # The line before the first one ended too: a message may begin with its last dot.
        self._left[:0] = b"\r\n"
        self._taken.data = (self._until(self._sink._end) + b"\r\n")[2:]
        taken, self._taken = self._taken, None
        self._sink.taken.append(taken)
        self._answer("END", line, b"250 taken")

    def _until(self, end):
        looked = 0
        while not (match := end.search(self._left, max(0, looked - 5))):
            looked = len(self._left)
            piece = self._client.recv(65536)
            if not piece:
                raise EOFError
            self._left += piece
        found = bytes(self._left[: match.start()])
        del self._left[: match.end()]
        return found

    def _answer(self, verb, line, usual):
        told = self._sink.reply(verb, line, usual)
        if told is None:
            raise EOFError
        self._client.sendall(told + b"\r\n")
        return told
