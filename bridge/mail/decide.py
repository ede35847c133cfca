"""Which way a mail goes for one recipient, and why. Values in, values out.

Any doubt is the original's: only a mail whose kind is sure, switched on, and whose store view, template and account are
known goes through Ometria.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bridge.mail.natives import KIND_OF
from bridge.settings import MAIL_KINDS, shared_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from bridge.mail.recognise import Verdict
    from bridge.settings import Account, Book, Store

Rule = Literal["hold", "resend"]
Route = Literal["relay", "ometria"]


@dataclass(frozen=True, slots=True)
class Case:
    """What the decision depends on beside the verdict.

    ``values`` are the settings of the mail's store view, of ``default`` where none is known. ``age`` is how old the
    mail is in seconds. ``files`` says why its attachments cannot be passed, empty when they can.
    """

    verdict: Verdict
    values: Mapping[str, Any]
    has_view: bool
    has_account: bool
    age: float = 0.0
    files: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The way of a mail. ``twin``: a copy goes to Ometria's sandbox beside it. ``rule``: for an unknown outcome."""

    route: Route
    reason: str
    rule: Rule
    twin: bool = False


def decide(case: Case) -> Decision:
    """Return the way of a mail."""
    kind = case.verdict.kind
    rule = uncertain_rule(case.values, kind)
    why = next(_doubts(case), "")
    if why:
        return Decision("relay", why, rule)
    if case.values["mail.mode"] == "sandbox":
        return Decision("relay", f"{case.verdict.reason}; the mode is sandbox", rule, twin=True)
    return Decision("ometria", case.verdict.reason, rule)


def is_awaited(native: str, views: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a store view sends the kind that a mail may turn out to be, any kind where ``native`` is unknown.

    ``views`` are the settings of every store view in question. The shop's own mail is not held up for an answer that
    changes nothing.
    """
    kinds = [KIND_OF[native]] if native in KIND_OF else list(MAIL_KINDS)
    return any(
        values["mail.mode"] != "off" and values[f"mail.{kind}.enabled"] and values[f"mail.{kind}.template_id"]
        for values in views
        for kind in kinds
    )


def uncertain_rule(values: Mapping[str, Any], kind: str | None) -> Rule:
    """Return what follows an unknown outcome of this kind of mail."""
    rule: Rule = values[f"mail.{kind}.on_uncertain" if kind in MAIL_KINDS else "mail.other_on_uncertain"]
    return rule


def _doubts(case: Case) -> Iterator[str]:
    """Yield why a mail does not go through Ometria, the plainest reason first."""
    verdict, values = case.verdict, case.values
    kind = verdict.kind
    if values["mail.mode"] == "off":
        yield "the mode is off"
    if kind is None:
        yield verdict.reason
        return
    if not case.has_view:
        yield "no store view could be told"
    if not values[f"mail.{kind}.enabled"]:
        yield f"{MAIL_KINDS[kind]} is not enabled"
    if not values[f"mail.{kind}.template_id"]:
        yield f"{MAIL_KINDS[kind]} has no template id"
    if other := shared_template(values, kind):
        yield f"{MAIL_KINDS[other]} has the same template id"
    if not values["general.enabled"] or not case.has_account:
        yield "the store view feeds no Ometria account"
    if too_old(values, kind, case.age):
        yield "the reset link is too old"
    if values["mail.attachments"] and case.files:
        yield case.files


def too_old(values: Mapping[str, Any], kind: str | None, age: float) -> bool:
    """Return whether a mail with a reset link has outlived it."""
    return kind == "forgot_password" and age >= values["mail.reset_link_minutes"] * 60


def account_of(book: Book, view: Store | None) -> Account | None:
    """Return the account through which a store view's mails go: its own, else the global one."""
    if view is None:
        return None
    found = book.accounts_of((view,))
    return next((account for account in found if not account.is_global), found[0] if found else None)
