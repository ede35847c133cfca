"""One thing that a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``name`` says who was asked, ``sentence`` what was found and, where something is wrong, the change to make.

    ``about`` names which of many it is about: a right as the backend shows it, the base URL of a store view.
    """

    name: str
    level: Level
    sentence: str
    about: str = ""


def good(name: str, sentence: str, about: str = "") -> Finding:
    """Nothing to do."""
    return Finding(name, "ok", sentence, about)


def warn(name: str, sentence: str, about: str = "") -> Finding:
    """Works, but somebody should look."""
    return Finding(name, "warn", sentence, about)


def fail(name: str, sentence: str, about: str = "") -> Finding:
    """Does not work until somebody changes something."""
    return Finding(name, "fail", sentence, about)
