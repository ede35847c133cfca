"""Workers for mail that are killed at a chosen step, and the letters that they were working at."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from bridge.mail import deciding, deliveries, jobs, seen, sending, taking
from bridge.mail.spool import MailSpool
from bridge.mail.upstream import Upstream
from bridge.ometria.transactional import TransactionalMail
from bridge.sandbox import mails
from tests.faults.dying import run_and_die

STEPS: tuple[tuple[Any, str], ...] = (
    (MailSpool, "read"),
    (MailSpool, "drop"),
    *((room, "begin_write") for room in (taking, deliveries, deciding, sending, jobs)),
    (taking, "_new_letter"),
    (taking, "_new_delivery"),
    (deliveries, "claim"),
    (deliveries, "begin_sending"),
    (deliveries, "write"),
    (deliveries, "lapse"),
    (deliveries, "follow_rules"),
    (deliveries, "mark_gone"),
    (deciding, "recognise"),
    (seen, "note"),
    (sending, "gather"),
    (sending, "compose"),
    (TransactionalMail, "_post"),
    (Upstream, "send"),
)
"""What a worker does to a letter: it is killed before and after each of these calls, and at each commit."""


def work_and_die(room, step: int) -> bool:
    """Run the job in a process of its own that kills itself at a step; return whether it lived to the end."""

    def work() -> None:
        while jobs.work(room.mailer):
            pass

    return run_and_die(work, STEPS, step)


def welcome(room, number: int) -> tuple[str, EmailMessage]:
    """Return the address of a new customer, and the shop's welcome."""
    email = f"new{number}@example.com"
    state = room.state
    view = next(iter(state.customers.values())).view
    customer = state.add_customer(email, "New", f"Number {number}", "Secret-123", view=view)
    return email, mails.account(state, customer, "welcome")


def forgotten(room, number: int) -> tuple[str, EmailMessage]:
    """Return the address of a new customer, and the mail with the link to a new password."""
    email, _ = welcome(room, number)
    customer = next(one for one in room.state.customers.values() if one.email == email)
    customer.reset_token = f"{number:032x}"
    return email, mails.account(room.state, customer, "forgot")


def other(room, number: int) -> tuple[str, EmailMessage]:
    """Return an address, and a mail that is none of the seven."""
    made = EmailMessage()
    made["Date"] = room.state.options.clock()
    made["Subject"] = f"Your ticket {number}"
    made["From"] = "support@example.com"
    made["To"] = f"other{number}@example.com"
    made.set_content("We are looking into it.")
    return f"other{number}@example.com", made


def raw(message: EmailMessage) -> bytes:
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def got(room, email: str) -> tuple[int, int]:
    """Return how many mails an address got through Ometria, and how many originals."""
    through = sum(1 for mail in room.sent() if mail["to"]["email"] == email and not mail["sandbox"])
    return through, room.relayed_to().count(email)
