"""What each page of the dashboard costs the server when the tables are large, with the plan of each query.

`python -m bench.dashboard [--small] [--database postgresql] [--keep FOLDER]` fills a database (dashboard_rows.py), asks
for each page through Flask's test client as an owner and takes the process's CPU time, the median of five. Each SELECT
that a page makes is explained afterwards; one that reads a whole large table is listed. Written are
`docs/figures/dashboard.json` and `docs/dashboard-cost.md` (dashboard_page.py). It ends with 1 where a page is above the
bound or a table is read whole.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flask import Flask
from sqlalchemy import event, text

from bench import dashboard_page
from bench.dashboard_rows import PASSWORD, Size, fill
from bridge.auth import Throttle, init_auth
from bridge.config import Config
from bridge.dashboard import init_dashboard
from bridge.dashboard.sections import sections
from bridge.db import Base, db, engine_options, vault
from bridge.export import Exporter
from bridge.ometria import Standing
from bridge.settings import load_book
from bridge.store.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

ROOT = Path(__file__).resolve().parents[1]
BASE = "/_bridge/dashboard"
KEY = "a key of the benchmark, of more than sixteen characters"
ROUNDS = 5
STEPS = 1_000
"""Every how many instructions of its virtual machine SQLite tells that it works."""
SAMPLE: dict[str, Any] = {
    "section": "general",
    "name": "dashboard.css",
    "kind": "order",
    "entity": "5",
    "log": "requests",
}
FILES = {"dashboard.log_file", "dashboard.coupon_file", "dashboard.live_events"}
"""Answers that are as long as what is asked for; they are written while they are read, and are no pages."""
SMALL = Size(views=300, ledger=20_000, sent=20_000, requests=20_000, events=20_000, steps=20_000, mails=5_000)
LARGE = {
    "pending",
    "sent_record",
    "request_log",
    "event_log",
    "record_step",
    "audit_log",
    "finding",
    "stock_level",
    "mail_letter",
    "mail_delivery",
    "coupon_code",
    "coupon_request",
    "drift_item",
    "drift_count",
}
SEARCHES = (
    "/logs/requests?kind=order",
    "/logs/requests?account=ACCOUNT",
    "/logs/requests?outcome=stopped",
    "/logs/requests?outcome=refused&kind=order",
    "/logs/requests?request_id=req-77",
    "/logs/requests?request_id=none",
    "/logs/requests?text=nothing+has+this",
    "/logs/requests?since=24h&kind=order",
    "/logs/requests?since=30d&until=29d&outcome=refused",
    "/logs/requests?before=1000000",
    "/logs/errors",
    "/logs/errors?kind=order&text=nothing+has+this",
    "/logs/errors?text=record+5+",
    "/logs/errors?account=ACCOUNT&before=500000",
    "/live?kind=basket",
    "/live?view=view7",
    "/live?kind=order_placed&view=view7",
    "/live?kind=none",
    "/live?part=live",
    "/?part=live",
    "/mail?kind=order_confirmation",
    "/mail?kind=other&state=refused",
    "/mail?state=refused",
    "/mail?state=uncertain",
    "/mail?day=DAY",
    "/mail?before=1000",
    "/changes?who=ann",
    "/changes?who=nobody",
    "/changes?before=1000",
    "/records/contact/customer:3",
    "/records/order/none",
    "/comparison?kind=order&state=stale",
    "/settings/products?scope=store:view7",
)
"""Addresses beside those of the URL map: filters that match much, little and nothing, and later pages."""


@dataclass(slots=True)
class Statement:
    """One SELECT as it was run; ``steps`` are thousands of instructions of SQLite's machine."""

    sql: str
    values: Any
    steps: int = 0
    scans: list[str] = field(default_factory=list)


