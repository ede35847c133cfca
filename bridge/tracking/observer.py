"""The observer that the proxy is given: which requests are watched, and what follows from what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import BridgeError
from bridge.events import URGENT, AnyEvent, Identified, LoggedOut, MailExpected, OrderPlaced, PasswordReset
from bridge.tracking.capture import ROUTES
from bridge.tracking.consent import is_given
from bridge.tracking.cookies import CONSENT, SESSION, presented, session_after, visitor_cookie
from bridge.tracking.identity import is_visitor_id
from bridge.tracking.mail_signs import operational
from bridge.tracking.places import settings_at, store_code
from bridge.tracking.proofs import bearer
from bridge.tracking.routes import Route, RouteTable
from bridge.tracking.wire import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.settings import Books, Settings
    from bridge.stream import EventStream
    from bridge.tracking.cart_links import CartLinks
    from bridge.tracking.identity import Identities
    from bridge.tracking.seen_orders import SeenOrders
    from bridge.tracking.wire import Exchange, RequestHead, WatchedRoute

CAPTURED = Counter("bridge_captured", "Watched requests, by what came of them", ["route", "result"])

log = structlog.get_logger()


class Capture:
    """The observer that the proxy is given: ``wants`` on its event loop, ``seen`` in a thread of its own."""

    def __init__(
        self,
        books: Books,
        stream: Callable[[], EventStream],
        identities: Identities,
        orders: SeenOrders,
        links: CartLinks,
    ) -> None:
        self._books = books
        self._stream = stream
        self._identities = identities
        self._orders = orders
        self._links = links
        self._table = RouteTable(ROUTES)

    def wants(self, request: RequestHead) -> Route | None:
        """Return the route of a watched request."""
        return self._table.find(request)

    def seen(self, route: WatchedRoute, exchange: Exchange) -> None:
        """Read the exchange, put its events in the stream and remember who the visitor is.

        What cannot be understood is counted and dropped; nothing of it is quoted anywhere.
        """
        if not isinstance(route, Route):
            return
        code = store_code(exchange.request)
        path = exchange.request.path.decode("latin-1")
        settings = settings_at(self._books.current, exchange.host, code, path)
        if not settings["general.enabled"]:
            return
        try:
            shown = list(route.read(exchange))
        except (ValueError, msgspec.DecodeError, RecursionError):
            CAPTURED.labels(route.name, "odd").inc()
            return
        token = next((found.value for found in shown if isinstance(found, Token)), None)
        events = [self._place(event, exchange, code) for event in shown if not isinstance(event, Token)]
        events = [event for event in events if event_allowed(event, settings)]
        CAPTURED.labels(route.name, "seen" if events else "refused").inc()
        events = [sign for event in events for sign in self._addressed(event, exchange)]
        if is_given(settings, presented(exchange.request, CONSENT.encode())):
            events = [event for event in events if self._is_news(event, route, exchange)]
            self._tell(events)
            self._remember(route, exchange, events, token)
        else:
            self._without_consent(route, exchange, events)

    def _tell(self, events: list[AnyEvent]) -> None:
        urgent = [event for event in events if isinstance(event, URGENT)]
        if urgent:
            self._stream().put_urgent(urgent)
        for event in events:
            if not isinstance(event, URGENT):
                self._stream().put(event)

    def _without_consent(self, route: Route, exchange: Exchange, events: list[AnyEvent]) -> None:
        """Tell what the shop's business needs and nothing of the visitor; a log-out clears all the same."""
        placed = [msgspec.structs.replace(event, visitor=None) for event in events if isinstance(event, OrderPlaced)]
        placed = [event for event in placed if self._is_news(event, route, exchange)]
        self._tell([*placed, *operational(events)])
        self._remember(route, exchange, [*placed, *(event for event in events if isinstance(event, LoggedOut))], None)

    def _addressed(self, event: AnyEvent, exchange: Exchange) -> Iterator[AnyEvent]:
        """Yield the event; of a mail or a new password who it goes to, and not which visitor asked for it.

        The form of an account does not hold the address that the shop will write to: it is the known one, or none.
        """
        if isinstance(event, MailExpected) and not event.email:
            session = presented(exchange.request, SESSION)
            try:
                known = self._identities.known(event.visitor, None).email if event.visitor else None
                email = known or (self._identities.proved(session) if session is not None else None)
            except (SQLAlchemyError, BridgeError):
                email = None
            if email:
                yield msgspec.structs.replace(event, email=email, visitor=None)
        elif isinstance(event, MailExpected | PasswordReset):
            yield msgspec.structs.replace(event, visitor=None)
        else:
            yield event

    def _is_news(self, event: AnyEvent, route: Route, exchange: Exchange) -> bool:
        """Return whether this was not told before, as far as the database says."""
        try:
            if isinstance(event, Identified) and event.source == "account":
                if exchange.request.get(b"bridge-cart") is not None:
                    self._prove(event, exchange)
                proofs = [proof for proof in (session_after(exchange), bearer(exchange)) if proof]
                if route.name == "account-edit":
                    proofs = []  # the account was changed, not looked at once more
                return not self._identities.knows(event.visitor, proofs, event.email)
            if isinstance(event, OrderPlaced) and route.repeats:
                session = presented(exchange.request, SESSION)
                showing = self._orders.shown(event, session, alone=route.name == "success")
                if showing.is_first:
                    self._end_basket(event.visitor)
                return showing.is_new
        except (SQLAlchemyError, BridgeError) as error:
            self._note(route, error)
        return True

    def _prove(self, event: Identified, exchange: Exchange) -> None:
        session = presented(exchange.request, SESSION)
        if session is not None:
            self._identities.prove(session, event)

    def _remember(self, route: Route, exchange: Exchange, events: list[AnyEvent], token: bytes | None) -> None:
        try:
            for event in events:
                if isinstance(event, Identified):
                    self._identities.identify(event.visitor, session_after(exchange), event, token or bearer(exchange))
                elif isinstance(event, LoggedOut):
                    ended = [proof for proof in (presented(exchange.request, SESSION), bearer(exchange)) if proof]
                    self._identities.forget(event.visitor, ended, event.at)
                elif isinstance(event, OrderPlaced) and not route.repeats:
                    self._orders.placed(event, session_after(exchange))
                    if event.number is not None or not _is_confirmed_later(exchange):
                        self._end_basket(event.visitor)
        except (SQLAlchemyError, BridgeError) as error:
            self._note(route, error)

    def _end_basket(self, visitor: str | None) -> None:
        self._identities.end_basket(visitor)
        self._links.end(visitor)

    @staticmethod
    def _note(route: Route, error: Exception) -> None:
        CAPTURED.labels(route.name, "not-remembered").inc()
        log.warning("visitor not remembered", error=type(error).__name__, next="the event itself is in the stream")

    def _place(self, event: AnyEvent, exchange: Exchange, code: str | None) -> AnyEvent:
        book = self._books.current
        if code is not None and book.stores and book.store(code=code) is None:
            code = None
        cookie = visitor_cookie(https=exchange.scheme == "https")
        visitor = (presented(exchange.request, cookie.encode()) or b"").decode("ascii", "replace")
        return msgspec.structs.replace(
            event,
            at=exchange.received,
            store=code,
            host=exchange.host.decode("ascii", "replace"),
            visitor=visitor if is_visitor_id(visitor) else None,
        )


def _is_confirmed_later(exchange: Exchange) -> bool:
    """Return whether the shop's confirmation page will follow on an order that was just placed.

    Then that page ends the basket: a gateway that takes the payment after the order may refuse it, and the shop gives
    the cart back. The shop's own checkout asks with its session and as jQuery does; other front ends show no such page.
    """
    own = presented(exchange.request, SESSION) and exchange.request.get(b"x-requested-with")
    return bool(own) and bearer(exchange) is None


def event_allowed(event: AnyEvent, settings: Settings) -> bool:
    """Return whether the settings let this event be told."""
    weak = isinstance(event, Identified) and event.source == "checkout"
    return not weak or bool(settings["tracking.identify_guest_checkout"])
