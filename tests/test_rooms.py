"""The house: who may import whom, sizes, and names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "bridge").rglob("*.py"))


def test_the_layers_hold():
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_above_400_lines_and_no_function_above_40(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [
                child
                for child in ast.walk(node)
                if child is not node and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            own = node.end_lineno - node.lineno + 1 - sum(child.end_lineno - child.lineno + 1 for child in inner)
            assert own <= 40, f"{node.name} has {own} lines"


def test_no_module_is_called_utils():
    assert not [path for path in MODULES if path.stem in {"utils", "util", "helpers", "misc", "common"}]


def test_every_test_file_is_named_after_a_module_or_a_behaviour_of_its_room():
    rooms = {path.name for path in (ROOT / "bridge").iterdir() if path.is_dir()}
    others = {"base", "wire", "contract", "browser", "faults", "fuzz", "replay", "__pycache__"}
    assert {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} <= rooms | others
