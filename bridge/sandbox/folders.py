"""Where the sandbox's templates and static files lie: beside the package in a checkout, inside it when installed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parents[1]


def sandbox_folder(kind: Literal["static", "templates"]) -> Path:
    """Give the sandbox's folder of that kind."""
    installed = _PACKAGE / f"_{kind}" / "sandbox"
    return installed if installed.is_dir() else _PACKAGE.parent / kind / "sandbox"
