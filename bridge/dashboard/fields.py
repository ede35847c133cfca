"""One field of the settings: what is shown, and what a saved form asks for. Values in, values out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cronsim import CronSim, CronSimError

from bridge.dashboard import mapping_table
from bridge.dashboard.language import gettext as _
from bridge.dashboard.language import mark
from bridge.dashboard.sentences import said
from bridge.errors import Misconfigured
from bridge.settings import DEFAULT, mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.dashboard.mapping_table import Row
    from bridge.settings import Book, Setting

ABOVE = {"default": mark("Use system value"), "website": mark("Use Default"), "store": mark("Use Website")}
"""What the box beside a field says, by the level of the scope, in Magento's words."""

_MOMENT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
WORDS = {"id": mark("ID"), "sku": mark("SKU"), "code": mark("Code"), "data_layer": mark("Data layer")}


@dataclass(slots=True)
class Field:
    """A setting at a scope.

    ``own`` tells whether the scope has a value of its own, ``inherited`` is the value above and ``source`` says where
    that comes from. ``text`` is what the control holds: never a secret. ``typed`` and ``error`` are what a refused form
    left; ``hints`` are sentences that show what the value means, ``known`` what the shop has to choose from.
    """

    setting: Setting
    level: str
    own: bool
    value: Any
    inherited: Any
    source: str
    use_default: bool
    delete: bool = False
    typed: str | None = None
    typed_rows: list[Row] | None = None
    error: str = ""
    hints: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The key, which is also the control's name."""
        return self.setting.key

    @property
    def text(self) -> str:
        """What the control holds; a secret's is always empty."""
        if self.setting.secret:
            return ""
        return self.typed if self.typed is not None else as_text(self.value)

    @property
    def mask(self) -> str:
        """The last four characters of the secret that this scope has itself."""
        return mask(self.value) if self.own and self.setting.secret and self.value else ""

    @property
    def box(self) -> str:
        """The label of the box that gives up the own value; empty where there is nothing above to use."""
        return "" if self.setting.secret and self.level == "default" else _(ABOVE[self.level])

    @property
    def was(self) -> str:
        """The state that the form carries along: it tells which fields its reader has touched."""
        return ("own:" if self.own else "above:") + ("" if self.setting.secret else as_text(self.value))

    def settle(self, was: str) -> None:
        """After a conflict: take the stored state where the reader of the form had left the field alone."""
        level, _colon, text = was.partition(":")
        same = level == "above" if self.use_default else level == "own" and (self.typed or "") == text
        if same and not self.delete and not self.error:
            self.typed, self.typed_rows, self.use_default = None, None, not self.own

    def forget_secret(self) -> None:
        """Say that a typed key is not shown again, when the form comes back for another reason."""
        if self.setting.secret and self.typed and not self.error:
            self.error = _("Nothing was saved, and the key you typed is not kept in the page: type it again.")

    @property
    def clashes(self) -> bool:
        """Whether the form and the database hold different things."""
        return self.use_default == self.own or (self.own and self.typed not in {None, self.was.partition(":")[2]})

    @property
    def shown_stored(self) -> str:
        """The stored value, for people."""
        return shown(self.setting, self.value) if self.own else f"{self.box}: {self.shown_inherited}"

    @property
    def shown_inherited(self) -> str:
        """The value above, for people."""
        return shown(self.setting, self.inherited)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Value and words of each choice of a list."""
        if self.setting.widget == "switch":
            return [("1", "Yes"), ("0", "No")]
        if self.setting.widget == "mapping":
            return []
        return [(choice, words_of(choice)) for choice in self.setting.choices]

    @property
    def forms(self) -> list[tuple[str, str]]:
        """Value and words of what a row of a mapping may send."""
        return [(form, mapping_table.FORMS[form]) for form in self.setting.choices]

    @property
    def rows(self) -> list[Row]:
        """The rows of a mapping: as typed, else as stored."""
        return self.typed_rows if self.typed_rows is not None else mapping_table.shown_rows(self.value)

    @property
    def picked(self) -> list[str]:
        """The words of a list, as typed or stored."""
        return [word for word in self.text.replace(",", " ").split() if word]

    @property
    def meaning(self) -> str:
        """What a cron expression says, in words."""
        if self.setting.widget != "cron" or self.error:
            return ""
        try:
            return str(CronSim(self.text, _MOMENT).explain())
        except CronSimError:
            return ""


@dataclass(frozen=True, slots=True)
class Change:
    """What saving does to one setting: ``unset`` it, or give it the typed ``value``."""

    setting: Setting
    before: str
    after: str
    unset: bool = False
    value: Any = None


def field_at(book: Book, setting: Setting, ref: str, labels: Mapping[str, str]) -> Field:
    """Return the field as the book has it."""
    values = book.values.get(ref, {})
    own = setting.key in values
    parent = book.parents.get(ref)
    above = book.settings(parent) if parent is not None else None
    inherited = above[setting.key] if above is not None else setting.default
    owner = above.source(setting.key) if above is not None else ""
    return Field(
        setting=setting,
        level="default" if ref == DEFAULT else ref.partition(":")[0],
        own=own,
        value=values[setting.key] if own else inherited,
        inherited=inherited,
        source=_("from %(scope)s", scope=labels.get(owner, owner)) if owner else _("built in"),
        use_default=not own,
    )


def decide(field: Field, form: Mapping[str, str]) -> Change | None:
    """Return what the form asks for, or None for no change; a wrong value leaves its sentence in ``field.error``."""
    field.use_default = f"default.{field.key}" in form
    field.delete = f"delete.{field.key}" in form
    try:
        typed = _typed(field, form)
        field.typed = typed if typed is None else typed.replace("\r\n", "\n")
        shown_before = form.get(f"was.{field.key}", "").replace("\r\n", "\n").partition(":")[2]
        return _decide_secret(field) if field.setting.secret else _decide_open(field, shown_before)
    except Misconfigured as error:
        what = said(error.what)
        field.error = what[:1].upper() + what[1:]
        return None


def _typed(field: Field, form: Mapping[str, str]) -> str | None:
    """Return what was typed, as text; the controls of a table or list are joined."""
    if field.setting.widget == "statuses":
        return mapping_table.picked(field.key, form)
    field.typed_rows = mapping_table.typed_rows(field.key, form) if field.setting.widget == "mapping" else None
    return form.get(field.key) if field.typed_rows is None else mapping_table.rows_text(field.typed_rows)


def as_text(value: Any) -> str:
    """Return a value as a control holds it, and as :func:`bridge.settings.parse` reads it again."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def words_of(choice: str) -> str:
    """Return what a choice of a list is called, in English."""
    return WORDS.get(choice, choice.capitalize())


