"""The journey of the main line, and what Ometria must hold after it. Expectations are written by hand from the contracts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.browser.shopper import Shopper
from tests.browser.stack import Stack, wait_for

GUEST = "guest.greta@example.com"
CUSTOMER = "carla.customer@example.com"
PASSWORD = "Harbour-Pine-2026"

HOLDALL = {"pid": "1", "vid": None, "q": 1, "tot": 64}
JACKET = {"pid": "17", "vid": "16", "q": 1, "tot": 155}
SCARF = {"pid": "9", "vid": None, "q": 1, "tot": 42}


@dataclass(frozen=True)
class Step:
    """One thing the shopper does, and the events that it must cause, each as (type, what identifies it)."""

    name: str
    act: Callable[[Shopper], Any]
    causes: tuple[tuple[str, Any], ...]


def view(page_type: str | None, **data: Any) -> tuple[str, Any]:
    """One page view."""
    return ("pageview", {"type": page_type, **data})


def basket(*lines: dict[str, Any]) -> tuple[str, Any]:
    """One full basket."""
    return ("setbasket", {"size": sum(line["q"] for line in lines), "lis": list(lines)})


STAGES = (("checkout", {"stage": "shipping"}), ("checkout", {"stage": "payment"}))

STEPS: tuple[Step, ...] = (
    Step("home", lambda s: s.open("/"), (view("homepage"),)),
    Step("category", lambda s: s.open("/bags.html"), (view("listing"),)),
    Step("product", lambda s: s.open("/quayside-holdall.html"), (view("product", pid="1"),)),
    Step("add", lambda s: s.add(), (("addtobasket", {"pid": "1", "q": 1}), basket(HOLDALL))),
    Step("configurable", lambda s: s.open("/breakwater-jacket.html"), (view("product", pid="17"),)),
    Step(
        "choose and add",
        lambda s: s.add({"Colour": "Moss", "Size": "M"}),
        (("addtobasket", {"pid": "17", "q": 1}), basket(HOLDALL, JACKET)),
    ),
    Step(
        "mini cart",
        lambda s: s.mini_cart_quantity("Quayside Holdall", 2),
        (basket({**HOLDALL, "q": 2, "tot": 128}, JACKET),),
    ),
    Step("cart", lambda s: s.open("/checkout/cart/"), (view("basket"),)),
    Step(
        "guest order",
        lambda s: s.guest_checkout(GUEST),
        (view("checkout"), *STAGES, view("confirmation"), ("transaction", 0), basket()),
    ),
    Step("reload of success", lambda s: reload(s), (view("confirmation"),)),
    Step(
        "register",
        lambda s: s.register("Carla", "Customer", CUSTOMER, PASSWORD),
        (view(None), view(None), ("identify", CUSTOMER)),
    ),
    Step("log out", lambda s: s.log_out(), (view(None),)),
    Step("log in", lambda s: s.log_in(CUSTOMER, PASSWORD), (view(None), view(None))),
    Step("another product", lambda s: s.open("/herringbone-scarf.html"), (view("product", pid="9"),)),
    Step("add again", lambda s: s.add(), (("addtobasket", {"pid": "9", "q": 1}), basket(SCARF))),
    Step(
        "customer order",
        lambda s: s.customer_checkout(),
        (view("checkout"), *STAGES, view("confirmation"), ("transaction", 1), basket()),
    ),
)


def reload(shopper: Shopper) -> None:
    """Load the same page again."""
    shopper.page.reload()
    shopper.settle("reload")


def travel(shopper: Shopper, between: Callable[[int, Step], None] = lambda _number, _step: None) -> Iterator[Step]:
    """Take every step; ``between`` is called before each."""
    for number, step in enumerate(STEPS):
        between(number, step)
        step.act(shopper)
        yield step


def seen(event: dict[str, Any], orders: list[str]) -> tuple[str, Any]:
    """Return an event of the fake Ometria in the form of the expectations."""
    kind, data = event["type"], event["d"]
    if kind == "pageview":
        return view(data.get("type"), **({"pid": data["pid"]} if "pid" in data else {}))
    if kind == "setbasket":
        lines = [
            {"pid": line["pid"], "vid": line.get("vid"), "q": line["q"], "tot": line["tot"]}
            for line in data.get("lis") or []
        ]
        return ("setbasket", {"size": data.get("size") or 0, "lis": sorted(lines, key=lambda line: int(line["pid"]))})
    if kind == "addtobasket":
        return ("addtobasket", {"pid": data["pid"], "q": data["q"]})
    if kind == "identify":
        return ("identify", data.get("uiid") or event.get("uiid"))
    if kind == "transaction":
        return ("transaction", orders.index(data["tid"]))
    return (kind, data)


def expected() -> list[tuple[str, Any]]:
    """Return what all steps cause, in a form that can be compared without order."""
    causes = []
    for step in STEPS:
        for kind, data in step.causes:
            if kind == "setbasket":
                causes.append((kind, {**data, "lis": sorted(data["lis"], key=lambda line: int(line["pid"]))}))
            else:
                causes.append((kind, data))
    return causes


def canonical(causes: list[tuple[str, Any]]) -> list[str]:
    """Return the causes as sorted text."""
    return sorted(
        repr((kind, sorted(data.items(), key=str) if isinstance(data, dict) else data)) for kind, data in causes
    )


def check_events(stack: Stack, shopper: Shopper) -> None:
    """The tracker received exactly what the steps caused: nothing twice, nothing missing, all for the right store."""
    wait_for(lambda: len(stack.events("transaction")) >= 2, 10, what="the transactions did not arrive")
    events = stack.events()
    assert canonical([seen(event, shopper.orders) for event in events]) == canonical(expected())
    assert {event["site"] for event in events} == {"default"}
    baskets = [event["d"] for event in stack.events("setbasket") if event["d"].get("lis")]
    assert {entry["cur"] for entry in baskets} == {"GBP"}
    assert all(re.search(r"/_bridge/cart/[0-9a-f]{48}$", entry["url"]) for entry in baskets)
    first, second = baskets[0]["id"], baskets[-1]["id"]
    assert first and second and first != second, "one cart keeps its id, the next cart has another"
    assert {entry["id"] for entry in baskets[:-1]} == {first}


def check_records(stack: Stack, shopper: Shopper) -> None:
    """The pushed orders, contacts and products have the ids of the page calls."""

    def complete() -> bool:
        got = stack.received()
        customers = [contact for contact in got["contacts"].values() if contact["email"] == CUSTOMER]
        return (
            set(shopper.orders) <= set(got["orders"])
            and bool(customers)
            and {"1", "9", "16", "17"} <= set(got["products"])
        )

    wait_for(complete, 150, pause=0.5, what="the records did not arrive")
    got = stack.received()
    first, second = (got["orders"][number] for number in shopper.orders)
    assert [(line["product_id"], line.get("variant_id"), line["quantity"]) for line in first["lineitems"]] == [
        ("1", None, 2),
        ("17", "16", 1),
    ]
    assert first["customer"]["email"] == GUEST
    assert (first["currency"], first["store"]) == ("GBP", "default")
    customer = next(contact for contact in got["contacts"].values() if contact["email"] == CUSTOMER)
    assert second["customer"]["id"] == customer["customer_id"]
    assert [line["product_id"] for line in second["lineitems"]] == ["9"]
    assert got["products"]["16"]["is_variant"] is True
    assert got["products"]["16"]["parent_id"] == "17"
    assert got["products"]["17"]["listings"][0]["store"] == "default"
    check_prices(stack, got, (first, second))
    assert got["window_violations"] == 0
    assert got["errors"] == []


def check_prices(stack: Stack, got: dict[str, Any], orders: tuple[dict[str, Any], ...]) -> None:
    """Ids, prices and currency of each basket that was ordered are those of the pushed order and products."""
    told = [event["d"] for event in stack.events("setbasket") if event["d"].get("lis")]
    last = {basket["id"]: basket for basket in told}
    assert len(last) == len(orders)
    for basket, order in zip(last.values(), orders, strict=True):
        assert (basket["cur"], basket["total"]) == (order["currency"], order["subtotal"])
        lines = sorted((line["pid"], line.get("vid"), line["q"], line["tot"]) for line in basket["lis"])
        bought = order["lineitems"]
        assert lines == sorted(
            (line["product_id"], line.get("variant_id"), line["quantity"], line["subtotal"]) for line in bought
        )
        for product, variant, quantity, total in lines:
            record = got["products"][variant or product]
            assert record["currency"] == basket["cur"]
            assert total == quantity * (record.get("special_price") or record["price"])
