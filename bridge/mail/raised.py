"""Mails that the shop does not send and Ometria does: after a password was set anew by a link, Magento tells nobody.

The traffic says so (:class:`bridge.events.PasswordReset`). Such a mail has no original: what cannot go through Ometria
does not go at all, and the log says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from bridge.db import db
from bridge.errors import BridgeError, Refused, Retry
from bridge.events import EntityRef, PasswordReset
from bridge.mail import deliveries, expectations
from bridge.mail.decide import Case, account_of, decide
from bridge.mail.recognise import Verdict
from bridge.models_mail import MailDelivery
from bridge.settings import DEFAULT
from bridge.store import Customer
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.events import AnyEvent
    from bridge.mail.deliveries import Task
    from bridge.mail.fingerprint import Keys
    from bridge.mail.mailer import Mailer
    from bridge.settings import Book, Store

KIND = "password_updated"
LAYER = "reset call"
SAME_SECONDS = 300.0
"""Within so long one word to a customer that the password was changed is enough."""
TOLD_ALREADY = "the customer was told a moment ago"


def keep(events: Iterable[AnyEvent], keys: Keys) -> int:
    """Add a mail for each password that was set anew; each event once. Return how many were new. No commit."""
    count = 0
    for event in events:
        if not isinstance(event, PasswordReset) or not (event.customer or event.email):
            continue
        row: dict[str, Any] = {
            "letter": None,
            "key": keys.raised(KIND, event.id),
            "recipient": event.email,
            "recipient_key": keys.recipient(event.email) if event.email else "",
            "kind": KIND,
            "layer": LAYER,
            "store": (event.store or "")[:64],
            "customer": event.customer[:20],
            "products": [],
            "at": event.at,
            "since": event.at,
            "due_at": min(event.at, deliveries.now()),
        }
        count += deliveries.add(MailDelivery, row) is not None
    return count


def told_lately(recipient_key: str, task: Task) -> bool:
    """Return whether another mail than ``task`` has told this recipient of the new password within minutes.

    To be asked in the transaction that writes the decision down: of two workers the second waits here for the first.
    """
    deliveries.alone_with(recipient_key)
    query = select(MailDelivery.id).where(
        MailDelivery.recipient_key == recipient_key,
        MailDelivery.kind == KIND,
        MailDelivery.twin.is_(False),
        MailDelivery.id != task.id,
        MailDelivery.at.between(task.at - SAME_SECONDS, task.at + SAME_SECONDS),
        MailDelivery.state.in_(("waiting", "sending", "sent", "uncertain")),
    )
    return db.session.scalar(query.limit(1)) is not None


class Raising:
    """The decision about mails without a letter."""

    def __init__(self, own: Mailer, book: Book) -> None:
        self._own = own
        self._book = book

    def decide(self, task: Task) -> None:
        """Decide about a task that is new, or put it off. Commits."""
        moment = deliveries.now()
        until = task.at + self._book.settings(DEFAULT)["mail.patience_seconds"]
        try:
            values = self._decided(task)
        except Retry as error:
            if moment < until:
                values = deliveries.put_off(task, error.reason, moment, until)
            else:
                values = deliveries.ended("refused", f"not told in time: {error.reason}", moment)
        except BridgeError as error:
            values = deliveries.ended("refused", str(error), moment)
        begin_write()
        # Asked only now: until this transaction ends no other worker can decide that it tells the same customer.
        if values.get("state") == "waiting" and told_lately(values["recipient_key"], task):
            values |= deliveries.ended("void", TOLD_ALREADY, moment, route="", why="", twin=False)
        deliveries.write(task.id, task.token, **values)
        db.session.commit()

    def _decided(self, task: Task) -> dict[str, Any]:
        """Return what the row becomes; raises :class:`Retry` when the shop cannot name the customer now."""
        customer = self._customer(task)
        self._check_owner(task, customer)
        view = self._view(task, customer)
        values = self._book.settings(view.ref if view else DEFAULT)
        verdict = Verdict(KIND, f"recognised by {LAYER}", layer=LAYER, store=view.code if view else "")
        case = Case(verdict, values, view is not None, account_of(self._book, view) is not None)
        decision = decide(case)
        known = {
            "recipient": customer.email or "",
            "recipient_key": self._own.keys.recipient(customer.email or ""),
            "customer": customer.id,
            "store": verdict.store,
            "rule": "hold",
        }
        if decision.route == "relay" and not decision.twin:
            return deliveries.ended(
                "void", f"{decision.reason}; the shop sends no such mail", deliveries.now(), **known
            )
        return {"state": "waiting", "route": "ometria", "twin": decision.twin, "why": decision.reason, **known}

    def _check_owner(self, task: Task, customer: Customer) -> None:
        """See that the link which set the password was in a mail to this customer: an id is what a visitor wrote."""
        owner = expectations.owner_of_reset(task.key)
        if owner == "":
            raise Retry("The link that set the password was in no mail that passed here.", after=3)
        if owner is not None and owner != self._own.keys.recipient(customer.email or ""):
            raise Refused("The link that set the password was another customer's.")

    def _customer(self, task: Task) -> Customer:
        if task.customer:
            ref = EntityRef("contact", f"customer:{task.customer}")
            found: object = self._own.shop.fetch([ref])[ref]
            if isinstance(found, Customer) and found.email:
                return found
        websites = sorted({view.website_id for view in self._book.stores if task.store in {"", view.code}})
        for website in websites if task.recipient else ():
            by_email = self._own.shop.customer_by_email(task.recipient, website)
            if by_email is not None and by_email.email:
                return by_email
        raise Retry("The shop shows no such customer.", after=3)

    def _view(self, task: Task, customer: Customer) -> Store | None:
        """Return the store view that the traffic named, else the one in which the account was made."""
        named = self._book.store(code=task.store) if task.store else None
        return named or next((view for view in self._book.stores if view.id == customer.store_id), None)
