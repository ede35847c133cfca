"""The shop's own table of subscribers, read only: in MariaDB, PostgreSQL and SQLite as the tests start them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time

import msgspec
import pytest
import sqlalchemy as sa
from rq import Queue
from sqlalchemy import select
from sqlalchemy.dialects import mysql

from bridge.db import db
from bridge.errors import Misconfigured, Retry
from bridge.events import Subscribed
from bridge.export import cursors, jobs, subscribers_table
from bridge.models import Subscriber
from bridge.queues import SERIALIZER
from bridge.settings import load_book
from tests.export import mariadb_server, samples
from tests.export.mariadb_server import start_mariadb
from tests.export.postgres_server import start_postgres, why_not
from tests.export.test_jobs import happen, waiting

pytestmark = pytest.mark.redis
METADATA = sa.MetaData()
TABLE = sa.Table(
    "shop_newsletter_subscriber",
    METADATA,
    sa.Column("subscriber_id", sa.Integer, primary_key=True),
    sa.Column("store_id", sa.SmallInteger),
    sa.Column("change_status_at", sa.DateTime().with_variant(mysql.TIMESTAMP(), "mysql")),
    sa.Column("customer_id", sa.Integer),
    sa.Column("subscriber_email", sa.String(150)),
    sa.Column("subscriber_status", sa.Integer),
    sa.Column("subscriber_confirm_code", sa.String(32)),
)
MADE = dt.datetime(2025, 3, 4, 5, 6, 7)
NEEDS_POSTGRES = [pytest.mark.postgres, pytest.mark.skipif(why_not() is not None, reason=why_not() or "it is here")]


WHY_NO_MARIADB = mariadb_server.why_not()
NEEDS_MARIADB = [
    pytest.mark.mariadb,
    pytest.mark.skipif(WHY_NO_MARIADB is not None, reason=WHY_NO_MARIADB or "it is here"),
]


@pytest.fixture(scope="module")
def mariadb():
    with start_mariadb() as url:
        yield url


@pytest.fixture(scope="module")
def postgres():
    with start_postgres() as url:
        yield url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=NEEDS_POSTGRES),
        pytest.param("mariadb", marks=NEEDS_MARIADB),
    ]
)
def url(request, tmp_path):
    return f"sqlite:///{tmp_path / 'shop.db'}" if request.param == "sqlite" else request.getfixturevalue(request.param)


class ShopTable:
    """The table as the shop writes it."""

    def __init__(self, engine):
        self.engine = engine

    def add(self, id_, email, status=1, store=1, customer=0, at=MADE):
        row = {"subscriber_id": id_, "store_id": store, "customer_id": customer, "change_status_at": at}
        with self.engine.begin() as connection:
            row |= {"subscriber_email": email, "subscriber_status": status, "subscriber_confirm_code": "secret"}
            connection.execute(sa.insert(TABLE).values(**row))

    def change(self, id_, **values):
        with self.engine.begin() as connection:
            connection.execute(sa.update(TABLE).where(TABLE.c.subscriber_id == id_).values(**values))


@pytest.fixture
def table(room, database, url):
    """An empty table of the shop, and the way to it."""
    engine = sa.create_engine(url)
    if url.startswith("mysql"):
        # As Magento does for its own connections.
        sa.event.listen(engine, "connect", lambda made, _: made.cursor().execute("SET time_zone = '+00:00'"))
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    config = dataclasses.replace(room.exporter.config, shop_database_url=url, shop_database_prefix="shop_")
    database.extensions["bridge.export"] = dataclasses.replace(room.exporter, config=config)
    yield ShopTable(engine)
    engine.dispose()


def round_(**more):
    """Let a round pass as the worker does; the next is due at once."""
    config = jobs.exporter().config
    found = subscribers_table.take(config, load_book(), **more)
    note = cursors.read(subscribers_table.NOTE)
    cursors.save(subscribers_table.NOTE, {**note, "at": 0})
    return found


def contacts(room):
    return {one["email"]: one for one in room.received.records_of("0123456789abcdef", "contact")}


def test_guests_are_sent_with_the_time_that_the_table_has(room, account, table):
    table.add(1, "anna@x.test")
    table.add(2, "bert@x.test", status=3, store=2)
    table.add(3, "carl@x.test", status=2)
    assert round_() == (False, {account.id})
    assert {row.lane for row in waiting().values()} == {"history"}
    jobs.backlog(account.id)
    found = contacts(room)
    assert set(found) == {"anna@x.test", "bert@x.test"}, "who never confirmed is kept and not sent"
    anna, bert = found["anna@x.test"], found["bert@x.test"]
    assert (anna["@collection"], anna["marketing_optin"]) == ("subscribers", "EXPLICITLY_OPTEDIN")
    assert (anna["timestamp_subscribed"], anna["store_ids"]) == ("2025-03-04T05:06:07Z", ["default"])
    assert (bert["marketing_optin"], bert["store_ids"]) == ("EXPLICITLY_OPTEDOUT", ["fr"])
    assert round_() == (False, set())
    assert waiting() == {}


def test_new_and_changed_rows_are_live(room, account, table):
    table.add(1, "anna@x.test")
    round_()
    jobs.backlog(account.id)
    table.add(2, "bert@x.test", at=MADE + dt.timedelta(days=1))
    table.change(1, subscriber_status=3, change_status_at=MADE + dt.timedelta(days=2))
    round_()
    assert {row.lane for row in waiting().values()} == {"live"}
    jobs.session(account.id)
    found = contacts(room)
    assert found["anna@x.test"]["marketing_optin"] == "EXPLICITLY_OPTEDOUT"
    assert found["anna@x.test"]["timestamp_unsubscribed"] == "2025-03-06T05:06:07Z"
    assert found["bert@x.test"]["marketing_optin"] == "EXPLICITLY_OPTEDIN"


def test_the_status_of_an_account_is_owed_as_its_customer(room, account, table):
    room.shop.put(msgspec.structs.replace(samples.JANE, subscribed=False))
    table.add(1, "jane@example.com", status=3, customer=2)
    round_()
    assert set(waiting()) == {("contact", "customer:2")}
    jobs.backlog(account.id)
    (jane,) = contacts(room).values()
    assert (jane["@collection"], jane["marketing_optin"]) == ("customers", "EXPLICITLY_OPTEDOUT")


def test_a_row_without_a_time_has_that_of_the_row_before_and_never_now(room, account, table):
    table.add(1, "anna@x.test", at=None)
    table.add(2, "bert@x.test")
    table.add(3, "carl@x.test", at=None)
    round_()
    jobs.backlog(account.id)
    times = {email: one["timestamp_subscribed"] for email, one in contacts(room).items()}
    assert times == {
        "anna@x.test": "2000-01-01T00:00:00Z",
        "bert@x.test": "2025-03-04T05:06:07Z",
        "carl@x.test": "2025-03-04T05:06:07Z",
    }


def test_what_traffic_showed_later_is_not_undone_by_the_table(room, account, table):
    happen(room, Subscribed(email="anna@x.test", store="default", at=time.time()))
    table.add(1, "anna@x.test", status=3)
    round_()
    db.session.rollback()
    assert db.session.scalar(select(Subscriber.status)) == 1


def test_rows_that_cannot_be_anybody_stop_none(room, account, table):
    table.add(1, "no address")
    table.add(2, "anna@x.test", store=99)
    table.add(3, "bert@x.test", status=7)
    table.add(4, "x" * 150)
    table.add(5, "carl@x.test")
    round_()
    jobs.backlog(account.id)
    assert set(contacts(room)) == {"carl@x.test"}


def test_many_rows_come_in_pages_and_go_on_where_a_killed_worker_was(room, account, table, monkeypatch):
    monkeypatch.setattr(subscribers_table, "PAGE", 3)
    for number in range(1, 11):
        table.add(number, f"s{number}@x.test", at=MADE)
    calls = []

    def dying():
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        round_(hold=dying)
    db.session.rollback()
    assert cursors.read(subscribers_table.NOTE)["after"] == 6
    round_()
    assert len([1 for kind, _ in waiting() if kind == "contact"]) == 10
    for number in range(1, 11):
        table.change(number, subscriber_status=3, change_status_at=MADE + dt.timedelta(hours=1))
    round_()
    db.session.rollback()
    assert set(db.session.scalars(select(Subscriber.status))) == {3}, "changes of one second are all seen"


def test_nothing_is_ever_written_there_and_only_the_columns_that_are_needed_are_read(room, account, table, url):
    table.add(1, "anna@x.test")
    said = []
    listen = sa.event.listen
    whole = subscribers_table._engine

    def watched(address):
        engine = whole(address)
        listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscribers_table, "_engine", watched)
        round_()
    assert said
    words = {statement.split()[0].lower() for statement in said}
    assert words <= {"select", "pragma", "show", "begin"}, words
    assert not [statement for statement in said if "confirm_code" in statement or "*" in statement]
    engine = whole(url)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read[- ]?only"):
        connection.execute(sa.delete(TABLE))
    engine.dispose()


def test_times_are_utc_whatever_the_databases_zone(room, account, table, url):
    if url.startswith("postgresql"):
        with table.engine.begin() as connection:
            connection.execute(sa.text("ALTER DATABASE postgres SET timezone TO 'Asia/Tokyo'"))
    table.add(1, "anna@x.test")
    round_()
    jobs.backlog(account.id)
    assert contacts(room)["anna@x.test"]["timestamp_subscribed"] == "2025-03-04T05:06:07Z"


def test_a_table_that_cannot_be_read_is_said_without_address_or_password(room, account, table):
    METADATA.drop_all(table.engine)
    with pytest.raises(Misconfigured, match="cannot read shop_newsletter_subscriber") as caught:
        round_()
    assert "sqlite" not in str(caught.value)
    jobs.subscribers()
    assert "BRIDGE_SHOP_DATABASE_URL" in cursors.read("shop")["problem"]


@pytest.fixture
def reader(table, mariadb, database, room):
    """A user of MariaDB that bridge comes as, and the way to give it a right."""
    engine = sa.create_engine(mariadb)
    user = f"{mariadb_server.READER}@localhost"
    url = mariadb.replace("root@", "reader:secret@")
    config = dataclasses.replace(room.exporter.config, shop_database_url=url, shop_database_prefix="shop_")
    database.extensions["bridge.export"] = dataclasses.replace(room.exporter, config=config)

    def grant(columns=""):
        with engine.begin() as connection:
            connection.execute(sa.text(f"GRANT SELECT{columns} ON shop.{TABLE.name} TO {user}"))

    yield grant
    with engine.begin() as connection:
        connection.execute(sa.text(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {user}"))
    engine.dispose()


@pytest.mark.parametrize("url", [pytest.param("mariadb", marks=NEEDS_MARIADB)], indirect=True)
class TestOnMariadb:
    def test_select_on_the_one_table_is_enough(self, room, account, table, reader):
        table.add(1, "anna@x.test")
        reader()
        assert round_() == (False, {account.id})
        jobs.backlog(account.id)
        assert set(contacts(room)) == {"anna@x.test"}

    def test_a_user_without_the_right_is_told_which_one_and_no_password(self, room, account, table, reader):
        with pytest.raises(Misconfigured, match="grant it SELECT on that table") as caught:
            round_()
        assert "secret" not in str(caught.value)

    def test_a_wrong_password_is_told_without_it(self, room, account, table, mariadb, database):
        url = mariadb.replace("root@", "reader:wrong-secret@")
        config = dataclasses.replace(room.exporter.config, shop_database_url=url, shop_database_prefix="shop_")
        database.extensions["bridge.export"] = dataclasses.replace(room.exporter, config=config)
        with pytest.raises(Misconfigured) as caught:
            round_()
        assert "wrong-secret" not in str(caught.value)

    def test_the_zero_that_old_shops_keep_for_a_time_is_none(self, room, account, table):
        table.add(1, "anna@x.test")
        with table.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE {TABLE.name} SET change_status_at = '0000-00-00 00:00:00'"))
        round_()
        jobs.backlog(account.id)
        assert contacts(room)["anna@x.test"]["timestamp_subscribed"] == "2000-01-01T00:00:00Z"


class TestWithoutATable:
    def config(self, room, url):
        return dataclasses.replace(room.exporter.config, shop_database_url=url)

    def test_nothing_is_due(self, room):
        assert not subscribers_table.due(room.exporter.config)
        assert subscribers_table.take(room.exporter.config, load_book()) == (False, set())

    def test_a_missing_driver_is_said_with_what_to_install(self, room, account):
        config = self.config(room, "mysql+mysqldb://reader:secret@127.0.0.1:1/shop")
        with pytest.raises(Misconfigured, match="mysql\\+pymysql://, whose driver comes with bridge") as caught:
            subscribers_table.take(config, load_book())
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("way", ["mysql+pymysql", "postgresql+psycopg"])
    def test_a_database_that_is_away_is_tried_again(self, room, account, way):
        config = self.config(room, f"{way}://reader:secret@127.0.0.1:1/shop")
        with pytest.raises(Retry, match="does not answer") as caught:
            subscribers_table.take(config, load_book())
        assert "secret" not in str(caught.value)

    def test_upkeep_wakes_the_round_when_it_is_due(self, room, account, database, tmp_path):
        config = self.config(room, f"sqlite:///{tmp_path / 'none.db'}")
        database.extensions["bridge.export"] = dataclasses.replace(room.exporter, config=config)
        queue = Queue("upkeep", connection=room.exporter.redis, serializer=SERIALIZER)
        cursors.save(subscribers_table.NOTE, {"at": time.time()})
        jobs.upkeep()
        assert not [job for job in queue.jobs if job.func_name.endswith("jobs.subscribers")]
        cursors.save(subscribers_table.NOTE, {"at": time.time() - 61})
        jobs.upkeep()
        assert [job for job in queue.jobs if job.func_name.endswith("jobs.subscribers")]
