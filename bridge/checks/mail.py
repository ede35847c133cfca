"""Mail: the relay, its certificate as a shop would judge it, where mails wait, the server they go on to, and when.

Facts about the shop: it verifies chain and name and cannot be told not to; in its default mode it sends within the
shopper's order and loses what it cannot hand over.
"""

from __future__ import annotations

import datetime as dt
import shutil
import smtplib
import socket
import ssl
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from bridge.checks.finding import Finding, fail, good, warn
from bridge.db import db
from bridge.errors import BridgeError, Misconfigured
from bridge.mail.upstream import Upstream, fault, read_hop
from bridge.models_mail import MailDelivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bridge.config import Config
    from bridge.store import Store

SECONDS: Final = 5.0
SOON: Final = dt.timedelta(days=14)
ROOM: Final = 200_000_000
AT_ONCE_SECONDS: Final = 5.0
"""An order mail that comes so soon after its order was sent within it: cron, once a minute, seldom is so quick."""
ORDERS_LEAST, ORDERS_MOST = 3, 10
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

RELAY, CERTIFICATE, SPOOL, SERVER, TIMING = "mail relay", "mail certificate", "mail spool", "mail server", "order mails"


def look_at_mail(config: Config, store: Store, *, wanted: bool) -> Iterator[Finding]:
    """Ask relay and mail server; ``wanted`` says that a mail mode is set. Needs an application context."""
    if config.smtp_upstream is None:
        sentence = "BRIDGE_SMTP_UPSTREAM names no mail server, so the relay is left out and mails go as before."
        yield (fail if wanted else good)(RELAY, sentence if not wanted else f"{sentence} Set it, or mail.mode to off.")
        return
    yield look_at_server(config.smtp_upstream, config.smtp_name)
    yield look_at_spool(config.smtp_spool)
    answers = _answers(config.smtp_listen)
    if not answers:
        yield fail(
            RELAY, f"Nothing answers at {config.smtp_listen}: start `bridge smtp`, or correct BRIDGE_SMTP_LISTEN."
        )
        return
    yield good(RELAY, f"The relay answers at {config.smtp_listen}.")
    yield from look_at_certificate(config)
    yield look_at_timing(_delays(store))


def look_at_server(url: str, name: str) -> Finding:
    """Say whether the server for untouched mail lets us in, and whether a password goes to it unprotected."""
    try:
        hop = read_hop(url)
        with Upstream(url, name) as upstream:
            upstream.greet()
    except Misconfigured as error:
        return fail(SERVER, error.what)
    except smtplib.SMTPResponseException as error:
        return fail(
            SERVER,
            f"The mail server refuses bridge ({error.smtp_code}): correct user and password in BRIDGE_SMTP_UPSTREAM.",
        )
    except (OSError, smtplib.SMTPException) as error:
        return fail(SERVER, f"Mail cannot go on, {fault(error)}: correct BRIDGE_SMTP_UPSTREAM, or look at that server.")
    if hop.tls == "none" and hop.user and hop.host not in LOOPBACK:
        return warn(SERVER, "Its password is sent unprotected: use ?tls=starttls or smtps:// in BRIDGE_SMTP_UPSTREAM.")
    return good(SERVER, f"{hop.host} takes mail from bridge.")


def look_at_spool(places: Sequence[Path]) -> Finding:
    """Say whether mails have room to wait, and a second place on another disk."""
    disks = []
    for place in places:
        standing = next(folder for folder in (place, *place.parents) if folder.exists())
        disks.append(standing.stat().st_dev)
        if shutil.disk_usage(standing).free < ROOM:
            return fail(SPOOL, f"{place} has hardly any room left: a shop's mails would be refused, and so lost.")
    if len(set(disks)) < 2:
        return warn(
            SPOOL,
            "All places for waiting mails are on one disk; when it is full, mails are lost. Name a second folder on "
            "another disk in BRIDGE_SMTP_SPOOL, after the first and a comma.",
        )
    return good(SPOOL, "Mails can wait on two disks.")


