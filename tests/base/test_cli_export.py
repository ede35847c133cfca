"""`bridge export history`, `replay`, `subscribers`, `what-if`: the commands around the export room."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bridge.cli import main
from bridge.cli_export import bar


@pytest.fixture
def run(tmp_path, monkeypatch, redis_client):
    for name in ("BRIDGE_STORE_URL", "BRIDGE_DATABASE_URL", "BRIDGE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = redis_client.connection_pool.connection_kwargs.get("path")
    monkeypatch.setenv("BRIDGE_REDIS_URL", f"unix://{path}" if path else "redis://127.0.0.1:1")
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "var"))

    def invoke(*words, **rest):
        return CliRunner().invoke(main, list(words), **rest)

    assert invoke("db", "upgrade").exit_code == 0
    return invoke


pytestmark = pytest.mark.redis


def test_a_history_is_begun_paused_resumed_and_cancelled(run, redis_client):
    begun = run("export", "history", "start", "order", "--from", "2026-01-01", "--to", "2026-01-31")
    assert begun.output == "order default: begun\n"
    assert redis_client.llen("rq:queue:history") == 1
    assert "runs already" in run("export", "history", "start", "order").output
    assert "order default: begun" in run("export", "history", "start", "order", "--again").output
    assert run("export", "history", "pause").output.splitlines() == [
        "product default: none is under way",
        "contact default: none is under way",
        "order default: paused",
    ]
    assert run("export", "history", "resume", "order").output == "order default: running\n"
    assert run("export", "history", "cancel", "order").output == "order default: cancelled\n"
    shown = run("export", "history", "status").output
    assert "order    default              cancelled" in shown
    assert "0 records wait to be sent." in shown


def test_all_kinds_are_begun_when_none_is_named(run):
    begun = run("export", "history", "start").output.splitlines()
    assert begun == ["product default: begun", "contact default: begun", "order default: begun"]
    assert run("export", "history", "status", "product").output.count("running") == 1


def test_days_in_the_wrong_order_and_unknown_scopes_are_refused_in_words(run):
    wrong = run("export", "history", "start", "order", "--from", "2026-02-01", "--to", "2026-01-31")
    assert (wrong.exit_code, "--from must not be after --to" in wrong.output) == (78, True)
    assert "There is no scope 'website:none'" in run("export", "history", "start", "--scope", "website:none").output


def test_nothing_begun_and_nothing_set_aside_are_said(run):
    assert run("export", "history", "status").output == "No export was begun yet.\n"
    assert run("export", "replay").output == "0 records are tried again.\n"
    assert run("export", "replay", "--list").output == ""


def test_a_file_that_is_none_of_the_grids_is_refused(run, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    refused = run("export", "subscribers", str(path), "--since", "2020-01-01")
    assert (refused.exit_code, "no column 'Email'" in refused.output) == (78, True)


def test_a_what_if_never_shows_the_key(run):
    shown = run("export", "what-if", "general.api_key", input="om_live_1234567890\n")
    assert shown.exit_code == 0
    assert "om_live" not in shown.output


def test_the_bar_is_full_at_the_end_and_empty_while_the_total_is_unknown():
    assert bar(0, None) == "[" + "-" * 24 + "]   0%"
    assert bar(50, 100) == "[" + "#" * 12 + "-" * 12 + "]  50%"
    assert bar(120, 100) == "[" + "#" * 24 + "] 100%"
