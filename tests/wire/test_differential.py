"""The same requests straight to an origin and through the bridge: equal but for what docs/proxy.md says.

Origins are one that gives back the bytes it received, one that tells answers of all forms, a real nginx, and Python's
`http.server`. The tables are made with fixed seeds (asked.py, told.py); what is documented is read from the page
(documented.py).
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest
from prometheus_client import CollectorRegistry

from bridge.proxy import Counters, ProxyOptions, ProxyWiring
from tests.wire import asked as requests
from tests.wire import told
from tests.wire.conftest import Tags, start_edge, start_middleware
from tests.wire.documented import Arrived, Reply, Terms, arrives, becomes, compared, is_page, names, tagged, unpacked
from tests.wire.origin import Origin, chunked
from tests.wire.sides import (
    DOCUMENT,
    NGINX,
    PARAGRAPHS,
    Echo,
    Files,
    Handler,
    Handler11,
    Nginx,
    Straight,
    arrived,
    ask,
    read,
    settled,
    split,
)
from tests.wire.test_gunicorn import Gunicorn
from tests.wire.visitor import Visitor

TABLE = requests.table()
ALWAYS = requests.stays(names("Requests: fields that stay here", "always"), "always")
UNTRUSTED = requests.stays(names("Requests: fields that stay here", "untrusted"), "untrusted")
TOLD = told.answers()
CODED = (b"Transfer-Encoding", b"chunked", b" ", b"\t")
LONG = len(DOCUMENT % PARAGRAPHS)
SIZES = {b"/page.html": LONG, b"/small.html": len(DOCUMENT % b""), b"/packed.html": LONG, b"/media/picture.png": 5000,
         b"/media/large.mp4": 300_000, b"/static/style.css": 5400}  # fmt: skip
TO_NGINX = told.for_files("nginx", 220, SIZES, nginx=True)
TO_FILES = told.for_files("files", 90, SIZES, nginx=False)
needs_nginx = [pytest.mark.nginx, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


def table(asked):
    return pytest.mark.parametrize("asked", asked, ids=lambda each: each.name)


@pytest.fixture(scope="module", params=["edge", "middleware"])
def side(request):
    return request.param


@pytest.fixture(scope="module")
def through(side):
    """Gives the way to start a proxy for the module: returns the port to ask and the terms."""
    stops = []

    def start(port, *, packs=False, **options):
        wiring = ProxyWiring(ProxyOptions(origin=f"http://127.0.0.1:{port}", **options), Tags())
        make = start_edge if side == "edge" else start_middleware
        _, listening, stop = make(wiring, Counters(CollectorRegistry()))
        stops.append(stop)
        return listening, Terms(side, b"127.0.0.1:%d" % port, trusted="trusted_proxies" in options, packs=packs)

    yield start
    for stop in stops:
        stop()


# -- requests as the origin gets them ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def echo():
    origin = Echo()
    yield origin
    origin.server.close()


@pytest.fixture(scope="module")
def echoed(echo, through):
    return through(echo.server.port)


@pytest.fixture(scope="module")
def echoed_behind_a_trusted_proxy(echo, through):
    return through(echo.server.port, trusted_proxies=(ip_network("127.0.0.0/8"),))


def check_arrival(echo, asked, port, terms):
    """Ask straight and through the bridge; both times look at the very bytes that the origin got."""
    reply = ask(echo.server.port, asked)
    assert echo.got[-1] == asked.wire()
    assert reply.body == (b"" if asked.method == b"HEAD" else asked.wire())
    reply = ask(port, asked)
    if asked.upgrade and terms.adaptor != "edge":
        assert reply.status == 501, "documented: WSGI cannot carry an upgrade"
        assert echo.got[-1] == asked.wire(), "nothing went on"
        return
    assert reply.status == 200
    assert reply.body == (b"" if asked.method == b"HEAD" else echo.got[-1])
    assert reply.values(b"content-length") == [b"%d" % len(echo.got[-1])]
    got = arrived(echo.got[-1], by_name=terms.adaptor != "edge")
    assert got == arrives(asked, terms)
    if terms.adaptor == "edge":
        assert dict(reply.connection) == expected_connection(asked)


def expected_connection(asked, reply: Reply | None = None):
    """Return how the connection to the visitor is framed by the edge."""
    connection = {}
    bodyless = reply is not None and (asked.method == b"HEAD" or reply.status in {204, 304})
    unknown = reply is not None and not bodyless and not reply.values(b"content-length")
    if unknown and asked.version == b"1.1":
        connection[b"transfer-encoding"] = b"chunked"
    if not asked.persists or (unknown and asked.version == b"1.0"):
        connection[b"connection"] = b"close"
    elif asked.version == b"1.0":
        connection[b"connection"] = b"keep-alive"
    return connection


@table([*TABLE, *ALWAYS, *UNTRUSTED])
def test_the_origin_gets_what_was_sent_but_for_what_is_documented(echo, echoed, side, asked):
    """P03, P10, P11, P12, P14, P16: the echo of the bytes, straight and through the bridge."""
    if side == "middleware":
        asked = asked.without_extensions()  # which the trial server does not know
    check_arrival(echo, asked, *echoed)


@table([*ALWAYS, *UNTRUSTED])
def test_behind_a_trusted_proxy_its_word_is_kept(echo, echoed_behind_a_trusted_proxy, asked):
    """P14: through one trusted load balancer."""
    check_arrival(echo, asked, *echoed_behind_a_trusted_proxy)


REFUSED = {
    "raw bytes in the target": (requests.Asked("", target=b"/caf\xc3\xa9"), 400),
    "a tab after the coding": (requests.Asked("", b"POST", fields=(requests.HOST, CODED), chunks=()), 400),
    "two lengths": (requests.Asked("", b"POST", fields=(requests.HOST, *[requests.length(b"a")] * 2), body=b"a"), 400),
    "another coding": (
        requests.Asked("", b"POST", fields=(requests.HOST, (b"Transfer-Encoding", b"gzip, chunked"))),
        501,
    ),
    "a foreign host": (requests.Asked("", target=b"http://evil.test/"), 400),
    "a tunnel": (requests.Asked("", b"CONNECT", b"shop.example:443"), 405),
    "an echo": (requests.Asked("", b"TRACE"), 405),
    "a cache emptied": (requests.Asked("", b"PURGE"), 405),
    "an unknown method": (requests.Asked("", b"PROPFIND"), 501),
    "a long target": (requests.Asked("", target=b"/" + b"a" * 16_384), 414),
    "another version": (requests.Asked("", version=b"1.2"), 505),
    "a long head": (requests.Asked("", fields=(requests.HOST, *[(b"X", b"x" * 8000)] * 9)), 431),
}


@pytest.mark.parametrize("side", ["edge"], indirect=True)  # elsewhere the server refuses some, in its own way
@pytest.mark.parametrize("name", REFUSED)
def test_what_bridge_answers_itself_never_reaches_the_origin(echo, echoed, name):
    """P10, P16: the page's last table."""
    asked, status = REFUSED[name]
    before = len(echo.got)
    reply = ask(echoed[0], asked)
    assert reply.status == status
    assert dict(reply.connection) == {b"connection": b"close"}
    assert reply.values(b"cache-control") == [b"no-store"]
    assert len(echo.got) == before


