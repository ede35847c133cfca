"""What readers make of bytes, in words that do not depend on the reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Fields = list[tuple[bytes, bytes]]

# Framing besides a length.
CHUNKED: Final = "chunked"
CLOSE: Final = "close"
NONE: Final = "none"
Framing = int | Literal["chunked", "close", "none"]


class RefusedError(Exception):
    """The bytes are no message to this reader. `status` is what a server would answer, 0 where the reader says none."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


class UnfinishedError(Exception):
    """The bytes may be the beginning of a message."""


class DisagreementError(Exception):
    """Two readers differ, or something that must always hold does not. `kind` is the same for findings of one cause."""

    def __init__(self, kind: str, detail: object = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


@dataclass(slots=True)
class Request:
    """A whole request; `end` is the offset after it in what was read, `persistent` whether another may follow."""

    method: bytes
    target: bytes
    version: bytes
    fields: Fields
    body: bytes
    end: int
    framing: Framing = NONE
    persistent: bool = False


@dataclass(slots=True)
class Response:
    """An answer up to its end, or to the end of the connection: then `complete` says whether it was whole."""

    status: int
    reason: bytes
    version: bytes
    fields: Fields
    body: bytes
    end: int
    complete: bool = True
    framing: Framing = NONE
    persistent: bool = False


@dataclass(slots=True)
class Reading:
    """All requests of a connection, and how reading ended at the offset `at`."""

    requests: list[Request] = field(default_factory=list)
    at: int = 0
    refused: int | None = None  # the status
    why: str = ""


def insist(condition: object, kind: str, detail: object = "") -> None:
    """Raise a disagreement unless the condition holds."""
    if not condition:
        raise DisagreementError(kind, detail)


def values(fields: Fields, name: bytes) -> list[bytes]:
    """Return every value of a field, its name given in lower case."""
    return [value for key, value in fields if key.lower() == name]
