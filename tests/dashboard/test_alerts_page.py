"""The page of alerts, what is wrong on top of the home page and the live page, and the test of each channel."""

from __future__ import annotations

import email
import email.policy
import re
import time

import pytest

from bridge.alerts.channels import NO_UPSTREAM
from bridge.db import db
from bridge.models_alerts import Alert, AlertNotice
from bridge.models_coupons import CouponPool
from bridge.settings import set_value
from tests.alerts.conftest import TOKEN, Hook
from tests.dashboard.desk import BASE, FakeRedis, save, sign_in, token
from tests.dashboard.test_home import text_of
from tests.export.serving import serve
from tests.mail.raw_sink import RawSink

PAGE = f"{BASE}/alerts"


@pytest.fixture
def wrong(board):
    """An alert that goes on, told by mail and not yet by webhook, and one that is over."""
    now = time.time()
    with board.app_context():
        db.session.add(
            Alert(
                id=1,
                key="clock_stopped:clock",
                kind="clock_stopped",
                subject="The clock",
                sentence="The clock last ticked 9 minutes ago.",
                began_at=now - 600,
            )
        )
        db.session.add(
            Alert(
                id=2,
                key="backlog:a@2",
                kind="backlog",
                subject="Main Website",
                sentence="Live changes have waited.",
                began_at=now - 9000,
                ended_at=now - 8000,
            )
        )
        db.session.flush()
        rows = [
            (1, "email", "began", "told", 1, now - 500, ""),
            (1, "webhook", "began", "waiting", 3, 0.0, "The webhook answered with status 500."),
            (2, "email", "over", "dropped", 2, 0.0, "it could not be told for a day"),
        ]
        for alert, channel, event, state, tries, told_at, reason in rows:
            db.session.add(
                AlertNotice(
                    alert=alert, channel=channel, event=event, state=state, tries=tries, told_at=told_at, reason=reason
                )
            )
        db.session.commit()
    return board


def test_an_empty_page_says_that_nothing_is_wrong_and_nobody_is_told(signed_in):
    text = text_of(signed_in("viewer").get(PAGE).get_data(as_text=True))
    for words in ("Nothing is wrong.", "No address is set.", "Not set.", "None."):
        assert words in text, words


@pytest.mark.usefixtures("wrong")
def test_the_page_shows_what_is_wrong_what_was_and_who_was_told_with_reasons(signed_in):
    text = text_of(signed_in("viewer").get(PAGE).get_data(as_text=True))
    for words in (
        "Clock stopped The clock The clock last ticked 9 minutes ago.",
        "Start `bridge clock`, or look at its log.",
        "E-mail, beginning: told",
        "Webhook, beginning: to be told 3 tries The webhook answered with status 500.",
        "Backlog Main Website Live changes have waited.",
        "E-mail, end: not told 2 tries it could not be told for a day",
    ):
        assert words in text, words
    assert "Send a test" not in text, "a viewer only looks"


@pytest.mark.parametrize("path", ["/", "/?part=live", "/live", "/live?part=live"])
@pytest.mark.usefixtures("wrong")
def test_what_is_wrong_stands_on_top_of_the_home_page_and_of_the_live_page(signed_in, path):
    page = signed_in("viewer").get(BASE + path).get_data(as_text=True)
    text = text_of(page)
    assert text.count("Clock stopped. The clock last ticked 9 minutes ago. Since ") == 1
    assert "Live changes have waited." not in text, "that is over"
    assert page.index("Clock stopped.") < page.index("data-live", page.index('data-live="alerts"') + 10)
    if "part" not in path:
        live = page.index("data-live-page")
        assert live < page.index('data-live="alerts"') < page.index('data-live="neighbours"')


def test_a_stopped_pool_is_told_once_on_the_home_page(board, signed_in):
    with board.app_context():
        db.session.add(CouponPool(id=7, name="Welcome", rule_id=2, problem="The rule is switched off."))
        db.session.commit()
    client = signed_in("viewer")
    assert text_of(client.get(f"{BASE}/").get_data(as_text=True)).count("The rule is switched off.") == 1
    with board.app_context():
        told = "The rule of the pool Welcome cannot be used: The rule is switched off."
        db.session.add(Alert(key="coupons_stopped:7", kind="coupons_stopped", subject="Welcome", sentence=told))
        db.session.commit()
    assert text_of(client.get(f"{BASE}/").get_data(as_text=True)).count("The rule is switched off.") == 1


def set_up(app, **values):
    with app.app_context():
        for key, value in values.items():
            set_value("default", f"alerts.{key}", value, "test")
        db.session.commit()


def send(client, channel):
    return client.post(f"{PAGE}/test", data={"csrf_token": token(client, f"{BASE}/password"), "channel": channel})


def signed(app, role="editor"):
    client = app.test_client()
    sign_in(client, role)
    return client


