"""A file of settings as YAML: written for every reader, read without surprises."""

from __future__ import annotations

import random

import pytest
import yaml

from bridge.errors import Misconfigured
from bridge.settings import yaml_file

ODD = [
    "",
    " ",
    "a: b",
    "#x",
    "x # y",
    "yes",
    "Null",
    "1",
    "1.5",
    "*/5 * * * *",
    "- a",
    "[a]",
    "{b}",
    "'",
    '"',
    "a'b",
    "ü€😀",
]
ODD += [
    "two\nlines",
    "tab\there",
    "\\",
    "&a",
    "*a",
    "!t",
    "%",
    "@",
    "`",
    "?",
    "~",
    "2026-01-01",
    "0x1f",
    "a:b",
    ":",
    ",",
]


def test_what_is_written_is_read_the_same_here_and_by_a_whole_yaml_reader():
    chance = random.Random(7)
    for _ in range(300):
        texts = [chance.choice(ODD) for _ in range(6)]
        tree = {
            "default": {"a.text": texts[0], "a.list": texts[1:3], "a.flag": True},
            "store:de": {"b.n": 12, "b.t": texts[3]},
        }
        text = yaml_file.write(tree)
        assert yaml.safe_load(text) == tree, text
        as_texts = {
            scope: {
                key: value if isinstance(value, list) else str(value) if not isinstance(value, bool) else "true"
                for key, value in values.items()
            }
            for scope, values in tree.items()
        }
        assert yaml_file.read(text) == as_texts, text


BY_HAND = r"""
---
# a comment
default:   # the top
  orders.currency: both # for now
  'general.account_id': "0123456789abcdef"
  customers.mapping:
    - hobby=interest:label
    # another
    - 'it''s'
    - "a \"b\" # c"

"website:base":
  export.schedule: "*/5 * * * *"
  tracking.exclude_paths: |
    /one
      /two

    /three
  orders.valid_statuses: [complete, 'on hold', "a, b"]
  mail.mode:
"""


def test_what_people_write_is_read_as_a_whole_yaml_reader_reads_it():
    found = yaml_file.read(BY_HAND)
    whole = yaml.safe_load(BY_HAND)
    whole["website:base"]["tracking.exclude_paths"] = whole["website:base"]["tracking.exclude_paths"].strip("\n")
    whole["website:base"]["mail.mode"] = ""
    assert found == whole


def test_a_value_is_taken_as_it_is_written():
    found = yaml_file.read("default:\n  a: 0123456701234567\n  b: 2026-01-01\n  c: 12:30\n  d: 1_000\n  e: off\n  f: ~")
    assert found["default"] == {
        "a": "0123456701234567",
        "b": "2026-01-01",
        "c": "12:30",
        "d": "1_000",
        "e": "off",
        "f": "",
    }


def test_an_empty_file_and_an_empty_scope_hold_nothing():
    assert yaml_file.read("# nothing\n") == {}
    assert yaml_file.read("default:\nstore:de: {}\n") == {"default": {}, "store:de": {}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("orders.currency: both", 1),
        ("  a: b", 1),
        ("default:\n\ta: b", 2),
        ("default:\n  a: b\n  a: c", 3),
        ("default:\n  a: b\ndefault:\n  b: c", 3),
        ("default:\n  a: *anchor", 2),
        ("default:\n  a: !!python/object:os.system x", 2),
        ("default:\n  a: {b: c}", 2),
        ('default:\n  a: "open', 2),
        ("default:\n  a: 'open", 2),
        ("default:\n  a: [b, {c}]", 2),
        ("default:\n  a: b: c", 2),
        ("default:\n  a: !own x", 2),
        ("default:\n  {a: b}: c", 2),
        ("default:\n  a: \x00", 2),
        ("default: a", 1),
        ("&a [*a]", 1),
        ("default:\n  a: " + "[" * 5000, 1),
        ('default:\n  a: "open\n  b: c\n', 2),
        ("default:\n  a: b\n  oops\n", 3),
        ("nonsense", 1),
        ("default:\n  - a", 2),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line_and_never_repeated(text, line):
    with pytest.raises(Misconfigured) as caught:
        yaml_file.read(text)
    assert caught.value.what.startswith(f"Line {line} of the file cannot be read: ")


def test_an_unreadable_line_does_not_give_a_key_away():
    with pytest.raises(Misconfigured) as caught:
        yaml_file.read('default:\n  general.api_key: "om_live_1234')
    assert "om_live" not in caught.value.what


def outcome(text):
    try:
        return yaml_file.read(text)
    except Misconfigured as error:
        return error.what


def test_chance_text_is_read_or_refused_with_a_sentence():
    chance = random.Random(11)
    pieces = ["default:", "\n", "  ", "a.b:", " ", "- ", "[", "]", '"', "'", "#", "|", "x", ",", "\\", "\t", ":", "é"]
    found = [outcome("".join(chance.choices(pieces, k=chance.randrange(25)))) for _ in range(3000)]
    assert {type(one) for one in found} == {dict, str}
    assert all(one.startswith("Line ") for one in found if isinstance(one, str))
