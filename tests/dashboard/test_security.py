"""What an attacker tries, on every route of the URL map: roles, secrets, stored scripts, redirects, hosts, files, logs."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections import Counter

import pytest
import structlog
from sqlalchemy import JSON, String, Text, inspect

from bridge.config import OAuthKeys, SmtpUser
from bridge.db import db
from bridge.export import cursors
from bridge.models import (
    AuditLog,
    EventLog,
    Finding,
    Pending,
    RecordStep,
    RequestLog,
    Scope,
    SentRecord,
    SettingValue,
    User,
)
from bridge.models_alerts import Alert, AlertNotice
from bridge.models_coupons import CouponCode, CouponPool, CouponRequest
from bridge.models_drift import DriftCount, DriftItem
from bridge.models_mail import MailDelivery, MailLetter, MailSeen
from bridge.ops import set_up_logging
from bridge.settings import SETTINGS, load_book, set_value
from tests.dashboard.desk import BASE, PASSWORD, ROLES, FakeRedis, read_form, sign_in, token
from tests.dashboard.export_desk import account, furnish, send
from tests.dashboard.routes import OPEN, address, changes, least, pages, rules
from tests.lines import through_logging

SCRIPT = "\"'><script>x()</script>"


@pytest.fixture
def board(board):
    furnish(board)
    return board


def test_each_route_takes_the_least_role_that_it_needs_and_no_lesser_one(board, signed_in):
    asked = 0
    for role in ROLES:
        client = signed_in(role)
        csrf = token(client, f"{BASE}/password")
        for rule in rules(board):
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                needs = least(rule.endpoint, method)
                if rule.endpoint in OPEN or needs is None:
                    continue
                path = address(board, rule, person=99)
                form = {"csrf_token": csrf} if method != "GET" else None
                answer = client.open(path, method=method, data=form, buffered=True)
                refused = ROLES.index(role) < ROLES.index(needs)
                assert (answer.status_code == 403) is refused, (role, method, path, answer.status_code)
                assert "/sign-in" not in (answer.location or ""), (role, method, path)
                asked += 1
    assert asked > 60


def test_without_a_session_no_change_is_made_by_any_route(board, client):
    csrf = token(client)
    for endpoint, path, method in changes(board):
        if endpoint not in {*OPEN, "dashboard.sign_out"}:
            answer = client.open(path, method=method, data={"csrf_token": csrf})
            assert (answer.status_code, answer.location) == (302, f"{BASE}/sign-in"), path


def test_no_unsafe_route_takes_a_request_without_its_token(board, signed_in):
    found = changes(board)
    assert {endpoint for endpoint, _, _ in found} >= {"dashboard.people", "dashboard.person", "dashboard.settings"}
    for client in (board.test_client(), signed_in("owner")):
        for _, path, method in found:
            for data in ({}, {"csrf_token": "forged"}):
                assert client.open(path, method=method, data=data).status_code == 400, path


SECRETS = {
    "store_token": "leak-store-token-1",
    "store_oauth": OAuthKeys("leak-consumer-key", "leak-consumer-secret", "leak-access-token", "leak-access-secret"),
    "smtp_users": (SmtpUser("shop", "leak-smtp-password"),),
    "smtp_upstream": "smtp://mailer:leak-upstream-password@mail.test",
    "redis_url": "redis://:leak-redis-password@127.0.0.1:1/0",
    "database_url": "postgresql+psycopg://bridge:leak-database-password@db.test/bridge",
    "shop_database_url": "mysql+pymysql://reader:leak-shop-password@db.test/magento",
}


def test_no_secret_is_in_any_answer(make_app):
    app = make_app(FakeRedis({}), **SECRETS)
    furnish(app)
    secrets = [one for one in SETTINGS if one.secret]
    assert len(secrets) >= 3
    with app.app_context():
        for scope in ("default", "website:base", "store:de"):
            for one in secrets:
                if one.shopwide and scope != "default":
                    continue
                leak = f"leak-{scope}-{one.key}".replace(":", "-").replace("_", "-")
                set_value(scope, one.key, f"https://hooks.test/{leak}" if one.key == "alerts.webhook" else leak, "test")
                db.session.commit()
        hidden = [value for user in db.session.query(User) for value in (user.password, user.session_key)]
    hidden += [PASSWORD, app.config["SECRET_KEY"]]
    texts = []
    for role in ROLES:
        client = app.test_client()
        sign_in(client, role)
        csrf = token(client, f"{BASE}/password")
        paths = pages(app) + [
            f"{BASE}/settings/{one.section}?scope={ref}" for one in secrets for ref in ("store:de", "x")
        ]
        texts += [(path, client.get(path, buffered=True)) for path in paths]
        texts += [
            (path, client.open(path, method=method, data={"csrf_token": csrf}, buffered=True))
            for endpoint, path, method in changes(app)
            if endpoint != "dashboard.sign_out"
        ]
    for path, answer in texts:
        said = f"{answer.headers}\n{answer.get_data(as_text=True)}"
        assert "leak-" not in said, path
        assert not [one for one in hidden if one in said], path
    assert len(texts) > 150


RUN = 1_764_000_000
VALID = {
    Pending: {"kind": "order", "state": "refused", "lane": "live", "claim": None},
    RequestLog: {"kind": "order", "outcome": "refused"},
    EventLog: {},
    RecordStep: {"kind": "order", "entity": "4"},
    AuditLog: {},
    Alert: {"key": "backlog:x", "kind": "backlog", "ended_at": 0.0},
    AlertNotice: {"alert": 1, "channel": "email", "event": "began", "state": "waiting", "tries": 1},
    CouponPool: {"kind": "alphanum", "claim": ""},
    CouponRequest: {"kind": "generate", "state": "failed", "claim": ""},
    CouponCode: {"state": "given", "request": None},
    SentRecord: {"kind": "order", "entity": "4"},
    Finding: {"kind": "order", "entity": "4"},
    DriftCount: {"kind": "order", "run": RUN, "store": "de", "day": "2026-11-20"},
    DriftItem: {"kind": "order", "run": RUN, "state": "missing", "day": "2026-11-20"},
    MailLetter: {"subject": SCRIPT, "sender": SCRIPT},
    MailDelivery: {
        "letter": 1,
        "recipient": SCRIPT,
        "kind": "",
        "native": "",
        "route": "relay",
        "comparison": None,
        "products": [],
    },
    MailSeen: {"kind": "stock_alert", "store": "de", "sender": SCRIPT, "sender_name": SCRIPT},
    Scope: {"ref": "store:evil", "level": "store", "parent": "website:base", "timezone": "UTC", "currency": "EUR"},
    User: {"role": "viewer"},
}
"""Tables that the pages show, with what must stand in a column for a row to be shown at all; texts get the script."""
NOT_SHOWN = {
    "CartLink", "CatalogItem", "CouponBatch", "DriftSeen", "IdentityClaim", "MailExpectation", "SeenOrder", "SentBody",
    "StockLevel", "Subscriber", "VariantParent", "Visitor",
}  # fmt: skip
"""Tables whose texts are keys that only jobs read. A body that was sent is shown by the preview, which has tests."""


def poison(model):
    """Return a row of a model whose every text is a script, but for those that rule what is shown."""
    columns = inspect(model).columns
    texts = {
        name: SCRIPT[: getattr(column.type, "length", None) or 999]
        for name, column in columns.items()
        if isinstance(column.type, String | Text | JSON)
    }
    return model(**texts | {name: value for name, value in VALID[model].items() if name in columns})


def test_every_table_with_texts_is_tried_or_known_not_to_be_shown():
    texts = {
        mapper.class_.__name__
        for mapper in db.Model.registry.mappers
        if any(isinstance(column.type, String | Text | JSON) for column in mapper.columns)
    }
    tried = {model.__name__ for model in VALID} | {"SettingValue", "Cursor"}
    assert not NOT_SHOWN & tried
    assert texts == tried | NOT_SHOWN


def test_a_script_in_any_stored_text_stays_text(board, signed_in):
    with board.app_context():
        done = {"run": RUN, "began": RUN, "ended": RUN + 60, "repair": True, "items": 3, "since": SCRIPT, "until": None}
        done["accounts"] = {account(): {"read": False, "doubt": SCRIPT}}
        cursors.save("drift:order", {"state": "done", "done": done})
        cursors.save(f"account:{account()}", {"paused": SCRIPT})
        for model in VALID:
            row = poison(model)
            for column in ("at", "magento_id", "rule_id"):
                if hasattr(row, column):
                    setattr(row, column, 77)
            if not isinstance(row, MailDelivery):
                for column, value in (("pool", 1), ("account", account())):
                    if hasattr(row, column):
                        setattr(row, column, value)
            db.session.add(row)
            db.session.commit()
        for one in SETTINGS:
            if not one.secret and one.widget in {"text", "lines", "words", "mapping", "statuses", "cron"}:
                kept = db.session.get(SettingValue, ("default", one.key)) or SettingValue(scope="default", key=one.key)
                kept.value = [SCRIPT] if isinstance(one.default, list) else SCRIPT
                db.session.add(kept)
        db.session.commit()
    shown = Counter()
    for role in ("owner", "viewer"):
        client = signed_in(role)
        more = ("/settings/general?scope=store:evil", "/comparison?kind=order", "/refused?kind=order")
        for path in [*pages(board), *(BASE + state for state in more)]:
            answer = client.get(path, buffered=True)
            assert answer.status_code < 500, path
            if answer.mimetype == "text/html":
                text = answer.get_data(as_text=True)
                shown[path.partition("?")[0].removeprefix(BASE)] += text.count("&lt;script&gt;x()")
                assert "<script>x" not in text, path
    assert shown.total() > 30, "the texts are on the pages"
    for path in ("/comparison", "/refused", "/coupons/1", "/coupons/log", "/records/order/4", "/live", "/alerts"):
        assert shown[path], f"no stored text is shown on {path}"


def test_a_script_typed_into_any_field_of_any_form_stays_text(board, signed_in):
    client = signed_in("owner")
    typed = 0
    forms = [f"{BASE}/sign-in", f"{BASE}/password", f"{BASE}/records", f"{BASE}/people", f"{BASE}/coupons"]
    for path in [path for path in pages(board) if "/settings/" in path] + forms:
        form = read_form((board.test_client() if "sign-in" in path else client).get(path).get_data(as_text=True))
        kept = {name: value if name in {"csrf_token", "version"} else SCRIPT for name, value in form.items()}
        typed += len(kept)
        if "sign-in" in path:
            continue
        answer = client.post(path, data=kept | {"name": SCRIPT, "kind": SCRIPT, "id": SCRIPT})
        assert answer.status_code < 500, path
        assert "<script>x" not in answer.get_data(as_text=True), path
        assert "<script>x" not in client.get(path).get_data(as_text=True), path
    assert typed > 60
    for path in pages(board):
        for name in ("text", "request_id", "since", "kind", "scope", "run", "next", "store", "view", "account"):
            answer = client.get(path, query_string={name: SCRIPT}, buffered=True)
            assert answer.status_code < 500, (path, name)
            if answer.mimetype == "text/html":
                assert "<script>x" not in answer.get_data(as_text=True), (path, name)


def test_no_page_of_any_section_has_inline_code(board, signed_in):
    client = signed_in("owner")
    for path in pages(board):
        answer = client.get(path, buffered=True)
        assert "unsafe" not in answer.headers["Content-Security-Policy"], path
        if answer.mimetype == "text/html":
            text = answer.get_data(as_text=True)
            assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", text) == [], path


def test_no_answer_names_or_leads_to_another_host(board, signed_in):
    evil = {"Host": "evil.test", "X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}
    lures = dict.fromkeys(("next", "back", "return", "url", "to"), "https://evil.test/")
    for client, form in ((board.test_client(), "sign-in"), (signed_in("owner"), "password")):
        csrf = token(client, f"{BASE}/{form}")
        for path in pages(board):
            answer = client.get(path, headers=evil, query_string=lures, buffered=True)
            assert "evil.test" not in answer.headers.get("Location", "").partition("?")[0], path
            assert (answer.location or "/").startswith("/"), path
            assert not (answer.location or "/").startswith("//"), path
            assert not re.search(r'(?:href|src|action)="[^"?]*evil\.test', answer.get_data(as_text=True)), path
        for endpoint, path, method in changes(board):
            if endpoint != "dashboard.sign_out":
                answer = client.open(path, method=method, headers=evil, query_string=lures, data={"csrf_token": csrf})
                assert (answer.location or BASE).startswith(BASE), path
                assert "evil.test" not in (answer.location or ""), path


def test_a_session_that_was_planted_before_signing_in_is_worth_nothing_after(board):
    attacker, victim = board.test_client(), board.test_client()
    attacker.get(f"{BASE}/sign-in")
    planted = attacker.get_cookie("bridge_staff", path=BASE).value
    victim.set_cookie("bridge_staff", planted, path=BASE)
    assert sign_in(victim, "owner").status_code == 303
    assert victim.get_cookie("bridge_staff", path=BASE).value != planted
    attacker.set_cookie("bridge_staff", planted, path=BASE)
    assert attacker.get(f"{BASE}/").status_code == 302


def test_guessing_is_stopped_whatever_address_a_field_claims(client, signed_in):
    csrf = token(client)
    answers = [
        client.post(
            f"{BASE}/sign-in",
            data={"csrf_token": csrf, "name": "owner", "password": f"guess {number}"},
            headers={"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"},
        ).status_code
        for number in range(12)
    ]
    assert answers == [401] * 10 + [429] * 2
    editor = signed_in("editor")
    form = {"csrf_token": token(editor, f"{BASE}/password"), "new": "a" * 12, "again": "a" * 12, "present": "guess"}
    said = [editor.post(f"{BASE}/password", data=form).get_data(as_text=True) for _ in range(11)]
    assert "Too many attempts" in said[-1]
    assert "Too many attempts" not in said[0]


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://evil.test","x")')


def test_no_cell_of_any_downloaded_table_is_computed(board, signed_in):
    with board.app_context():
        db.session.add(CouponPool(id=1, name="=1+1", rule_id=1))
        db.session.flush()
        for number, formula in enumerate(FORMULAS):
            texts = {"kind": "order", "outcome": formula[:16], "request_id": formula, "message": formula}
            db.session.add(RequestLog(account=account(), status=400, **texts))
            db.session.add(
                CouponCode(
                    id=number + 1, key=f"k{number}", code=formula, rule_id=1, pool=1, state="given", request=None
                )
            )
        db.session.commit()
    client = signed_in("owner")
    answers = {path: client.get(path, buffered=True) for path in pages(board)}
    tables = {path: answer for path, answer in answers.items() if answer.mimetype == "text/csv"}
    assert set(tables) == {path for path in answers if path.endswith(".csv")}
    assert len(tables) > 1
    for answer in tables.values():
        rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))
        assert len(rows) > 1, "not empty"
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment; ")


LINES = ('a\n{"event": "forged"}', "a\r\nforged", "a\x1b[2Jforged", "a\u2028forged", "a\x85forged", "a\x00forged")


def test_nothing_typed_makes_a_line_of_the_log_or_an_order_to_a_terminal(board, signed_in, tmp_path):
    client = signed_in("owner")
    before = logging.getLogger().handlers[:]
    try:
        set_up_logging("web", tmp_path / "log")
        for line in LINES:
            sign_in(board.test_client(), line, line)
            for path in ("/people", "/records", "/password", "/settings/general"):
                data = {"csrf_token": token(client, f"{BASE}/password"), "name": line, "role": line, "id": line}
                client.post(BASE + path, data=data, headers={"User-Agent": "a forged"})
            client.get(f"{BASE}/{line}")
            structlog.get_logger().warning("sign-in refused", address=line, name=line)
            logging.getLogger("other").warning("said %s", line)
        written = (tmp_path / "log" / "web.log").read_bytes().decode()
    finally:
        for handler in logging.getLogger().handlers:
            handler.close()
        logging.getLogger().handlers[:] = before
        through_logging()
    assert len(written.splitlines()) >= 2 * len(LINES)
    for line in written.splitlines():
        assert json.loads(line)["event"] != "forged"
        assert line.isprintable(), "no sign that a terminal obeys"


def test_what_was_sent_is_shown_to_viewers_without_the_person(board, signed_in):
    from bridge.events import EntityRef

    with board.app_context():
        send(EntityRef("contact", "customer:2"))
        assert load_book().accounts()
    text = signed_in("viewer").get(f"{BASE}/records/contact/customer:2").get_data(as_text=True)
    assert "jane@example.com" not in text