def look_at_certificate(config: Config) -> Iterator[Finding]:
    """Judge the relay's certificate as a shop with this machine's trust store would, on each address it listens at."""
    if config.smtp_tls_cert is None:
        host = config.smtp_listen.rpartition(":")[0]
        if host.strip("[]") in LOOPBACK:
            yield good(CERTIFICATE, "None, and none is needed: the relay takes mail from this machine alone.")
        else:
            yield warn(CERTIFICATE, "None is set up: let the shop send without TLS, and only over a private network.")
        return
    name = config.smtp_name
    addresses = [("STARTTLS", config.smtp_listen), ("SSL", config.smtp_tls_listen)]
    for way, address in addresses:
        if address:
            yield _judged(name, way, address)
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        yield warn(
            CERTIFICATE, f"{name} is not a known host name here: set BRIDGE_SMTP_NAME to the name the shop is given."
        )


def _judged(name: str, way: str, address: str) -> Finding:
    port = address.rpartition(":")[2]
    try:
        ends = _handshake(name, way, address)
    except ssl.SSLCertVerificationError as error:
        return fail(
            CERTIFICATE,
            f"Port {port} ({way}): a shop would not trust it as {name} ({error.verify_message}), and its mail would be "
            "lost. Use a certificate for that name from a public authority, or make the shop's server trust yours.",
        )
    except (OSError, smtplib.SMTPException) as error:
        return fail(CERTIFICATE, f"Port {port} ({way}): no handshake, {fault(error)}.")
    if ends - dt.datetime.now(dt.UTC) < SOON:
        return warn(CERTIFICATE, f"Port {port} ({way}): it ends on {ends:%d %B %Y}; renew it before.")
    return good(CERTIFICATE, f"Port {port} ({way}): trusted as {name}. Give the shop this very name as its mail host.")


def _handshake(name: str, way: str, address: str) -> dt.datetime:
    """Shake hands as a shop does and return when the certificate ends."""
    context = ssl.create_default_context()
    with _connected(address) as plain:
        if way == "STARTTLS":
            _ask_for_tls(plain)
        with context.wrap_socket(plain, server_hostname=name) as protected:
            told = protected.getpeercert() or {}
    return dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), dt.UTC)


def _connected(address: str) -> socket.socket:
    """Connect to an address that a process of this machine listens at."""
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def _ask_for_tls(plain: socket.socket) -> None:
    with plain.makefile("rb") as replies:
        for line in (b"", b"EHLO localhost\r\n", b"STARTTLS\r\n"):
            plain.sendall(line)
            reply = replies.readline()
            while reply[3:4] == b"-":
                reply = replies.readline()
            if reply[:1] != b"2":
                raise smtplib.SMTPNotSupportedError


def look_at_timing(delays: Sequence[float]) -> Finding:
    """Say whether the shop sends within the order; ``delays`` are seconds from orders to their mails, newest first."""
    if len(delays) < ORDERS_LEAST:
        return good(TIMING, "Too few order confirmations came yet to tell whether the shop sends them by cron.")
    at_once = sum(delay <= AT_ONCE_SECONDS for delay in delays)
    if 2 * at_once < len(delays):
        return good(TIMING, "The shop sends them by cron, and again when a mail could not be handed over.")
    return warn(
        TIMING,
        "The shop sends them within the shopper's order: the shopper waits for the mail, and one that cannot be handed "
        "over is lost. Switch on Stores > Configuration > Sales > Sales Emails > General Settings > Asynchronous "
        "sending; its first run also sends every older order mail that had failed.",
    )


def _delays(store: Store) -> list[float]:
    """Return how many seconds after its order each of the last order confirmations came."""
    rows = db.session.execute(
        select(MailDelivery.order, MailDelivery.at)
        .where(MailDelivery.kind == "order_confirmation", MailDelivery.order != "", MailDelivery.letter.is_not(None))
        .order_by(MailDelivery.at.desc())
        .limit(ORDERS_MOST)
    ).all()
    delays = []
    for number, at in rows:
        try:
            order = store.order_by_number(number)
        except BridgeError:
            return []
        if order is not None and order.created_at is not None:
            delays.append(at - order.created_at.timestamp())
    return delays


def _answers(address: str) -> bool:
    try:
        with _connected(address) as plain, plain.makefile("rb") as replies:
            return replies.readline().startswith(b"220")
    except OSError:
        return False


__all__ = ["look_at_certificate", "look_at_mail", "look_at_server", "look_at_spool", "look_at_timing"]
