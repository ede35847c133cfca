"""`bridge coupons`: check, pool, generate, list, revoke, against the sandbox's shop."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from bridge.cli import main
from bridge.sandbox.options import ShopOptions
from bridge.sandbox.promotions import CouponBook
from bridge.sandbox.shop import create_shop
from bridge.sandbox.web import EXTENSION
from tests.export.serving import serve

TOKEN = "token-of-the-sandbox"
pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def served():
    shop = create_shop(ShopOptions(base_url="http://shop.test/", rest_token=TOKEN))
    with serve(shop) as url:
        yield shop, url


@pytest.fixture
def book(served):
    shop, _ = served
    shop.extensions[EXTENSION].book = CouponBook()
    return shop.extensions[EXTENSION].book


@pytest.fixture
def run(tmp_path, monkeypatch, redis_client, served, book):
    for name in ("BRIDGE_DATABASE_URL", "BRIDGE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = redis_client.connection_pool.connection_kwargs.get("path")
    monkeypatch.setenv("BRIDGE_REDIS_URL", f"unix://{path}" if path else "redis://127.0.0.1:1")
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("BRIDGE_STORE_URL", served[1])
    monkeypatch.setenv("BRIDGE_PUBLIC_URL", "http://shop.test")
    monkeypatch.setenv("BRIDGE_STORE_TOKEN", TOKEN)

    def invoke(*words):
        return CliRunner().invoke(main, ["coupons", *words])

    assert CliRunner().invoke(main, ["db", "upgrade"]).exit_code == 0
    return invoke


def test_check_says_of_each_rule_why_it_cannot_be_used(run):
    shown = run("check")
    assert shown.exit_code == 0
    assert (
        "rule 1 Ten percent off: cannot be used\n  The rule has one code of its own: tick Use Auto Generation."
        in shown.output
    )
    assert "rule 2 Welcome: usable" in shown.output
    assert "  The rule ended on 2024-08-31." in shown.output
    assert (run("check", "2").exit_code, run("check", "3").exit_code, run("check", "99").exit_code) == (0, 1, 1)
    assert "no cart price rule 99" in run("check", "99").output
    told = json.loads(run("check", "--json").stdout)
    assert [row["rule"] for row in told["rules"] if not row["faults"]] == [2]


def test_check_ends_with_1_when_a_pools_rule_is_switched_off(run, book):
    assert run("pool", "Welcome", "--rule", "2").exit_code == 0
    assert run("check").exit_code == 0
    book.rules[2].is_active = False
    shown = run("check")
    assert shown.exit_code == 1
    assert "pool Welcome (rule 2) cannot be used: The rule is switched off" in shown.output


def test_codes_are_printed_and_the_same_id_prints_the_same(run, book):
    asked = (
        "generate",
        "--rule",
        "2",
        "--quantity",
        "3",
        "--request-id",
        "mail-1",
        "--prefix",
        "OM-",
        "--dash-every",
        "4",
    )
    first = run(*asked)
    codes = first.stdout.split()
    assert len(codes) == 3
    assert {one.code for one in book.coupons.values() if one.type} == set(codes)
    assert "request mail-1" in first.stderr
    assert run(*asked).stdout == first.stdout
    assert json.loads(run(*asked, "--json").stdout)["codes"] == codes


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("--quantity", "3"), "either --pool or --rule", 78),
        (("--rule", "2", "--quantity", "0"), "at least 1", 1),
        (("--rule", "2", "--quantity", "-1"), "at least 1", 1),
        (("--rule", "2", "--quantity", "10000000"), "coupons.request_most", 1),
        (("--rule", "3", "--quantity", "1"), "switched off", 1),
        (("--rule", "99", "--quantity", "1"), "no cart price rule 99", 1),
        (("--pool", "none", "--quantity", "1"), "There is no pool 'none'", 1),
        (("--rule", "2", "--quantity", "1", "--prefix", "=1"), "prefix", 1),
    ],
)
def test_what_cannot_be_generated_is_said(run, book, words, said, code):
    answer = run("generate", *words)
    assert (answer.exit_code, said in answer.output) == (code, True)
    assert len(book.coupons) == 1


def test_a_pool_is_listed_with_its_figures_and_its_codes_as_csv(run):
    assert "There is no pool" in run("list").output
    assert run("pool", "Welcome", "--rule", "2", "--stock", "5", "--prefix", "W-").exit_code == 0
    run("generate", "--pool", "Welcome", "--quantity", "2")
    assert "Welcome  rule 2: 0 stock, 2 given, 0 used, 0 expiring, 0 expired" in run("list").output
    assert json.loads(run("list", "--json").stdout)[0]["given"] == 2
    rows = list(csv.reader(io.StringIO(run("list", "--codes", "Welcome").stdout)))
    assert rows[0][0] == "code"
    assert len(rows) == 3
    assert len(list(csv.reader(io.StringIO(run("list", "--codes", "Welcome", "--state", "stock").stdout)))) == 1


def test_codes_are_revoked_by_name_or_by_request(run, book):
    codes = run("generate", "--rule", "2", "--quantity", "3", "--request-id", "r1").stdout.split()
    assert run("revoke", codes[0]).output == "1 revoked\n"
    other = run("revoke", "SAVE10")
    assert (other.exit_code, "none of this ledger's codes" in other.output) == (1, True)
    assert run("revoke", "--request-id", "r1").output == "2 revoked\n"
    assert [one.code for one in book.coupons.values()] == ["SAVE10"]
    assert run("revoke").exit_code == 78
