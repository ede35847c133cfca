"""The two sides of a comparison: a server asked straight, and the same one asked through the proxy."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import itertools
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

from tests.wire.asked import Asked
from tests.wire.documented import CONNECTION, Arrived, Reply, folded
from tests.wire.origin import Origin, ok
from tests.wire.visitor import Visitor

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if os.access("/usr/sbin/nginx", os.X_OK) else None)
WRITTEN = 1_790_000_000  # when the files were last changed
DOCUMENT = b"<!DOCTYPE html>\n<html lang=en>\n<head prefix=a>\n<title>T</title></head>\n<body>%b</body></html>\n"
PARAGRAPHS = b"".join(b"<p>Paragraph %d, \xc2\xa3 9.99</p>\n" % number for number in range(200))


# -- asking -----------------------------------------------------------------------------------------------------------


def split(data: bytes, cuts: tuple[float, ...]) -> list[bytes]:
    places = [0, *(int(cut * len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places) if start < end]


class Straight(Visitor):
    """Reads what origins may send and bridge does not pass on: extensions of chunks, and trailers."""

    def _chunks(self, answer) -> bool:
        while size := int(self.until(b"\r\n").split(b";")[0], 16):
            assert self._need(size + 2)
            answer.body, self.buffer = answer.body + self.buffer[:size], self.buffer[size + 2 :]
        while self.until(b"\r\n") != b"\r\n":
            pass
        return True


def ask(port: int, asked: Asked, kind: type[Visitor] = Visitor) -> Reply:
    """Ask on a connection of its own, in pieces cut as the request says."""
    with kind(port) as visitor:
        if asked.expects:
            visitor.send(asked.head())
            visitor.until(b"HTTP/1.1 100 Continue\r\n\r\n")
            visitor.send(asked.framed())
        else:
            for piece in split(asked.wire(), asked.cuts):
                visitor.send(piece)
        return read(visitor, asked)


def read(visitor: Visitor, asked: Asked) -> Reply:
    """Read the answer to a request."""
    answer = visitor.answer(head_only=asked.method == b"HEAD")
    assert answer.status, f"no answer: {answer.body!r}"
    assert answer.complete
    line, *lines = answer.raw_head.split(b"\r\n")
    fields = [(name, value.strip(b" \t")) for name, _, value in (each.partition(b":") for each in lines)]
    plain = tuple(field for field in fields if field[0].lower() not in CONNECTION)
    connection = tuple((name.lower(), value) for name, value in fields if name.lower() in CONNECTION)
    return Reply(answer.status, line[13:], plain, answer.body, connection)


def settled(reply: Reply) -> Reply:
    """Return an answer without what differs from one time to the next: the date, the boundary of parts."""
    fields, body = [], reply.body
    for name, value in reply.fields:
        if name.lower() == b"date":
            assert re.fullmatch(rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", value)
            value = b"then"  # noqa: PLW2901
        boundary = value.partition(b"multipart/byteranges; boundary=")[2]
        if boundary:
            body = body.replace(boundary, b"BOUNDARY")
            value = value.replace(boundary, b"BOUNDARY")  # noqa: PLW2901
        fields.append((name, value))
    return replace(reply, fields=tuple(fields), body=body)


# -- an origin that gives back what it received -----------------------------------------------------------------------


class Echo:
    """Answers with the very bytes of the request; `got` keeps them, the last one last."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.server = Origin(plays={b"*": self._play}, before_body=Everything())

    def _play(self, wire, request):
        lower = request.head.lower()
        raw = request.head
        if re.search(rb"\r\nexpect:[ \t]*100-continue", lower):
            wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = re.search(rb"\r\ncontent-length:[ \t]*(\d+)", lower)
        if re.search(rb"\r\ntransfer-encoding:[ \t]*chunked", lower):
            raw += self._chunks(wire)
        elif length:
            raw += wire.read(int(length[1]))
        self.got.append(raw)
        answer = ok(raw, b"application/octet-stream")
        return answer[: -len(raw)] if request.line.startswith(b"HEAD ") else answer

    @staticmethod
    def _chunks(wire) -> bytes:
        raw = b""
        while True:
            line = wire.read_until(b"\r\n")
            raw += line
            size = int(line.split(b";")[0], 16)
            if not size:
                break
            raw += wire.read(size + 2)
        while not raw.endswith(b"\r\n\r\n"):
            raw += wire.read_until(b"\r\n")
        return raw


class Everything(set):
    def __contains__(self, _item: object) -> bool:
        return True


