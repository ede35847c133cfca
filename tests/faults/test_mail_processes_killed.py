"""The whole product with real processes: mails of the sandbox shop while worker, clock and Valkey are killed.

What a killed worker was sending is uncertain only after its lease; here that runs out at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import urllib.request
from collections import Counter

import pytest
import requests
from sqlalchemy import select, update

from bridge.db import db
from bridge.models_mail import MailDelivery
from tests.browser.stack import wait_for
from tests.mail.whole_stack import app

__all__ = ["app"]

SEED = 20261127
SHOPPERS = 20
KILLED = ("worker", "worker", "clock", "valkey")


def register(stack, number):
    """Open an account through the proxy; return its address, or None where the visitor saw a fault."""
    email = f"new{number}@example.com"
    form = {"firstname": "New", "lastname": f"Number {number}", "email": email}
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.set("form_key", "AbCdEfGh12345678")
        secrets = {"password": "Secret-123", "password_confirmation": "Secret-123", "form_key": "AbCdEfGh12345678"}
        answer = session.post(
            f"{stack.shop}/customer/account/createpost/", data=form | secrets, timeout=30, allow_redirects=False
        )
    return email if answer.status_code == 302 else None


def kill_at_random(stack, stopped, dice):
    while not stopped.wait(dice.uniform(0.2, 1.5)):
        try:
            os.kill(stack.pid(dice.choice(KILLED)), signal.SIGKILL)
        except (OSError, ValueError):
            continue


def through_ometria(stack):
    return Counter(one["mail"]["to"]["email"] for one in stack.received()["mails"])


def relayed(stack):
    with urllib.request.urlopen(f"{stack.mailbox}/messages.json", timeout=10) as answer:
        return Counter(address for one in json.load(answer) for address in one["recipients"])


def settled(addresses):
    """Return the deliveries to these addresses once each has come to an end; let leases of the dead run out."""
    db.session.rollback()
    gone = update(MailDelivery).where(MailDelivery.claim != "", MailDelivery.lease_until < time.time() + 840)
    db.session.execute(gone.values(lease_until=0).execution_options(synchronize_session=False))
    db.session.commit()
    rows = {row.recipient: row for row in db.session.scalars(select(MailDelivery))}
    ended = all(email in rows and rows[email].state in {"sent", "uncertain"} for email in addresses)
    return {email: (rows[email].state, rows[email].route) for email in addresses} if ended else None


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_every_shopper_gets_one_mail_or_the_log_says_uncertain_whatever_was_killed(stack, app):
    dice, stopped = random.Random(SEED), threading.Event()
    killer = threading.Thread(target=kill_at_random, args=(stack, stopped, dice), daemon=True)
    killer.start()
    addresses = [email for number in range(SHOPPERS) if (email := register(stack, number))]
    stopped.set()
    killer.join()
    assert len(addresses) == SHOPPERS
    rows = wait_for(lambda: settled(addresses), 240, pause=1, what="a mail did not come to an end")
    ometria, originals = through_ometria(stack), relayed(stack)
    for email in addresses:
        state, route = rows[email]
        count = ometria[email] + originals[email]
        assert count == 1 if state == "sent" else count <= 1, (email, state, route)
    assert sum(state == "sent" for state, _ in rows.values()) > SHOPPERS / 2
    assert sum(ometria.values()) > 0
