"""The shop as it is asked about one letter: each question once, and the answers that recognition wants of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.mail.facts import CustomerFacts, OrderFacts
from bridge.mail.letter import same_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge import settings
    from bridge.events import EntityRef
    from bridge.store import Customer, Fetched, Order, OrderDetails
    from bridge.store import Store as Shop


class AskedShop:
    """Answers for one letter; a :class:`bridge.mail.facts.Confirm`. Raises what the shop raises."""

    def __init__(self, shop: Shop, views: Sequence[settings.Store]) -> None:
        self._shop = shop
        self._views = views
        self._details: dict[tuple[str, str], OrderDetails | None] = {}
        self._customers: dict[tuple[str, int], Customer | None] = {}

    def order(self, number: str, email: str) -> OrderFacts | None:
        """Return the newest order of this number, one of this e-mail first."""
        details = self.order_details(number, email)
        if details is None:
            other = self._shop.order_by_number(number)
            return None if other is None else self._facts(other)
        told = [
            (entry.created_at, entry.comment or "") for entry in details.history if entry.notified and entry.created_at
        ]
        newest = max(told, default=None)
        return self._facts(
            details.order,
            notified_at=newest[0].timestamp() if newest else 0.0,
            told=newest[1] if newest else "",
            shipments=tuple(one.number for one in details.shipments),
        )

    def customer(self, email: str, store: str) -> CustomerFacts | None:
        """Return the account of an e-mail in a store view's website, of any website when none is named."""
        websites = {view.website_id for view in self._views if not store or view.code == store}
        for website in sorted(websites):
            found = self.customer_by_email(email, website)
            if found is not None:
                created_at = found.created_at.timestamp() if found.created_at else 0.0
                return CustomerFacts(found.id, self._code(found.store_id), created_at)
        return None

    def order_details(self, number: str, email: str) -> OrderDetails | None:
        """Return an order as its mails show it."""
        key = (number, email)
        if key not in self._details:
            self._details[key] = self._shop.order_details(number, email)
        return self._details[key]

    def customer_by_email(self, email: str, website_id: int) -> Customer | None:
        """Return the account with this e-mail in this website."""
        key = (email, website_id)
        if key not in self._customers:
            found = self._shop.customer_by_email(email, website_id)
            # The shop's database compares as its collation does, for which é may be an e: that is somebody else.
            is_theirs = found is not None and same_address(found.email or "", email)
            self._customers[key] = found if is_theirs else None
        return self._customers[key]

    def fetch(self, refs: Iterable[EntityRef], views: Sequence[str] = ()) -> dict[EntityRef, Fetched]:
        """Return entities."""
        return self._shop.fetch(refs, views)

    def _facts(
        self, order: Order, notified_at: float = 0.0, told: str = "", shipments: tuple[str, ...] | None = None
    ) -> OrderFacts:
        return OrderFacts(
            number=order.number,
            email=order.email or "",
            store=self._code(order.store_id),
            state=order.state or "",
            notified_at=notified_at,
            told=told,
            customer=order.customer_id or "",
            shipments=shipments,
        )

    def _code(self, store_id: int | None) -> str:
        return next((view.code for view in self._views if view.id == store_id), "")
