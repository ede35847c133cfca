"""Requests of a connection: heads, framing, what the origin is sent, however the bytes were cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import passing, strictness, targets
from fuzz.connection import read_pieces
from fuzz.messages import CHUNKED, NONE, DisagreementError, RefusedError, UnfinishedError, insist, values
from fuzz.readers import rfc9112, with_h11, with_llhttp, with_stdlib

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.proxy.exchange import RequestHead
    from fuzz.chance import Chance
    from fuzz.messages import Fields, Reading, Request

# What may be missing in the request that the origin gets: RFC 9110 section 7.6.1, and what a visitor may not claim.
HOP_BY_HOP: Final = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection te "
    b"trailer transfer-encoding upgrade".split()
)
CLAIMS: Final = frozenset(
    b"cf-connecting-ip client-ip cloudfront-forwarded-proto fastly-client-ip fastly-ssl forwarded front-end-https "
    b"proxy ssl-offloaded true-client-ip x-client-ip x-cluster-client-ip x-original-forwarded-for x-original-host "
    b"x-original-url x-real-ip x-rewrite-url x-scheme x-url-scheme x-forwarded x-forwarded-by x-forwarded-for "
    b"x-forwarded-host x-forwarded-path x-forwarded-port x-forwarded-prefix x-forwarded-proto x-forwarded-protocol "
    b"x-forwarded-scheme x-forwarded-server x-forwarded-ssl".split()
)
OTHERS: Final[tuple[tuple[str, Callable[[bytes], Request]], ...]] = (
    ("h11", with_h11.read_request),
    ("http.server", with_stdlib.read_request),
)
LLHTTP: Final = ("llhttp", with_llhttp.read_request)


def check(data: bytes, chance: Chance) -> int:
    """Read the bytes of a connection with every reader; return how many readings were compared."""
    reading, heads = targets.read_requests(data)
    _cut(data, chance, reading, heads)
    compared = at = 0
    for request, head in zip(reading.requests, heads, strict=True):
        compared += _taken(data, at, request, chance) + _sent(request, head, chance)
        at = request.end
    ended = bool(reading.requests) and not reading.requests[-1].persistent
    if reading.at < len(data) and not ended:
        compared += _not_taken(data, reading)
    return compared


def same(kind: str, one: Request, other: Request, *, body: bool = True, end: bool = True) -> None:
    """Insist that two readers read the same request."""
    insist(one.method == other.method, f"{kind} method", (one.method, other.method))
    insist(one.target == other.target, f"{kind} target", (one.target, other.target))
    insist(one.version == other.version, f"{kind} version", (one.version, other.version))
    insist(plain(one.fields) == plain(other.fields), f"{kind} fields", (one.fields, other.fields))
    insist(not body or one.body == other.body, f"{kind} body", (one.body, other.body))
    insist(not end or one.end == other.end, f"{kind} end", (one.end, other.end))


def plain(fields: Fields) -> Fields:
    """Write the one value that h11 puts in lower case as it does."""
    return [(name, value.lower() if name.lower() == b"transfer-encoding" else value) for name, value in fields]


def _cut(data: bytes, chance: Chance, whole: Reading, heads: list[RequestHead]) -> None:
    """A client's connection must read the same of the same bytes in pieces, and end with them as it does."""
    reading, closed, written = read_pieces(chance.pieces(data), late=chance.one_in(3))
    insist(reading.refused == whole.refused, "cut: refused", (whole.refused, reading.refused))
    insist(len(reading.requests) == len(whole.requests), "cut: count")
    for head, one, other in zip(heads, whole.requests, reading.requests, strict=True):
        insist(other.target == head.target, "cut: target")
        insist((one.fields, one.body) == (other.fields, other.body), "cut: request")
    if whole.refused is not None:
        insist(400 <= whole.refused < 600, "status", whole.refused)
        insist(written.startswith(b"HTTP/1.1 %d " % whole.refused), "refusal not told", written[:40])
        insist(b"\r\nConnection: close\r\n" in written, "refused and not closed")
    elif whole.requests and not whole.requests[-1].persistent:
        insist(closed, "not closed")