@pytest.mark.parametrize("side", ["edge", "middleware"])
def test_the_same_holds_under_gunicorn(echo, side, tmp_path):
    """P10, P11, P12, P14, P16: a sample; the middleware in a threaded worker, with that server's own limits."""
    server = Gunicorn(echo.server, side, tmp_path)
    terms = Terms("edge" if side == "edge" else "gunicorn", b"127.0.0.1:%d" % echo.server.port)
    try:
        for asked in requests.Dice("gunicorn").random.sample([*TABLE, *ALWAYS, *UNTRUSTED], 150):
            if side == "edge" or is_for_gunicorn(asked):
                check_arrival(echo, asked, server.shop, terms)
    finally:
        server.stop()


def is_for_gunicorn(asked):
    """Say whether gunicorn itself lets the request through."""
    return len(asked.target) < 4000 and all(len(value) < 8000 for _, value in asked.plain)


def pipelines(table_, seed, count):
    """Return lists of requests for one connection each, of which only the last may end it."""
    dice = requests.Dice(seed)
    lasting = [
        each for each in table_ if each.persists and not each.expects and not each.upgrade and len(each.wire()) < 20_000
    ]
    return [dice.random.sample(lasting, dice.random.randint(2, 8)) for _ in range(count)]


@pytest.mark.parametrize("side", ["edge"], indirect=True)  # else it is the server's business
@pytest.mark.parametrize("number", range(30))
def test_pipelined_requests_arrive_apart_and_in_order(echo, echoed, number):
    """P11, P12, P16: sent in pieces cut anywhere, or at once."""
    port, terms = echoed
    dice = requests.Dice(f"cuts-{number}")
    line = pipelines(TABLE, "pipelines", 30)[number]
    before = len(echo.got)
    with Visitor(port) as visitor:
        for piece in split(b"".join(asked.wire() for asked in line), dice.cut()):
            visitor.send(piece)
        for asked in line:
            reply = read(visitor, asked)
            assert reply.status == 200
            assert dict(reply.connection) == expected_connection(asked)
    assert [arrived(raw, by_name=False) for raw in echo.got[before:]] == [arrives(asked, terms) for asked in line]


