"""A fake Ometria: the push API with its documented limits, transactional mail, the tag script and its event pixel.

It answers as the documentation says that Ometria does, shows people what it received, and misbehaves on demand
(`ometria_faults`). It is for trials and tests and knows nothing of how bridge makes its records.
"""

from __future__ import annotations

import socket
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request, send_from_directory

from bridge.sandbox import ometria_events, ometria_pages, ometria_payload
from bridge.sandbox.folders import sandbox_folder
from bridge.sandbox.ometria_state import OmetriaOptions, Received

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.sandbox.ometria_faults import AnswerFault

__all__ = ["OmetriaOptions", "create_ometria"]

LARGEST_READ: Final = 250
USUAL_READ: Final = 50
MOST_BODY: Final = 32_000_000

api = Blueprint("api", __name__, url_prefix="/v2")
tag = Blueprint("tag", __name__)


def create_ometria(options: OmetriaOptions) -> Flask:
    """Make the application. Its `received` state is in `app.extensions["received"]`."""
    app = Flask(
        __name__,
        static_folder=str(sandbox_folder("static")),
        static_url_path="/assets",
        template_folder=str(sandbox_folder("templates")),
    )
    app.extensions["received"] = Received(options)
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it, its base class not
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY
    app.register_blueprint(api)
    app.register_blueprint(tag)
    app.register_blueprint(ometria_pages.pages)
    return app


def _received() -> Received:
    received: Received = current_app.extensions["received"]
    return received


def _refuse(status: int, message: str, retry_after: str | None = None) -> Response:
    answer = jsonify({"status": "ERROR", "message": message})
    answer.status_code = status
    if retry_after is not None:
        answer.headers["Retry-After"] = retry_after
    return answer


