"""The page of what to set up at Ometria follows the settings."""

from __future__ import annotations

import html
import re

import pytest

from bridge.dashboard.ometria_side import needs
from bridge.db import db
from bridge.settings import load_book, set_value
from tests.dashboard.desk import BASE
from tests.dashboard.export_desk import furnish


@pytest.fixture
def told(board):
    """Return what the first account needs with these settings at the default scope."""
    furnish(board)

    def tell(**values):
        with board.app_context():
            for name, value in values.items():
                set_value("default", name.replace("__", "."), value, "test")
            db.session.commit()
            book = load_book()
            return needs(book.accounts()[0], book, {})

    return tell


def test_stores_are_named_as_they_are_sent(told):
    assert told().stores == [("default", "DEFAULT"), ("fr", "FR"), ("de", "DE")]
    assert [name for name, _ in told(general__store_id_kind="id").stores] == ["1", "2", "3"]


def test_currencies_are_those_of_the_views_and_base_ones_where_lines_carry_them(told):
    found = told()
    assert (found.currencies, found.both) == (["GBP", "EUR"], False)
    assert told(orders__currency="both").both


def test_mapped_rows_are_attributes_of_products_and_fields_of_the_rest(told):
    found = told(
        products__mapping="color=colour season:property",
        customers__mapping="loyalty=tier phone=phone_number",
        orders__mapping="gift_message",
    )
    assert found.attributes == ["colour"]
    assert found.properties == {"Contacts": ["tier"], "Products": ["season"], "Orders": ["gift_message"]}


def test_subscribers_have_a_list_only_where_they_are_sent(told):
    assert told().collections == ["customers", "subscribers"]
    assert told(customers__newsletter_tracking="no").collections == ["customers"]


def test_the_page_shows_it_and_where_no_account_is_says_so(told, board, signed_in):
    told(products__mapping="color=colour")
    page = html.unescape(signed_in("viewer").get(f"{BASE}/ometria").get_data(as_text=True))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "colour and category : they must be set up there as product attributes" in text
    with board.app_context():
        set_value("default", "general.enabled", "no", "test")
        db.session.commit()
    assert "No account" in signed_in("viewer").get(f"{BASE}/ometria").get_data(as_text=True)
