"""All settings as one file: what is written, what a file would change, and what it may not hold."""

from __future__ import annotations

import pytest
import yaml
from click.testing import CliRunner

from bridge.cli import main

KEY = "om_live_1234567890"


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("BRIDGE_STORE_URL", "BRIDGE_REDIS_URL", "BRIDGE_DATABASE_URL", "BRIDGE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "var"))

    def invoke(*words, **rest):
        return CliRunner().invoke(main, list(words), **rest)

    assert invoke("db", "upgrade").exit_code == 0
    return invoke


def test_what_is_exported_brings_another_installation_to_the_same_values(run, tmp_path):
    for key, value in (
        ("orders.currency", "both"),
        ("export.schedule", "*/5 * * * *"),
        ("customers.mapping", "hobby=interest:label, taxvat"),
        ("general.enabled", "no"),
        ("export.max_per_run", "70"),
        ("mail.order_confirmation.subject_rule", "Your {store} order\n# two: three"),
        ("general.api_key", KEY),
    ):
        assert run("config", "set", key, value).exit_code == 0
    file = tmp_path / "settings.yaml"
    assert run("config", "export", "-o", str(file)).exit_code == 0
    text = file.read_text("utf-8")
    assert KEY not in text
    assert "# default general.api_key is set." in text
    assert yaml.safe_load(text)["default"]["customers.mapping"] == ["hobby=interest:label", "taxvat"]
    before = run("config", "list").output
    for key in yaml.safe_load(text)["default"]:
        assert run("config", "unset", key).exit_code == 0
    assert run("config", "list").output != before
    answer = run("config", "import", str(file))
    assert answer.output.endswith("6 values changed.\n")
    assert run("config", "list").output == before
    assert run("config", "import", str(file)).output == "0 values changed.\n"


def test_a_dry_run_shows_and_changes_nothing(run):
    answer = run("config", "import", "-", "--dry-run", input="default:\n  orders.currency: both\n")
    assert answer.output == "default orders.currency: (value above) -> both\n1 value would change.\n"
    assert "(built in)" in run("config", "get", "orders.currency").output


def test_replacing_takes_away_what_the_file_lacks_but_no_secret(run):
    run("config", "set", "orders.currency", "both")
    run("config", "set", "export.live", "no")
    run("config", "set", "general.api_key", KEY)
    file = "default:\n  export.live: off\n"
    assert run("config", "import", "-", input=file).output == "0 values changed.\n"
    answer = run("config", "import", "-", "--replace", input=file)
    assert answer.output == "default orders.currency: both -> (value above)\n1 value changed.\n"
    assert "••••7890" in run("config", "get", "general.api_key").output


def test_a_secret_of_the_file_is_taken_and_printed_masked(run):
    answer = run("config", "import", "-", input=f"default:\n  general.api_key: {KEY}\n")
    assert answer.exit_code == 0
    assert KEY not in answer.output
    assert "••••7890" in run("config", "get", "general.api_key").output


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("default:\n  orders.currency: gold\n  orders.merge: off\n", "it takes one of local base both."),
        ("default:\n  orders.colour: x\n  orders.merge: off\n", "There is no setting 'orders.colour'"),
        ("default:\n  orders.merge: off\nstore:none:\n  orders.merge: on\n", "There is no scope 'store:none'"),
        ("default:\n  export.schedule: '* * * * * *'\n  orders.merge: off\n", "a cron expression of five fields"),
        ("default:\n  orders.merge: off\n  oops\n", "Line 3 of the file cannot be read"),
        (
            "default:\n  orders.merge: off\n  mail.stock_alert.template_id: 7\n  mail.order_shipping.template_id: 7\n",
            "template 7 is already that of",
        ),
    ],
)
def test_one_wrong_line_and_nothing_is_changed(run, text, sentence):
    answer = run("config", "import", "-", input=text)
    assert answer.exit_code == 78
    assert sentence in answer.output
    assert run("config", "get", "orders.merge").output == "yes  (built in)\n"


def test_every_wrong_value_is_told_at_once(run):
    answer = run("config", "import", "-", input="default:\n  orders.currency: gold\n  export.max_per_run: many\n")
    assert "it takes one of local base both." in answer.output
    assert "it takes a whole number from 1 to 100000." in answer.output
