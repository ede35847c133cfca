"""The `bridge` command: one sentence and an exit code for each thing that a person must change."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bridge.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("BRIDGE_STORE_URL", "BRIDGE_REDIS_URL", "BRIDGE_DATABASE_URL", "BRIDGE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "var"))

    def invoke(*words, **rest):
        return CliRunner().invoke(main, list(words), **rest)

    assert invoke("db", "upgrade").exit_code == 0
    return invoke


def test_a_value_is_set_read_listed_and_unset(run):
    assert run("config", "set", "orders.currency", "both").output == "orders.currency is set at default.\n"
    assert run("config", "get", "orders.currency").output == "both  (default)\n"
    assert "orders.currency                      both" in run("config", "list").output
    assert "now uses the value above" in run("config", "unset", "orders.currency").output
    assert run("config", "get", "orders.currency").output == "local  (built in)\n"


def test_a_secret_is_asked_for_and_never_printed(run):
    asked = run("config", "set", "general.api_key", input="om_live_1234567890\n")
    assert asked.exit_code == 0
    assert "om_live" not in asked.output
    shown = run("config", "get", "general.api_key").output + run("config", "list").output
    assert "om_live" not in shown
    assert "••••7890" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("config", "set", "orders.currency", "gold"), "it takes one of local base both."),
        (("config", "get", "orders.colour"), "There is no setting 'orders.colour'"),
        (("config", "set", "orders.currency", "both", "--scope", "website:none"), "There is no scope 'website:none'"),
        (("user", "remove", "nobody"), "There is no user 'nobody'"),
        (("web",), "BRIDGE_STORE_URL is not set"),
        (("run",), "BRIDGE_STORE_URL is not set"),
        (("smtp",), "BRIDGE_SMTP_UPSTREAM is not set"),
    ],
)
def test_what_must_be_changed_is_one_sentence_and_exit_code_78(run, words, sentence):
    result = run(*words)
    assert result.exit_code == 78
    assert sentence in result.output
    assert result.output.startswith("bridge: ")
    assert "Traceback" not in result.output


def test_a_wrong_variable_stops_every_command_with_its_name(run, monkeypatch):
    monkeypatch.setenv("BRIDGE_LISTEN", "eight thousand")
    result = run("config", "list")
    assert result.exit_code == 78
    assert result.output == "bridge: BRIDGE_LISTEN is not usable: it takes an address such as 127.0.0.1:8000.\n"


def test_staff_are_added_listed_and_removed(run):
    added = run("user", "add", "ada", "--role", "editor").output
    assert added.startswith("ada (editor) signs in with: ")
    assert "ada" in run("user", "list").output
    assert run("user", "remove", "ada").output == "ada is removed.\n"
    assert run("user", "list").output == ""


def test_nothing_waits_in_a_new_database(run):
    assert run("export", "status").output == "Nothing waits.\n"


def test_check_names_each_neighbour_and_what_to_change(run, tmp_path):
    result = run("check")
    assert result.exit_code == 1
    for sentence in (
        "Redis does not answer: see BRIDGE_REDIS_URL",
        "BRIDGE_STORE_URL is not set",
        "No API key is set: nothing is exported. Set it with `bridge config set general.api_key`.",
        "No site identifier is set: pages carry no tag.",
    ):
        assert sentence in result.output


def test_a_database_without_tables_is_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "new"))
    result = run("export", "status")
    assert result.exit_code == 1
    assert result.output == "bridge: The database has not this version's tables: run `bridge db upgrade`.\n"


def test_a_worker_without_redis_is_one_sentence(run):
    result = run("worker")
    assert result.exit_code == 1
    assert "bridge: Redis does not answer: see BRIDGE_REDIS_URL" in result.output, repr(result.exception)
