"""A scripted origin on a raw socket: what it reads is kept byte for byte, what it answers is given byte for byte."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it came: the head with its blank line, the body without its framing, and on which connection."""

    head: bytes
    body: bytes
    connection: int

    @property
    def line(self) -> bytes:
        return self.head.partition(b"\r\n")[0]

    @property
    def target(self) -> bytes:
        return self.line.split(b" ")[1]

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        lines = self.head.split(b"\r\n")[1:-2]
        return [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]

    def values(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.fields if field_name.lower() == name.lower()]


class Wire:
    """One connection to the origin, given to playbooks that are functions."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self.buffer = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def closed_by_peer(self, timeout: float = 5.0) -> bool:
        """Wait until the proxy ends the connection."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        part, _, self.buffer = self.buffer.partition(mark)
        return part + mark

    def read(self, size: int) -> bytes:
        parts, self.buffer = [self.buffer], b""
        missing = size - len(parts[0])
        while missing > 0:
            data = self.sock.recv(min(missing, 1 << 20))
            if not data:
                raise EOFError
            parts.append(data)
            missing -= len(data)
        whole = b"".join(parts)
        self.buffer = whole[size:]
        return whole[:size]

    def read_body(self, head: bytes) -> bytes:
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lower:
            body = b""
            while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
                body += self.read(size)
                self.read(2)
            while self.read_until(b"\r\n") != b"\r\n":
                pass
            return body
        at = lower.find(b"\r\ncontent-length: ")
        return self.read(int(lower[at + 18 :].split(b"\r\n")[0])) if at >= 0 else b""


@dataclass
class Origin:
    """`plays` maps a target to bytes (sent as they are) or to a function of (Wire, Received).

    A function's answer goes out too; it may return None to end the connection. `before_body` are targets whose function is
    called once the head is there, to read the body itself.
    """

    plays: dict = field(default_factory=dict)
    before_body: set = field(default_factory=set)
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(sock)
            thread = threading.Thread(target=self._serve, args=(Wire(sock, self.connections),), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, wire: Wire) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError):
            while True:
                head = wire.read_until(b"\r\n\r\n")
                request = Received(head, b"", wire.number)
                if request.target not in self.before_body:
                    request.body = wire.read_body(head)
                self.received.append(request)
                play = self.plays.get(request.target, self.plays.get(b"*", ok(b"none\n", b"text/plain")))
                answer = play(wire, request) if callable(play) else play
                if answer is None:
                    break
                wire.send(answer)
        self._open.discard(wire.sock)
        wire.sock.close()

    def wait_for(self, count: int, timeout: float = 5.0) -> None:
        end = time.monotonic() + timeout
        while len(self.received) < count and time.monotonic() < end:
            time.sleep(0.002)
        assert len(self.received) >= count

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._accepting.join(5)
        for thread in self._threads:
            thread.join(5)


def ok(body: bytes, kind: bytes = b"text/html", *fields: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer with a length."""
    lines = [b"HTTP/1.1 " + status, b"Content-Type: " + kind, *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(pieces: list[bytes], kind: bytes = b"text/html", *fields: bytes) -> bytes:
    """A chunked answer."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: " + kind, *fields, b"Transfer-Encoding: chunked"]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body + b"0\r\n\r\n"


def cut(answer: bytes, at: int):
    """A playbook that sends `at` bytes of an answer and then ends the connection."""

    def play(wire: Wire, request: Received) -> None:
        del request
        wire.send(answer[:at])

    return play