@pytest.mark.parametrize("side", ["edge"], indirect=True)
@pytest.mark.parametrize("number", range(5))
def test_requests_on_one_connection_do_not_colour_each_other(echo, echoed, number):
    """P04: what was worked out for one request is used for the next only where it is the same."""
    port, terms = echoed
    dice = requests.Dice(f"kept-{number}")
    lasting = [asked for asked in TABLE if asked.persists and not asked.expects and not asked.upgrade]
    line = dice.random.choices(lasting, k=40)
    line += [
        asked.having(dice.random.choice(line).fields) for asked in line if asked.body == b"" and asked.chunks is None
    ]
    line = [asked for asked in line if asked.body or not asked.values(b"content-length")]
    with Visitor(port) as visitor:
        for asked in line:
            if bool(asked.values(b"transfer-encoding")) != (asked.chunks is not None) or not asked.persists:
                continue
            visitor.send(asked.wire())
            assert read(visitor, asked).status == 200
            got = arrived(echo.got[-1], by_name=False)
            assert got.fields == arrives(asked, terms).fields or asked.page
            assert got.body == asked.body


# -- answers as the visitor gets them ---------------------------------------------------------------------------------


def check_answer(straight: Reply, got: Reply, asked, terms) -> None:
    wanted, reply, got = becomes(settled(straight), asked, terms), got, settled(got)
    page = is_page(straight, asked)
    if terms.adaptor != "edge":
        got = without_the_servers(got)
    if page:
        got = without_length(got)
    assert (got.status, got.fields) == (wanted.status, wanted.fields)
    assert got.reason == wanted.reason or terms.adaptor != "edge"
    if asked.method != b"HEAD":
        assert (unpacked(got) if page else got.body) == wanted.body
    if terms.adaptor == "edge":
        connection = expected_connection(asked, reply)
        # An origin that answers before it has the body leaves the connection with the rest of it.
        assert dict(reply.connection) in (
            connection,
            {**connection, b"connection": b"close"} if asked.body else connection,
        )


def without_length(reply: Reply) -> Reply:
    """Take the length of a page off, which stands last and is right, or is not there."""
    if not reply.values(b"content-length"):
        return reply
    *fields, (name, value) = reply.fields
    assert (name, value) == (b"Content-Length", b"%d" % len(reply.body))
    return replace(reply, fields=tuple(fields))


def without_the_servers(reply: Reply) -> Reply:
    """Take off what the trial server puts before the fields that it is given."""
    (name, server), (other, _), *fields = reply.fields
    assert (name, other, server[:9]) == (b"Server", b"Date", b"Werkzeug/")
    return replace(reply, fields=tuple(fields))


@pytest.fixture(scope="module")
def telling():
    origin = Origin()
    packed = told.gzip.compress(DOCUMENT % PARAGRAPHS)
    origin.plays[b"/first"] = chunked([packed], b"text/html", b"Content-Encoding: gzip")
    yield origin
    origin.close()


def warm_up(port: int, target: bytes) -> None:
    """Show the proxy that the origin packs its pages while it sends, which it remembers."""
    asked = requests.Asked(
        "first", target=target, fields=(requests.HOST, (b"Accept-Encoding", b"gzip")), takes_gzip=True
    )
    assert unpacked(ask(port, asked)) == tagged(DOCUMENT % PARAGRAPHS)


