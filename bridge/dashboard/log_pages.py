"""The request log and the error log: filtered, a page at a time, and as a file; masked when they were written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flask import Response, abort, render_template, request, url_for

from bridge.auth import login_required
from bridge.dashboard.beside import beside, read
from bridge.dashboard.downloads import in_steps
from bridge.dashboard.figures import masked
from bridge.dashboard.home import account_labels
from bridge.dashboard.language import mark
from bridge.dashboard.records import KINDS, as_text
from bridge.errors import Misconfigured
from bridge.export import log_search
from bridge.export.log_search import Wanted
from bridge.settings import load_book

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = 50
ASIDE = 100
LONGEST = 200
OUTCOMES = (mark("accepted"), mark("partial"), mark("refused"), mark("retry"), mark("stopped"), mark("dry run"))
FIELDS = ("account", "kind", "outcome", "status", "request_id", "text", "since", "until")
TITLES = {"requests": mark("Request log"), "errors": mark("Error log")}
FORMS = {"csv": ("text/csv", log_search.as_csv), "jsonl": ("application/x-ndjson", log_search.as_json)}


@login_required("viewer")
def logs(log: str) -> str | tuple[str, int]:
    """Show a page of a log."""
    if log not in TITLES:
        abort(404)
    typed = {field: request.args.get(field, "").strip()[:LONGEST] for field in FIELDS}
    try:
        wanted, wrong = _wanted(log, typed), beside(None)
    except Misconfigured as error:
        wanted, wrong = _wanted(log, typed | dict.fromkeys(("since", "until", "status"), "")), beside(error)
    before = request.args.get("before", type=int)
    rows, older = log_search.page(wanted, PAGE, before)
    chosen: dict[str, Any] = {field: value for field, value in typed.items() if value}
    page = render_template(
        "dashboard/logs.html",
        log=log,
        title=TITLES[log],
        typed=typed,
        wrong=wrong,
        rows=[{**row, "body": as_text(row["body"])} if "body" in row else row for row in rows],
        older=url_for("dashboard.logs", log=log, before=older, **chosen) if older else "",
        newest=url_for("dashboard.logs", log=log, **chosen) if before else "",
        files=[(form, url_for("dashboard.log_file", log=log, form=form, **chosen)) for form in FORMS],
        aside=log_search.set_aside(wanted, ASIDE) if log == "errors" and not before else [],
        aside_most=ASIDE,
        kinds=KINDS,
        outcomes=OUTCOMES[1:] if log == "errors" else OUTCOMES,
        accounts=account_labels(load_book()),
        masked=masked,
        filtered=bool(chosen),
        now=time.time(),
    )
    return (page, 400) if wrong else page


@login_required("viewer")
def log_file(log: str, form: str) -> Response:
    """Answer the log, as filtered, as a file; written while it is read."""
    if log not in TITLES or form not in FORMS:
        abort(404)
    typed = {field: request.args.get(field, "").strip()[:LONGEST] for field in FIELDS}
    try:
        wanted = _wanted(log, typed)
    except Misconfigured:
        abort(400)
    mimetype, write = FORMS[form]
    answer = Response(in_steps(write(log_search.lines(wanted))), mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="bridge-{log}.{form}"'
    return answer


def _wanted(name: str, typed: Mapping[str, str]) -> Wanted:
    """Return the choice; raises :class:`Misconfigured` for a time or a status that is none."""
    chosen: dict[str, Any] = {field: typed[field] for field in ("account", "kind", "outcome", "request_id", "text")}
    for field in ("since", "until"):
        chosen[field] = read(field, log_search.moment, typed[field]) if typed[field] else None
    chosen["status"] = read("status", log_search.statuses, typed["status"]) if typed["status"] else None
    return Wanted(**chosen, errors=name == "errors")
