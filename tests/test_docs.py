"""What the documentation says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import bridge.config
from bridge.settings import SETTINGS
from bridge.settings.page import page

ROOT = Path(__file__).resolve().parents[1]


def test_the_settings_page_is_the_one_that_the_table_gives():
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_setting_has_a_sentence_of_help():
    for setting in SETTINGS:
        assert setting.help.endswith("."), setting.key
        assert setting.label


def test_every_environment_variable_stands_in_the_operators_page_and_no_other():
    code = Path(bridge.config.__file__).read_text(encoding="utf-8")
    read = {name for name in re.findall(r'"(BRIDGE_[A-Z_]+)"', code) if not name.endswith("_")}
    read |= {f"BRIDGE_STORE_{name}" for name in re.findall(r'"((?:CONSUMER|ACCESS)_[A-Z_]+)"', code)}
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(BRIDGE_[A-Z_]+)`", text, re.MULTILINE))
    assert told == read


def test_links_between_the_pages_lead_somewhere():
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
