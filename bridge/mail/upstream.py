"""The hop to the shop's own mail server: what is not sent through Ometria goes there as it came.

One line is added, ``Received:``; all else leaves byte for byte. Each recipient gets an outcome of its own. A lost
connection after the last dot is the one case in which nobody knows: such a message is not sent again by itself. No
delivery notice is ever made up here; what the server refuses is reported and stands in the mail log.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

import idna

from bridge.errors import Misconfigured
from bridge.mail.smtp_lines import stuffed, unfit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.mail.envelope import Envelope

State = Literal["accepted", "refused", "later", "uncertain"]

RECIPIENTS_AT_ONCE: Final = 100
"""Every server must take so many in one message (RFC 5321); more go in several."""
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 60.0
LAST_ANSWER_SECONDS: Final = 300.0
SLOWEST: Final = 50_000
"""Bytes a second that a line to the server carries at least."""
KEPT_SECONDS: Final = 30.0
GONE_SECONDS: Final = 15.0
"""How long a server that could not be reached is not tried again: each try may take all its time, and others wait."""
TEXT_MOST: Final = 300
PAUSES: Final = (30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
GIVE_UP_SECONDS: Final = 5 * 86_400.0
"""How long a server that says "later" is believed (RFC 5321: four to five days)."""

ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+|\"[^\"]*\"@[^\s<>]+")
LINK = re.compile(r"(?i)\b\w+://\S+")
SECRET = re.compile(r"(?i)\S*(?:createpassword|token)[=/?]\S*|\b[0-9a-z]{32,}\b")
"""A link that was named without its scheme, and anything that may be a token: filters name what they dislike."""
BREAKS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message for one recipient.

    ``accepted``: the server has taken it over. ``refused``: it never will. ``later``: it may be tried again.
    ``uncertain``: it may or may not have been taken. ``code`` is the reply's, 0 when there was none; ``text`` is a
    sentence without addresses and links.
    """

    state: State
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Hop:
    """An upstream server as ``BRIDGE_SMTP_UPSTREAM`` names it."""

    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"]
    user: str = ""
    password: str = ""
    ca: str | None = None


