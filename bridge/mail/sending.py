"""Decided deliveries: through Ometria, or as they are to the shop's own mail server; and what came of it.

Every outcome is one of: sent, refused, to be tried again, the original instead, or uncertain. ``sending`` is committed
right before each call.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bridge.db import db
from bridge.errors import Misconfigured, Retry
from bridge.mail import deliveries, seen
from bridge.mail.asked import AskedShop
from bridge.mail.compare import compare
from bridge.mail.decide import Case, account_of, decide, too_old
from bridge.mail.deliveries import RESEND_PAUSE, again, ended
from bridge.mail.marks import Link
from bridge.mail.material import Links, Material, NotTheirs, Wanted, gather
from bridge.mail.pauses import age_of, pause_after
from bridge.mail.payload import Native, compose, encoded, native_of
from bridge.mail.recognise import Verdict
from bridge.mail.upstream import pause_before, received_line
from bridge.models import RequestLog
from bridge.settings import DEFAULT
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.mail.deliveries import Task
    from bridge.mail.mailer import Mailer, Spooled
    from bridge.mail.upstream import Outcome, Upstream
    from bridge.ometria import MailAnswer
    from bridge.settings import Account, Book, Settings, Store


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made, for the request log; ``sent`` is what may be kept of its body: no value of a field."""

    account: Account
    answer: MailAnswer
    sent: dict[str, Any] | None


WRITE_TRIES = 3
ORIGINAL = "the shop's own mail goes out"

log = structlog.get_logger()


class Sending:
    """The ways out for the deliveries of one letter, or of one mail that bridge raised (``spooled`` None)."""

    def __init__(self, own: Mailer, book: Book, spooled: Spooled | None, upstream: Upstream | None) -> None:
        self._own = own
        self._book = book
        self._spooled = spooled
        self._upstream = upstream
        self._shop = AskedShop(own.shop, book.stores)

    # ---- the original ----------------------------------------------------------------------------------------------

    def relay(self, tasks: Sequence[Task]) -> None:
        """Give the original to the shop's own mail server, for all these recipients in one message."""
        if not tasks:
            return
        spooled, moment = self._spooled, deliveries.now()
        if spooled is None or self._upstream is None:
            why = "there is no original" if spooled is None else "no upstream server is named: set BRIDGE_SMTP_UPSTREAM"
            for task in tasks:
                pause = pause_before(task.attempts + 2, moment - task.since) if spooled else None
                self._write(task, ended("refused", why, moment) if pause is None else again(why, moment + pause))
            return
        may = set(deliveries.begin_sending([task.id for task in tasks], tasks[0].token, moment))
        chosen = [task for task in tasks if task.id in may]
        if not chosen:
            return
        line = received_line(spooled.envelope, self._own.config.smtp_name, spooled.name)
        recipients = [task.recipient for task in chosen]
        outcomes = self._upstream.send(spooled.envelope.sender, recipients, spooled.raw, received=line)
        for task in chosen:
            self._write(task, _after_relay(task, outcomes[task.recipient], deliveries.now()))

    # ---- Ometria ---------------------------------------------------------------------------------------------------

    def ometria(self, task: Task) -> None:
        """Send one mail through Ometria, or to its sandbox."""
        view = next((one for one in self._book.stores if one.code == task.store), None)
        values = self._book.settings(view.ref if view else DEFAULT)
        account = account_of(self._book, view)
        why = self._no_more(task, values, view, account)
        if why or view is None or account is None:
            self._instead(task, why)
            return
        try:
            material = self._material(task, view)
            body = compose(material, view, values, self._native(task), sandbox=task.twin)
        except SQLAlchemyError:
            raise
        except (NotTheirs, Misconfigured) as error:
            self._instead(task, str(error))
            return
        except Retry as error:
            self._later(task, values, error.reason, error.after)
            return
        except Exception as error:  # noqa: BLE001 whatever is odd about the data, the original goes out
            log.warning("mail not composed", delivery=task.id, error=type(error).__name__, next=ORIGINAL)
            self._instead(task, f"not composed ({type(error).__name__})")
            return
        self._call(task, account, values, body, material.links)

    def _no_more(self, task: Task, values: Settings, view: Store | None, account: Account | None) -> str:
        """Return why the decision of before does not hold any more; empty when it does."""
        if task.twin:
            return "" if values["mail.mode"] == "sandbox" else "the mode is not sandbox any more"
        verdict = Verdict(task.kind, "", store=task.store)
        age = self._age(task, deliveries.now())
        case = Case(verdict, {**values, "mail.attachments": False}, view is not None, account is not None, age=age)
        decision = decide(case)
        return "" if decision.route == "ometria" else decision.reason

    def _age(self, task: Task, moment: float) -> float:
        return age_of(task.at, self._spooled.letter.date if self._spooled else None, moment)

    def _material(self, task: Task, view: Store) -> Material:
        wanted = Wanted(task.kind, task.recipient, task.order, task.shipment, task.customer, task.products)
        links = self._spooled.links if self._spooled else Links()
        names = [box.name for box in self._spooled.letter.to] if self._spooled else []
        found = gather(wanted, self._shop, view)
        return found.with_mail(links, names[0] if len(names) == 1 else "")

    def _native(self, task: Task) -> Native:
        if self._spooled is not None:
            letter = self._spooled.letter
            return native_of(letter.sender, letter.reply_to, letter.subject, letter.attachments)
        name, email = seen.sender_of(task.kind, task.store)
        return Native(sender_name=name, sender_email=email)

    def _call(self, task: Task, account: Account, values: Settings, body: dict[str, Any], links: Links) -> None:
        def begin() -> bool:
            return bool(deliveries.begin_sending([task.id], task.token, deliveries.now()))

        hide = [link for link in (links.reset, Link("reset", links.reset, alone=False).value("token")) if link]
        rate = values["mail.requests_per_second"]
        answer = self._own.ometria.send(account, encoded(body), begin, rate=rate, hide=hide)
        if answer.outcome == "withdrawn":
            return
        call = Call(account, answer, kept_of(body) if values["logging.requests"] else None)
        if answer.outcome == "later":
            self._later(task, values, answer.reason, answer.after, call=call)
            return
        moment = deliveries.now()
        more: dict[str, Any] = {"request_id": answer.request_id}
        if task.twin and self._spooled is not None:
            more["comparison"] = compare(body, self._spooled.letter, self._spooled.marks, task.recipient)
        if answer.outcome == "accepted":
            self._write(task, ended("sent", "Ometria took it", moment, **more), call)
        elif answer.outcome == "uncertain":
            values_ = ended("uncertain", answer.reason, moment, due_at=moment + RESEND_PAUSE, **more)
            self._write(task, values_, call)
        else:
            self._instead(task, answer.reason, call=call)

    def _later(
        self,
        task: Task,
        values: Settings,
        reason: str,
        after: float,
        *,
        call: Call | None = None,
    ) -> None:
        """Try again soon, or let the original go when the patience is over."""
        moment = deliveries.now()
        until = task.since + values["mail.patience_seconds"]
        if moment >= until or too_old(values, task.kind, self._age(task, moment)):
            self._instead(task, f"not in time: {reason}", call=call)
            return
        due_at = min(moment + max(after, pause_after(moment - task.since)), until)
        self._write(task, again(f"waits: {reason}", due_at), call)

    def _instead(self, task: Task, reason: str, *, call: Call | None = None) -> None:
        """Let the original go out in Ometria's place; a sandbox copy, and what has no original, just ends."""
        moment = deliveries.now()
        if task.twin or self._spooled is None:
            self._write(task, ended("void" if task.twin and call is None else "refused", reason, moment), call)
            return
        self._write(task, again("", moment, why=f"{reason}; {ORIGINAL}", route="relay", attempts=0), call)

    # ---- writing down ----------------------------------------------------------------------------------------------

    def _write(self, task: Task, values: dict[str, Any], call: Call | None = None) -> None:
        """Write an outcome down. A database that is locked is asked again, since the mail may be out already."""
        for attempt in range(WRITE_TRIES):
            try:
                begin_write()
                deliveries.write(task.id, task.token, **values)
                if call is not None:
                    db.session.add(log_row(call))
                db.session.commit()
            except OperationalError:
                db.session.rollback()
                if attempt + 1 == WRITE_TRIES:
                    raise
                time.sleep(0.5)
            else:
                break
        log.info("mail", delivery=task.id, kind=task.kind, state=values["state"], route=values.get("route", task.route))


