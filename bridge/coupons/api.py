"""``ometria_api/v1/…`` on the shop's host: the signed calls that Ometria makes to the store.

A call is let in by its signature (:mod:`bridge.coupons.signature`) once, answered with JSON that nobody may keep, and
where it fails with the status that the failure has, or with 200 and ``{"error": …}`` where the shop's settings ask for
the old module's way. What is wrong about a signature is told to the log alone.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
import redis
import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from bridge.coupons.actions import Asked
from bridge.coupons.arguments import ApiError, Arguments
from bridge.coupons.gate import Gate, Place, place_of
from bridge.coupons.parameters import UnreadableError, form_pairs, parsed, path_pairs, united
from bridge.coupons.signature import Call, ForbiddenError, verify
from bridge.errors import BridgeError, Refused, Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.coupons.parameters import Array
    from bridge.coupons.replay import Replays
    from bridge.settings import Books, Settings

    Action = Callable[[Asked], Any]

METHODS: Final = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]
TAKEN: Final = ("GET", "POST")

log = structlog.get_logger("bridge.coupons")
_encoder = msgspec.json.Encoder(decimal_format="number")


class SignedApi:
    """The endpoints. ``signed`` are the actions behind ``coupons.signed_api``, ``pulled`` those behind ``pull_api``."""

    def __init__(
        self,
        books: Books,
        replays: Replays,
        signed: Mapping[str, Action],
        pulled: Mapping[str, Action],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._books = books
        self._replays = replays
        self._actions = {**pulled, **signed}
        self._clock = clock
        self.gate = Gate(books, signed, pulled)

    def blueprint(self) -> Blueprint:
        """Return the addresses; a folder, ``index.php`` or a store code may stand before them."""
        blueprint = Blueprint("signed_api", __name__)
        for number, front in enumerate(("", "/<front>", "/<front>/<more>")):
            blueprint.add_url_rule(
                f"{front}/ometria_api/v1/<path:rest>",
                f"call_{number}",
                self.call,
                methods=METHODS,
                provide_automatic_options=False,
                merge_slashes=False,
            )
        return blueprint

    def call(self, rest: str, front: str = "", more: str = "") -> Response:
        """Answer a call, whatever comes of it."""
        del rest, front, more
        place = place_of(request.path)
        view, settings = self.gate.settings(self._books.current, _host(), request.path)
        if place is None or not self.gate.on(place.action, settings):
            return _answer({"error": "not found"}, 404)
        if request.method not in TAKEN:
            return _answer({"error": "method"}, 405, {"Allow": ", ".join(TAKEN)})
        action = place.action.lower()
        try:
            asked = Asked(view, settings, self._books.current, self._let_in(place, settings))
            response = _answer(self._actions[action](asked), 200)
        except ForbiddenError as error:
            log.warning("signed call refused", action=action, reason=str(error))
            return _answer({}, 403)
        except (ApiError, BridgeError, HTTPException) as error:
            return _failed(settings, action, error)
        except (SQLAlchemyError, redis.RedisError) as error:
            # Their texts hold what was asked or written: only the kind is told.
            return _failed(settings, action, Retry(f"A neighbour of bridge does not answer ({type(error).__name__})."))
        log.info("signed call", action=action, store=view.code if view else "")
        return response

    def _let_in(self, place: Place, settings: Settings) -> Arguments:
        """Return what is asked for by a call that is signed and comes for the first time."""
        now = self._clock()
        try:
            found = united(parsed(path_pairs(place.rest)), parsed(form_pairs(request.query_string)), _body())
        except UnreadableError as error:
            # The signature stands among what cannot be read.
            raise ForbiddenError(str(error)) from None
        keys = [settings["coupons.private_key"], settings["coupons.private_key_second"]]
        proof = verify(Call(_host(), place.action, found), settings["general.account_id"], keys, now)
        self._replays.take(proof, now)
        return Arguments(found, dt.datetime.fromtimestamp(now, dt.UTC))


def _host() -> str:
    """Return the ``Host`` field as it came, which is what was signed."""
    return str(request.environ.get("HTTP_HOST", ""))


def _body() -> Array:
    """Return what a form in the body holds; another type of body holds no parameters."""
    if request.method != "POST":
        return {}
    if request.mimetype == "application/x-www-form-urlencoded":
        return parsed(form_pairs(request.get_data(cache=False)))
    if request.mimetype == "multipart/form-data":
        return parsed(request.form.items(multi=True))
    return {}


def _failed(settings: Settings, action: str, error: ApiError | BridgeError | HTTPException) -> Response:
    """Answer a failure with its status and one sentence, or as the old module did."""
    headers = {}
    match error:
        case ApiError(status=status, said=said):
            pass
        case Refused(reason=said):
            status = 422
        case Retry(reason=said, after=after):
            status, headers = 503, {"Retry-After": str(max(int(after), 1))}
        case HTTPException():
            status, said = error.code or 400, "The call cannot be read, or is too large."
        case _:  # a person must change something at bridge, which is told to staff and not here
            status, said, headers = 503, "The shop's connection must be set up anew.", {"Retry-After": "60"}
    log.warning("signed call not answered", action=action, status=status, reason=str(error))
    if settings["coupons.legacy_errors"]:
        status = 200
    return _answer({"error": said}, status, headers)


def _answer(data: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(_encoder.encode(data), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.update(headers or {})
    return response
