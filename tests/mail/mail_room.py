"""The mail room with everything real but shop and Ometria: relay, spool, database, Redis, jobs, an upstream server.

The shop is the sandbox's, which sends its mails over SMTP to the relay, and Ometria the fake one.
"""

from __future__ import annotations

import datetime as dt
import json
import smtplib
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Any

import requests
from flask import Flask
from sqlalchemy import select, text

from bridge.config import Config
from bridge.db import db, engine_options, vault
from bridge.mail import deliveries, jobs
from bridge.mail.fingerprint import Keys
from bridge.mail.mailer import EXTENSION, Mailer
from bridge.mail.spool import MailSpool
from bridge.mail.upstream import Upstream
from bridge.models_mail import MailDelivery, MailLetter
from bridge.ometria import TransactionalMail
from bridge.queues import Wakes
from bridge.sandbox.ometria import OmetriaOptions, create_ometria
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop
from bridge.settings import set_value
from bridge.settings.mail import MAIL_KINDS
from bridge.store import make_store, refresh_tree
from tests.export.serving import serve
from tests.sandbox.shop_client import Visitor
from tests.schema import create_tables

SECRET = "a-secret-key-for-tests-0123456789"
TOKEN = "token-of-the-sandbox"
KEY = "key-main-0001"
ACCOUNT = "0123456789abcdef"
SHOP = "http://shop.test"
TEMPLATES = {kind: str(100 + number) for number, kind in enumerate(MAIL_KINDS)}


class Clock:
    """The room's clock, which a test may put forward; it goes on by itself."""

    def __init__(self, monkeypatch) -> None:
        self.ahead = 0.0
        real = deliveries.now
        monkeypatch.setattr(deliveries, "now", lambda: real() + self.ahead)

    def advance(self, seconds: float) -> None:
        self.ahead += seconds


def _present() -> dt.datetime:
    """The shop's clock: the room's, to the second as Magento writes Date."""
    return dt.datetime.fromtimestamp(int(deliveries.now()), tz=dt.UTC)


@contextmanager
def database(folder, url=""):
    """An application with a database of its own, and the room's tables in it; a file unless ``url`` names another."""
    app = Flask("bridge-mail-test")
    url = url or f"sqlite:///{folder / 'test.db'}"
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
    vault.use([SECRET])
    db.init_app(app)
    with app.app_context():
        create_tables()
        yield app
        db.session.remove()
        db.engine.dispose()


@dataclass
class FrontDoor:
    """What a visitor of the sandbox needs of it."""

    app: Any


@dataclass
class Room:
    """Everything a test asks about. ``mails`` are the shop's own, as it handed them to SMTP."""

    app: Flask
    mailer: Mailer
    received: Any
    shop_url: str
    shop_app: Any
    sink: Any
    clock: Clock
    mails: list = field(default_factory=list)
    events: list = field(default_factory=list)

    @property
    def state(self) -> Any:
        """The shop's memory."""
        return self.shop_app.extensions["sandbox_shop"]

    def visitor(self) -> Visitor:
        """Return a new visitor of the shop."""
        return Visitor(FrontDoor(self.shop_app))

    def work(self, rounds: int = 6) -> None:
        """Run the job as often as there is something due at once."""
        for _ in range(rounds):
            if not jobs.work(self.mailer):
                return

    def rows(self, **only: Any) -> list[MailDelivery]:
        db.session.rollback()
        query = select(MailDelivery).order_by(MailDelivery.id)
        return list(db.session.scalars(query.filter_by(**only).execution_options(populate_existing=True)))

    def row(self, **only: Any) -> MailDelivery:
        (found,) = self.rows(**only)
        return found

    def sent(self) -> list[dict[str, Any]]:
        """Return the mails that Ometria took."""
        return [one["mail"] for one in self.received.mails]

    def relayed(self) -> list[bytes]:
        """Return the originals that the upstream server took."""
        return [taken.message for taken in self.sink.taken]

    def relayed_to(self) -> list[str]:
        return [line[9:-1].decode() for taken in self.sink.taken for line in taken.rcpt]

    def rest(self, path: str, body: Any = None, method: str = "POST") -> Any:
        """Do what staff do in the administration."""
        answer = requests.request(
            method,
            f"{self.shop_url}/rest/V1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}", "Host": "shop.test"},
            timeout=20,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, raw: bytes, *recipients: str, sender: str = "sales@example.com") -> str:
        """Spool a mail as the relay does."""
        from bridge.mail.envelope import Envelope

        envelope = Envelope(sender, recipients, peer="127.0.0.1", received_at=deliveries.now())
        return self.mailer.spool.put(envelope, raw)

    def spooled(self) -> list[str]:
        return list(self.mailer.spool.waiting())

    def everything_stored(self) -> str:
        """Return all that the database holds, decrypted columns too: what must not hold a token."""
        db.session.rollback()
        texts = []
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(text(f'SELECT * FROM "{table.name}"')):
                for value in row:
                    shown = str(value)
                    texts.append(vault.decrypt(shown) if shown.startswith("gAAAA") else shown)
        return "\n".join(texts)


