"""What the recogniser is given beside the letter: the store tree, expectations, subject rules, and the shop's word."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bridge.mail.rules import DEFAULTS, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.settings import Store

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True, repr=False)
class OrderFacts:
    """An order as the shop's REST tells it. ``store`` is a store view code, ``state`` Magento's own word.

    ``notified_at`` is when the newest history entry was made of which the customer was told (Unix seconds, 0 for
    none), and ``told`` the words of that entry. ``shipments`` are the numbers of its shipments, None where they were
    not asked for.
    """

    number: str
    email: str
    store: str = ""
    state: str = ""
    notified_at: float = 0.0
    told: str = ""
    customer: str = ""
    shipments: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, repr=False)
class CustomerFacts:
    """An account as the shop's REST tells it: its id, the store view that it belongs to, and when it was made.

    ``created_at`` is in Unix seconds, 0 where the shop does not say.
    """

    id: str
    store: str = ""
    created_at: float = 0.0


class Confirm(Protocol):
    """The shop's word on what a letter seems to be about. Both methods raise ``Retry`` when it cannot be had now."""

    def order(self, number: str, email: str) -> OrderFacts | None:
        """Return the newest order of this number, one of this e-mail first; None when the shop has none (yet)."""

    def customer(self, email: str, store: str) -> CustomerFacts | None:
        """Return the account of an e-mail in a store view's website, of any website when none is named."""


class Unconfirmed:
    """Confirms nothing: for a shop whose REST is not connected."""

    def order(self, number: str, email: str) -> OrderFacts | None:  # noqa: ARG002 the protocol's signature
        """Return nothing."""
        return None

    def customer(self, email: str, store: str) -> CustomerFacts | None:  # noqa: ARG002 the protocol's signature
        """Return nothing."""
        return None


@dataclass(frozen=True, slots=True, repr=False)
class Expected:
    """A native mail that traffic lets us expect for the recipient; ``at`` is when the traffic was (Unix seconds)."""

    native: str
    at: float


def default_rules(store: str) -> Sequence[Rule]:  # noqa: ARG001 the signature of the field
    """Return Magento's own English subjects, whatever the store view."""
    return DEFAULTS


@dataclass(frozen=True, slots=True, repr=False)
class Facts:
    """Everything that recognition needs and a letter does not hold.

    ``rules`` gives the subject rules of a store view code, those of all store views for an empty one. ``patience`` is
    how long after its arrival the shop's data is waited for, in seconds.
    """

    views: tuple[Store, ...] = ()
    expected: tuple[Expected, ...] = ()
    rules: Callable[[str], Sequence[Rule]] = default_rules
    confirm: Confirm = field(default_factory=Unconfirmed)
    patience: float = PATIENCE_SECONDS
