"""An origin behind TLS: verified by the authorities of SSL_CERT_FILE, asked for by its name."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.wire.conftest import MARKUP
from tests.wire.origin import chunked, ok

PAGE = b"<!doctype html><html><head></head><body></body></html>"
TAGGED = PAGE.replace(b"<head>", b"<head>" + MARKUP)


def issue(name, *, issuer=None, names=()):
    """A key and a certificate: an authority of its own, or one issued by an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    signer, signer_name = (issuer[0], issuer[1].subject) if issuer else (key, subject)
    signer_key = x509.SubjectKeyIdentifier.from_public_key(signer.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer_key), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
    return key, builder.sign(signer, hashes.SHA256())


class TlsFront:
    """Takes the TLS off and passes the bytes to the scripted origin. Keeps the names that it was asked for."""

    def __init__(self, origin, folder, authority, name):
        key, certificate = issue(name, issuer=authority, names=[name])
        pem = folder / "server.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        self.names = []
        self.handshakes = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._context.sni_callback = lambda _sock, asked, _context: self.names.append(asked)
        self._origin = origin
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._socks = []
        self._threads = []
        self._run(self._accept)

    def _run(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            self._socks.append(plain)
            self._run(self._serve, plain)

    def _serve(self, plain):
        try:
            secure = self._context.wrap_socket(plain, server_side=True)
        except OSError:
            plain.close()
            return
        self.handshakes += 1
        inner = socket.create_connection(("127.0.0.1", self._origin.port))
        self._socks += [secure, inner]
        self._run(self._pass, inner, secure)
        self._pass(secure, inner)

    def _pass(self, source, sink):
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65536):
                sink.sendall(data)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
        for sock in self._socks:
            sock.close()


@pytest.fixture(scope="module")
def authority():
    return issue("an authority of the test")


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    file = tmp_path / "authority.pem"
    file.write_bytes(authority[1].public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


@pytest.fixture
def front(origin, authority, tmp_path):
    fronts = []

    def make(name="localhost"):
        fronts.append(TlsFront(origin, tmp_path, authority, name))
        return fronts[-1]

    yield make
    for each in fronts:
        each.close()


@pytest.mark.usefixtures("trusted")
def test_an_origin_with_a_good_certificate_is_asked_by_its_name(origin, start, front):
    secure = front()
    proxy = start(origin=f"https://localhost:{secure.port}", public_url="https://shop.example")
    origin.plays[b"/"] = ok(PAGE)
    origin.plays[b"/chunks"] = chunked([PAGE[:9], PAGE[9:]])
    origin.plays[b"/big"] = ok(b"x" * 3_000_000, b"application/zip")
    with proxy.visitor() as visitor:
        assert visitor.get(b"/").body == TAGGED
        assert visitor.get(b"/chunks").body == TAGGED
        assert visitor.get(b"/upload", method=b"POST", body=b"y" * 1_000_000).status == 200
        assert len(visitor.get(b"/big").body) == 3_000_000
    assert origin.received[2].body == b"y" * 1_000_000
    assert set(secure.names) == {"localhost"}
    assert origin.received[0].values(b"host") == [b"shop.example"]
    assert origin.received[0].values(b"x-forwarded-proto") == [b"https"]
    if proxy.adaptor == "edge":
        assert secure.handshakes == 1


def test_an_origin_whose_authority_is_not_trusted_is_a_502(origin, start, front):
    secure = front()
    proxy = start(origin=f"https://localhost:{secure.port}")
    answer = proxy.get(b"/")
    assert answer.status == 502
    assert answer.value(b"cache-control") == b"no-store"
    assert proxy.count("proxy_failures", kind="connect") == 1
    assert origin.received == []


@pytest.mark.usefixtures("trusted")
def test_an_origin_with_a_certificate_for_another_name_is_a_502(origin, start, front):
    secure = front("other.example")
    proxy = start(origin=f"https://localhost:{secure.port}")
    assert proxy.get(b"/").status == 502
    assert origin.received == []


@pytest.mark.usefixtures("trusted")
def test_an_origin_that_speaks_no_tls_is_a_502(origin, start):
    proxy = start(origin=f"https://localhost:{origin.port}")
    origin.plays[b"*"] = lambda wire, request: None
    threading.Timer(0.3, origin.close).start()
    assert proxy.get(b"/").status == 502


@pytest.mark.usefixtures("trusted")
def test_a_page_cut_behind_tls_is_cut_for_the_visitor(origin, start, front):
    secure = front()
    proxy = start(origin=f"https://localhost:{secure.port}")
    origin.plays[b"/cut"] = lambda wire, request: wire.send(ok(PAGE)[:-10])
    assert not proxy.get(b"/cut").complete