def switch_on(mode: str = "live", **values: Any) -> None:
    """Enable the seven kinds, each with a template of its own."""
    set_value("default", "mail.mode", mode, "test")
    for kind, template in TEMPLATES.items():
        set_value("default", f"mail.{kind}.enabled", "1", "test")
        set_value("default", f"mail.{kind}.template_id", template, "test")
    for name, value in values.items():
        set_value("default", name.replace("__", "."), value, "test")
    db.session.commit()


@contextmanager
def mail_room(folder, redis_client, sink, monkeypatch, *, relay=None, url=""):
    """Give a :class:`Room` whose shop sends over ``relay``, or straight into the spool without one."""
    ometria_app = create_ometria(OmetriaOptions(api_keys={KEY: ACCOUNT}, validation_delay=0, mail_per_second=10))
    mails: list[Any] = []
    box: dict[str, Any] = {}
    shop_app = create_shop(ShopOptions(f"{SHOP}/", TOKEN, lambda message: box["deliver"](message), _present))
    with serve(ometria_app) as ometria_url, serve(shop_app) as shop_url, database(folder, url) as app:
        spool = relay.spool if relay is not None else MailSpool([folder / "mail", folder / "mail2"])
        config = Config(
            secret_keys=(SECRET,),
            store_url=shop_url,
            public_url=SHOP,
            store_token=TOKEN,
            ometria_api_url=f"{ometria_url}/v2",
            smtp_upstream=sink.url(),
            smtp_name="bridge.test",
            data_dir=folder,
        )
        store = make_store(config)
        refresh_tree(store, https=False)
        set_value("default", "general.api_key", KEY, "test")
        db.session.commit()
        events: list[Any] = []
        mailer = Mailer(
            config=config,
            redis=redis_client,
            wakes=Wakes(redis_client),
            shop=store,
            ometria=TransactionalMail(config.ometria_api_url, redis_client, total=3.0),
            spool=spool,
            keys=Keys(config.secret_keys),
            upstream=lambda: Upstream(config.smtp_upstream, config.smtp_name),
            emit=events.append,
        )
        app.extensions[EXTENSION] = mailer
        received = ometria_app.extensions["received"]
        room = Room(app, mailer, received, shop_url, shop_app, sink, Clock(monkeypatch), mails, events)

        def deliver(message: Any) -> None:
            mails.append(message)
            if relay is None:
                recipients = [address for _, address in getaddresses(message.get_all("To", []))]
                room.put(message.as_bytes().replace(b"\n", b"\r\n"), *recipients)
                return
            with smtplib.SMTP(*relay.plain, timeout=20) as connection:
                connection.send_message(message)

        box["deliver"] = deliver
        yield room


def states(room: Room) -> list[tuple[str, str, str]]:
    """Return kind, route and state of each delivery."""
    return [(row.kind, row.route, row.state) for row in room.rows()]


def json_body(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


__all__ = ["MailLetter", "Room", "mail_room", "states", "switch_on"]
