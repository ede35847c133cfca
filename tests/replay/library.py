"""Recorded answers and flows of a shop, read from files: what was asked, and what the shop answered byte for byte.

Two libraries have the same form: the project's own small samples beside this file, and recordings of a running stock
Magento which not every checkout has beside it. A folder holds

* `pages/` and `ajax/`: `NAME.headers.txt` (`>` is the request, `<` the answer) with the answer's body beside it,
* `rest/` and `graphql/`: `NAME.meta.json` with the body beside it, without its content coding,
* `flows/`: one JSON object a line for each request of a browser's session, in order; bodies are without their coding,
  and those of answers are cut at 4 kB.
"""

from __future__ import annotations

import gzip
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

SAMPLES = Path(__file__).parent / "samples"
CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento"
BREEZE = CAPTURES / "breeze"

NEEDS_CAPTURES = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recordings of a stock Magento are not beside this checkout"),
]

Fields = tuple[tuple[bytes, bytes], ...]
GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 8192


@dataclass(frozen=True)
class Recorded:
    """One request and its answer. `host` is what the request's Host field said; `body` is as it came over the wire."""

    name: str
    method: bytes
    host: bytes
    target: bytes
    sent: Fields
    sent_body: bytes
    status: int
    reason: bytes
    fields: Fields
    body: bytes
    cut: bool = False

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]

    def sent_value(self, name: bytes) -> bytes:
        """Return the first value of a field of the request; b"" where there is none."""
        return _first(self.sent, name)

    def value(self, name: bytes) -> bytes:
        """Return the first value of a field of the answer; b"" where there is none."""
        return _first(self.fields, name)

    @property
    def text(self) -> bytes:
        """The body without its content coding."""
        return gzip.decompress(self.body) if self.body[:2] == GZIP_MAGIC else self.body

    def request(self) -> bytes:
        """Return the request as it goes over the wire."""
        lines = [b"%b %b HTTP/1.1" % (self.method, self.target), b"Host: " + self.host]
        lines += [b"%b: %b" % field for field in self.sent if field[0].lower() not in {b"host", b"content-length"}]
        if self.sent_body or self.method in {b"POST", b"PUT"}:
            lines.append(b"Content-Length: %d" % len(self.sent_body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.sent_body

    def answer(self, *, method: bytes = b"", plain: bool = False) -> bytes:
        """Return the answer as it goes over the wire; `plain` leaves a content coding away, as an origin asked for none.

        Fields keep their order and number. How a chunked body was cut into chunks was not recorded.
        """
        packed = self.body[:2] == GZIP_MAGIC
        fields, body = self.fields, self.body
        if plain and packed:
            body = self.text
            fields = tuple(field for field in fields if field[0].lower() != b"content-encoding")
        head = b"HTTP/1.1 %d %b\r\n%b\r\n" % (
            self.status,
            self.reason,
            b"".join(b"%b: %b\r\n" % field for field in fields),
        )
        if (method or self.method) == b"HEAD":
            return head
        if _first(fields, b"transfer-encoding") == b"chunked":
            # The first piece is small, so that what is looked for in a page may lie across two.
            cuts = [0, *range(97, len(body), CHUNK), len(body)]
            pieces = (body[start:end] for start, end in itertools.pairwise(cuts))
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"
        return head + body


def _first(fields: Fields, name: bytes) -> bytes:
    return next((value for key, value in fields if key.lower() == name), b"")


def pages(folder: Path) -> dict[str, Recorded]:
    """Return what a folder of `NAME.headers.txt` holds, by name."""
    return {path.name.removesuffix(".headers.txt"): _from_lines(path) for path in sorted(folder.glob("*.headers.txt"))}


def _from_lines(path: Path) -> Recorded:
    lines = path.read_text(encoding="utf-8").splitlines()
    asked = [line.removeprefix(">").removeprefix(" ") for line in lines if line.startswith(">")]
    told = [line.removeprefix("<").removeprefix(" ") for line in lines if line.startswith("<")]
    method, _, url = asked[0].partition(" ")
    parts = urlsplit(url)
    end = asked.index("") if "" in asked else len(asked)
    sent = _fields(asked[1:end])
    sent_body = "\n".join(asked[end + 1 :]).encode()
    if not sent_body:
        # Bodies with a password were not recorded; only their length matters then.
        sent_body = b"x" * int(_first(sent, b"content-length") or 0)
    _, status, reason = (told[0] + "  ").split(" ", 2)
    name = path.name.removesuffix(".headers.txt")
    return Recorded(
        name=name,
        method=method.encode(),
        host=_first(sent, b"host") or (parts.netloc or "store.test").encode(),
        target=((parts.path or "/") + (f"?{parts.query}" if parts.query else "")).encode(),
        sent=sent,
        sent_body=sent_body,
        status=int(status),
        reason=reason.strip().encode(),
        fields=(fields := _fields(told[1:])),
        body=_coded(_body_beside(path.parent, name), fields),
    )


def _fields(lines: list[str]) -> Fields:
    return tuple((name.encode(), value.encode()) for name, _, value in (line.partition(": ") for line in lines))


def _body_beside(folder: Path, name: str) -> bytes:
    for suffix in (".html.gz", ".html", ".json", ".xml"):
        if (folder / f"{name}{suffix}").exists():
            return (folder / f"{name}{suffix}").read_bytes()
    return b""


def calls(folder: Path) -> dict[str, Recorded]:
    """Return what a folder of `NAME.meta.json` holds, by name."""
    return {path.name.removesuffix(".meta.json"): _from_meta(path) for path in sorted(folder.glob("*.meta.json"))}


def _from_meta(path: Path) -> Recorded:
    meta = json.loads(path.read_text(encoding="utf-8"))
    asked, told = meta["request"], meta["response"]
    name = path.name.removesuffix(".meta.json")
    body = asked["body"]
    return Recorded(
        name=name,
        method=asked["method"].encode(),
        host=asked["host"].encode(),
        target=quote(asked["path"], safe="%/:=&?~#+!$,;'@()*[]").encode(),
        sent=tuple((key.encode(), value.encode()) for key, value in asked["headers"].items()),
        sent_body=b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode(),
        status=told["status"],
        reason=told["reason"].encode(),
        fields=(fields := tuple((key.encode(), value.encode()) for key, value in told["headers"])),
        body=_coded(_body_beside(path.parent, name), fields),
    )


def flow(path: Path) -> list[Recorded]:
    """Return the requests of one recorded session in order."""
    return [_from_flow(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _from_flow(line: dict) -> Recorded:
    fields = tuple((key.encode(), value.encode()) for key, value in line["response_headers"])
    return Recorded(
        name=f"{line['n']} {line['method']} {line['path']}",
        method=line["method"].encode(),
        host=line["host"].encode(),
        target=line["path"].encode(),
        sent=tuple((key.encode(), value.encode()) for key, value in line["request_headers"].items()),
        sent_body=(line["request_body"] or "").encode(),
        status=line["status"],
        reason={200: b"OK", 302: b"Found", 404: b"Not Found"}.get(line["status"], b""),
        fields=fields,
        body=_coded((line["body"] or "").encode(), fields),
        cut=bool(line["body_truncated"]),
    )


def _coded(body: bytes, fields: Fields) -> bytes:
    """Pack a body that was recorded without the content coding that its fields tell."""
    packed = _first(fields, b"content-encoding") == b"gzip"
    return gzip.compress(body, mtime=0) if packed and body[:2] != GZIP_MAGIC else body


def flows(folder: Path) -> dict[str, Path]:
    """Return the recorded sessions by name; the list of static files is none."""
    return {path.stem: path for path in sorted(folder.glob("*.jsonl")) if path.stem != "static_assets_sample"}
