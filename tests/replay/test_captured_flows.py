"""Every recorded session through both adaptors, over real connections: what the observers make of it.

The expectations were written by hand: which request, with which answer, proves what. Those of most recorded sessions
stand beside the observers' own tests, where the same recordings are shown to them without a wire.
"""

from __future__ import annotations

import pytest

from tests.replay.library import BREEZE, CAPTURES, NEEDS_CAPTURES, SAMPLES, flow, flows
from tests.replay.test_captured_pages import MARKUP
from tests.tracking.test_capture import plain
from tests.tracking.test_capture_flows import BREEZE_FLOWS, FLOWS

# A price alert or stock alert names no address: the shop knows it, and the observers do not ask.
REMAINING = {
    "change_password_fr": [],
    "price_alert_subscribe": [],
    "price_alert_subscribe_fr": [],
    "stock_alert_subscribe_fr": [],
}
REMAINING_BREEZE = {
    "add_to_cart_configurable_no_options": [],
    "add_to_cart_configurable_pdp": [("AddedToCart", "17", 1)],
    "add_to_cart_pdp_logged_in": [("AddedToCart", "5", 1)],
    "add_to_cart_plp": [("AddedToCart", "4", 1)],
    "navigate_links_hover_and_back": [],
    "newsletter_subscribe": [
        ("Subscribed", "nora748@example.com"),
        ("Identified", "nora748@example.com", "newsletter"),
    ],
    "remove_from_cart_page": [("BasketChanged", "delete")],
    "search": [],
    "update_qty_cart": [("BasketChanged", "updatePost")],
}
OWN = {
    "add_to_cart": [("AddedToCart", "31", 2)],
    "add_to_cart_refused": [],
    "guest_order": [("OrderPlaced", "77", True)],
    "guest_order_refused": [],
    "login": [("Identified", "ann@example.com", "login")],
    "login_refused": [],
}
LIBRARIES = (
    ("sample", SAMPLES / "flows", OWN, ()),
    ("luma", CAPTURES / "flows", FLOWS | REMAINING, NEEDS_CAPTURES),
    ("breeze", BREEZE / "flows", BREEZE_FLOWS | REMAINING_BREEZE, NEEDS_CAPTURES),
)
CASES = [
    pytest.param(folder / f"{name}.jsonl", expected, id=f"{library}-{name}", marks=marks)
    for library, folder, table, marks in LIBRARIES
    for name, expected in table.items()
]


@pytest.mark.parametrize(
    ("folder", "table"),
    [pytest.param(folder, table, id=library, marks=marks) for library, folder, table, marks in LIBRARIES],
)
def test_every_recorded_flow_has_its_expectation(folder, table):
    assert set(flows(folder)) == set(table)


@pytest.mark.parametrize(("path", "expected"), CASES)
def test_a_flow_over_the_wire_gives_what_is_written_down(proxy, replay_shop, room, heeding, path, expected):
    steps = flow(path)
    replay_shop.follow(steps)
    before = len(room.stream.events)
    with proxy.visitor() as visitor:
        for step in steps:
            visitor.send(step.request())
            answer = visitor.answer(head_only=step.method == b"HEAD")
            assert answer.complete
            assert answer.status == step.status, step.name
            assert MARKUP.sub(b"", answer.text, count=1) == step.text, step.name
            heeding.settle()
            if visitor.over:
                visitor.close()
                visitor.connect()
    assert replay_shop.left == 0
    assert replay_shop.astray == []
    assert [plain(event) for event in room.stream.events[before:]] == expected
    assert proxy.count("observer_failed") == 0
    assert proxy.count("observer_dropped") == 0


def test_a_failing_request_is_read_and_nothing_is_emitted(proxy, replay_shop, room, heeding):
    """A request whose proof is missing is seen all the same: nothing is emitted because nothing is proven."""
    (step,) = flow(SAMPLES / "flows" / "guest_order_refused.jsonl")
    wanted, before = heeding.wanted, len(room.stream.events)
    replay_shop.follow([step])
    with proxy.visitor() as visitor:
        visitor.send(step.request())
        assert visitor.answer().status == 400
    heeding.settle()
    assert heeding.wanted == wanted + 1
    assert len(room.stream.events) == before
