"""kill -9 of any process at any moment: no order that the shop has stays unexported."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
import urllib.request

import pytest
import requests

from tests.browser.stack import wait_for
from tests.faults.http_shopper import Guest

SEED = 20261125
ORDERS, MOST = 25, 200
"""Orders at least, and at most where the processes live again slowly: each is killed once at least."""
KILLED = ("web", "worker", "clock", "valkey")


def orders_of_shop(stack):
    """Return the numbers of the orders the shop took in this run (the seeded ones are older)."""
    token = stack.store_token
    query = "searchCriteria[pageSize]=500&fields=items[increment_id,created_at],total_count"
    request = urllib.request.Request(
        f"{stack.shop}/rest/V1/orders?{query}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return {item["increment_id"] for item in json.load(answer)["items"]}


def kill_at_random(stack, stopped, dice, killed):
    """Kill one process after another in shuffled rounds, each once it lives again, until told to stop; note each."""
    round_ = []
    while not stopped.wait(dice.uniform(0.3, 2.0)):
        round_ = round_ or dice.sample(KILLED, len(KILLED))
        name = round_.pop()
        try:
            os.kill(stack.pid(name), signal.SIGKILL)
        except (OSError, ValueError):
            round_.append(name)
            continue
        killed.append(name)


def sent_again(received):
    """Return how many pushes said what an accepted push had said before."""
    seen, again = set(), 0
    for push in received["requests"]:
        if push["path"].endswith("/push") and push["status"] == 200 and push["type"] == "order":
            again += not seen.isdisjoint(push["ids"])
            seen.update(push["ids"])
    return again


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_every_order_of_the_shop_reaches_ometria_whatever_was_killed(stack):
    before = orders_of_shop(stack)
    dice, stopped, killed = random.Random(SEED), threading.Event(), []
    killer = threading.Thread(target=kill_at_random, args=(stack, stopped, dice, killed), daemon=True)
    killer.start()
    placed = 0
    for number in range(MOST):
        if number >= ORDERS and set(killed) == set(KILLED):
            break
        guest = Guest(stack.shop)
        try:
            guest.add(1, "/quayside-holdall.html")
            guest.order(f"guest{number}@example.com")
            placed += 1
        except requests.RequestException:
            time.sleep(0.5)
        finally:
            guest.close()
    stopped.set()
    killer.join()
    wait_for(stack.ready, 60, what="bridge does not answer again")
    owed = orders_of_shop(stack) - before
    assert len(owed) >= placed > 0
    wait_for(lambda: owed <= set(stack.received()["orders"]), 240, pause=1, what="an order was not exported")
    received = stack.received()
    assert set(killed) == set(KILLED), "each was killed at least once"
    lines = [line for number in owed for line in received["orders"][number]["lineitems"]]
    assert {line["product_id"] for line in lines} == {"1"}
    assert "1" in received["products"], "what was ordered is there too"
    # docs/delivery.md: once more for each kill between the answer to a push and the writing down of it.
    assert sent_again(received) <= len(killed)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_order_that_never_passed_the_proxy_is_found_by_the_poll(stack):
    before = orders_of_shop(stack)
    guest = Guest(stack.store_origin)
    guest.session.headers["Host"] = stack.shop.removeprefix("http://")
    guest.add(9, "/herringbone-scarf.html")
    guest.order("past.the.proxy@example.com")
    guest.close()
    (number,) = orders_of_shop(stack) - before
    wait_for(lambda: number in stack.received()["orders"], 150, pause=1, what="the order was not found")