def _after_relay(task: Task, outcome: Outcome, moment: float) -> dict[str, Any]:
    """Return what the mail server's word makes of a delivery."""
    said = f"{outcome.code} {outcome.text}".strip() if outcome.code else outcome.text
    if outcome.state == "accepted":
        return ended("sent", "relayed as it is", moment)
    if outcome.state == "refused":
        return ended("refused", f"the mail server refused it: {said}", moment)
    if outcome.state == "uncertain":
        return ended("uncertain", said, moment, due_at=moment + RESEND_PAUSE)
    pause = pause_before(task.attempts + 2, moment - task.since)
    if pause is None:
        return ended("refused", f"the mail server did not take it for days: {said}", moment)
    return again(f"waits for the mail server: {said}", moment + pause)


def kept_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return what the request log keeps of a call: the template, and the names of the fields that were filled."""
    fields = [f"{name}.{inner}" for name, part in body["data"].items() if isinstance(part, dict) for inner in part]
    fields += [name for name, part in body["data"].items() if not isinstance(part, dict)]
    files = [one["type"] for one in body.get("attachments", [])]
    return {"template_id": body["template_id"], "sandbox": body["sandbox"], "fields": sorted(fields), "files": files}


def log_row(call: Call) -> RequestLog:
    """Return a call as the request log keeps it."""
    account, answer = call.account, call.answer
    outcome = {"accepted": "accepted", "later": "retry", "stopped": "stopped", "uncertain": "uncertain"}
    return RequestLog(
        account=account.id,
        kind="mail",
        records=1,
        status=answer.status,
        outcome=outcome.get(answer.outcome, "refused"),
        request_id=answer.request_id,
        milliseconds=answer.milliseconds,
        message=answer.reason,
        body=call.sent,
    )
