"""A mailbox that takes every message and delivers none: an SMTP server, a page for people, JSON for tests."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import getaddresses, parseaddr
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.controller import Controller
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, redirect, render_template, request, url_for

from bridge.sandbox.folders import sandbox_folder

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable
    from email.message import EmailMessage

    from aiosmtpd.smtp import SMTP, Envelope, Session
    from werkzeug.wrappers import Response as AnyResponse

MOST_MESSAGES: Final = 500
MOST_MESSAGE_BYTES: Final = 30_000_000

pages = Blueprint("pages", __name__)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One message as it arrived; `sender` and `recipients` are those of the SMTP dialogue."""

    number: int
    time: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The parsed message."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def summary(self) -> dict[str, Any]:
        """Give all but the raw bytes as JSON values; `text` and `html` are None where the message has no such part."""
        message = self.message
        return {
            "n": self.number,
            "time": self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "sender": self.sender,
            "recipients": list(self.recipients),
            "from": str(message.get("From", "")),
            "to": str(message.get("To", "")),
            "subject": str(message.get("Subject", "")),
            "text": _part(message, "plain"),
            "html": _part(message, "html"),
            "headers": [[name, str(value)] for name, value in message.items()],
            "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
        }


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError):
        # A charset that nobody knows: what can be read is better than nothing.
        payload = part.get_payload(decode=True)
        return payload.decode("latin-1") if isinstance(payload, bytes) else str(payload)


class MailStore:
    """The newest messages, in memory; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mails: deque[StoredMail] = deque(maxlen=MOST_MESSAGES)
        self._arrived = 0
        self._version = 0

    @property
    def version(self) -> int:
        """A number that changes with every message and every reset."""
        return self._version

    def add(self, raw: bytes, sender: str, recipients: tuple[str, ...]) -> StoredMail:
        """Keep a message."""
        with self._lock:
            self._arrived += 1
            self._version += 1
            mail = StoredMail(self._arrived, datetime.now(UTC), sender, recipients, raw)
            self._mails.append(mail)
            return mail

    def add_message(self, message: EmailMessage) -> None:
        """Keep a message that was never sent over SMTP."""
        recipients = tuple(address for _, address in getaddresses(message.get_all("To", [])))
        self.add(message.as_bytes(), parseaddr(message.get("From", ""))[1], recipients)

    def mails(self) -> list[StoredMail]:
        """Give all messages, oldest first."""
        with self._lock:
            return list(self._mails)

    def get(self, number: int) -> StoredMail | None:
        """Give one message by its number."""
        return next((mail for mail in self.mails() if mail.number == number), None)

    def reset(self) -> None:
        """Forget all messages."""
        with self._lock:
            self._mails.clear()
            self._version += 1


class _Sink:
    """Takes what aiosmtpd reads."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.original_content or b""
        self._store.add(content, envelope.mail_from or "", tuple(envelope.rcpt_tos))
        return "250 kept"


class SmtpSink(Controller):
    """An SMTP server on `hostname:port` that puts all it gets in the store. Port 0 takes a free one: see `port`.

    The address is bound, and an OSError raised, on construction. `start` begins, `close` ends it.
    """

    def __init__(self, store: MailStore, hostname: str, port: int) -> None:
        self._bound = socket.create_server((hostname, port))
        super().__init__(
            _Sink(store),
            hostname=hostname,
            port=self._bound.getsockname()[1],
            data_size_limit=MOST_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            ident="sandbox",
        )

    def close(self) -> None:
        """Stop, whether or not it was started."""
        self.stop(no_assert=True)
        self.loop.close()
        self._bound.close()

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        loop: asyncio.AbstractEventLoop = self.loop
        return loop.create_server(self._factory_invoker, sock=self._bound, ssl=None)


def create_mailbox(store: MailStore) -> Flask:
    """Make the application that shows a store."""
    app = Flask(
        __name__,
        static_folder=str(sandbox_folder("static")),
        static_url_path="/assets",
        template_folder=str(sandbox_folder("templates")),
    )
    app.extensions["mail_store"] = store
    app.register_blueprint(pages)
    return app


def _store() -> MailStore:
    store: MailStore = current_app.extensions["mail_store"]
    return store


@pages.after_request
def _only_own_assets(answer: AnyResponse) -> AnyResponse:
    # A frame with srcdoc has its page's policy, and mails are styled inline; scripts stay ours alone.
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/")
def index() -> str:
    """List the messages, newest first."""
    mails = [mail.summary() for mail in reversed(_store().mails())]
    return render_template("mailbox/index.html", mails=mails, version=_store().version)


@pages.get("/messages/<int:number>")
def message(number: int) -> str:
    """Show one message as text and, in a frame that may do nothing, as HTML."""
    return render_template("mailbox/message.html", mail=_mail_or_404(number).summary())


@pages.get("/messages/<int:number>/raw")
def raw(number: int) -> Response:
    """Give one message as it arrived, to be saved."""
    disposition = {"Content-Disposition": f'attachment; filename="message-{number}.eml"'}
    return Response(_mail_or_404(number).raw, mimetype="message/rfc822", headers=disposition)


@pages.get("/messages.json")
def messages_json() -> Response:
    """Give all messages, oldest first, each with n, time, from, to, subject, text, html, headers."""
    return jsonify([mail.summary() for mail in _store().mails()])


@pages.get("/version.json")
def version_json() -> Response:
    """Give a number that changes when the list does: what the live page asks for."""
    return jsonify({"version": _store().version})


@pages.post("/reset")
def reset() -> AnyResponse:
    """Forget all messages."""
    _store().reset()
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return redirect(url_for("pages.index"), 303)
    return jsonify({"status": "OK"})


def _mail_or_404(number: int) -> StoredMail:
    mail = _store().get(number)
    if mail is None:
        abort(404)
    return mail
