"""The table of ``docs/tracking.md``: what the fake Ometria received of each recorded page, and how the tag knew it.

``python -m tests.replay.told_table`` opens every page in Chromium through bridge and writes the table anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCS = Path(__file__).resolve().parents[2] / "docs" / "tracking.md"
BEGIN, END = "<!-- pages -->\n", "<!-- /pages -->"
HEAD = "| Page | Signal | Call | Payload |\n| --- | --- | --- | --- |\n"
CALLS = {"pageview": "init", "transaction": "trackTransaction"}


def rows(key: str, signals: Sequence[str], events: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line for each event of a page, as the table has it; ``signals`` are those that the tag logged."""
    return [f"| `{key}` | {_signal(event, signals)} | {_call(event)} | {_payload(event)} |" for event in events]


def _signal(event: dict[str, Any], signals: Sequence[str]) -> str:
    if event["type"] != "pageview":
        return "the order's number on the page"
    assert len(set(signals)) == 1, signals
    return "nothing" if signals[0] == "nothing" else f"`{signals[0]}`"


def _call(event: dict[str, Any]) -> str:
    words = [event["d"].get("type") or "null", event["site"]] if event["type"] == "pageview" else []
    return " ".join([f"`{CALLS[event['type']]}`", *words])


def _payload(event: dict[str, Any]) -> str:
    told = {name: value for name, value in event["d"].items() if name not in {"type", "rurl"}}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(", ", ": "))
    return f"`{text}`" if told else ""


def written() -> list[str]:
    """Return the lines that the page has."""
    return DOCS.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].splitlines()


def main() -> int:
    """Write the table."""
    from tests.replay.test_captured_in_browser import RECORDED, TABLE, open_world

    lines = []
    with TemporaryDirectory() as folder, open_world(Path(folder)) as world:
        for key in TABLE:
            _, _, events = world.open(key, RECORDED[key])
            lines += rows(key, world.signals, events)
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(before + BEGIN + HEAD + "\n".join(lines) + "\n" + END + rest.partition(END)[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
