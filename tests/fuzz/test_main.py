"""The command: it goes on where it stopped, keeps what it finds, and says so by its exit code."""

from __future__ import annotations

import json

import pytest

from fuzz import record
from fuzz.__main__ import main, table
from fuzz.campaign import TARGETS, Target, smaller
from fuzz.campaign import examine as run_case
from fuzz.messages import DisagreementError


@pytest.fixture
def run(tmp_path):
    """Runs the command in a folder of its own; gives the exit code."""

    def call(*words):
        return main(words, tmp_path, tmp_path / "figures.json")

    return call


@pytest.fixture
def faulty(monkeypatch):
    """A target that fails for every value with a `b` in it."""

    def check(data, chance):
        if b"b" in data:
            raise DisagreementError("a letter", data)
        return 1

    monkeypatch.setitem(TARGETS, "rules", Target("rules", 7, TARGETS["rules"].make, check))


def state(folder, seed=1):
    return json.loads((folder / f"seed-{seed}.json").read_text())


def test_a_run_goes_on_where_it_stopped(run, tmp_path, capsys):
    assert run("--target", "rules", "--executions", "400") == 0
    first = state(tmp_path)["targets"]["rules"]
    assert (first["batch"], first["executions"], first["findings"]) == (2, 400, 0)
    assert first["comparisons"] > 200
    assert run("--target", "rules", "--executions", "1000") == 0
    assert state(tmp_path)["targets"]["rules"]["batch"] == 5
    assert run("--target", "rules", "--executions", "1000") == 0
    assert state(tmp_path)["targets"]["rules"]["batch"] == 5
    assert run("--target", "rules", "--executions", "200", "--seed", "2") == 0
    assert state(tmp_path, 2)["targets"]["rules"]["batch"] == 1
    assert "1,000 of 1,000" not in capsys.readouterr().err


def test_all_targets_get_their_share(run, tmp_path, capsys):
    assert run("--executions", "4000") == 0
    done = {name: target["executions"] for name, target in state(tmp_path)["targets"].items()}
    assert sum(done.values()) >= 4000
    assert set(done) == set(TARGETS)
    assert min(done.values()) >= 200
    assert sum(target.share for target in TARGETS.values()) == 100
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-len(TARGETS) - 1 :]] == [*TARGETS, "all"]
    assert not (tmp_path / "figures.json").exists()  # they are those of a whole run


def test_what_was_counted_of_other_code_does_not_count_but_its_cases_are_over(run, tmp_path, monkeypatch):
    assert run("--target", "rules", "--executions", "600") == 0
    monkeypatch.setattr(record, "code", lambda: "changed")
    assert run("--target", "rules", "--executions", "200") == 0
    after = state(tmp_path)["targets"]["rules"]
    assert (after["batch"], after["executions"]) == (4, 200)


def test_time_ends_a_run_too(run, tmp_path):
    assert run("--seconds", "0.2") == 0
    assert sum(target["executions"] for target in state(tmp_path)["targets"].values()) < 1_000_000


def test_a_finding_ends_the_run_and_is_kept_as_small_as_it_gets(run, tmp_path, faulty, capsys):
    assert run("--target", "rules", "--executions", "2000") == 1
    assert state(tmp_path)["targets"]["rules"]["executions"] == 200
    (path,) = (tmp_path / "findings").iterdir()
    kept = json.loads(path.read_text())
    assert (kept["target"], bytes.fromhex(kept["hex"])) == ("rules", b"b")
    assert b"b" in bytes.fromhex(kept["found"]["hex"])
    assert "a letter" in capsys.readouterr().out
    assert run("--replay", str(path)) == 1
    assert "a letter: b'b'" in capsys.readouterr().out.replace("a letter: a letter", "a letter")


def test_a_run_may_go_on_after_a_finding(run, tmp_path, faulty):
    assert run("--target", "rules", "--executions", "600", "--keep-going") == 1
    target = state(tmp_path)["targets"]["rules"]
    assert target["executions"] == 600
    assert target["findings"] > 1


def test_a_case_of_which_nothing_shows_is_no_finding(run, tmp_path, capsys):
    path = tmp_path / "case.json"
    path.write_text(json.dumps({"target": "rules", "hex": b"path\n/admin".hex()}))
    assert run("--replay", str(path)) == 0
    assert "nothing found" in capsys.readouterr().out


def test_a_crash_and_a_case_that_takes_too_long_are_findings(monkeypatch):
    def crash(data, chance):
        raise ZeroDivisionError

    _, found = run_case(Target("x", 1, lambda chance: b"", crash), b"abc", 0)
    assert found.kind == "crash: ZeroDivisionError"
    assert smaller(Target("x", 1, lambda chance: b"", crash), found).data == b""
    monkeypatch.setattr("fuzz.campaign.SLOW_SECONDS", -1.0)
    assert run_case(TARGETS["rules"], b"path\n/", 0)[1].kind == "slow"


def test_a_whole_run_writes_its_figures(tmp_path, monkeypatch):
    monkeypatch.setattr("fuzz.__main__.EXECUTIONS", 3000)
    assert main(("--executions", "3000"), tmp_path, tmp_path / "figures.json") == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["executions"] >= 3000
    assert figures["comparisons"] > 3000
    assert (figures["findings"], figures["seed"]) == (0, 1)
    assert set(figures["targets"]) == set(TARGETS)
    assert "executions" in table(record.State(tmp_path, 1, TARGETS), list(TARGETS))


def test_several_processes_run_the_same_cases_as_one(run, tmp_path):
    """A batch is made of its seed, target and number alone: each is run once, whoever runs it."""
    state = lambda: json.loads((tmp_path / "seed-1.json").read_text())["targets"]["chunks"]  # noqa: E731 asked twice
    assert run("--target", "chunks", "--executions", "3200") == 0
    alone = state()
    (tmp_path / "seed-1.json").unlink()
    assert run("--target", "chunks", "--executions", "3200", "--jobs", "2") == 0
    together = state()
    assert {**together, "seconds": 0} == {**alone, "seconds": 0}
