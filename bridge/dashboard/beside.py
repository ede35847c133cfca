"""Sentences that stand beside the field that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flask import request

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.errors import BridgeError

    Read = TypeVar("Read")


def beside(error: BridgeError | None) -> dict[str, str]:
    """Return what a page says of an input that was refused, and beside which of the fields that were sent."""
    field = getattr(error, "field", "")
    return {"sentence": str(error), "field": field if field in request.values else ""} if error is not None else {}


def read(field: str, reader: Callable[[str], Read], text: str) -> Read:
    """Read a field's text; what is refused is about this field. Raises :class:`Misconfigured`."""
    try:
        return reader(text)
    except Misconfigured as error:
        raise Misconfigured(error.what, field) from None