class Watch:
    """Notes the statements of a database, and how much SQLite had to do for each."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.statements: list[Statement] = []
        event.listen(engine, "before_cursor_execute", self._began)

    def _began(self, connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        self.statements.append(Statement(sql, values))
        if self.engine.dialect.name == "sqlite":
            connection.connection.dbapi_connection.set_progress_handler(self._stepped, STEPS)

    def _stepped(self) -> None:
        self.statements[-1].steps += 1

    def explained(self) -> list[Statement]:
        """Return the SELECTs so far with what they read whole, and forget them."""
        found = [one for one in self.statements if one.sql.lstrip().upper().startswith(("SELECT", "WITH"))]
        with self.engine.connect() as connection:
            for one in found:
                one.scans = scans(connection, one)
        self.statements = []
        return found


def scans(connection: Any, one: Statement) -> list[str]:
    """Return the large tables that a statement reads from end to end, as the database's own plan says.

    A walk along an index that ends after the first rows is none; whether it ends early is told by the steps.
    """
    if connection.dialect.name == "sqlite":
        plan = [(row[1], row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one.sql}", one.values)]
        # What is sorted before it is cut must be read whole; the parent says which part of the query a line is of.
        sorted_ = {parent for parent, line in plan if re.search(r"TEMP B-TREE FOR (ORDER|GROUP) BY", line)}
        cut = re.search(r"\sLIMIT\s", one.sql) is not None
        whole = [line for parent, line in plan if line.startswith("SCAN ") and not (cut and parent not in sorted_)]
        return [line for line in whole if line.split()[1] in LARGE]
    lines = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {one.sql}", one.values)]
    return [line.strip() for line in lines if (match := re.search(r"Seq Scan on (\w+)", line)) and match[1] in LARGE]


def make_app(folder: Path, url: str) -> Flask:
    """Return the dashboard alone, as the web process mounts it, on a database."""
    config = Config(data_dir=folder, kill_file=folder / "no-injection", secret_keys=(KEY,))
    app = Flask("bridge", static_folder=None, template_folder=str(ROOT / "templates"))
    options = engine_options(url)
    app.config.update(SECRET_KEY=KEY, SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=options)
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    vault.use(config.secret_keys)
    db.init_app(app)
    init_auth(app, config, Throttle())
    init_dashboard(app, config, None, ROOT / "static")
    quiet: Any = SimpleNamespace(
        pacer=SimpleNamespace(standing=lambda _key, _rate: Standing(0, 0.0, history_waits=False))
    )
    exporter: Any = Exporter(config, None, None, Memory(None, ()), quiet)  # type: ignore[arg-type] # nothing is sent
    app.extensions["bridge.export"] = exporter
    return app


def signed_in(app: Flask) -> FlaskClient:
    """Return a client with the session of the owner."""
    client = app.test_client()
    page = client.get(f"{BASE}/sign-in").get_data(as_text=True)
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    form = {"csrf_token": found[1] if found else "", "name": "owner", "password": PASSWORD}
    answer = client.post(f"{BASE}/sign-in", data=form)
    if answer.status_code != 303:
        raise RuntimeError("The benchmark could not sign in.")
    return client


def pages(app: Flask) -> list[str]:
    """Return the address of each page of the URL map, of each section of the settings, and of the searches."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(BASE) and "GET" in (rule.methods or ()) and rule.endpoint not in FILES:
            values = {name: SAMPLE.get(name, 1) for name in rule.arguments}
            with app.test_request_context():
                found.append(app.url_map.bind("localhost").build(rule.endpoint, values, method="GET"))
    found += [f"{BASE}/settings/{section.name}" for section in sections()]
    with app.app_context():
        account = load_book().accounts()[0].id
    day = (dt.datetime.now(dt.UTC) - dt.timedelta(days=2)).date().isoformat()
    return list(dict.fromkeys(found + [BASE + one.replace("ACCOUNT", account).replace("DAY", day) for one in SEARCHES]))


def measure(client: FlaskClient, watch: Watch, path: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Ask for a page; return status, CPU and wall milliseconds (medians), statements, largest steps and scans."""
    client.get(path, buffered=True)
    statements = watch.explained()
    cpu, wall = [], []
    for _ in range(rounds):
        began, moment = time.process_time(), time.perf_counter()
        answer = client.get(path, buffered=True)
        cpu.append((time.process_time() - began) * 1000)
        wall.append((time.perf_counter() - moment) * 1000)
        watch.statements.clear()
    dearest = max(statements, key=lambda one: one.steps, default=Statement("", ()))
    return {
        "path": path.removeprefix(BASE),
        "status": answer.status_code,
        "cpu": round(statistics.median(cpu), 1),
        "wall": round(statistics.median(wall), 1),
        "statements": len(statements),
        "steps": dearest.steps,
        "dearest": " ".join(dearest.sql.split())[:400],
        "bytes": len(answer.get_data()),
        "scans": sorted({scan for one in statements for scan in one.scans}),
    }


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bridge.db'}"
        return
    from tests.export.postgres_server import start_postgres  # noqa: PLC0415 the harness of the tests

    with start_postgres() as url:
        yield url


def run(kind: str, size: Size, folder: Path) -> dict[str, Any]:
    """Fill a database where there is none yet, and measure each page."""
    there = (folder / "filled").exists()
    with database(kind, folder) as url:
        app = make_app(folder, url)
        with app.app_context():
            began = time.monotonic()
            if not there:
                Base.metadata.create_all(db.engine)
                fill(size)
                (folder / "filled").touch()
            print(f"filled in {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201 the command's answer
            with db.engine.connect() as connection:
                tables = sorted(LARGE)
                counts = {
                    name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar()  # noqa: S608 our own names
                    for name in tables
                }
            watch = Watch(db.engine)
        client = signed_in(app)
        rows = [measure(client, watch, path) for path in pages(app)]
        with app.app_context():
            db.engine.dispose()
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": round(os.getloadavg()[1], 1),
        "views": size.views,
        "rows": counts,
        "pages": rows,
    }


def main() -> None:
    """Measure, write, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--small", action="store_true", help="some thousand rows: to see that all pages answer")
    parser.add_argument("--keep", type=Path, help="a folder whose SQLite file is filled once and used again")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs", help="where figures and page go")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="bridge-dashboard-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = run(options.database, SMALL if options.small else Size(), folder)
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    for row in found["pages"]:
        print(f"{row['cpu']:8.1f} {row['steps']:6} {row['status']} {row['path']} {row['scans'] or ''}")  # noqa: T201 the command's answer
    path = options.folder / "figures" / "dashboard.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    figures[options.database] = found
    if not options.small:
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (options.folder / "dashboard-cost.md").write_text(dashboard_page.page(figures), encoding="utf-8")
    ill = dashboard_page.broken(found)
    print("\n".join(ill) or "every bound holds", flush=True)  # noqa: T201 the command's answer
    sys.exit(1 if ill else 0)


if __name__ == "__main__":
    main()
