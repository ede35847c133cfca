"""A visitor on a raw socket, with a reader of answers of its own."""

from __future__ import annotations

import gzip
import socket
from dataclasses import dataclass
from typing import Self


@dataclass
class Answer:
    """What came back. `complete` is False when the connection ended before the framing said so."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes
    complete: bool
    raw_head: bytes

    def values(self, name: bytes) -> list[bytes]:
        return [value for field_name, value in self.fields if field_name.lower() == name.lower()]

    def value(self, name: bytes) -> bytes | None:
        return next(iter(self.values(name)), None)

    @property
    def text(self) -> bytes:
        """The body without its content coding."""
        return gzip.decompress(self.body) if self.value(b"content-encoding") == b"gzip" else self.body


class Visitor:
    """One connection to the proxy."""

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self.port = port
        self.timeout = timeout
        self.connect()

    def connect(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.over = False  # the last answer said that the connection ends

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def send(self, data: bytes) -> Visitor:
        self.sock.sendall(data)
        return self

    def get(self, target: bytes = b"/", *fields: bytes, method: bytes = b"GET", body: bytes = b"") -> Answer:
        if self.over:
            self.close()
            self.connect()
        lines = [method + b" " + target + b" HTTP/1.1", *fields]
        if not any(line.lower().startswith(b"host:") for line in fields):
            lines.insert(1, b"Host: shop.example")
        if body:
            lines.append(b"Content-Length: %d" % len(body))
        self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        return self.answer(head_only=method == b"HEAD")

    def more(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        """Read up to a mark, without waiting for anything after it."""
        while mark not in self.buffer:
            assert self.more(), self.buffer
        part, _, self.buffer = self.buffer.partition(mark)
        return part + mark

    def closed(self) -> bool:
        """Say whether the proxy ends the connection with nothing more on it."""
        return not self.buffer and not self.more()

    def answer(self, *, head_only: bool = False) -> Answer:
        while True:
            while b"\r\n\r\n" not in self.buffer:
                if not self.more():
                    return Answer(0, [], self.buffer, complete=False, raw_head=b"")
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            status = int(lines[0].split(b" ")[1])
            if status >= 200 or status == 101:
                break
        fields = [(name, value) for name, _, value in (line.partition(b": ") for line in lines[1:])]
        answer = Answer(status, fields, b"", complete=True, raw_head=head)
        self.over = answer.value(b"connection") == b"close"
        if head_only or status in {101, 204, 304}:
            return answer
        if answer.value(b"transfer-encoding") == b"chunked":
            assert answer.value(b"content-length") is None
            answer.complete = self._chunks(answer)
        elif (length := answer.value(b"content-length")) is not None:
            answer.complete = self._need(int(length))
            answer.body, self.buffer = self.buffer[: int(length)], self.buffer[int(length) :]
        else:
            answer.complete = self._to_the_end()
            answer.body, self.buffer = self.buffer, b""
        return answer

    def _to_the_end(self) -> bool:
        while True:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                return False
            if not data:
                return True
            self.buffer += data

    def _need(self, size: int) -> bool:
        parts, missing = [self.buffer], size - len(self.buffer)
        while missing > 0:
            self.buffer = b""
            going_on = self.more()
            parts.append(self.buffer)
            missing -= len(self.buffer)
            if not going_on:
                break
        self.buffer = b"".join(parts)
        return missing <= 0

    def _chunks(self, answer: Answer) -> bool:
        while True:
            while b"\r\n" not in self.buffer:
                if not self.more():
                    return False
            line, _, self.buffer = self.buffer.partition(b"\r\n")
            size = int(line, 16)
            whole = self._need(size + 2)
            answer.body += self.buffer[:size]
            if not whole:
                return False
            assert self.buffer[size : size + 2] == b"\r\n"
            self.buffer = self.buffer[size + 2 :]
            if not size:
                return True
