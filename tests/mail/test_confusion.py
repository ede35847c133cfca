from __future__ import annotations

import pytest
from click.testing import CliRunner

from bridge.cli import main
from bridge.cli_confusion import ConfusedError
from bridge.cli_confusion import confusion as command
from bridge.mail import confusion, recognise, shapes
from bridge.mail.natives import KIND_OF, NATIVES
from bridge.mail.specimens import BODIES, specimen
from tests.mail.letters import CAPTURED, NEEDS_CAPTURES

SEED = 20_261_127


@pytest.fixture(scope="module")
def built_in():
    return confusion.samples(None)


def test_there_is_a_mail_of_every_sort_and_a_marked_one_of_every_kind(built_in):
    assert set(BODIES) == set(NATIVES)
    assert sorted(sample.native for sample in built_in if not sample.marked) == sorted(NATIVES)
    assert sorted(sample.native for sample in built_in if sample.marked) == sorted(KIND_OF)
    assert {sample.kind for sample in built_in} == {*KIND_OF.values(), None}


def test_no_mail_of_ours_and_no_changed_copy_is_taken_for_another_kind(built_in):
    table = confusion.confusion(built_in, SEED, 12)
    assert table.wrong == []
    assert table.holds, list(confusion.shown(table))
    assert table.marked == {True: 7}
    assert table.unmarked == {True: 7}


def test_the_same_seed_gives_the_same_table(built_in):
    some = built_in[:4]
    first, again, other = (confusion.confusion(some, seed, 6) for seed in (1, 1, 2))
    assert first.counts == again.counts
    assert [raw for raw, _ in confusion.mutants(some[0], 1, 5)] != [raw for raw, _ in confusion.mutants(some[0], 2, 5)]
    assert other.counts.total() == first.counts.total()


def test_a_recognition_that_takes_two_numbers_for_a_shipment_is_found_out(built_in, monkeypatch):
    loose = shapes.Shape("shipment", frozenset({"shipment_new"}), lambda marks, _r: len(marks.headings) == 2)
    monkeypatch.setattr(shapes, "SHAPES", (loose, *shapes.SHAPES))
    table = confusion.confusion([one for one in built_in if one.native == "invoice_new"], SEED, 30)
    assert any(": order_shipping" in line for line in table.wrong)
    assert not table.holds


def test_a_recognition_that_takes_every_welcome_for_a_forgotten_password_is_found_out(built_in, monkeypatch):
    everything = shapes.Shape("reset", frozenset({"password_forgot"}), lambda marks, _r: bool(marks.of_sort("reset")))
    monkeypatch.setattr(shapes, "SHAPES", (everything, *shapes.SHAPES))
    table = confusion.confusion([one for one in built_in if one.native == "account_new"], SEED, 12)
    assert any(": forgot_password" in line for line in table.wrong)


def test_a_recognition_that_converts_nothing_is_found_out(built_in, monkeypatch):
    monkeypatch.setattr(recognise.natives, "KIND_OF", {})
    table = confusion.confusion(built_in, SEED, 0)
    assert table.wrong == []
    assert not table.holds
    assert len(table.missed) == 14


def test_the_table_names_every_mail_and_every_wrong_one(built_in):
    table = confusion.confusion(built_in[:3], SEED, 1)
    table.wrong.append("order_new mutant 3 (subject; true): forgot_password")
    lines = list(confusion.shown(table))
    assert [line.split()[0] for line in lines[1:4]] == ["order_new", "order_update", "shipment_new"]
    assert lines[-2] == "wrong kinds: 1"
    assert lines[-1].startswith("order_new mutant 3")


def test_the_command_prints_the_table_of_a_folder_and_ends_well(tmp_path):
    (tmp_path / "001_order_confirmation_en.eml").write_bytes(specimen("order_new"))
    (tmp_path / "marker_stock_alert.eml").write_bytes(specimen("stock_alert", marked=True))
    (tmp_path / "something.eml").write_bytes(specimen("price_alert"))
    result = CliRunner().invoke(command, ["--seed", "5", "--copies", "2", "--folder", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "wrong kinds: 0" in result.output
    assert "unchanged with a marker: 1 of 1 converted" in result.output


def test_the_command_fails_for_a_folder_whose_mails_are_not_what_they_are_called(tmp_path):
    (tmp_path / "001_invoice_en.eml").write_bytes(specimen("order_new"))
    result = CliRunner().invoke(command, ["--copies", "0", "--folder", str(tmp_path)])
    assert isinstance(result.exception, ConfusedError)
    assert "001_invoice_en: order_confirmation" in result.output


def test_the_command_line_ends_with_one_sentence_and_1_when_the_table_does_not_hold(tmp_path):
    (tmp_path / "001_invoice_en.eml").write_bytes(specimen("order_new"))
    result = CliRunner().invoke(main, ["mail", "confusion", "--copies", "0", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "bridge: The recognition does not hold" in result.output


def test_a_folder_without_mails_is_said_to_be_one(tmp_path):
    result = CliRunner().invoke(command, ["--folder", str(tmp_path)])
    assert "No mails" in str(result.exception)


class TestCaptured:
    pytestmark = NEEDS_CAPTURES

    def test_no_captured_mail_and_no_changed_copy_is_taken_for_another_kind(self):
        found = confusion.samples(CAPTURED, ["000000010", "3000000001"])
        table = confusion.confusion(found, SEED, 2)
        assert table.wrong == []
        assert table.marked == {True: 28}
        assert table.unmarked[True] >= 0.95 * table.unmarked.total() > 40
