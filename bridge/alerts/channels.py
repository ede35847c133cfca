"""The ways to people: e-mail over the upstream mail server, and a webhook."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

from bridge.alerts.rules import ADVICE, KINDS
from bridge.errors import Misconfigured, Retry
from bridge.http import post_json
from bridge.mail.upstream import Upstream
from bridge.settings import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.config import Config
    from bridge.models_alerts import Alert
    from bridge.settings import Book

CHANNELS = {"email": "E-mail", "webhook": "Webhook"}
NO_UPSTREAM = "BRIDGE_SMTP_UPSTREAM names no mail server, so no alert can be sent by e-mail: set it and restart bridge."


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is told. ``mark`` is the same when the same thing is told again; ``since`` is Unix seconds."""

    kind: str
    subject: str
    event: str
    since: float
    sentence: str
    mark: str

    @classmethod
    def of(cls, alert: Alert, event: str) -> Self:
        """Return what is told of an alert."""
        return cls(alert.kind, alert.subject, event, alert.began_at, alert.sentence, f"bridge-alert-{alert.id}-{event}")

    @classmethod
    def test(cls, now: float) -> Self:
        """Return what a test says."""
        said = "This is a test from the dashboard: alerts reach you this way."
        return cls("test", "Test", "began", now, said, f"bridge-alert-test-{now:.0f}")

    @property
    def title(self) -> str:
        """The line above it."""
        label = KINDS.get(self.kind, "Test")
        about = "" if self.kind == "test" else f": {self.subject}"
        return f"bridge, {'over' if self.event == 'over' else 'alert'}: {label}{about}"


class Channel(Protocol):
    """A way to tell people."""

    def send(self, message: Message) -> str:
        """Tell; return what is to be known of it beside that, often nothing. Raises a :class:`BridgeError`."""
        ...


@dataclass(frozen=True, slots=True)
class Email:
    """Mails in plain text, one for all addresses."""

    config: Config = field(repr=False)
    to: tuple[str, ...] = field(repr=False)
    sender: str = field(repr=False)

    def send(self, message: Message) -> str:
        """Hand the mail to the upstream server; one of the addresses must be taken."""
        if self.config.smtp_upstream is None:
            raise Misconfigured(NO_UPSTREAM)
        with Upstream(self.config.smtp_upstream, self.config.smtp_name) as upstream:
            outcomes = upstream.send(self.sender, self.to, self._letter(message))
        # A lost answer after the whole mail was sent is no reason to send it again: most often it has arrived.
        bad = [one for one in outcomes.values() if one.state not in {"accepted", "uncertain"}]
        unsure = any(one.state == "uncertain" for one in outcomes.values())
        if len(bad) == len(outcomes):
            raise Retry(f"The mail server did not take it: {bad[0].text}")
        if bad:
            return f"{len(bad)} of {len(outcomes)} addresses were not taken: {bad[0].text}"
        return "The mail server's answer was lost; the mail may not have arrived." if unsure else ""

    def _letter(self, message: Message) -> bytes:
        letter = EmailMessage(policy=SMTP)
        letter["From"], letter["To"], letter["Subject"] = self.sender, ", ".join(self.to), message.title
        letter["Date"] = format_datetime(dt.datetime.now(dt.UTC))
        letter["Message-ID"] = make_msgid(message.mark, domain=self.sender.rpartition("@")[2])
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content("\n\n".join(_lines(message, dashboard_url(self.config))) + "\n")
        return letter.as_bytes()


def _lines(message: Message, link: str) -> list[str]:
    """Return the paragraphs of a mail."""
    since = f"Since {_moment(message.since)}."
    if message.event == "over":
        lines = ["This is over. It was:", message.sentence, since]
    else:
        lines = [message.sentence, since, ADVICE.get(message.kind, "")]
    return [line for line in (*lines, link) if line]


@dataclass(frozen=True, slots=True)
class Webhook:
    """A JSON object, posted. The address may hold a token."""

    url: str = field(repr=False)
    named: tuple[str, ...] = ()

    def send(self, message: Message) -> str:
        """Post it; any status from 200 to 299 says that it was taken."""
        data = {
            "kind": message.kind,
            "subject": message.subject,
            "state": message.event,
            "since": dt.datetime.fromtimestamp(int(message.since), tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sentence": message.sentence,
        }
        status = post_json(self.url, data, self.named, {"Idempotency-Key": message.mark})
        if 300 <= status < 400:
            raise Misconfigured(f"The webhook answers with a redirect ({status}), which is not followed: set its end.")
        if not 200 <= status < 300:
            raise Retry(f"The webhook answered with status {status}.")
        return ""


def configured(book: Book, config: Config) -> Mapping[str, Channel]:
    """Return the channels that are set, by name."""
    values = book.settings(DEFAULT)
    found: dict[str, Channel] = {}
    if values["alerts.email"]:
        found["email"] = Email(config, tuple(values["alerts.email"]), values["alerts.sender"] or own_address(config))
    if values["alerts.webhook"]:
        found["webhook"] = Webhook(values["alerts.webhook"], config.alert_hosts)
    return found


def own_address(config: Config) -> str:
    """Return the sender where none is set: at the shop's host, else at this machine's name."""
    host = urlsplit(config.public_url or "").hostname or config.smtp_name
    return f"bridge@{host if '.' in host or host == 'localhost' else 'localhost'}"


def dashboard_url(config: Config) -> str:
    """Return the address of the page of alerts where it is known, else an empty text."""
    if not (config.dashboard_on_shop and config.public_url):
        return ""
    return f"{config.public_url}{config.prefix}/dashboard/alerts"


def _moment(at: float) -> str:
    return dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
