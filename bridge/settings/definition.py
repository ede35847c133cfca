"""What one shop setting is, and the usual kinds of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.settings import kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.settings.kinds import Parse, Widget


@dataclass(frozen=True, slots=True)
class Setting:
    """One definition. ``help`` is one sentence for people; ``choices`` feed the form's list (of a mapping, a row's)."""

    key: str
    label: str
    help: str
    default: Any
    parse: Parse
    widget: Widget
    choices: tuple[str, ...] = ()
    caution: Callable[[Any], str] | None = None
    """Value -> a sentence about one that is taken and may still be a mistake, or an empty text."""
    shopwide: bool = False
    """Whether it is set at the default scope only: it is about the installation, not about a store view."""

    @property
    def section(self) -> str:
        """The part before the dot: the section of the form."""
        return self.key.partition(".")[0]

    @property
    def secret(self) -> bool:
        """Whether the value is encrypted at rest and never shown again."""
        return self.widget == "secret"


def switch(key: str, label: str, told: str, *, default: bool) -> Setting:
    """Return a setting that is on or off."""
    return Setting(key, label, told, default, kinds.boolean, "switch")


def choice(key: str, label: str, told: str, *choices: str) -> Setting:
    """Return a setting that takes one of ``choices``; the first is the default."""
    return Setting(key, label, told, choices[0], kinds.choice(*choices), "choice", choices)


def number(key: str, label: str, told: str, *, default: int, low: int, high: int) -> Setting:
    """Return a setting that takes a whole number from ``low`` to ``high``."""
    return Setting(key, label, told, default, kinds.whole(low, high), "number")


def secret(key: str, label: str, told: str) -> Setting:
    """Return a setting that is encrypted at rest, and empty unless set."""
    return Setting(key, label, told, "", kinds.api_key, "secret")


def text(key: str, label: str, told: str, pattern: str, takes: str) -> Setting:
    """Return a setting that takes text of a pattern, and is empty unless set; ``takes`` says the pattern in words."""
    return Setting(key, label, told, "", kinds.text(pattern, takes), "text")
