"""Writes ``docs/settings.md`` from the table: ``make docs``."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bridge.settings.table import SETTINGS

if TYPE_CHECKING:
    from bridge.settings.definition import Setting

HEAD = """# Shop settings

Generated from the table in `bridge/settings/table.py` by `make docs`; a test fails when the two differ.

Each value can be set at the default scope, a website or a store view; the nearest one wins, and *use default* takes the
one above again. Change them on the dashboard or with `bridge config set KEY VALUE --scope website:CODE`. Booleans take
`1 0 true false yes no on off`. Process settings are environment variables: see [operate.md](operate.md).
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for section, rows in groupby(SETTINGS, key=lambda setting: setting.section):
        parts.append(f"\n## {section}\n\n| key | default | meaning |\n| --- | --- | --- |")
        parts.extend(_row(setting) for setting in rows)
    return "\n".join(parts) + "\n"


def _row(setting: Setting) -> str:
    default = setting.default
    shown = (
        "yes"
        if default is True
        else "no"
        if default is False
        else ", ".join(default)
        if isinstance(default, list)
        else default
    )
    listed = setting.choices if setting.widget != "mapping" else ()
    choices = f" One of {', '.join(f'`{choice}`' for choice in listed)}." if listed else ""
    value = "empty" if shown == "" else f"`{shown}`"
    where = " Set at the default scope only." if setting.shopwide else ""
    return f"| `{setting.key}` | {value} | **{setting.label}.** {setting.help}{choices}{where} |"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 the page is this command's output
