"""Claimed deliveries of one letter: what it is for each recipient, which way it goes, written down.

What the shop or traffic may still tell is waited for, within the patience of the settings; then the original goes out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from bridge.db import db
from bridge.errors import BridgeError, Misconfigured, Retry
from bridge.events import SubscriptionTold
from bridge.mail import deliveries, expectations, seen
from bridge.mail.asked import AskedShop
from bridge.mail.decide import Case, Decision, account_of, decide, is_awaited, uncertain_rule
from bridge.mail.facts import Facts, Unconfirmed
from bridge.mail.natives import KIND_OF, NATIVE_OF
from bridge.mail.pauses import age_of
from bridge.mail.payload import why_not_passed
from bridge.mail.raised import KIND, TOLD_ALREADY, told_lately
from bridge.mail.recognise import Verdict, recognise
from bridge.mail.rules import rules_of
from bridge.models_mail import MailDelivery
from bridge.settings import DEFAULT
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.mail.deliveries import Task
    from bridge.mail.facts import Confirm
    from bridge.mail.mailer import Mailer, Spooled
    from bridge.mail.rules import Rule
    from bridge.settings import Book, Settings, Store

log = structlog.get_logger()


class Deciding:
    """The decisions about one letter."""

    def __init__(self, own: Mailer, book: Book, spooled: Spooled) -> None:
        self._own = own
        self._book = book
        self._spooled = spooled
        self._shop = AskedShop(own.shop, book.stores)
        self._noted = False

    def decide(self, task: Task) -> None:
        """Decide about a task that is new, or put it off. Commits."""
        moment = deliveries.now()
        patient_until = task.at + self._book.settings(DEFAULT)["mail.patience_seconds"]
        try:
            verdict = self._verdict(task)
        except Retry as error:
            if moment < patient_until:
                self._wait(task, moment, patient_until, error.reason)
                return
            verdict = Verdict(None, f"not told in time: {error.reason}")
        if verdict.kind is None and moment < verdict.until:
            self._wait(task, moment, verdict.until, verdict.reason)
            return
        self._write(task, verdict, moment)

    def _verdict(self, task: Task) -> Verdict:
        """Return what the letter is; the shop is asked, and waited for, only where it may change the way."""
        first = self._recognised(task, Unconfirmed())
        if self._may_go(first):
            return self._recognised(task, self._shop)
        likely = KIND_OF.get(first.native) if first.until and first.native != "order_update" else None
        return replace(first, kind=first.kind or likely, until=0.0)

    def _may_go(self, first: Verdict) -> bool:
        """Return whether this may be a mail that goes through Ometria, by what can be told without the shop."""
        # What only traffic can tell is the word about a changed password.
        native = first.native or (NATIVE_OF[KIND] if first.until else "")
        views = [view for view in self._book.stores if first.store in {"", view.code}]
        return native in KIND_OF and is_awaited(native, (self._book.settings(view.ref) for view in views))

    def _recognised(self, task: Task, confirm: Confirm) -> Verdict:
        facts = Facts(
            views=self._book.stores,
            expected=expectations.expected(task.recipient, task.at, self._own.keys),
            rules=self._rules,
            confirm=confirm,
            patience=self._book.settings(DEFAULT)["mail.patience_seconds"],
        )
        try:
            return recognise(self._spooled.letter, task.recipient, facts)
        except Retry:
            raise
        except Misconfigured as error:
            return Verdict(None, f"the shop cannot be asked: {error.what}")
        except BridgeError as error:
            return Verdict(None, f"not recognised: {error}")
        except Exception as error:  # noqa: BLE001 whatever is odd about a mail, its original goes out
            log.warning("mail not recognised", delivery=task.id, error=type(error).__name__, next="it is relayed")
            return Verdict(None, f"not readable ({type(error).__name__})")

    def _rules(self, store: str) -> Sequence[Rule]:
        """Return the subject rules of a store view, those of all where none is known."""
        refs = [view.ref for view in self._book.stores if not store or view.code == store] or [DEFAULT]
        return tuple(dict.fromkeys(rule for ref in refs for rule in rules_of(self._book.settings(ref))))

    def _wait(self, task: Task, moment: float, until: float, reason: str) -> None:
        begin_write()
        deliveries.write(task.id, task.token, **deliveries.put_off(task, reason, moment, until))
        db.session.commit()

    def _write(self, task: Task, verdict: Verdict, moment: float) -> None:
        """Write the decision down; the claim stays, so that this worker sends at once."""
        view = next((one for one in self._book.stores if one.code == verdict.store), None)
        values = self._book.settings(view.ref if view else DEFAULT)
        decision = self._decided(task, verdict, view, values, moment)
        begin_write()
        known: dict[str, Any] = {
            "native": verdict.native,
            "kind": verdict.kind or "",
            "layer": verdict.layer,
            "store": verdict.store,
            "order": verdict.order[:64],
            "shipment": verdict.shipment[:64],
            "customer": verdict.customer[:20],
            "products": list(verdict.products),
            "rule": decision.rule,
        }
        if verdict.kind == KIND and told_lately(task.recipient_key, task):
            deliveries.write(task.id, task.token, **deliveries.ended("void", TOLD_ALREADY, moment), **known)
        else:
            way = {"state": "waiting", "route": decision.route, "why": decision.reason, "reason": ""}
            deliveries.write(task.id, task.token, **way, **known)
            if decision.twin:
                self._add_twin(task, known)
        if verdict.news:
            self._tell(task, verdict)
        if verdict.native:
            expectations.spend(task.recipient, verdict.native, task.at, self._own.keys)
        if self._spooled.letter.is_to(task.recipient):
            tokens = {link.value("token") for link in self._spooled.marks.of_sort("reset")}
            expectations.keep_links(tokens, task.recipient, task.at, self._own.keys)
        self._note(verdict, task)
        db.session.commit()

    def _decided(self, task: Task, verdict: Verdict, view: Store | None, values: Settings, moment: float) -> Decision:
        if verdict.kind is None:
            # Without decoding the files: most mails that are none of the seven are not looked at any further.
            return Decision("relay", verdict.reason, uncertain_rule(values, None))
        letter = self._spooled.letter
        case = Case(
            verdict=verdict,
            values=values,
            has_view=view is not None,
            has_account=account_of(self._book, view) is not None,
            age=age_of(task.at, letter.date, moment),
            files=why_not_passed(letter.attachments),
        )
        return decide(case)

    def _add_twin(self, task: Task, known: dict[str, Any]) -> None:
        """Add the copy for Ometria's sandbox; what becomes of it never touches the original."""
        row = {
            **known,
            "letter": task.letter,
            "key": self._own.keys.twin(task.key),
            "recipient": task.recipient,
            "recipient_key": task.recipient_key,
            "twin": True,
            "rule": "hold",
            "route": "ometria",
            "state": "waiting",
            "why": "a copy for Ometria's sandbox",
            "at": task.at,
            "since": task.since,
            "due_at": task.at,
        }
        deliveries.add(MailDelivery, row)

    def _tell(self, task: Task, verdict: Verdict) -> None:
        """Pass on what the shop's own mail says of a subscription: an event, known by the delivery, so told once."""
        if verdict.news is not None:
            told = SubscriptionTold(
                id=task.key[:32],
                at=task.at,
                store=verdict.store or None,
                email=task.recipient,
                status=verdict.news,
            )
            self._own.emit(told)

    def _note(self, verdict: Verdict, task: Task) -> None:
        """Count the letter once, whoever else gets it."""
        if self._noted or not self._spooled.letter.is_to(task.recipient):
            return
        self._noted = True
        kind = verdict.kind or KIND_OF.get(verdict.native, "")
        seen.note(kind, verdict.store, task.at, self._spooled.letter.sender, marked=verdict.marked)
