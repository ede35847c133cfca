"""The confusion table: what mails and their mutants are taken for, with every wrong kind a failure.

A folder holds mails as ``NAME.eml``. What a mail is stands in its name, as the captured ones are named:
``NUMBER_MAIL_LANGUAGE.eml`` or ``marker_HOW_MAIL.eml``; a mail named otherwise is what it is recognised as unchanged.
The shop's word on each is made up from the letter itself: its order exists and is the recipient's, and is cancelled
where the folder's ``orders`` say so. Three things are tried of each: nothing known, what is true, and everything
expected at once.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.errors import Misconfigured
from bridge.mail.facts import CustomerFacts, Expected, Facts, OrderFacts
from bridge.mail.letter import Letter
from bridge.mail.markers import markers
from bridge.mail.marks import Marks
from bridge.mail.mutations import mutant
from bridge.mail.natives import KIND_OF, KINDS, NATIVES
from bridge.mail.recognise import recognise
from bridge.mail.specimens import ORDER_NUMBER, specimens
from bridge.settings import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bridge.mail.recognise import Verdict

AT = 1_790_000_000.0
RELAYED = "relayed"
UNMARKED_SHARE = 0.95

LABELS: tuple[tuple[str, str], ...] = (
    ("shipment_comment", "shipment_update"),
    ("invoice_comment", "invoice_update"),
    ("creditmemo_comment", "creditmemo_update"),
    ("creditmemo", "creditmemo_new"),
    ("invoice", "invoice_new"),
    ("order_confirmation", "order_new"),
    ("order_comment", "order_update"),
    ("shipment", "shipment_new"),
    ("email_and_password_changed", "email_password_changed"),
    ("account_confirmation", "account_confirmation"),
    ("account_created", "account_new"),
    ("forgot_password", "password_forgot"),
    ("newsletter_confirm", "newsletter_confirm"),
    ("newsletter_subscribed", "newsletter_success"),
    ("newsletter_unsubscribed", "newsletter_unsubscribed"),
    ("wishlist", "wishlist_share"),
    ("contact", "other"),
    ("price_alert", "price_alert"),
    *((native, native) for native in NATIVES),
)
"""Part of a file's name -> the mail that it is; the longest that is in the name."""
_LONGEST_FIRST = sorted(LABELS, key=lambda row: -len(row[0]))


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail with what it is: its native name, and the kind it must be taken for (None: relayed)."""

    name: str
    raw: bytes = field(repr=False)
    native: str
    kind: str | None
    marked: bool


@dataclass
class Table:
    """Counts of (native mail, what it was taken for), and the names of mutants that were taken for a wrong kind."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    marked: Counter[bool] = field(default_factory=Counter)
    unmarked: Counter[bool] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether no kind is wrong, every marked mail was converted, and enough of the others."""
        total = self.unmarked.total()
        return not self.wrong and not self.marked[False] and self.unmarked[True] >= UNMARKED_SHARE * total


@dataclass(frozen=True, slots=True)
class Known:
    """The shop's word on one sample: its order and its account, as far as it has them."""

    sample: Sample
    email: str
    number: str
    account: str
    told: str
    states: dict[str, str]

    def order(self, number: str, email: str) -> OrderFacts | None:  # noqa: ARG002 the protocol's signature
        """Return the sample's own order; another number is no order of the shop."""
        if not number or number != self.number:
            return None
        is_cancelled = self.sample.kind == "order_cancellation"
        state = "canceled" if is_cancelled else self.states.get(number, "processing")
        told_at = AT if self.sample.native == "order_update" else 0.0
        return OrderFacts(number, self.email, "default", state, told_at, self.told if told_at else "")

    def customer(self, email: str, store: str) -> CustomerFacts | None:  # noqa: ARG002 the protocol's signature
        """Return the recipient's account where the mail is to one, as old as it then is."""
        if email != self.email or not (self.account or self.sample.native == "stock_alert"):
            return None
        age = 5 if self.sample.native == "account_new" else 86_400
        return CustomerFacts(self.account or "1", "default", AT - age)


def samples(folder: Path | None, cancelled: Iterable[str] = ()) -> list[Sample]:
    """Return the mails of a folder, without one the built-in ones.

    ``cancelled`` are the numbers of the orders that were cancelled. Raises :class:`Misconfigured` for a folder without
    mails.
    """
    if folder is None:
        return [_sample(name, raw, frozenset({ORDER_NUMBER})) for name, raw in specimens()]
    gone = frozenset(cancelled)
    found = [_sample(path.stem, path.read_bytes(), gone) for path in sorted(folder.glob("*.eml"))]
    if not found:
        raise Misconfigured(f"No mails (*.eml) are in the folder {folder.name!r}.")
    return found


