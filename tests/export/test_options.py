"""Names of options are read only where they are asked for, and again where the shop may have a new one."""

from __future__ import annotations

import msgspec
import pytest
from structlog.testing import capture_logs

from bridge.export.options import options_of_customer, options_of_order
from bridge.store import AttributeInfo, Option
from bridge.store.memory import Memory
from tests.export import samples

OLD = AttributeInfo(id="93", code="color", input="select", options={"4": "Red"})
NEW = AttributeInfo(id="93", code="color", input="select", options={"4": "Red", "5": "Blue"})


class Keeping(Memory):
    """A shop whose adaptor keeps what it read until something fresh is asked for."""

    def __init__(self) -> None:
        super().__init__(samples.TREE)
        self.asked: list[tuple[tuple[str, ...], str, bool]] = []

    def attributes(self, kind, names, view, *, fresh=False):
        names = list(names)
        self.asked.append((tuple(names), view, fresh))
        self.labels = {(kind, view): [NEW if fresh else OLD]}
        return super().attributes(kind, names, view, fresh=fresh)


@pytest.fixture
def shop():
    return Keeping()


def order(*options: Option):
    first, *others = samples.GUEST_ORDER.lines
    return msgspec.structs.replace(
        samples.GUEST_ORDER, lines=(msgspec.structs.replace(first, options=options), *others)
    )


def customer(**values):
    return msgspec.structs.replace(samples.JANE, values=values)


def test_an_order_without_choices_and_a_customer_without_mapping_ask_nothing(shop):
    assert options_of_order(samples.JANES_ORDER, "default", shop) == {}
    assert options_of_customer(customer(color="4"), [], "default", shop) == {}
    assert options_of_customer(customer(), ["color"], "default", shop) == {}
    assert options_of_customer(customer(**{"billing_address.city": "Rome"}), ["billing_address.city"], "fr", shop) == {}
    assert shop.asked == []


def test_what_was_chosen_is_asked_by_id_in_the_words_of_the_store_view(shop):
    assert options_of_order(order(Option(attribute="93", option="4")), "fr", shop) == {"93": OLD}
    assert shop.asked == [(("93",), "fr", False)]


def test_an_option_that_is_not_known_is_asked_for_once_more(shop):
    found = options_of_order(
        order(Option(attribute="93", option="4"), Option(attribute="93", option="5")), "default", shop
    )
    assert found == {"93": NEW}
    assert shop.asked == [(("93",), "default", False), (("93",), "default", True)]


def test_an_option_that_the_shop_has_lost_is_told(shop):
    with capture_logs() as told:
        assert options_of_order(order(Option(attribute="93", option="8")), "default", shop) == {"93": NEW}
    (line,) = told
    assert (line["log_level"], line["attribute"], line["option"]) == ("warning", "color", "8")


def test_the_options_of_a_customer_are_those_that_the_mapping_names(shop):
    rows = ["color=colour", "taxvat:id"]
    assert options_of_customer(customer(color=5, taxvat="9", other="1"), rows, "de", shop) == {"color": NEW}
    assert shop.asked == [(("color", "taxvat"), "de", False), (("color",), "de", True)]