def test_a_test_mail_is_sent_and_the_page_says_so(make_app):
    sink = RawSink()
    try:
        app = make_app(FakeRedis({}), smtp_upstream=sink.url())
        set_up(app, email="ann@shop.test")
        client = signed(app)
        assert "1 address." in text_of(client.get(PAGE).get_data(as_text=True))
        assert send(client, "email").status_code == 303
        assert "E-mail: the test was taken." in text_of(client.get(PAGE).get_data(as_text=True))
        (taken,) = sink.taken
        letter = email.message_from_bytes(taken.message, policy=email.policy.default)
        assert letter["Subject"] == "bridge, alert: Test"
        sink.replies["RCPT"] = b"550 5.1.1 <ann@shop.test> nobody here"
        answer = send(client, "email")
        text = text_of(answer.get_data(as_text=True))
        assert answer.status_code == 502
        assert "E-mail: the test was not sent. The mail server did not take it:" in text
        assert "ann@shop.test" not in text
    finally:
        sink.stop()


def test_a_test_of_the_webhook_says_what_came_of_it_without_its_address(make_app):
    hook = Hook()
    with serve(hook.app()) as address:
        hook.url = f"{address}/{TOKEN}"
        app = make_app(FakeRedis({}), alert_hosts=(address.removeprefix("http://"),))
        set_up(app, webhook=hook.url)
        client = signed(app)
        assert send(client, "webhook").status_code == 303
        assert (hook.posts[0]["kind"], hook.posts[0]["state"]) == ("test", "began")
        assert "Webhook: the test was taken." in client.get(PAGE).get_data(as_text=True)
        hook.status = [302]
        answer = send(client, "webhook")
        page = answer.get_data(as_text=True) + client.get(PAGE).get_data(as_text=True)
        assert answer.status_code == 502
        assert "The webhook answers with a redirect (302)" in page
        assert TOKEN not in page
        assert len(hook.posts) == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/T0KEN",
        "https://localhost:8443/T0KEN",
        "https://[::1]/T0KEN",
        "https://169.254.169.254/latest/T0KEN",
        "https://0x7f000001/T0KEN",
        "http://127.0.0.1:8000/T0KEN",
    ],
)
def test_a_webhook_that_leads_into_the_network_is_refused_in_words(make_app, url):
    app = make_app(FakeRedis({}))
    set_up(app, webhook=url)
    answer = send(signed(app), "webhook")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 502
    assert "BRIDGE_ALERT_HOSTS" in page
    assert "T0KEN" not in page


def test_a_channel_that_is_not_set_and_one_that_is_none_are_told_apart(signed_in):
    client = signed_in("editor")
    for channel, label in (("email", "E-mail"), ("webhook", "Webhook")):
        answer = send(client, channel)
        assert answer.status_code == 422
        assert f"{label} is not set" in answer.get_data(as_text=True)
    assert send(client, "pigeon").status_code == 400


def test_without_a_mail_server_the_page_and_the_setting_say_what_to_set(make_app):
    app = make_app(FakeRedis({}))
    set_up(app, email="ann@shop.test")
    client = signed(app)
    for path in (PAGE, f"{BASE}/settings/alerts"):
        assert NO_UPSTREAM in client.get(path).get_data(as_text=True), path
    with_one = signed(make_app(FakeRedis({}), smtp_upstream="smtp://mail.test"))
    assert NO_UPSTREAM not in with_one.get(f"{BASE}/settings/alerts").get_data(as_text=True)


def test_the_settings_are_at_the_default_scope_alone(signed_in):
    client = signed_in("editor")
    at_store = client.get(f"{BASE}/settings/alerts?scope=store:de").get_data(as_text=True)
    assert "These settings hold for the whole installation" in at_store
    assert 'name="alerts.' not in at_store
    assert 'name="alerts.email"' in client.get(f"{BASE}/settings/alerts").get_data(as_text=True)


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("email", "ann at shop.test", "It takes e-mail addresses parted by commas"),
        ("email", "ann@shop.test\nBcc: x", "It takes e-mail addresses parted by commas"),
        ("sender", "bridge", "It takes an e-mail address, or nothing."),
        ("shop_hours", "8", "It takes two hours of the day such as 8-22"),
        ("shop_hours", "9-9", "It takes two hours of the day such as 8-22"),
        ("backlog_minutes", "2", "It takes a whole number from 5 to 1440."),
        ("webhook", "hooks.test/T0KEN", "It takes an address that begins with https://"),
        ("webhook", "https://a:T0KEN@hooks.test/", "It takes no name and password before the host"),
        ("webhook", "https://hooks.test/T0KEN#x", "It takes no # in the address"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field(signed_in, key, typed, said):
    client = signed_in("editor")
    drop = (f"default.alerts.{key}",)
    answer = save(client, "alerts", "default", drop=drop, **{f"alerts__{key}": typed})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in re.sub(r"&#39;", "'", text)
    assert "T0KEN" not in text


def test_a_webhook_is_kept_as_a_secret(board, signed_in):
    client = signed_in("editor")
    answer = save(client, "alerts", "default", alerts__webhook="http://hooks.internal/T0KEN-of-the-hook")
    assert answer.status_code == 303
    page = client.get(f"{BASE}/settings/alerts").get_data(as_text=True)
    assert "T0KEN" not in page
    assert "••••hook" in page
    assert "http is taken only for hosts that BRIDGE_ALERT_HOSTS names" in page
