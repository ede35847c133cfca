"""The grid's CSV of newsletter subscribers: repeatable, newest first, each to the account of its store view."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from sqlalchemy import select

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.events import Subscribed
from bridge.export import jobs, subscribers
from bridge.models import Subscriber
from bridge.settings import load_book
from tests.export.conftest import SECRET
from tests.export.test_jobs import happen, waiting

pytestmark = pytest.mark.redis
HEAD = '"ID","Email","Type","Customer First Name","Customer Last Name","Status","Website","Store","Store View"'
SINCE = dt.date(2020, 5, 1)
WRITTEN = dt.datetime(2026, 11, 20, tzinfo=dt.UTC).timestamp()


@pytest.fixture
def grid(tmp_path):
    def write(*lines, head=HEAD, mark=""):
        path = tmp_path / "subscribers.csv"
        path.write_text(mark + "\n".join([head, *lines]) + "\n", encoding="utf-8")
        os.utime(path, (WRITTEN, WRITTEN))
        return path

    return write


def line(email, status="Subscribed", kind="Guest", view="DEFAULT"):
    return f'"7","{email}","{kind}","----","----","{status}","Main","Main Store","{view}"'


def take(path, since=SINCE):
    return subscribers.take(path, load_book(), (SECRET,), since)


def test_a_guest_is_sent_with_the_day_that_staff_gave_and_once(room, account, grid):
    path = grid(line("anna@x.test"))
    taken = take(path)
    assert (taken.lines, taken.owed, taken.odd, taken.accounts) == (1, 1, [], {account.id})
    jobs.backlog(account.id)
    (contact,) = room.records("contact").values()
    assert (contact["@collection"], contact["marketing_optin"]) == ("subscribers", "EXPLICITLY_OPTEDIN")
    assert contact["timestamp_subscribed"] == "2020-05-01T00:00:00Z"
    assert take(path).owed == 0, "the same file again is nothing new"
    assert waiting() == {}


def test_a_time_in_the_file_is_the_time(room, account, grid):
    path = grid(line("anna@x.test") + ',"2025-03-04 05:06:07"', head=HEAD + ',"Updated Time"')
    take(path, None)
    jobs.backlog(account.id)
    (contact,) = room.records("contact").values()
    assert contact["timestamp_subscribed"] == "2025-03-04T05:06:07Z"


def test_without_any_time_the_day_is_asked_for(room, grid):
    with pytest.raises(Misconfigured, match="--since"):
        take(grid(line("anna@x.test")), None)
    assert db.session.query(Subscriber).count() == 0


def test_who_left_meanwhile_is_an_opt_out_at_the_time_of_the_file(room, account, grid):
    take(grid(line("anna@x.test")))
    jobs.backlog(account.id)
    take(grid(line("anna@x.test", "Unsubscribed")))
    jobs.backlog(account.id)
    (contact,) = room.records("contact").values()
    assert contact["marketing_optin"] == "EXPLICITLY_OPTEDOUT"
    assert contact["timestamp_unsubscribed"] == "2026-11-20T00:00:00Z"


def test_an_older_file_replaces_nothing_newer(room, account, grid):
    path = grid(line("anna@x.test", "Unsubscribed"))
    happen(room, Subscribed(email="anna@x.test", store="default", at=WRITTEN + 60))
    take(path)
    assert db.session.scalars(select(Subscriber.status)).one() == 1


@pytest.mark.parametrize("status", ["Not Activated", "Unconfirmed"])
def test_who_never_confirmed_is_kept_and_not_sent(room, account, grid, status):
    assert take(grid(line("anna@x.test", status))).owed == 0
    assert db.session.query(Subscriber).count() == 1


def test_an_account_holder_is_kept_for_the_customer_and_not_sent_as_guest(room, account, grid):
    assert take(grid(line("jane@example.com", "Unsubscribed", kind="Customer"))).owed == 0
    assert db.session.scalars(select(Subscriber.status)).one() == 3


def test_each_goes_to_the_account_of_its_store_view(room, account, settings, grid):
    from bridge.models import Scope

    settings("website:europe", general__api_key="key-euro-0002")
    assert {row.name for row in db.session.scalars(select(Scope)) if row.level == "store"} == {"DEFAULT", "FR", "DE"}
    taken = take(grid(line("a@x.test"), line("b@x.test", view="FR").replace('"Main",', '"Europe",')))
    main, euro = sorted(load_book().accounts(), key=lambda one: one.owner)
    assert {row.account for row in waiting().values()} == {main.id, euro.id} == taken.accounts


def test_odd_lines_are_named_by_number_and_stop_none(room, account, grid):
    taken = take(
        grid(line("no address"), line("b@x.test", "Gelöscht"), line("c@x.test", view="Mars"), line("d@x.test"))
    )
    assert taken.odd == [(2, "no e-mail address"), (3, "unknown status"), (4, "unknown store view")]
    assert taken.owed == 1


def test_a_byte_order_mark_and_semicolons_are_read(room, account, grid):
    path = grid(line("a@x.test").replace(",", ";"), head=HEAD.replace(",", ";"), mark="\ufeff")
    assert take(path).owed == 1


def test_a_file_without_the_columns_is_refused_in_words(room, grid):
    with pytest.raises(Misconfigured, match="Status"):
        take(grid("x", head='"Email"'))


def test_many_lines_come_in_batches(room, account, grid, monkeypatch):
    monkeypatch.setattr(subscribers, "BATCH", 3)
    assert take(grid(*[line(f"p{number}@x.test") for number in range(8)])).owed == 8
    assert len(waiting()) == 8


@pytest.mark.parametrize("status", ["", " ", "12", "23", "0", "5", "yes"])
def test_a_status_that_is_none_is_named_and_stops_nothing(room, account, grid, status):
    taken = take(grid(line("anna@x.test", status=status), line("bert@x.test")))
    assert (taken.odd, taken.owed) == ([(2, "unknown status")], 1)


@pytest.mark.parametrize(("status", "sent"), [("1", "EXPLICITLY_OPTEDIN"), ("3", "EXPLICITLY_OPTEDOUT")])
def test_a_status_may_be_magentos_number(room, account, grid, status, sent):
    take(grid(line("anna@x.test", status=status)))
    jobs.backlog(account.id)
    assert [one["marketing_optin"] for one in room.records("contact").values()] == [sent]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2025-03-04 05:06:07", "2025-03-04T05:06:07Z"),
        ("2025-03-04", "2025-03-04T00:00:00Z"),
        ("Mar 4, 2025, 5:06:07 AM", "2025-03-04T05:06:07Z"),
        ("soon", "2020-05-01T00:00:00Z"),
    ],
)
def test_times_are_read_in_the_forms_of_the_grid_and_else_the_given_day_counts(room, account, grid, written, told):
    take(grid(line("anna@x.test") + f',"{written}"', head=HEAD + ',"Updated Time"'))
    jobs.backlog(account.id)
    assert [one["timestamp_subscribed"] for one in room.records("contact").values()] == [told]


def test_a_line_with_too_few_or_too_many_cells_stops_nothing(room, account, grid):
    taken = take(grid('"7","anna@x.test"', line("bert@x.test") + ',"more","and more"'))
    assert (taken.lines, taken.owed, [number for number, _ in taken.odd]) == (2, 1, [2])


def test_a_file_that_is_not_utf_8_is_refused_in_words_and_what_was_read_before_stays(room, account, grid):
    path = grid(line("anna@x.test"))
    path.write_bytes(path.read_bytes() + line("bert@x.test", view="Fran\xe7ais").encode("latin-1"))
    with pytest.raises(Misconfigured, match="CSV in UTF-8"):
        take(path)


def test_a_file_with_a_header_only_is_nothing(room, account, grid):
    taken = take(grid())
    assert (taken.lines, taken.owed, taken.odd) == (0, 0, [])
