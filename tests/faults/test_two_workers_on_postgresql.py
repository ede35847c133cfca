"""Two real workers on PostgreSQL: no record is sent twice, and after every sort of kill all that the shop has is there.

``FAULT_ROUNDS=100 make faults`` is the long form; a round is one kill, and the sorts take turns.

The bound of docs/delivery.md: one more sending for each kill that fell between the answer to a push and the writing
down of it, so at most a push of 100 records for each. Every history is begun with ``force``, so each sends all once.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.browser.stack import wait_for
from tests.export.postgres_server import start_postgres, why_not
from tests.faults.workers import KINDS, Workers

pytestmark = [pytest.mark.redis, pytest.mark.postgres, pytest.mark.slow]
SORTS = ("kill_job", "cut_database", "kill_redis", "kill_worker")
ROUNDS = int(os.environ.get("FAULT_ROUNDS", len(SORTS)))
SHORT = "FAULT_ROUNDS" not in os.environ
"""Then what died with a process runs out at once; the long form waits for it, a minute at most each time."""
SEED = int(os.environ.get("FAULT_SEED", "20261126"))
BATCH = 100
PATIENCE = 200


@pytest.fixture(scope="module")
def postgres():
    if reason := why_not():
        pytest.skip(reason)
    with start_postgres() as url:
        yield url


@pytest.fixture(scope="module")
def workers(postgres, tmp_path_factory):
    made = Workers(tmp_path_factory.mktemp("workers"), postgres, 250)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def whole(workers):
    """What Ometria holds after a run in which nothing was killed."""
    wait_for(workers.idle, PATIENCE, pause=0.3, what="the export did not end")
    return workers.figures()["records"]


@pytest.mark.timeout(260)
def test_two_workers_send_each_record_once(workers, whole):
    assert set(whole) == set(KINDS)
    for kind in KINDS:
        assert (whole[kind]["different"], whole[kind]["sent"]) == (workers.size, workers.size), kind


@pytest.mark.timeout(300 + 120 * ROUNDS)
def test_whatever_is_killed_ometria_holds_what_the_shop_holds(workers, whole):
    dice = random.Random(SEED)
    workers.forget()
    workers.begin(force=True)
    begun = 1
    for round_ in range(ROUNDS):
        workers.two_workers()
        wanted = len(workers.figures()["pushes"]) + 1 + dice.randrange(3)
        wait_for(lambda wanted=wanted: len(workers.figures()["pushes"]) >= wanted or workers.idle(), PATIENCE)
        if workers.idle():
            workers.begin(force=True)
            begun += 1
        getattr(workers, SORTS[round_ % len(SORTS)])()
        if SHORT:
            workers.pass_time()
    workers.pass_time()
    workers.two_workers()
    wait_for(workers.idle, PATIENCE, pause=0.3, what="the export did not end")
    found = workers.figures()["records"]
    kills = 2 * (ROUNDS + 1) + ROUNDS if SHORT else ROUNDS + 2
    for kind in KINDS:
        assert found[kind]["different"] == workers.size
        assert found[kind]["print"] == whole[kind]["print"], "the same records as without kills"
        assert found[kind]["most"] <= begun + kills
    sent = sum(found[kind]["sent"] for kind in KINDS)
    assert sent <= begun * workers.size * len(KINDS) + BATCH * kills
