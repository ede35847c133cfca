"""The prices of a product in one store view at one moment: regular, special, and the period of the special one.

Magento's own price and special price are in the base currency and leave out what catalog price rules take off; the
prices that the shop front shows are in the view's currency and as of now, but only there while the product is shown.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from decimal import Decimal

    from bridge.settings import Store
    from bridge.store import ProductView

OWN_PRICE = {"simple", "virtual", "downloadable", "giftcard"}
"""Types that have a price of their own; the others show their parts' prices."""
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
OPEN_END = dt.datetime(2099, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
"""Ends of the period of no special price, and of one that has no end."""


class Prices:
    """``special`` is there only while it counts and is lower than ``regular``; ``starts`` and ``ends`` bound it."""

    def __init__(self, kind: str, view: ProductView, store: Store, now: dt.datetime) -> None:
        """Take the product's type, and what the store view says of it."""
        own = kind in OWN_PRICE and view.price is not None
        known = {store.currency, store.base_currency} - {""}
        converted = len(known) == 2 and view.shown_price is not None
        self.regular: Decimal | None
        self.special: Decimal | None
        self.starts: dt.datetime | None = None
        self.ends: dt.datetime | None = None
        if own and not converted:
            self.currency = store.base_currency or store.currency
            self.regular, self.special = view.price, None
        else:
            self.currency = store.currency or store.base_currency
            self.regular, self.special = view.shown_price or view.price or None, view.final_price
        if own:
            self._take_own(view, store, now, same=not converted)
        if self.special is None or self.regular is None or self.special >= self.regular:
            self.special = self.starts = self.ends = None

    def _take_own(self, view: ProductView, store: Store, now: dt.datetime, *, same: bool) -> None:
        """Take the merchant's special price on its days; in the base currency (``same``) also what rules take off.

        The shown prices may hold tax where the product's own do not: they tell of a rule only where the regular ones
        are equal.
        """
        starts, ends = midnight(view.special_from, store), midnight(view.special_to, store, days=1)
        counts = (
            view.special_price is not None
            and view.price is not None
            and view.special_price < view.price
            and (starts is None or now >= starts)
            and (ends is None or now < ends)
        )
        if counts:
            self.starts, self.ends = starts, ends
        if not same:
            return
        self.special = view.special_price if counts else None
        final = view.final_price if view.shown_price == view.price else None
        if final is not None and (self.special is None or final < self.special):
            self.special, self.starts, self.ends = final, None, None

    def end(self, *, merged: bool) -> dt.datetime | None:
        """Return when the special price ends, as a record says it.

        With ``@merge`` a field that is left out keeps its value at Ometria, so leaving out a special price does not end
        it, and what a null does is not documented. Its period is: a merged record always says when the special price
        ends, in the past where there is none.
        """
        if self.ends is not None:
            return self.ends - dt.timedelta(seconds=1)
        if not merged:
            return None
        return LONG_AGO if self.special is None else OPEN_END


def midnight(day: dt.date | None, store: Store, *, days: int = 0) -> dt.datetime | None:
    """Return the beginning of a day (or of the one ``days`` later) in the store view's time zone, in UTC."""
    if day is None:
        return None
    try:
        zone: dt.tzinfo = ZoneInfo(store.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = dt.UTC
    return dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), zone).astimezone(dt.UTC)
