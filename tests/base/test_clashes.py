"""Two kinds of mail never share a template, in whatever order and at whatever scope the values are set."""

from __future__ import annotations

import pytest

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.settings import GONE, clash, load_book, parse, set_value, unset_value
from bridge.settings.mail import is_placeholder
from tests.export import books, samples
from tests.mail.mail_room import database

ORDER, STOCK = "mail.order_confirmation.template_id", "mail.stock_alert.template_id"


@pytest.fixture
def app(tmp_path):
    from bridge.store import keep_tree

    with database(tmp_path) as made:
        keep_tree(samples.TREE, secure=False)
        db.session.commit()
        yield made


def test_the_second_kind_with_a_template_is_refused_and_told_the_first(app):
    set_value("default", ORDER, "5", "test")
    with pytest.raises(Misconfigured, match="Order confirmation"):
        set_value("default", STOCK, "005", "test")
    set_value("default", STOCK, "6", "test")


def test_a_value_above_or_below_is_compared_too(app):
    set_value("store:fr", ORDER, "5", "test")
    with pytest.raises(Misconfigured, match="at store:fr"):
        set_value("default", STOCK, "5", "test")
    set_value("store:fr", STOCK, "7", "test")
    set_value("default", STOCK, "5", "test")
    with pytest.raises(Misconfigured, match="at store:fr"):
        unset_value("store:fr", STOCK, "test")
    assert load_book().settings("store:fr")[STOCK] == "7"


def test_two_values_that_change_places_at_once_do_not_clash():
    book = books.make_book({"default": {ORDER: "5", STOCK: "6"}})
    assert clash(book, "default", {ORDER: "6", STOCK: "5"}) is None
    assert clash(book, "default", {ORDER: "6"})[0] == ORDER
    assert clash(book, "default", {ORDER: "6", STOCK: GONE}) is None


@pytest.mark.parametrize(("given", "typed"), [("1567", "1567"), (3, "3"), (" 03 ", "3"), ("", "")])
def test_a_template_is_a_number_or_nothing(given, typed):
    assert parse(ORDER, given) == typed


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "abc", "٣", "9" * 12])
def test_what_is_no_template_number_is_refused(given):
    with pytest.raises(Misconfigured, match="number of a template"):
        parse(ORDER, given)


@pytest.mark.parametrize("given", ["not an address", "a@b@c", "a@x.test\r\nBcc: b@x.test", "<a@x.test>", "@x.test"])
def test_a_sender_that_is_no_address_is_refused(given):
    with pytest.raises(Misconfigured):
        parse("mail.stock_alert.sender_email", given)


def test_a_senders_name_brings_no_header_along():
    with pytest.raises(Misconfigured):
        parse("mail.stock_alert.sender_name", "Shop\nBcc: x")
    assert parse("mail.stock_alert.sender_name", "Crème & Co") == "Crème & Co"


def test_subjects_are_lines_each_once():
    given = "Your {store} order\r\n\r\n  Votre commande {store} \nYour {store} order"
    assert parse("mail.stock_alert.subject_rule", given) == "Your {store} order\nVotre commande {store}"


def test_addresses_of_the_installation_are_known():
    assert is_placeholder("owner@example.com")
    assert is_placeholder("a@mail.Example.org")
    assert not is_placeholder("a@example.co.uk")
