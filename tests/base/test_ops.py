"""Logs without personal data, health, and metrics for the dashboard's listener only."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from bridge.ops import add_front_door, make_blueprint, scrub, set_up_logging
from bridge.queues import connect
from tests.lines import through_logging


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("customer ada@example.com failed", "ada@example.com"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("Cookie: PHPSESSID=s3cr3t", "s3cr3t"),
        ("GET /createPassword/?token=SECRET&id=7", "SECRET"),
        ("X-Ometria-Auth: om_live_1234", "om_live_1234"),
        ('{"password": "hunter2"}', "hunter2"),
    ],
)
def test_no_personal_data_and_no_secret_passes_the_log(text, gone):
    assert gone not in scrub(text)


def test_one_event_is_one_line_whatever_is_inside():
    assert "\n" not in scrub("first\r\n[ERROR] forged")
    assert scrub("a\r\nb\tc\x1b[2Jd\x85e\u2028f\u202eg") == r"a\r\nb\tc\x1b[2Jd\x85e\u2028f\u202eg"


def test_lines_are_json_and_go_to_a_file_of_the_process(tmp_path):
    before = logging.getLogger().handlers[:]
    try:
        set_up_logging("test", tmp_path)
        structlog.get_logger().warning("mail to ada@example.com", fields={"email": "bob@example.com"})
        logging.getLogger("other").warning("password: hunter2")
        lines = [json.loads(line) for line in (tmp_path / "test.log").read_text().splitlines()]
    finally:
        for handler in logging.getLogger().handlers:
            handler.close()
        logging.getLogger().handlers[:] = before
        through_logging()
    assert len(lines) == 2
    assert "example.com" not in json.dumps(lines)
    assert "hunter2" not in json.dumps(lines)
    assert lines[0]["process"] == "test"


def test_health_tells_life_and_readiness_names_who_is_missing(bare_app, tmp_path):
    bare_app.register_blueprint(make_blueprint(connect(f"unix://{tmp_path}/none", timeout=0.1), dict))
    client = bare_app.test_client()
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.text == "Redis does not answer: see BRIDGE_REDIS_URL, or start it with `bridge run`.\n"


@pytest.mark.redis
def test_ready_when_the_neighbours_answer(bare_app, redis_client):
    bare_app.register_blueprint(make_blueprint(redis_client, dict))
    assert bare_app.test_client().get("/readyz").status_code == 200


def test_metrics_are_for_the_dashboard_s_listener_only(bare_app, tmp_path):
    bare_app.testing = False
    redis_less = connect(f"unix://{tmp_path}/none", timeout=0.1)
    bare_app.register_blueprint(make_blueprint(redis_less, lambda: {'bridge_pending{kind="order"}': 3}))
    client = bare_app.test_client()
    assert client.get("/metrics").status_code == 404
    answer = client.get("/metrics", environ_base={"bridge.listener": "dashboard"})
    assert 'bridge_pending{kind="order"} 3' in answer.text


def test_the_root_leads_to_the_dashboard_on_its_own_listener_only(bare_app):
    add_front_door(bare_app, "/_bridge")
    client = bare_app.test_client()
    assert client.get("/").status_code == 404
    answer = client.get("/", environ_base={"bridge.listener": "dashboard"})
    assert answer.headers["Location"] == "/_bridge/dashboard/"