def _endpoint(kind: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Wrap a call of the API: key, limit, planned fault, then the call; and a line in the list of requests."""

    def decorate(call: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(call)
        def guarded(*args: Any, **kwargs: Any) -> Response:
            body = request.get_data()
            g.note = {}
            answer = _guard(kind, lambda: call(*args, **kwargs))
            _received().add_request(
                {
                    "account": g.note.pop("account", ""),
                    "method": request.method,
                    "path": request.path,
                    "status": answer.status_code,
                    "bytes": len(body),
                    **g.note,
                },
                body,
            )
            return answer

        return guarded

    return decorate


def _guard(kind: str, call: Callable[[], Response]) -> Response:
    received = _received()
    key = request.headers.get("X-Ometria-Auth")
    if not key:
        return _refuse(401, "API key is missing")
    account = received.options.api_keys.get(key)
    if account is None:
        return _refuse(403, "API key is not authorised to access this resource")
    g.account = account
    g.note["account"] = account
    if not received.admit(kind, key):
        g.note["why"] = "more requests in one second than allowed"
        return _refuse(429, "Rate limit exceeded")
    fault = received.next_fault(kind)
    if fault is None:
        return call()
    g.note["why"] = f"planned fault: {fault.status}"
    if fault.after:
        call()
    return _misbehave(fault)


def _misbehave(fault: AnswerFault) -> Response:
    if fault.status == "html":
        return Response("<!doctype html><title>Please wait</title><p>This is not the API.", mimetype="text/html")
    if isinstance(fault.status, int):
        return _refuse(fault.status, "Planned fault", fault.retry_after)
    if fault.status == "timeout":
        _received().waking.wait(fault.seconds)
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return _refuse(504, "Planned fault: hung up")


@api.post("/push")
@_endpoint("push")
def push() -> Response:
    """Take an array of records of one type."""
    if request.mimetype != "application/json":
        return _refuse(400, "Payload invalid: Content-Type is not application/json.")
    try:
        records = ometria_payload.read_push(request.get_data())
    except ometria_payload.PayloadInvalid as invalid:
        g.note["why"] = str(invalid)
        return _with_queue(_refuse(400, str(invalid)))
    g.note |= {"type": records[0]["@type"], "records": len(records), "ids": [record.get("id") for record in records]}
    received = _received()
    if received.queue_room() < len(records):
        return _with_queue(_refuse(429, "Too many records wait for processing"))
    accepted = received.accept(g.account, records)
    g.note["request_id"] = accepted.request_id
    return _with_queue(jsonify({"status": "OK", **accepted._asdict()}))


def _with_queue(answer: Response) -> Response:
    received = _received()
    answer.headers["X-QueueSize-Limit"] = str(received.options.queue_limit)
    answer.headers["X-QueueSize-Remaining"] = str(received.queue_room())
    return answer


@api.get("/push/_errors")
@_endpoint("data")
def push_errors() -> Response:
    """Give the newest 100 validation errors of the account."""
    return jsonify(_received().newest_errors(g.account))


def _may_read() -> bool:
    return request.headers.get("X-Ometria-Auth") not in _received().options.push_only_keys


@api.get("/<any(contacts, products, orders):plural>")
@_endpoint("data")
def read_records(plural: str) -> Response:
    """Give stored records by `limit` (at most 250) and `offset`, sorted by arrival or `orderby=timestamp_update`.

    Of products, variants come only with `includeVariants=true`; `active=true` or `false` chooses by `is_active`.
    """
    if not _may_read():
        return _refuse(403, "API key is not authorised to access this resource")
    newest_last = request.args.get("orderby") == "timestamp_update"
    records = _received().records_of(g.account, plural.removesuffix("s"), by_update=newest_last)
    if plural == "products" and request.args.get("includeVariants") != "true":
        records = [record for record in records if not record.get("is_variant")]
    if plural == "products" and request.args.get("active") in {"true", "false"}:
        wanted = request.args["active"] == "true"
        records = [record for record in records if (record.get("is_active") is not False) is wanted]
    if plural == "contacts" and "collection" in request.args:
        records = [record for record in records if record.get("@collection") == request.args["collection"]]
    limit = min(max(request.args.get("limit", USUAL_READ, type=int), 1), LARGEST_READ)
    offset = max(request.args.get("offset", 0, type=int), 0)
    return jsonify(records[offset : offset + limit])


@api.get("/<any(contacts, products, orders):plural>/<record_id>")
@_endpoint("data")
def read_record(plural: str, record_id: str) -> Response:
    """Give one stored record by its id."""
    if not _may_read():
        return _refuse(403, "API key is not authorised to access this resource")
    for record in _received().records_of(g.account, plural.removesuffix("s")):
        if record["id"] == record_id:
            return jsonify(record)
    return _refuse(404, "Not found")


@api.get("/profiles")
@_endpoint("data")
def read_profiles() -> Response:
    """Give the person with an `email`: its contacts of every collection together, none for an unknown address."""
    if not _may_read():
        return _refuse(403, "API key is not authorised to access this resource")
    email = request.args.get("email", "").strip().casefold()
    contacts = _received().records_of(g.account, "contact")
    listings = [one for one in contacts if email and str(one.get("email") or "").casefold() == email]
    return jsonify([{"email": email, "listings": listings}] if listings else [])


@api.post("/transactional-email/send")
@_endpoint("mail")
def send_mail() -> Response:
    """Take one transactional mail and keep it; nothing is delivered."""
    try:
        mail = ometria_payload.read_mail(request.get_data())
    except ometria_payload.PayloadInvalid as invalid:
        g.note["why"] = str(invalid)
        return _refuse(400, str(invalid))
    request_id = _received().add_mail(g.account, mail)
    g.note["request_id"] = request_id
    return jsonify({"status": "OK", "request_id": request_id})


@tag.get("/tags/<account>.js")
def tag_script(account: str) -> Response:
    """Give the stand-in tag script; it reads account and host from its own address."""
    if account not in _received().options.api_keys.values():
        abort(404)
    return send_from_directory(sandbox_folder("static"), "ometria-tag.js", mimetype="text/javascript")


@tag.get("/track/v3/<account>/event.gif")
def pixel(account: str) -> Response:
    """Take one event. What is no event is kept as an error, because a page can do nothing about it."""
    received = _received()
    if account not in received.options.api_keys.values():
        abort(404)
    try:
        received.add_event(account, ometria_events.decode(request.args.get("data", "")))
    except ometria_events.EventInvalid as invalid:
        received.add_event_error(account, str(invalid))
    return Response(ometria_events.PIXEL, mimetype="image/gif", headers={"Cache-Control": "no-store"})
