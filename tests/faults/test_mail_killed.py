"""kill -9 of the mail worker between every two steps: each recipient gets one message, or the log says uncertain."""

from __future__ import annotations

import pytest

from bridge.mail.deliveries import LEASE_SECONDS, RESEND_PAUSE
from tests.faults.mail_kills import forgotten, got, other, raw, welcome, work_and_die
from tests.mail.conftest import sink, start_sink
from tests.mail.mail_room import mail_room, switch_on

__all__ = ["sink", "start_sink"]
MOST_STEPS = 200


@pytest.fixture
def room(tmp_path, redis_client, sink, monkeypatch):
    with mail_room(tmp_path, redis_client, sink, monkeypatch) as made:
        switch_on()
        yield made


def free_the_gate(room):
    """A killed call holds the key's gate for some seconds; nobody waits for that here."""
    for name in room.mailer.redis.scan_iter("bridge:ometria:*"):
        room.mailer.redis.delete(name)


def recover(room):
    """Let the others go on after the lease of the dead worker, and follow the rules of what is uncertain."""
    room.clock.advance(LEASE_SECONDS + 1)
    free_the_gate(room)
    room.work()
    room.clock.advance(RESEND_PAUSE + 1)
    room.work()


def killed_at_every_step(room, make, check):
    """Kill a worker at step 1, 2, 3, … of a letter until one lives; return at how many steps one was killed."""
    for step in range(1, MOST_STEPS):
        email, message = make(room, step)
        room.put(raw(message), email)
        if work_and_die(room, step):
            return step - 1
        recover(room)
        check(room, email, step)
        # The room's clock is far ahead by now; the next letter begins at its present.
    pytest.fail("no worker ever lived")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_mail_through_ometria_goes_out_once_or_is_uncertain_and_held(room):
    uncertain = []

    def check(room, email, step):
        (row,) = [one for one in room.rows() if one.recipient == email]
        through, relayed = got(room, email)
        assert through + relayed <= 1, f"twice, killed at step {step}"
        if row.state == "uncertain":
            assert row.rule == "hold"
            uncertain.append(step)
        else:
            assert (row.state, row.route, through, relayed) == ("sent", "ometria", 1, 0), f"killed at step {step}"

    steps = killed_at_every_step(room, welcome, check)
    assert steps > 40
    # Uncertain is only what died between the mark before the call and the note after it.
    assert uncertain
    assert len(uncertain) == uncertain[-1] - uncertain[0] + 1 < steps / 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_forgotten_password_follows_its_rule_and_always_arrives(room):
    resent = []

    def check(room, email, step):
        (row,) = [one for one in room.rows() if one.recipient == email]
        through, relayed = got(room, email)
        assert row.state == "sent", f"killed at step {step}"
        assert through + relayed >= 1
        if row.resent:
            assert (row.route, relayed) == ("relay", 1)
            resent.append(step)
        else:
            assert (row.route, through, relayed) == ("ometria", 1, 0), f"killed at step {step}"

    assert killed_at_every_step(room, forgotten, check) > 40
    assert resent
    # What was handed over has left no file with a link behind; the last letter's worker lived.
    assert room.spooled() == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_original_goes_out_once_or_is_uncertain(room):
    switch_on(mail__other_on_uncertain="hold")

    def check(room, email, step):
        (row,) = [one for one in room.rows() if one.recipient == email]
        through, relayed = got(room, email)
        assert through == 0
        assert relayed <= 1, f"twice, killed at step {step}"
        assert row.state == "uncertain" or (row.state, relayed) == ("sent", 1), f"killed at step {step}"

    assert killed_at_every_step(room, other, check) > 30
