"""`bridge smtp`: listens for the shop's mails, plain with STARTTLS and with TLS from the first byte.

A shop that is set to STARTTLS but sent to the other port would wait for a greeting that never comes, five minutes, in
the middle of a shopper's order: there a client that does not begin a TLS handshake is dropped within two seconds.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
from collections import Counter
from typing import TYPE_CHECKING, Final

import structlog
import uvloop

from bridge.errors import Misconfigured
from bridge.mail.smtp_auth import Senders, own_form
from bridge.mail.smtp_desk import Desk
from bridge.mail.smtp_dialogue import HANDSHAKE_SECONDS, Dialogue
from bridge.mail.smtp_lines import TLS_HANDSHAKE
from bridge.mail.smtp_tls import TlsFiles

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from bridge.config import Config
    from bridge.mail.spool import MailSpool

CONNECTIONS_MOST: Final = 2000
FROM_ONE_MOST: Final = 1500
"""A shop's cron leaves connections open until it ends, some dozens at once; one shop must not take every place."""
STRANGER_MOST: Final = 100
STRANGERS_MOST: Final = 500
"""The same for addresses that are in no allowed network, which may be anybody."""
HELLO_SECONDS: Final = 1.5
CLOSING_SECONDS: Final = 3.0
BACKLOG: Final = 1024
FILES: Final = 4096

log = structlog.get_logger()


class Relay:
    """The listeners of one relay; ``addresses`` tells where they are (``plain``, ``tls``) once started."""

    def __init__(self, config: Config, spool: MailSpool, wake: Callable[[], object]) -> None:
        """Bind the addresses and read the certificate; raises :class:`Misconfigured` when one of them cannot be."""
        certificate = config.smtp_tls_cert
        self._tls = TlsFiles(certificate, config.smtp_tls_key) if certificate else None
        self._spool = spool
        self._wake = wake
        self._config = config
        self._peers: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets = {"plain": _bound(config.smtp_listen, "BRIDGE_SMTP_LISTEN")}
        if config.smtp_tls_listen:
            self._sockets["tls"] = _bound(config.smtp_tls_listen, "BRIDGE_SMTP_TLS_LISTEN")
        self.addresses = {name: bound.getsockname()[:2] for name, bound in self._sockets.items()}

    async def serve(self, stopped: Callable[[], object]) -> None:
        """Take mails until ``stopped()``, a call that blocks, returns; then end within some seconds."""
        config = self._config
        self._spool.tidy()
        senders = Senders(config.smtp_allow, config.smtp_users)
        self._desk = Desk(config.smtp_name, config.smtp_max_bytes, senders, self._spool, self._wake)
        accepting = [asyncio.create_task(self._accept(name, bound)) for name, bound in self._sockets.items()]
        log.info("mail relay listens", addresses=[f"{host}:{port}" for host, port in self.addresses.values()])
        try:
            await asyncio.to_thread(stopped)
        finally:
            for task in accepting:
                task.cancel()
            for bound in self._sockets.values():
                bound.close()
            await self._end()

    async def _end(self) -> None:
        """Say goodbye to who is idle, wait a little for messages on their way, and close."""
        for dialogue in list(self._desk.open):
            if dialogue.idle:
                dialogue.goodbye("421 4.3.2 The relay is being stopped")
        if ends := [asyncio.create_task(dialogue.ended.wait()) for dialogue in self._desk.open]:
            await asyncio.wait(ends, timeout=CLOSING_SECONDS)
        for dialogue in list(self._desk.open):
            dialogue.goodbye("421 4.3.2 The relay is being stopped")
        await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._desk.close)

    async def _accept(self, name: str, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(bound)
            except OSError as error:
                log.warning("connection not accepted", reason=error.strerror, next="tried again")
                await asyncio.sleep(0.1)
                continue
            task = asyncio.create_task(self._begin(client, own_form(str(address[0])), over_tls=name == "tls"))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _begin(self, client: socket.socket, peer: str, *, over_tls: bool) -> None:
        """Turn an accepted socket into a dialogue, or away."""
        peers = self._peers[self._desk.senders.trusted(peer)]
        peers[peer] += 1
        try:
            if refusal := self._refusal(peer):
                log.info("mail connection refused", peer=peer, reply=refusal)
                if not over_tls:
                    client.send(f"{refusal}\r\n".encode())
                return
            if over_tls and not await _says_hello(client):
                log.warning(
                    "no TLS handshake", peer=peer, next="set the shop to SSL for this port, or send it to the other one"
                )
                return
            await self._talk(client, peer, over_tls=over_tls)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            log.info("mail connection ended early", peer=peer, error=type(error).__name__)
        finally:
            client.close()
            peers[peer] -= 1
            if not peers[peer]:
                del peers[peer]

    async def _talk(self, client: socket.socket, peer: str, *, over_tls: bool) -> None:
        context = self._tls.context() if self._tls else None
        dialogue = Dialogue(self._desk, peer, context, over_tls=over_tls)
        loop = asyncio.get_running_loop()
        if over_tls:
            await loop.connect_accepted_socket(
                lambda: dialogue, client, ssl=context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        else:
            await loop.connect_accepted_socket(lambda: dialogue, client)
        await dialogue.ended.wait()

    def _refusal(self, peer: str) -> str:
        """Return the reply for a client that is turned away at the door, or an empty text."""
        senders = self._desk.senders
        trusted = senders.trusted(peer)
        if not trusted and not senders.users_wanted:
            return "554 5.7.1 This address may not send here: see BRIDGE_SMTP_ALLOW"
        most_each, most = (FROM_ONE_MOST, CONNECTIONS_MOST) if trusted else (STRANGER_MOST, STRANGERS_MOST)
        if self._peers[trusted][peer] > most_each or self._peers[trusted].total() > most:
            return "421 4.7.0 Too many connections"
        return ""


def run_relay(config: Config, spool: MailSpool, wake: Callable[[], object], stopped: threading.Event) -> None:
    """Take mails until ``stopped`` is set. Raises :class:`Misconfigured` when an address or certificate is wrong."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    # The library's lines tell every connection, and at their finest level what clients said.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    run(Relay(config, spool, wake), stopped)


def run(relay: Relay, stopped: threading.Event) -> None:
    """Serve on the fast loop until ``stopped`` is set."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(relay.serve(stopped.wait))


async def _says_hello(client: socket.socket) -> bool:
    """Return whether the client begins a TLS handshake soon; nothing is taken from the socket."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    client.setblocking(False)  # noqa: FBT003 the socket's own verb
    loop.add_reader(client, readable.set)
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            await readable.wait()
        return client.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(client)


def _bound(address: str, variable: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        both = host == "::" and socket.has_dualstack_ipv6()
        bound = socket.create_server((host, int(port)), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        raise Misconfigured(
            f"{address} cannot be listened on ({error.strerror}): stop what runs there or set {variable}."
        ) from None
    bound.setblocking(False)  # noqa: FBT003 the socket's own verb
    return bound