def _taken(data: bytes, at: int, request: Request, chance: Chance) -> int:
    """Compare a request that bridge takes with what the reference reads, and one of the others."""
    try:
        reference = rfc9112.read_request(data, at)
    except (RefusedError, UnfinishedError) as error:
        raise DisagreementError("reference refuses what bridge takes", repr(error)) from error
    same("reference", request, reference)
    insist((request.framing or NONE) == (reference.framing or NONE), "reference framing", reference.framing)
    insist(request.persistent <= reference.persistent, "kept though it ends")
    message = data[at : request.end].removeprefix(b"\r\n")
    compared = 1
    for name, read in (chance.pick(OTHERS), LLHTTP):
        # http.server leaves chunked bodies to the application, llhttp leaves the body of an upgrade.
        whole = request.framing != CHUNKED if name == "http.server" else not _upgrades(name, request)
        try:
            same(name, request, read(message), body=whole, end=False)
        except (RefusedError, UnfinishedError, DisagreementError) as error:
            if not strictness.own_limit(name, message):
                raise DisagreementError(f"{name} refuses or differs", repr(error)) from error
            continue
        compared += 1
    return compared


def _upgrades(name: str, request: Request) -> bool:
    return name == "llhttp" and bool(values(request.fields, b"upgrade"))


def _not_taken(data: bytes, reading: Reading) -> int:
    """What bridge refuses or waits for may be taken by another only for a reason that is in the table."""
    rest = data[reading.at :]
    for name, end in (
        ("reference", _end(rfc9112.read_request, rest)),
        ("h11", _end(with_h11.read_request, rest)),
        ("llhttp", len(rest) if with_llhttp.takes_request(rest) else -1),
    ):
        if end >= 0 and not strictness.excuse(strictness.REQUESTS, rest[:end], reading.refused):
            kind = f"{name} takes what bridge refuses" if reading.refused else f"{name} takes what bridge waits for"
            raise DisagreementError(f"{kind} {reading.why}".rstrip(), reading.refused)
    return 3


def _end(read: Callable[[bytes], Request], data: bytes) -> int:
    try:
        return read(data).end
    except (RefusedError, UnfinishedError):
        return -1


def _sent(request: Request, head: RequestHead, chance: Chance) -> int:
    """What the origin gets must be read as this one request, by the reference and by lenient readers."""
    raw = passing.forwarded(head, request.body, request.framing)
    try:
        sent = rfc9112.read_request(raw)
        lenient = with_stdlib.read_request(raw) if chance.one_in(3) else with_llhttp.read_request(raw)
    except (RefusedError, UnfinishedError) as error:
        raise DisagreementError("sent what is refused", repr(error)) from error
    insist(sent.end == len(raw), "sent more than a request")
    insist((sent.method, sent.target) == (request.method, targets.target_sent(head)), "sent another target")
    insist(sent.body == request.body, "sent another body")
    insist((sent.framing or NONE) == (request.framing or NONE), "sent with another framing", sent.framing)
    same("sent", sent, lenient, body=request.framing != CHUNKED, end=False)
    _same_fields(request, sent.fields)
    return 2


def _same_fields(request: Request, sent: Fields) -> None:
    """The fields sent are the visitor's in their order, less some, and the three that tell who asks."""
    rest = sent[:-1] if request.framing == CHUNKED else list(sent)
    ours = [b"X-Forwarded-For", b"X-Forwarded-Proto"] + [b"X-Forwarded-Host"] * bool(values(request.fields, b"host"))
    insist([name for name, _ in rest[-len(ours) :]] == ours, "forwarding fields", rest)
    del rest[-len(ours) :]
    if not values(request.fields, b"host"):
        insist(rest.pop(0)[0] == b"Host", "sent without a host")
    left = iter(rest)
    named = {part.strip(b" \t").lower() for each in values(request.fields, b"connection") for part in each.split(b",")}
    waiting = next(left, None)
    # A document that a browser stored before it had the tag must come anew.
    opens = request.method in {b"GET", b"HEAD"} and values(request.fields, b"sec-fetch-dest")[:1] == [b"document"]
    for name, value in request.fields:
        lower = name.lower()
        changed = lower in {b"accept-encoding", b"if-none-match"}
        if waiting is not None and waiting[0] == name and (waiting[1] == value or changed):
            insist(not _dropped(lower, named), "field sent that stays here", name)
            waiting = next(left, None)
        else:
            anew = lower == b"if-modified-since" or (opens and lower == b"if-none-match")
            insist(_dropped(lower, named) or anew, "field not sent", name)
    insist(waiting is None, "field sent that did not come", waiting)


def _dropped(lower: bytes, named: set[bytes]) -> bool:
    """Say whether a field concerns this connection alone, or tells what an untrusted visitor may not tell."""
    spelled = lower.replace(b"_", b"-")
    return spelled in HOP_BY_HOP or spelled in CLAIMS or lower in named - {b"host", b"content-length"}