def arrived(raw: bytes, *, by_name: bool) -> Arrived:
    """Take apart what the echo origin got; `by_name` as documented.folded() does."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    fields = tuple((name, value) for name, _, value in (each.partition(b": ") for each in lines))
    if (b"transfer-encoding", b"chunked") in [(name.lower(), value) for name, value in fields]:
        body = unchunked(body)
    if by_name:
        assert len({name.lower() for name, _ in fields}) == len(fields)
        fields = tuple(folded(list(fields)))
    return Arrived(line, fields, body)


def unchunked(framed: bytes) -> bytes:
    """Take chunks apart that bridge framed: without extensions or trailers."""
    body = b""
    while True:
        line, _, framed = framed.partition(b"\r\n")
        size = int(line, 16)
        if not size:
            assert framed == b"\r\n"
            return body
        body += framed[:size]
        assert framed[size : size + 2] == b"\r\n"
        framed = framed[size + 2 :]


# -- servers of files -------------------------------------------------------------------------------------------------


def write_files(folder: Path) -> None:
    """Write what nginx and http.server serve, with a fixed time of change."""
    page = DOCUMENT % PARAGRAPHS
    files = {
        "page.html": page,
        "small.html": DOCUMENT % b"",
        "fragment.html": b"<div>" + PARAGRAPHS + b"</div>",
        "packed.html": page,
        "packed.html.gz": gzip.compress(page, mtime=0),
        "sub/index.html": page[:-9] + b"<!-- sub -->",
        "static/style.css": b".a { color: red }\n" * 300,
        "media/picture.png": random.Random("picture").randbytes(5000),
        "media/large.mp4": random.Random("large").randbytes(300_000),
        "rest/list.json": b'{"items": [], "total_count": 0}',
        "static/empty.txt": b"",
        "static/with space+plus.txt": b"spaced\n",
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (WRITTEN, WRITTEN))


CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  types {{ text/html html; text/css css; image/png png; application/json json; video/mp4 mp4; text/plain txt; }}
  default_type application/octet-stream; charset utf-8; keepalive_timeout 30; merge_slashes on;
  large_client_header_buffers 8 64k; client_max_body_size 10m; port_in_redirect off;
  gzip on; gzip_http_version 1.0; gzip_types text/css application/json; gzip_min_length 1000;
  server {{
    listen 127.0.0.1:{port}; root {folder}/files;
    location = /packed.html {{ gzip_static on; gzip_vary on; }}
    location = /cookies {{
      add_header Set-Cookie "a=1; Path=/; HttpOnly"; add_header set-cookie "b=2; Domain=127.0.0.1; Secure";
      add_header Link "</a>; rel=preload"; add_header Link "</b>; rel=preload";
      default_type text/plain; return 200 "cookies\\n";
    }}
    location = /policy.html {{
      add_header Content-Security-Policy "script-src 'self'; img-src *";
      add_header Content-Security-Policy "default-src 'none'";
      add_header Content-Security-Policy-Report-Only "connect-src 'self' https://a.example"; try_files /page.html =404;
    }}
    location = /inner {{ return 302 http://127.0.0.1:{port}/elsewhere?a=b; }}
    location = /outer {{ return 301 https://pay.example/?back=http://127.0.0.1:{port}/; }}
    location = /relative {{ absolute_redirect off; return 303 /page.html; }}
    location = /nothing {{ return 204; }}
    location = /gone.html {{ default_type text/html; return 410 "<html><head></head></html>"; }}
    location = /busy {{ add_header Retry-After 30 always; return 503; }}
    location = /attached.html {{
      add_header Content-Disposition "attachment; filename=a.html"; try_files /page.html =404;
    }}
    location = /closed {{ auth_basic "closed"; auth_basic_user_file {folder}/users; }}
    location = /rest/said {{
      default_type text/plain;
      set $told "$http_host|$http_cookie|$http_x_said|$content_length|$content_type";
      return 200 "$request_method|$request_uri|$uri|$args|$told\\n";
    }}
  }}
}}
"""


class Nginx:
    """A real nginx of one process, serving files."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        (folder / "files").mkdir()
        write_files(folder / "files")
        (folder / "users").write_text("")
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=self.port))
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [str(NGINX), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")],
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + 10
        while True:
            assert self._process.poll() is None, (folder / "log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Python's own server of files; POST tells what it read."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = (self.headers.get("Content-Type") or "").strip()
        told = f"{self.path}|{self.headers.get_all('Cookie')}|{kind}|{len(body)}|".encode()
        self.send_response(200, "Took it")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("X-Length", str(len(body)))
        if self.protocol_version == "HTTP/1.1":
            self.send_header("Content-Length", str(len(told + body)))
        self.end_headers()
        self.wfile.write(told + body)


class Handler11(Handler):
    protocol_version = "HTTP/1.1"


class Files:
    """Python's http.server on a free port, as HTTP/1.0 (bodies until close) or 1.1."""

    def __init__(self, folder: Path, kind: type[Handler]) -> None:
        write_files(folder)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=str(folder)))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
