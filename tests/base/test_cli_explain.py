"""`bridge export`: what the commands that explain records print, in front of a shop and an Ometria."""

from __future__ import annotations

import json

import msgspec
import pytest
from click.testing import CliRunner

from bridge import cli, cli_explain
from bridge.errors import Misconfigured
from bridge.events import EntityRef
from bridge.export import jobs
from tests.export import samples
from tests.export.conftest import *  # noqa: F403 the fixtures of the room
from tests.export.test_jobs import owe

pytestmark = pytest.mark.redis


@pytest.fixture
def run(room, account, database):
    """Run a command on the room's own application, after a product was sent."""
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)

    def invoke(*words):
        return CliRunner().invoke(cli.export, list(words), obj=lambda _: database, catch_exceptions=False)

    return invoke


def test_the_commands_are_part_of_bridge_export():
    assert {command.name for command in cli_explain.COMMANDS} <= set(cli.export.commands)
    assert cli.main.commands["export"] is cli.export


def test_the_machine_readable_preview_holds_account_and_record_only(run, room, account):
    rows = json.loads(run("preview", "product", "BAG", "--json").output)
    assert rows == [{"account": account.id, "record": room.records("product")["1"]}]


def test_the_preview_with_reasons(run, account):
    (row,) = json.loads(run("preview", "product", "BAG", "--json", "--why").output)
    assert (row["changes"], row["sent"]) == ([], row["record"])
    assert row["why"]["id"][0]["setting"] == "products.id_attribute"


def test_people_read_what_changed_and_why(run, room, settings):
    room.shop.put(samples.product("1", "BAG", "Duffle Bag", "30"))
    settings("website:base", products__image_number=2, products__url_format="https://x.test/{product_id}")
    text = run("preview", "product", "BAG").output
    assert "changed: price: 34 -> 30\n" in text
    assert 'changed: url: "http://store.test/bag.html" -> "https://x.test/1"  <- products.url_format' in text
    assert "(website:base)" in text
    assert "last sent 20" in text


def test_what_is_not_sent_and_what_was_never_sent(run, room):
    assert "never sent before" in run("preview", "order", "100000004").output
    room.shop.put(msgspec.structs.replace(samples.JANE, email=None))
    assert "nothing to send: The customer has no e-mail address." in run("preview", "contact", "2").output


def test_what_the_shop_does_not_have(run):
    with pytest.raises(Misconfigured, match="no such order"):
        run("preview", "order", "nothing")


def test_a_timeline_for_people_and_for_machines(run):
    lines = run("timeline", "product", "BAG").output.splitlines()
    assert [line.split()[2] for line in lines] == ["queued", "sent", "answered"]
    assert [one["step"] for one in json.loads(run("timeline", "product", "1", "--json").output)] == [
        "queued",
        "sent",
        "answered",
    ]
    assert run("timeline", "product", "99").output == "Nothing is known of it.\n"


def test_the_log_as_text_csv_and_json(run):
    assert "accepted" in run("log").output
    assert run("log", "--format", "csv", "--since", "1h").output.splitlines()[0].startswith("time,account,kind")
    assert json.loads(run("log", "--format", "jsonl").output)["status"] == 200
    assert run("log", "--kind", "order").output == ""
    assert run("log", "--errors").output == ""


def test_data_quality_is_listed(run, room, account, settings):
    assert run("quality").output == "No record breaks a rule.\n"
    settings(quality__price="block")
    room.shop.put(samples.product("1", "BAG", "Duffle Bag", "0"))
    owe(account, EntityRef("product", "1"))
    jobs.session(account.id)
    assert "product 1  held back: The product is for sale" in run("quality").output
    assert json.loads(run("quality", "--json", "--rule", "price").output)[0]["blocked"] is True
    assert "set aside 1: Held back by data quality" in run("log", "--errors").output
