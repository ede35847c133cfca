"""One SMTP dialogue with a shop: aiosmtpd's connection, sign-in and STARTTLS; lines and data read strictly.

What a running shop showed decides the replies: it sends within the shopper's order, loses the mail at any 4xx or 5xx,
and drops the whole message when one recipient is refused. So whoever may send gets 250 for every recipient, and 250
for the message as soon as the spool has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

import structlog
from aiosmtpd.smtp import SMTP, AuthResult, TLSSetupException

from bridge.mail.envelope import Envelope
from bridge.mail.smtp_lines import TLS_HANDSHAKE, BadLine, DataReader, command, path

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from bridge.config import SmtpUser
    from bridge.mail.smtp_desk import Desk

FAULTS_MOST: Final = 10
SIGN_INS_MOST: Final = 3
RECIPIENTS_MOST: Final = 10_000
IDLE_SECONDS: Final = 300.0
STRANGER_SECONDS: Final = 60.0
DATA_SECONDS: Final = 1200.0
HANDSHAKE_SECONDS: Final = 10.0
WRONG_PASSWORD_SECONDS: Final = 1.0
PIECE: Final = 65_536

log = structlog.get_logger()


class Dialogue(SMTP):
    """One connection. ``over_tls`` says that it was TLS from its first byte, ``peer`` is the client's address."""

    line_length_limit = PIECE
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, desk: Desk, peer: str, tls: ssl.SSLContext | None, *, over_tls: bool) -> None:
        trusted = desk.senders.trusted(peer)
        super().__init__(
            None,
            data_size_limit=desk.most,
            enable_SMTPUTF8=True,
            hostname=desk.name,
            tls_context=None if over_tls else tls,
            timeout=IDLE_SECONDS if trusted else STRANGER_SECONDS,
            auth_require_tls=False,
            authenticator=self._sign_in,
            loop=asyncio.get_running_loop(),
        )
        self._desk = desk
        self._peer = peer
        self._trusted = trusted
        self._over_tls = over_tls
        self._user: SmtpUser | None = None
        self._signed_in = self._begun = self._closing = self._quitting = False
        self._faults = self._sign_ins = 0
        self.ended = asyncio.Event()
        self.idle = True
        self._verbs: dict[str, Callable[[str], Awaitable[None]]] = {
            verb: getattr(self, f"smtp_{verb}")
            for verb in ("HELO", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "QUIT")
        }

    def __dir__(self) -> list[str]:
        # aiosmtpd looks for these among all names of each new connection, which took a third of a mail's time.
        return ["auth_LOGIN", "auth_PLAIN"]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or begin again inside TLS: what was said before the handshake is forgotten (RFC 3207)."""
        self._desk.open.add(self)
        self._user, self._signed_in, self._greeting = None, False, ""
        self._forget()
        super().connection_made(transport)

    def _forget(self) -> None:
        """Forget the message that was begun."""
        self._sender: str | None = None
        self._recipients: list[str] = []

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self._desk.open.discard(self)
        self.ended.set()
        super().connection_lost(error)

    def goodbye(self, reply: str) -> None:
        """End the connection from our side."""
        if self.transport is not None and not self._closing:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._writer.write(f"{reply}\r\n".encode())
            self._close()

    def _close(self) -> None:
        """Close once: a TLS transport that is closed twice takes nothing any more, not even questions."""
        if self.transport is not None and not self._closing:
            self._closing = True
            self.transport.close()

    def _timeout_cb(self) -> None:
        self.goodbye("421 4.4.2 Nothing was said for too long")

    async def _handle_client(self) -> None:
        try:
            await self.push(f"220 {self.hostname} ESMTP")
            while self.transport is not None and not self._closing and await self._exchange():
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._close()

    async def _exchange(self) -> bool:
        """Answer one command; return whether the dialogue goes on."""
        try:
            if not self._begun:
                await self._expect_words()
            verb, argument = command(await self._reader.readuntil(b"\n"))
            if verb not in self._verbs:
                raise BadLine("500 5.5.1 Command not known")  # noqa: TRY301 one place answers
            self._reset_timeout()
            await self._verbs[verb](argument)
        except BadLine as bad:
            return await self._refuse(bad)
        except asyncio.LimitOverrunError:
            return await self._refuse(BadLine("500 5.5.2 Line too long", final=True))
        except (ConnectionError, asyncio.IncompleteReadError):
            raise
        except Exception as error:  # noqa: BLE001 a fault of ours must not look like a lost connection
            log.error("mail dialogue failed", error=type(error).__name__, next="the shop is told to try later")  # noqa: TRY400 no text
            await self.push("451 4.3.0 A fault of the relay")
        return not self._quitting

    async def _expect_words(self) -> None:
        """Refuse a TLS handshake where words are due by its first byte: it need not hold a line end to wait for."""
        first = await self._reader.readexactly(1)
        if first == TLS_HANDSHAKE:
            raise BadLine("421 4.7.0 TLS must be asked for with STARTTLS here", final=True)
        self._buffered[:0] = first
        self._begun = True

    async def _refuse(self, bad: BadLine) -> bool:
        self._faults += 1
        log.info("mail command refused", reply=bad.reply, peer=self._peer)
        await self.push(bad.reply)
        if not bad.final and self._faults >= FAULTS_MOST:
            await self.push("421 4.7.0 Too many errors")
            return False
        return not bad.final

    async def smtp_HELO(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Answer the old greeting."""
        self._greet(argument)
        await self.push(f"250 {self.hostname}")

    async def smtp_EHLO(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Answer the greeting with what is offered."""
        self._greet(argument)
        offers = ["PIPELINING", f"SIZE {self._desk.most}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.tls_context and not self._encrypted:
            offers.append("STARTTLS")
        if self._desk.senders.users_wanted and (self._trusted or self._encrypted):
            offers.append("AUTH PLAIN LOGIN")
        lines = [self.hostname, *offers]
        await self.push("".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}")

    def _greet(self, argument: str) -> None:
        if not argument:
            raise BadLine("501 5.5.4 Say your name")
        self._forget()
        self._greeting = argument

    @property
    def _buffered(self) -> bytearray:
        """What came and was not yet read; aiosmtpd itself reaches for it where TLS begins."""
        waiting: bytearray = self._reader._buffer  # type: ignore[attr-defined] # noqa: SLF001
        return waiting

    @property
    def _encrypted(self) -> bool:
        return self._over_tls or self._tls_protocol is not None

    async def smtp_STARTTLS(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Begin TLS. What was sent along with the command in the clear would be taken as said inside: refused."""
        if argument or self._encrypted:
            raise BadLine("503 5.5.1 STARTTLS stands alone, once")
        if self.tls_context is None:
            raise BadLine("454 4.7.0 No certificate is set up here")
        if self._buffered:
            raise BadLine("503 5.5.1 Nothing may follow STARTTLS", final=True)
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await super().smtp_STARTTLS(None)
        except (TLSSetupException, TimeoutError) as error:
            log.info("TLS handshake failed", peer=self._peer, next="see docs/mail.md: the shop verifies certificates")
            if isinstance(self._original_transport, asyncio.WriteTransport):
                self._original_transport.abort()
            self.connection_lost(error)

    async def smtp_AUTH(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Sign in with PLAIN or LOGIN. A shop may do so whether or not it was offered."""
        mechanism, *more = argument.split() or [""]
        method = {"PLAIN": self.auth_PLAIN, "LOGIN": self.auth_LOGIN}.get(mechanism.upper())
        if not self._greeting or self._signed_in:
            raise BadLine("503 5.5.1 AUTH comes once, after the greeting")
        if method is None or len(more) > 1:
            raise BadLine("504 5.5.4 PLAIN and LOGIN are known here")
        if not (self._trusted or self._encrypted):
            raise BadLine("538 5.7.11 Encryption is required before a password")
        result = await method(None, [mechanism, *more])
        if result.success:
            self._signed_in = True
            self._timeout_duration = IDLE_SECONDS
            await self.push("235 2.7.0 Welcome")
        elif not result.handled:
            await self._wrong_password()

    async def _wrong_password(self) -> None:
        self._sign_ins += 1
        log.warning("mail sign-in refused", peer=self._peer, next="compare the shop's user with BRIDGE_SMTP_USERS")
        await asyncio.sleep(WRONG_PASSWORD_SECONDS)
        raise BadLine("535 5.7.8 Not a user with this password", final=self._sign_ins >= SIGN_INS_MOST)

    def _sign_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        senders = self._desk.senders
        self._user = senders.find(data.login, data.password)
        # Without users credentials are neither right nor wrong; the network alone decides, and the shop sends them
        # when its settings hold some.
        success = self._user is not None or (self._trusted and not senders.users_wanted)
        return AuthResult(success=success, handled=False)

    async def smtp_MAIL(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Take the sender; the null sender of bounces is one."""
        if not self._greeting:
            raise BadLine("503 5.5.1 Greet first")
        if not (self._trusted or self._user):
            raise BadLine("530 5.7.0 Sign in first")
        if self._sender is not None:
            raise BadLine("503 5.5.1 A message is begun already")
        found = path(argument, "FROM")
        self._judge_parameters(dict(found.parameters))
        self._sender = found.address
        await self.push("250 2.1.0 Go on")

    def _judge_parameters(self, given: dict[str, str]) -> None:
        size = given.pop("SIZE", "0")
        if not (size.isascii() and size.isdigit()):
            raise BadLine("501 5.5.4 SIZE takes a number")
        if int(size[:20]) > self._desk.most:
            raise BadLine("552 5.3.4 The message is larger than is taken")
        if given.pop("BODY", "7BIT").upper() not in {"7BIT", "8BITMIME"}:
            raise BadLine("501 5.5.4 BODY is 7BIT or 8BITMIME here")
        given.pop("SMTPUTF8", None)
        given.pop("AUTH", None)
        if given:
            raise BadLine("555 5.5.4 A parameter that was not offered")

    async def smtp_RCPT(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Take a recipient, whoever it is."""
        if self._sender is None:
            raise BadLine("503 5.5.1 MAIL comes first")
        found = path(argument, "TO")
        if found.parameters:
            raise BadLine("555 5.5.4 A parameter that was not offered")
        if len(self._recipients) >= RECIPIENTS_MOST:
            # Not a fault of the dialogue: a client may send what it has and go on with a second message.
            await self.push("452 4.5.3 Too many recipients for one message")
            return
        self._recipients.append(found.address)
        await self.push("250 2.1.5 Go on")

    async def smtp_DATA(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Take the message and answer 250 when the spool has it."""
        if argument:
            raise BadLine("501 5.5.4 DATA stands alone")
        if self._sender is None or not self._recipients:
            raise BadLine("503 5.5.1 MAIL and RCPT come first")
        await self.push("354 Ends with <CR><LF>.<CR><LF>")
        sender, recipients = self._sender, tuple(self._recipients)
        self._forget()
        reader = DataReader(self._desk.most)
        self.idle = False
        try:
            await self._read(reader)
            began = time.monotonic()
            envelope = self._envelope(sender, recipients)
            name = await self._desk.keep(envelope, reader)
        finally:
            self._desk.held -= reader.drop()
            self.idle = True
        await self.push(f"250 2.0.0 Kept as {name}")
        self._desk.taken(envelope, name, reader.size, time.monotonic() - began)

    def _envelope(self, sender: str, recipients: tuple[str, ...]) -> Envelope:
        user, store = (self._user.name, self._user.store) if self._user else ("", "")
        return Envelope(sender, recipients, user, store, self._peer, time.time())

    async def _read(self, reader: DataReader) -> None:
        crowded = False
        try:
            async with asyncio.timeout(DATA_SECONDS):
                while not reader.done:
                    piece = await self._reader.read(PIECE)
                    if not piece:
                        self._lost()
                    self._reset_timeout()
                    self._desk.held += reader.feed(piece)
                    crowded = crowded or self._desk.crowded
                    if crowded:
                        self._desk.held -= reader.shed()
                    if reader.size > 4 * self._desk.most:
                        raise BadLine("552 5.3.4 The message is larger than is taken", final=True)
        except TimeoutError:
            raise BadLine("421 4.4.2 The message took too long", final=True) from None
        self._buffered[:0] = reader.rest
        if crowded and not reader.too_much:
            raise BadLine("452 4.3.1 Too much mail at once")

    @staticmethod
    def _lost() -> NoReturn:
        raise ConnectionResetError

    async def smtp_QUIT(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Say goodbye."""
        if argument:
            raise BadLine("501 5.5.4 QUIT stands alone")
        self._quitting = True
        await self.push("221 2.0.0 Bye")

    async def smtp_NOOP(self, _argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Do nothing."""
        await self.push("250 2.0.0 Here")

    async def smtp_RSET(self, argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Forget the message that was begun."""
        if argument:
            raise BadLine("501 5.5.4 RSET stands alone")
        self._forget()
        await self.push("250 2.0.0 Forgotten")

    async def smtp_VRFY(self, _argument: str) -> None:  # noqa: N802 - aiosmtpd's
        """Tell nobody which mailboxes exist."""
        await self.push("252 2.5.2 Send it and see")