def shown(setting: Setting, value: Any) -> str:
    """Return a value for people: secrets masked, choices in words."""
    if setting.secret:
        return mask(value) if value else _("none")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if setting.choices and setting.widget != "mapping":
        return _(words_of(str(value)))
    return as_text(value) or _("empty")


def _decide_open(field: Field, shown_before: str) -> Change | None:
    if field.use_default or field.typed is None:
        if field.typed not in {None, shown_before, as_text(field.value), as_text(field.inherited)}:
            raise Misconfigured(
                _("you typed a value while “%(box)s” is ticked: untick it, or leave the value alone.", box=field.box)
            )
        return _unset(field) if field.own and field.use_default else None
    value = field.setting.parse(field.typed)
    if field.own and value == field.value:
        return None
    return Change(field.setting, _before(field), shown(field.setting, value), value=value)


def _decide_secret(field: Field) -> Change | None:
    gone = field.delete or field.use_default
    if not field.typed:
        if not gone and not field.own and field.inherited:
            raise Misconfigured(_("type the key of this scope, or tick “%(box)s”.", box=field.box))
        return _unset(field) if gone and field.own else None
    if gone:
        raise Misconfigured(_("you typed a key and ticked a box that takes it away: do one of the two."))
    value = field.setting.parse(field.typed)
    if field.own and value == field.value:
        return None
    return Change(field.setting, _before(field), shown(field.setting, value), value=value)


def _unset(field: Field) -> Change:
    return Change(field.setting, _before(field), f"{field.shown_inherited}, {field.source}", unset=True)


def _before(field: Field) -> str:
    return shown(field.setting, field.value)


__all__ = ["Change", "Field", "as_text", "decide", "field_at", "shown", "words_of"]