@pytest.fixture(scope="module")
def told_through(telling, through):
    port, terms = through(telling.port, packs=True)
    warm_up(port, b"/first")
    return port, terms


@pytest.mark.parametrize("answer", TOLD, ids=lambda each: each.asked.name)
def test_answers_of_all_forms_arrive_but_for_what_is_documented(telling, told_through, answer):
    """P02, P03, P07, P09, P15, P16: by length, in chunks and until close, cut anywhere."""
    port, terms = told_through
    raw = answer.written(terms.origin)

    def play(wire, request):
        for piece in split(raw, answer.cuts):
            wire.send(piece)
        return None if b"\r\nConnection: close" in raw else b""

    telling.plays[answer.asked.target] = play
    straight = ask(telling.port, answer.asked, Straight)
    got = ask(port, answer.asked)
    check_answer(straight, got, answer.asked, terms)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def nginx_through(nginx, through):
    port, terms = through(nginx.port, packs=True)
    warm_up(port, b"/page.html")
    return port, terms


class TestNginx:
    pytestmark = needs_nginx

    @table(TO_NGINX)
    def test_nginx_answers_the_same_but_for_what_is_documented(self, nginx, nginx_through, asked):
        """P02, P03, P07, P11, P15: files, ranges, conditions, codings, redirects, errors."""
        port, terms = nginx_through
        straight = ask(nginx.port, compared(asked, terms))
        got = ask(port, asked)
        check_answer(straight, got, asked, terms)

    @pytest.mark.parametrize("side", ["edge"], indirect=True)
    @pytest.mark.parametrize("number", range(10))
    def test_nginx_answers_pipelined_requests_the_same(self, nginx, nginx_through, number):
        """P07: no answer without a body takes the next one for its own."""
        port, terms = nginx_through
        line = pipelines(TO_NGINX, "nginx-pipelines", 10)[number]
        with Visitor(port) as visitor:
            visitor.send(b"".join(asked.wire() for asked in line))
            for asked in line:
                got = read(visitor, asked)
                check_answer(ask(nginx.port, compared(asked, terms)), got, asked, terms)


@pytest.fixture(scope="module", params=[Handler, Handler11], ids=["1.0", "1.1"])
def files(request, tmp_path_factory):
    server = Files(tmp_path_factory.mktemp("files"), request.param)
    yield server
    server.close()


@pytest.fixture(scope="module")
def files_through(files, through):
    return through(files.port)


@table(TO_FILES)
def test_http_server_answers_the_same_but_for_what_is_documented(files, files_through, asked):
    """P02, P07, P12: bodies until close by HTTP/1.0, and by length."""
    port, terms = files_through
    straight = ask(files.port, compared(asked, terms))
    got = ask(port, asked)
    check_answer(straight, got, asked, terms)


# -- the tests themselves ---------------------------------------------------------------------------------------------


def test_a_comparison_fails_on_a_single_byte():
    """What these tests would say of a proxy that loses a field, adds one, or changes a byte."""
    asked = next(each for each in TABLE if each.name == "fields-2")
    terms = Terms("edge", b"127.0.0.1:1")
    right = arrives(asked, terms)
    head = b"\r\n".join([right.line, *(name + b": " + value for name, value in right.fields)]) + b"\r\n\r\n"
    assert arrived(head, by_name=False) == right
    assert arrived(head.replace(b"Host", b"host"), by_name=False) != right
    assert arrived(head.replace(b"\r\n\r\n", b"\r\nVia: 1.1 bridge\r\n\r\n"), by_name=False) != right
    assert arrived(head + b"x", by_name=False) != right
    assert Arrived(right.line, right.fields[1:], b"") != right


def test_the_documented_lists_are_there():
    """A table that is no longer found would drop nothing, and compare less."""
    assert len(names("Requests: fields that stay here", "always")) >= 16
    assert len(names("Requests: fields that stay here", "untrusted")) >= 25
    assert len(names("Answers: fields that stay here", "always")) >= 10
    assert names("Answers: fields that stay here", "page") >= {b"last-modified", b"accept-ranges"}
    assert len(TABLE) + len(ALWAYS) + len(UNTRUSTED) + len(TOLD) + len(TO_NGINX) + len(TO_FILES) > 700
