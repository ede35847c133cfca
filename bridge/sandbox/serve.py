"""Runs the sandbox: shop, Ometria, mailbox and SMTP, each on its own address, in threads of one process."""

from __future__ import annotations

import logging
import signal
import smtplib
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bridge.sandbox.listener import Listener
from bridge.sandbox.mailbox import MailStore, SmtpSink, create_mailbox
from bridge.sandbox.ometria import OmetriaOptions, create_ometria

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import EmailMessage
    from wsgiref.types import WSGIApplication

SMTP_SECONDS: Final = 10

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Addresses as `host:port` (port 0: a free one), and what shop and Ometria expect of their clients.

    `public_url` is where visitors meet the shop; without it the shop's own address. `eu_url` is the address of its
    second website; without it one is made from the first. `shop_mail` is the SMTP address to which the shop sends its
    mail, so that a relay can stand between; without it mail goes straight to the mailbox.
    `other_api_keys` maps the keys of further Ometria accounts to their account ids.
    """

    rest_token: str
    api_key: str
    account_id: str
    public_url: str | None = None
    eu_url: str = ""
    shop: str = "127.0.0.1:8002"
    ometria: str = "127.0.0.1:8003"
    mailbox: str = "127.0.0.1:8004"
    smtp: str = "127.0.0.1:2526"
    shop_mail: str | None = None
    push_per_second: int = 4
    other_api_keys: Mapping[str, str] = field(default_factory=dict)


class Sandbox:
    """The four servers together.

    `urls` has `shop`, `ometria`, `ometria_api` (the API's base URL), `tag` (with `{account_id}` still in it), `mailbox`
    and `smtp` once `start` has returned. `mails` is the mailbox's store.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.mails = MailStore()
        self.urls: dict[str, str] = {}
        self._ometria = create_ometria(
            OmetriaOptions(
                {options.api_key: options.account_id, **options.other_api_keys},
                push_per_second=options.push_per_second,
            )
        )
        self._running: ExitStack | None = None

    def start(self) -> None:
        """Start all four, or none: an address that is taken raises OSError."""
        if self._running is not None:
            raise RuntimeError("the sandbox runs already")
        with ExitStack() as starting:
            smtp = SmtpSink(self.mails, *_host_and_port(self.options.smtp))
            starting.callback(smtp.close)
            smtp.start()
            shop, ometria, mailbox = (
                self._bind(starting, where) for where in (self.options.shop, self.options.ometria, self.options.mailbox)
            )
            shop.start(self._make_shop(self.options.public_url or shop.url))
            ometria.start(self._ometria)
            # Before its listener stops: calls that hang in a planned time-out end.
            starting.callback(self._ometria.extensions["received"].clear_faults)
            mailbox.start(create_mailbox(self.mails))
            self.urls = {
                "shop": shop.url,
                "ometria": ometria.url,
                "ometria_api": f"{ometria.url}/v2",
                "tag": f"{ometria.url}/tags/{{account_id}}.js",
                "mailbox": mailbox.url,
                "smtp": f"smtp://{smtp.hostname}:{smtp.port}",
            }
            self._running = starting.pop_all()

    def stop(self) -> None:
        """Stop all four; harmless when they do not run."""
        if self._running is not None:
            self._running.close()
            self._running = None

    @staticmethod
    def _bind(running: ExitStack, where: str) -> Listener:
        listener = Listener(*_host_and_port(where))
        running.callback(listener.stop)
        return listener

    def _make_shop(self, base_url: str) -> WSGIApplication:
        from bridge.sandbox.options import ShopOptions  # noqa: PLC0415 - Ometria and mailbox run without a shop
        from bridge.sandbox.shop import create_shop  # noqa: PLC0415 - as above

        return create_shop(ShopOptions(base_url, self.options.rest_token, self._deliver, eu_url=self.options.eu_url))

    def _deliver(self, message: EmailMessage) -> None:
        """Take one mail of the shop. As in a shop, a mail host that fails costs the mail and not the page."""
        if self.options.shop_mail is None:
            self.mails.add_message(message)
            return
        host, port = _host_and_port(self.options.shop_mail)
        try:
            with smtplib.SMTP(host, port, timeout=SMTP_SECONDS) as connection:
                connection.send_message(message)
        except (OSError, smtplib.SMTPException):
            log.exception("the shop's mail host did not take a mail")


def serve(ready: Callable[[Mapping[str, str]], None] | None = None, **options: Any) -> None:
    """Run a sandbox until SIGTERM or SIGINT; `ready` is given its URLs. Options are those of SandboxOptions.

    Only for the main thread of a process, because signals are.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    sandbox = Sandbox(SandboxOptions(**options))
    sandbox.start()
    try:
        if ready is not None:
            ready(sandbox.urls)
        ended.wait()
    finally:
        sandbox.stop()


def _host_and_port(where: str) -> tuple[str, int]:
    host, _, port = where.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"an address is host:port, not {where!r}")
    return host.strip("[]"), int(port)
