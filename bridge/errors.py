"""Errors that say what happens next.

Whoever raises knows whether trying again can help; whoever catches only reads the branch:

* :class:`Retry`: try again, not before ``after`` seconds; nothing is counted against the record.
* :class:`Refused`: this record will never be taken as it is; it is kept with its reason and holds nobody up.
* :class:`Skipped`: there is nothing to do; the reason is counted.
* :class:`Misconfigured`: a person must change something; the sentence names the thing and the change.

Messages never contain personal data, tokens or keys.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Base of all errors of bridge; ``str(error)`` is one clear sentence."""


class Retry(BridgeError):
    """The neighbour could not answer now."""

    def __init__(self, reason: str, after: float = 5.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Stumbled(Retry):
    """The neighbour failed at this question: one of the things asked about may be to blame, so ask for fewer."""


class Refused(BridgeError):
    """The record is wrong in itself and was set aside; ``field`` names the part that is wrong, where one alone is."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Skipped(BridgeError):
    """Nothing has to be done for this one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Misconfigured(BridgeError):
    """The process or the connection cannot work until somebody changes ``what``.

    ``field`` names the field of a form that it is about, where it is about one.
    """

    def __init__(self, what: str, field: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.field = field