def read_hop(url: str) -> Hop:
    """Read ``smtp://user:password@host:port?tls=starttls|none&ca=FILE`` or ``smtps://…``.

    STARTTLS is required when a user is named, unless ``tls=none`` says otherwise. Raises :class:`Misconfigured`.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = "implicit" if parts.scheme == "smtps" else options.get("tls", "starttls" if parts.username else "none")
    wrong = set(options) - {"tls", "ca"}
    if not parts.hostname or tls not in {"none", "starttls", "implicit"} or wrong:
        raise Misconfigured(
            "BRIDGE_SMTP_UPSTREAM is not usable: it takes smtp://user:password@host:587?tls=starttls, tls=none, or "
            "smtps://user:password@host:465; ca=FILE names the certificates to trust instead of the system's."
        )
    port = parts.port or {"none": 25, "starttls": 587, "implicit": 465}[tls]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Hop(parts.hostname, port, tls, user, password, options.get("ca"))  # type: ignore[arg-type] # one of the three


def pause_before(attempt: int, waited: float) -> float | None:
    """Return the seconds to wait before attempt ``attempt`` (2, 3, …); None when ``waited`` seconds are enough."""
    if waited >= GIVE_UP_SECONDS:
        return None
    return PAUSES[min(max(attempt - 2, 0), len(PAUSES) - 1)]


def received_line(envelope: Envelope, host: str, name: str) -> bytes:
    """Return the trace line (RFC 5321, 4.4) for a message that was taken from a shop and goes on now."""
    client = f"[IPv6:{envelope.peer}]" if ":" in envelope.peer else f"[{envelope.peer or '127.0.0.1'}]"
    line = f"Received: from {client} by {host} with ESMTP\r\n id {name}; {formatdate(envelope.received_at)}\r\n"
    return line.encode("ascii", "replace")


class Upstream:
    """A client of one server; it may be used again and again, by one thread, and is closed by ``close``."""

    def __init__(self, url: str, name: str = "localhost") -> None:
        """Take the server's URL (see :func:`read_hop`) and the name to greet with."""
        self._hop = read_hop(url)
        self._name = name
        self._link: smtplib.SMTP | None = None
        self._used = 0.0
        self._gone: tuple[float, Outcome] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye, when connected."""
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                link.quit()
            link.close()

    def greet(self) -> None:
        """Connect and sign in; raises OSError or ``smtplib.SMTPException``. What `bridge check` asks."""
        self._connected()

    def send(self, sender: str, recipients: Sequence[str], raw: bytes, *, received: bytes = b"") -> dict[str, Outcome]:
        """Give a message to the server, with ``received`` before it; return an outcome for each recipient.

        Never raises for what the server or the network does.
        """
        if unfitness := unfit(raw):
            return dict.fromkeys(recipients, Outcome("refused", int(unfitness[:3]), unfitness[4:]))
        body = (received or _own_trace(self._name)) + raw
        outcomes: dict[str, Outcome] = {}
        waiting = list(dict.fromkeys(recipients))
        while waiting:
            batch, rest = waiting[:RECIPIENTS_AT_ONCE], waiting[RECIPIENTS_AT_ONCE:]
            told, crowded = self._send_batch(sender, batch, body)
            outcomes.update(told)
            waiting = crowded + rest
            if told and not crowded and all(outcome.code == 0 for outcome in told.values()):
                # The server is gone: asking again for each hundred would only take long.
                outcomes.update(dict.fromkeys(waiting, Outcome("later", 0, "the mail server does not answer")))
                break
        return outcomes

    def _send_batch(self, sender: str, recipients: Sequence[str], body: bytes) -> tuple[dict[str, Outcome], list[str]]:
        """Send one message; return outcomes, and the recipients for which the server wants another message."""
        if self._gone is not None and time.monotonic() < self._gone[0]:
            return dict.fromkeys(recipients, self._gone[1]), []
        try:
            link = self._connected()
        except smtplib.SMTPResponseException as error:
            # Whatever its code: a server that wants another password, or none of us, refuses the relay, not the mail.
            return self._away(recipients, Outcome("later", error.smtp_code, _text(error.smtp_error)))
        except (OSError, smtplib.SMTPException) as error:
            return self._away(recipients, Outcome("later", 0, fault(error)))
        try:
            return Transaction(link, sender, recipients, body).run()
        finally:
            self._used = time.monotonic()
            if getattr(link, "sock", None) is None:
                self._link = None

    def _away(self, recipients: Sequence[str], outcome: Outcome) -> tuple[dict[str, Outcome], list[str]]:
        """Remember for a while that the server cannot be talked to."""
        self._gone = (time.monotonic() + GONE_SECONDS, outcome)
        return dict.fromkeys(recipients, outcome), []

    def _connected(self) -> smtplib.SMTP:
        link, self._link = self._link, None
        if link is not None:
            fresh = time.monotonic() - self._used < KEPT_SECONDS
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if fresh and link.rset()[0] == 250:
                    self._link = link
                    return link
            link.close()
        self._link = self._connect()
        return self._link

    def _connect(self) -> smtplib.SMTP:
        hop = self._hop
        context = ssl.create_default_context(cafile=hop.ca) if hop.tls != "none" else None
        link: smtplib.SMTP
        if hop.tls == "implicit":
            link = smtplib.SMTP_SSL(
                hop.host, hop.port, local_hostname=self._name, timeout=CONNECT_SECONDS, context=context
            )
        else:
            link = smtplib.SMTP(hop.host, hop.port, local_hostname=self._name, timeout=CONNECT_SECONDS)
        try:
            if link.sock is not None:
                link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                link.sock.settimeout(ANSWER_SECONDS)
            if hop.tls == "starttls":
                link.starttls(context=context)
            link.ehlo_or_helo_if_needed()
            if hop.user:
                link.login(hop.user, hop.password)
        except BaseException:
            link.close()
            raise
        return link


class Transaction:
    """One message in a dialogue, command by command, so that each failure is told apart by where it happened."""

    def __init__(self, link: smtplib.SMTP, sender: str, recipients: Sequence[str], body: bytes) -> None:
        self._link = link
        self._sender = sender
        self._recipients = recipients
        self._body = body
        self._outcomes: dict[str, Outcome] = {}
        self._crowded: list[str] = []
        self._taken: list[str] = []

    def run(self) -> tuple[dict[str, Outcome], list[str]]:
        """Return outcomes, and the recipients for which the server wants another message."""
        try:
            self._say_sender()
        except (OSError, smtplib.SMTPException) as error:
            self._end_all("later", 0, fault(error))
            self._link.close()
        return self._outcomes, self._crowded

    def _say_sender(self) -> None:
        utf8 = self._needs_utf8()
        options = ""
        if self._link.does_esmtp:
            options += f" SIZE={len(self._body)}" if self._link.has_extn("size") else ""
            options += " BODY=8BITMIME" if not self._body.isascii() and self._link.has_extn("8bitmime") else ""
            options += " SMTPUTF8" if utf8 else ""
        sender = wire_address(self._sender, utf8=utf8)
        code, text = self._say(f"MAIL FROM:<{sender or ''}>{options}") if sender is not None else UNSPEAKABLE
        if code != 250:
            self._end_all(_state(code), code, _text(text))
            return
        for recipient in self._recipients:
            self._say_recipient(recipient, utf8=utf8)
        if self._taken:
            self._say_data()
        else:
            self._say("RSET")

    def _needs_utf8(self) -> bool:
        """Whether SMTPUTF8 must be asked for: a mailbox name holds more than ASCII.

        Asked for without need, servers further on that lack it would send the message back; 8-bit header lines pass
        without it as they always have.
        """
        addresses = (self._sender, *self._recipients)
        needed = not all(address.rpartition("@")[0].isascii() for address in addresses)
        return needed and self._link.has_extn("smtputf8")

    def _say_recipient(self, recipient: str, *, utf8: bool) -> None:
        address = wire_address(recipient, utf8=utf8)
        code, text = self._say(f"RCPT TO:<{address}>") if address else UNSPEAKABLE
        if code in {250, 251, 252}:
            self._taken.append(recipient)
        elif code == 452 and self._taken:
            self._crowded.append(recipient)
        else:
            self._outcomes[recipient] = Outcome(_state(code), code, _text(text))

    def _say_data(self) -> None:
        code, text = self._say("DATA")
        if code != 354:
            self._end_all(_state(code), code, _text(text))
            return
        self._wait_at_most(ANSWER_SECONDS + len(self._body) / SLOWEST)
        self._link.send(stuffed(self._body))
        # From here on the server may have the message although no answer comes.
        try:
            self._wait_at_most(LAST_ANSWER_SECONDS)
            self._link.send(b".\r\n")
            code, text = self._link.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._end_all("uncertain", 0, f"no answer after the whole message was sent ({type(error).__name__})")
            self._link.close()
            return
        self._wait_at_most(ANSWER_SECONDS)
        if code == -1:
            self._end_all("uncertain", 0, "no answer after the whole message was sent")
            self._link.close()
            return
        self._end_all("accepted" if 200 <= code < 300 else _state(code), code, _text(text))

    def _wait_at_most(self, seconds: float) -> None:
        if self._link.sock is not None:
            self._link.sock.settimeout(seconds)

    def _say(self, line: str) -> tuple[int, bytes]:
        """Send a command and return the reply; a closed connection raises."""
        if BREAKS.search(line):
            return UNSPEAKABLE
        self._link.send(line.encode() + b"\r\n")
        code, text = self._link.getreply()
        if code in {-1, 421}:
            self._link.close()
            raise smtplib.SMTPServerDisconnected("closed by the server")
        return code, text

    def _end_all(self, state: State, code: int, text: str) -> None:
        """Give the outcome to every recipient that has none yet and is not left for another message."""
        outcome = Outcome(state, code, text)
        for recipient in self._recipients:
            if recipient not in self._crowded:
                self._outcomes.setdefault(recipient, outcome)


UNSPEAKABLE: Final = (553, b"5.1.3 not an address that this mail server can be told")


def wire_address(address: str, *, utf8: bool) -> str | None:
    """Return the address as the server is told it; None when it cannot be.

    A host name leaves in its ASCII form, which every server takes; a mailbox name has none and needs SMTPUTF8.
    """
    if BREAKS.search(address):
        return None
    if address.isascii():
        return address
    mailbox, at, host = address.rpartition("@")
    if not at or not (utf8 or mailbox.isascii()):
        return None
    try:
        return f"{mailbox}@{host if host.isascii() else idna.encode(host, uts46=True).decode()}"
    except (idna.IDNAError, UnicodeError):
        return None


def _state(code: int) -> State:
    return "refused" if 500 <= code < 600 else "later"


def _text(reply: bytes | str) -> str:
    """Return a reply's text, short, without addresses, links and tokens: it is kept in the mail log."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    text = SECRET.sub("…", LINK.sub("…", ADDRESS.sub("•••@•••", text)))
    return BREAKS.sub(" ", text)[:TEXT_MOST]


def fault(error: BaseException) -> str:
    """Return in words why a server could not be talked to."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the mail server's certificate is not trusted ({error.verify_message})"
    if isinstance(error, socket.gaierror):
        return "the mail server's name is not known"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server offers no STARTTLS or no sign-in that is known here"
    if isinstance(error, TimeoutError):
        return "the mail server does not answer in time"
    return f"the mail server does not answer ({type(error).__name__})"


def _own_trace(host: str) -> bytes:
    return f"Received: by {host} with SMTP; {formatdate()}\r\n".encode("ascii", "replace")
