"""The facts of the set-up page."""

from __future__ import annotations

import pytest

from bridge.db import db
from bridge.mail import seen, setup
from bridge.mail.letter import Letter, Mailbox
from bridge.mail.markers import markers
from bridge.mail.natives import NATIVE_OF
from bridge.settings import MAIL_KINDS
from tests.export import books
from tests.mail.mail_room import database


@pytest.fixture
def app(tmp_path):
    with database(tmp_path) as made:
        yield made


def standing(kind="order_confirmation", store="default", **values):
    named = {name.replace("__", "."): value for name, value in values.items()}
    found = setup.standings(books.make_book({"default": named}))
    return next(one for one in found if (one.kind, one.store) == (kind, store))


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_each_kind_has_its_templates_with_the_line_to_copy_and_the_switch_that_lets_it_out(kind):
    lines = setup.template_lines(kind)
    assert lines
    for one in lines:
        letter = Letter.parse(f"Content-Type: text/html\r\n\r\n<p>x</p>{one.html}".encode())
        assert [marker.kind for marker in markers(letter)] == [NATIVE_OF[kind]]
        assert one.plain.startswith("[obx kind=")
    assert setup.SWITCHES[kind]
    assert setup.common_line().startswith("<!-- obx store=")


def test_a_mail_that_was_never_seen_names_the_setting_of_magento(app):
    told = standing("stock_alert")
    assert (told.seen, told.last_at) == (0, 0)
    assert "catalog/productalert/allow_stock" in told.missing[0]
    assert "catalog/productalert_cron/frequency" in told.missing[0]


def test_what_was_seen_stands_beside_what_is_set_for_each_store_view(app):
    seen.note("order_confirmation", "default", 100.0, Mailbox("Shop", "sales@shop.test"), marked=False)
    seen.note("order_confirmation", "default", 200.0, Mailbox("Shop", "sales@shop.test"), marked=True)
    db.session.commit()
    told = standing(mail__order_confirmation__sender_email="post@brand.test")
    assert (told.seen, told.last_at, told.marked_at) == (2, 200.0, 200.0)
    assert (told.seen_sender, told.sender, told.placeholder, told.missing) == (
        "sales@shop.test",
        "post@brand.test",
        False,
        (),
    )
    assert standing(store="fr").seen == 0


def test_a_marker_that_is_missing_and_a_placeholder_are_told(app):
    seen.note("order_confirmation", "default", 100.0, Mailbox("Owner", "owner@example.com"), marked=False)
    db.session.commit()
    told = standing()
    assert told.placeholder
    assert any("no marker line" in one for one in told.missing)
    assert any("placeholder" in one for one in told.missing)


def test_a_kind_without_its_own_template_is_told(app):
    told = standing(mail__order_confirmation__enabled=True)
    assert any("without a template id" in one for one in told.missing)
    both = {"mail__order_confirmation__template_id": "5", "mail__stock_alert__template_id": "5"}
    assert any("same template id" in one for one in standing(**both).missing)
