"""What holds for every route: guard, CSRF, roles, headers, no inline code, plain error pages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.exc import OperationalError

from bridge.dashboard import figures
from bridge.dashboard.assets import asset_url, dark_rules
from bridge.errors import Misconfigured
from tests.dashboard.desk import BASE, PASSWORD, ROLES, FakeRedis, make_dashboard_app, token
from tests.dashboard.export_desk import furnish
from tests.dashboard.routes import least

OPEN = {"dashboard.sign_in", "dashboard.asset"}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
SAMPLE = {
    "section": "general",
    "name": "dashboard.css",
    "kind": "order",
    "entity": "4",
    "log": "requests",
    "form": "csv",
    "line": 1,
}


@pytest.fixture
def board(board):
    """The application with an export room, which some pages ask."""
    furnish(board)
    return board


def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(BASE)]


def address(app, rule):
    with app.test_request_context():
        return app.url_map.bind("localhost").build(
            rule.endpoint, {name: SAMPLE.get(name, 1) for name in rule.arguments}
        )


def pages(app):
    return [address(app, rule) for rule in rules(app) if "GET" in rule.methods]


def test_every_unsafe_route_refuses_a_request_without_its_token(board, signed_in):
    unsafe = [(address(board, rule), method) for rule in rules(board) for method in rule.methods & UNSAFE]
    assert len(unsafe) >= 4
    for client in (board.test_client(), signed_in("owner")):
        for path, method in unsafe:
            for data in ({}, {"csrf_token": "forged"}):
                assert client.open(path, method=method, data=data).status_code == 400, (method, path)


def test_a_token_of_another_session_is_refused(board, signed_in):
    stolen = token(signed_in("owner"), f"{BASE}/settings/general")
    answer = signed_in("editor").post(f"{BASE}/settings/general", data={"csrf_token": stolen})
    assert answer.status_code == 400


def test_every_route_but_sign_in_and_its_assets_asks_for_sign_in(board, client):
    for rule in rules(board):
        for method in rule.methods & {"GET", "HEAD"}:
            answer = client.open(address(board, rule), method=method, buffered=True)
            if rule.endpoint in OPEN:
                assert answer.status_code == 200, rule
            else:
                assert answer.status_code == 302, rule
                assert answer.location.startswith(f"{BASE}/sign-in"), rule


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 303), ("owner", 303)])
def test_only_editors_and_owners_may_save_settings(signed_in, role, status):
    client = signed_in(role)
    form = {"csrf_token": token(client, f"{BASE}/settings/general")}
    page = client.get(f"{BASE}/settings/general").get_data(as_text=True)
    form["version"] = re.search(r'name="version" value="(\w+)"', page).group(1)
    assert client.post(f"{BASE}/settings/general", data=form).status_code == status
    assert ("Save config" in page) is (role != "viewer")


@pytest.mark.parametrize("role", ["viewer", "editor", "owner"])
def test_every_page_may_be_looked_at_in_its_roles(board, signed_in, role):
    client = signed_in(role)
    for rule in rules(board):
        if "GET" not in rule.methods or rule.endpoint == "dashboard.sign_in":
            continue
        path, needs = address(board, rule), least(rule.endpoint, "GET") or "viewer"
        expected = {200} if ROLES.index(role) >= ROLES.index(needs) else {403}
        # There is no row of this number yet.
        expected |= {404} if "<int:" in rule.rule and expected == {200} else set()
        assert client.get(path, buffered=True).status_code in expected, path


def test_every_answer_carries_the_strict_headers(board, signed_in):
    answers = [
        client.get(path, buffered=True) for client in (board.test_client(), signed_in("owner")) for path in pages(board)
    ]
    answers += [
        board.test_client().get(f"{BASE}/none"),
        board.test_client().delete(f"{BASE}/"),
        board.test_client().post(f"{BASE}/sign-out"),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "Server-Timing" not in answer.headers
        if answer.mimetype == "text/html":
            assert answer.headers["Cache-Control"] == "no-store"
            assert "script-src 'self'; style-src 'self'" in policy


def test_no_page_has_inline_code_or_an_address_elsewhere(board, signed_in):
    clients = [board.test_client(), signed_in("owner")]
    texts = [
        client.get(path, buffered=True).get_data(as_text=True)
        for client in clients
        for path in pages(board)
        if "/assets/" not in path
    ]
    texts.append(board.test_client().get(f"{BASE}/none").get_data(as_text=True))
    for text in texts:
        if text.startswith("<svg"):
            continue
        assert re.findall(r"<script(?![^>]* src=)", text) == []
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
        for found in re.findall(r'(?:src|href|action)="([^"]+)"', text):
            assert found.startswith((f"{BASE}/", "data:,", "#")), found


def test_the_dashboard_is_not_there_on_the_shops_listener(make_app):
    app = make_app()
    for path in ("/", "/sign-in", "/assets/dashboard.css", "/none"):
        shop = app.test_client().get(BASE + path, environ_overrides={"bridge.listener": "shop"}, buffered=True)
        assert shop.status_code == 404, path
        assert b"bridge" not in shop.data, path
        assert "Content-Security-Policy" not in shop.headers, "nothing tells this 404 from any other"
        own = app.test_client().get(BASE + path, environ_overrides={"bridge.listener": "dashboard"}, buffered=True)
        assert b"bridge" in own.data or own.status_code == 302, path


def test_a_listener_that_is_not_told_counts_as_the_shops(make_app):
    app = make_app()
    app.testing = False
    assert app.test_client().get(f"{BASE}/sign-in").status_code == 404
    on_shop = make_app(dashboard_on_shop=True)
    on_shop.testing = False
    for environ in ({}, {"bridge.listener": "shop"}):
        assert on_shop.test_client().get(f"{BASE}/sign-in", environ_overrides=environ).status_code == 200


def test_assets_are_kept_for_a_year_by_their_hash_and_nothing_else_is_served(client):
    page = client.get(f"{BASE}/sign-in").get_data(as_text=True)
    linked = re.findall(r'"([^"]*/assets/[^"]+)"', page)
    assert len(linked) == 5
    for path in linked:
        answer = client.get(path, buffered=True)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "immutable" not in client.get(path.partition("?")[0], buffered=True).headers["Cache-Control"]
    for name in (
        "tag.js",
        "js/bootstrap.min.js",
        "../../bridge/auth.py",
        "%2e%2e/%2e%2e/wsgi.py",
        "css/font/fonts/none.woff2",
    ):
        assert client.get(f"{BASE}/assets/{name}").status_code == 404, name


@pytest.mark.parametrize(
    ("path", "method", "status", "title"),
    [
        ("/none", "GET", 404, "There is no such page"),
        ("/settings/none", "GET", 404, "There is no such page"),
        ("/settings/general?scope=store:none", "GET", 404, "There is no such page"),
        ("/", "POST", 405, "This page does not take that request"),
        ("/sign-out", "GET", 405, "This page does not take that request"),
    ],
)
def test_a_wrong_address_gets_a_plain_page(signed_in, path, method, status, title):
    answer = signed_in("owner").open(BASE + path, method=method)
    assert answer.status_code == status
    assert title in answer.get_data(as_text=True)
    assert (status == 405) is ("Allow" in answer.headers)


def test_addresses_outside_the_dashboard_keep_their_own_errors(client):
    answer = client.get("/_bridge/none")
    assert answer.status_code == 404
    assert b"overview" not in answer.data


def test_a_form_of_megabytes_is_refused(signed_in):
    client = signed_in("editor")
    answer = client.post(f"{BASE}/settings/general", data={"csrf_token": "x", "general.account_id": "x" * 300_000})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("fault", "status"),
    [(RuntimeError("secret internals"), 500), (OperationalError("SELECT secret", {}, Exception("internals")), 503)],
)
def test_a_fault_shows_a_plain_page_without_internals(signed_in, monkeypatch, fault, status):
    def fail():
        raise fault

    client = signed_in("owner")
    monkeypatch.setattr(figures, "waiting", fail)
    answer = client.get(f"{BASE}/")
    assert answer.status_code == status
    assert "internals" not in answer.get_data(as_text=True)
    assert "SELECT" not in answer.get_data(as_text=True)


def test_a_misconfiguration_is_told_in_its_sentence(signed_in, monkeypatch):
    def fail():
        raise Misconfigured("A stored secret cannot be read with BRIDGE_SECRET_KEY.")

    client = signed_in("owner")
    monkeypatch.setattr("bridge.dashboard.home.load_book", fail)
    answer = client.get(f"{BASE}/")
    assert answer.status_code == 500
    assert "A stored secret cannot be read" in answer.get_data(as_text=True)


def test_without_its_tables_the_dashboard_says_that_the_database_does_not_answer(tmp_path):
    app = make_dashboard_app(tmp_path, FakeRedis({}))
    client = app.test_client()
    answer = client.post(f"{BASE}/sign-in", data={"csrf_token": token(client), "name": "owner", "password": PASSWORD})
    assert answer.status_code == 503
    assert "The database does not answer" in answer.get_data(as_text=True)
    with client.session_transaction(path=f"{BASE}/") as kept:
        kept.update(user=1, key="x", at=2_000_000_000)
    assert client.get(f"{BASE}/").status_code == 503


def test_the_dark_sheet_has_each_rule_of_the_dark_theme_and_no_other():
    sheets = [
        'a{color:red}[data-bs-theme=dark]{--x:1}.b:not(.c),[data-bs-theme=dark] .d::after{--y:url("data:image/svg+xml,%3csvg")}',
        '/* dark */\n:root, [data-bs-theme="light"] { --x: 2; }\n[data-bs-theme="dark"] .e { --x: 3; }\n@media print { .f { --x: 4; } }\n',
    ]
    assert dark_rules(sheets).splitlines() == [
        ":root{--x:1}",
        '.b:not(.c),:root .d::after{--y:url("data:image/svg+xml,%3csvg")}',
        ":root .e { --x: 3; }",
    ]


def test_the_dark_sheet_is_kept_as_long_as_its_sources_stay(client, board):
    with board.test_request_context():
        address = asset_url("dark.css")
    answer = client.get(address)
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.get_data(as_text=True).count("{") > 8
    assert "data-bs-theme" not in answer.get_data(as_text=True)
    assert "immutable" not in client.get(address.replace("?v=", "?v=x")).headers["Cache-Control"]