def _sample(name: str, raw: bytes, cancelled: frozenset[str]) -> Sample:
    letter = Letter.parse(raw)
    native = next((native for label, native in _LONGEST_FIRST if label in name), "")
    if not native:
        native = _recognised(letter)
    kind = KIND_OF.get(native)
    if native == "order_update":
        kind = kind if _number(letter) in cancelled or "cancel" in name else None
    return Sample(name, raw, native or "other", kind, any(one.fields for one in markers(letter)))


def _recognised(letter: Letter) -> str:
    to = letter.to[0].email if letter.to else ""
    return recognise(letter, to, Facts()).native


def _number(letter: Letter) -> str:
    """Return the number of the order that a letter is about; of two in the heading the order's is the last."""
    marked = next((number for one in markers(letter) if (number := one.get("order"))), "")
    marks = Marks.of(letter)
    return marked or next(iter(marks.headings[-1:] or marks.numbers), "")


def known(sample: Sample, states: dict[str, str]) -> Known:
    """Return the shop's word on a sample."""
    letter = Letter.parse(sample.raw)
    marks = Marks.of(letter)
    links = marks.of_sort("reset")
    account = links[0].value("id") if links else ""
    email = letter.to[0].email if letter.to else ""
    return Known(sample, email, _number(letter), account, marks.message, states)


VIEWS = (
    Store("store:default", "default", 1, "base", 1, is_default=True, base_url="http://store.test/", locale="en_GB"),
    Store("store:fr", "fr", 2, "europe", 2, is_default=True, base_url="http://eu.store.test/", locale="fr_FR"),
)


def facts(sample: Sample, shop: Known, how: str) -> Facts:
    """Return what is known beside a letter: ``nothing``, what is ``true``, or ``everything`` expected at once."""
    if how == "nothing":
        return Facts(views=VIEWS)
    natives = [*KIND_OF, "email_changed", "email_password_changed"] if how == "everything" else [sample.native]
    return Facts(views=VIEWS, expected=tuple(Expected(native, AT) for native in natives), confirm=shop)


@dataclass(frozen=True, slots=True)
class _Received:
    received_at: float = AT
    store_hint: str = ""


def verdict_on(raw: bytes, sample: Sample, shop: Known, how: str) -> Verdict:
    """Return the verdict on a copy of a sample."""
    return recognise(Letter.parse(raw, _Received()), shop.email, facts(sample, shop, how))


def confusion(found: Iterable[Sample], seed: int, copies: int, states: dict[str, str] | None = None) -> Table:
    """Return the table over the samples and ``copies`` mutants of each."""
    table = Table()
    for sample in found:
        shop = known(sample, states or {})
        _unchanged(table, sample, shop)
        for number, (raw, changes) in enumerate(mutants(sample, seed, copies)):
            for how in ("nothing", "true", "everything"):
                taken = verdict_on(raw, sample, shop, how).kind
                table.counts[sample.native, taken or RELAYED] += 1
                if taken is not None and taken != sample.kind:
                    table.wrong.append(f"{sample.name} mutant {number} ({', '.join(changes)}; {how}): {taken}")
    return table


def mutants(sample: Sample, seed: int, copies: int) -> Iterator[tuple[bytes, tuple[str, ...]]]:
    """Yield changed copies of a sample; the seed, the sample's name and the number name each for good."""
    letter = Letter.parse(sample.raw)
    for number in range(copies):
        yield mutant(letter, random.Random(f"{seed} {sample.name} {number}"))  # noqa: S311 chance, not secrecy


def _unchanged(table: Table, sample: Sample, shop: Known) -> None:
    taken = verdict_on(sample.raw, sample, shop, "true").kind
    table.counts[sample.native, taken or RELAYED] += 1
    if taken is not None and taken != sample.kind:
        table.wrong.append(f"{sample.name}: {taken}")
    if sample.kind is not None:
        (table.marked if sample.marked else table.unmarked)[taken == sample.kind] += 1
        if taken != sample.kind:
            table.missed.append(sample.name)


def shown(table: Table) -> Iterator[str]:
    """Yield the table's lines for people."""
    columns = [kind for kind in (*KINDS, RELAYED) if any(taken == kind for _, taken in table.counts)]
    natives = sorted({native for native, _ in table.counts}, key=lambda one: (one not in KIND_OF, one))
    wide = max((len(native) for native in natives), default=4) + 2
    yield "".ljust(wide) + "".join(column.rjust(max(len(column), 8) + 2) for column in columns)
    for native in natives:
        cells = (str(table.counts[native, column] or ".").rjust(max(len(column), 8) + 2) for column in columns)
        yield native.ljust(wide) + "".join(cells)
    yield ""
    yield f"unchanged with a marker: {table.marked[True]} of {table.marked.total()} converted"
    yield f"unchanged without: {table.unmarked[True]} of {table.unmarked.total()} converted"
    yield from (f"not converted: {name}" for name in table.missed)
    yield f"wrong kinds: {len(table.wrong)}"
    yield from table.wrong[:50]
