"""Rows of an attribute mapping, and lists of order statuses, as controls of a form. Values in, values out.

The form holds them as ``KEY.N.attribute``, ``.same``, ``.name``, ``.form``, ``.remove``, and ``KEY.pick.STATUS``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.errors import Misconfigured
from bridge.settings import mapped_attributes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_ROWS = 300
FORMS = {"id": mark("ID"), "label": mark("Label"), "both": mark("ID and label"), "property": mark("Property (label)")}
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is shown or was typed; ``same`` says that Ometria's name is the attribute's own code."""

    attribute: str = ""
    same: bool = False
    name: str = ""
    form: str = ""
    remove: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was typed into it."""
        return not self.attribute and not self.name

    def text(self, number: int) -> str:
        """Return the row as :func:`bridge.settings.kinds.mapping` reads it."""
        if not self.attribute:
            raise Misconfigured(
                _("row %(number)s names no attribute of the shop: choose one, or remove the row.", number=number)
            )
        if not CODE.fullmatch(self.attribute):
            raise Misconfigured(
                _("row %(number)s: an attribute is named by its code: letters, digits, _ and dots.", number=number)
            )
        if self.same and self.name not in {"", self.attribute}:
            raise Misconfigured(
                _(
                    "row %(number)s: you ticked “same code” and typed another name: untick it, or leave the name "
                    "empty.",
                    number=number,
                )
            )
        if self.name and not self.same and not NAME.fullmatch(self.name):
            raise Misconfigured(
                _("row %(number)s: Ometria's attribute takes letters, digits, _ and -, a letter first.", number=number)
            )
        named = f"={self.name}" if self.name and not self.same else ""
        return f"{self.attribute}{named}{f':{self.form}' if self.form else ''}"


def shown_rows(texts: Iterable[str]) -> list[Row]:
    """Return the rows of a stored mapping."""
    pairs = [(text, found) for text in texts for found in mapped_attributes([text])]
    return [Row(one.attribute, "=" not in text, one.name if "=" in text else "", one.form) for text, one in pairs]


def typed_rows(key: str, form: Mapping[str, str]) -> list[Row] | None:
    """Return the rows of a form in their order, without empty and removed ones; None where it holds no table."""
    if f"{key}.0.attribute" not in form:
        return None
    found = []
    for number in range(MOST_ROWS):
        at = f"{key}.{number}"
        if f"{at}.attribute" not in form:
            break
        parts = [form.get(f"{at}.{part}", "").strip() for part in ("attribute", "name", "form")]
        row = Row(parts[0], f"{at}.same" in form, parts[1], parts[2], f"{at}.remove" in form)
        if not row.empty and not row.remove:
            found.append(row)
    return found


def rows_text(rows: Iterable[Row]) -> str:
    """Return the rows as one text, with the sentence of the first that cannot be."""
    return ", ".join(row.text(number) for number, row in enumerate(rows, start=1))


def picked(key: str, form: Mapping[str, str]) -> str | None:
    """Return ticked statuses and those typed beside them, by name; None where the form holds no such list."""
    typed = form.get(key)
    if typed is None:
        return None
    prefix = f"{key}.pick."
    found = {name.removeprefix(prefix) for name in form if name.startswith(prefix)}
    return ", ".join(sorted(found | {word for word in re.split(r"[,\s]+", typed) if word}))
