"""Settings of alerts: what they take, and that they are set for the whole installation alone."""

from __future__ import annotations

import pytest

from bridge.db import db
from bridge.errors import Misconfigured
from bridge.settings import SETTINGS, caution, load_book, parse, save_tree, set_value
from bridge.settings.alerts import hours_of
from tests.base.test_saved import tree


@pytest.mark.parametrize(
    ("key", "value", "typed"),
    [
        ("email", "", []),
        ("email", "ann@shop.test, bob@shop.test ann@shop.test", ["ann@shop.test", "bob@shop.test"]),
        ("email", ["ann@shop.test"], ["ann@shop.test"]),
        ("sender", " ops@shop.test ", "ops@shop.test"),
        ("sender", "", ""),
        ("shop_hours", "08 - 22", "8-22"),
        ("shop_hours", "0-24", "0-24"),
        ("shop_hours", "18-2", "18-2"),
        ("shop_hours", "", ""),
        ("backlog_minutes", "45", 45),
        ("webhook", "https://hooks.test:8443/a/b?c=d", "https://hooks.test:8443/a/b?c=d"),
        ("webhook", "http://hooks.internal/x", "http://hooks.internal/x"),
    ],
)
def test_what_they_take(key, value, typed):
    assert parse(f"alerts.{key}", value) == typed


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("email", "ann"),
        ("email", "ann@shop.test;bob@shop.test"),
        ("email", ",".join(f"a{number}@shop.test" for number in range(11))),
        ("email", "<ann@shop.test>"),
        ("sender", "a@b@c"),
        ("sender", "ann@shop.test\r\nBcc: x@y.test"),
        ("shop_hours", "8-22-23"),
        ("shop_hours", "24-8"),
        ("shop_hours", "8-25"),
        ("shop_hours", "8-8"),
        ("shop_hours", "8:00-22:00"),
        ("backlog_minutes", "0"),
        ("webhook", ""),
        ("webhook", "hooks.test/T0KEN"),
        ("webhook", "ftp://hooks.test/T0KEN"),
        ("webhook", "https:///T0KEN"),
        ("webhook", "https://a:T0KEN@hooks.test/"),
        ("webhook", "https://hooks.test/T0KEN#x"),
        ("webhook", "https://hooks.test/T0 KEN"),
        ("webhook", " https://hooks.test/T0KEN"),
        ("webhook", "https://hooks.test/T0KEN\r\nX: y"),
        ("webhook", "https://hooks.test:0/T0KEN"),
        ("webhook", "https://hooks.test:port/T0KEN"),
        ("webhook", "https://hooks.test/" + "T0KEN" * 300),
    ],
)
def test_what_they_refuse_in_a_sentence_that_names_the_setting_and_no_token(key, value):
    with pytest.raises(Misconfigured) as caught:
        parse(f"alerts.{key}", value)
    assert f"(alerts.{key}) is not usable: it takes" in str(caught.value)
    assert "T0KEN" not in str(caught.value)


def test_plain_http_is_taken_with_a_word_of_caution():
    assert "BRIDGE_ALERT_HOSTS" in caution("alerts.webhook", "http://hooks.internal/x")
    assert caution("alerts.webhook", "https://hooks.test/x") == ""


def test_hours_are_read_as_they_were_written():
    assert hours_of("8-22") == (8, 22)
    assert hours_of("") is None


def test_they_are_refused_at_a_website_and_a_store_view(bare_app):
    save_tree(tree())
    db.session.commit()
    own = [one.key for one in SETTINGS if one.section == "alerts"]
    assert len(own) == 5
    assert own == [one.key for one in SETTINGS if one.shopwide]
    for scope in ("website:base", "store:default"):
        with pytest.raises(Misconfigured, match="is set for the whole installation: use the scope default"):
            set_value(scope, "alerts.shop_hours", "8-22", "ann")
    set_value("default", "alerts.shop_hours", "8-22", "ann")
    assert load_book().settings("store:default")["alerts.shop_hours"] == "8-22"
