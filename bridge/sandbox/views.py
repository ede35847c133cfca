"""Websites and store views of the sandbox shop: two currencies to sell in, one more to be shown, three languages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

RATES = {"USD": Decimal("1.25")}
"""What one of the website's own currency is worth in one that visitors may choose instead."""


@dataclass(frozen=True)
class Website:
    """A website with its one store group. Customers, prices and stock belong to a website.

    ``others`` are the currencies that its visitors may choose beside its own.
    """

    id: int
    code: str
    name: str
    group_name: str
    group_code: str
    currency: str
    country: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoreView:
    """A store view: what visitors see. ``id`` 0 and code ``all`` is the scope of the admin, which has no pages.

    ``shown_in`` is the currency that the visitor chose, empty for the website's own.
    """

    id: int
    code: str
    name: str
    locale: str
    website: Website
    shown_in: str = ""

    @property
    def language(self) -> str:
        """Two letters, for ``<html lang>`` and the words of the pages."""
        return self.locale[:2]

    @property
    def currency(self) -> str:
        """The currency in which the view shows and sells."""
        return self.shown_in or self.website.currency

    @property
    def rate(self) -> Decimal:
        """What one of the website's own currency is worth in that of the view."""
        return RATES[self.shown_in] if self.shown_in else Decimal(1)

    @property
    def shelf(self) -> str:
        """The key of the catalogue with the words and prices of the view."""
        return f"{self.code} {self.shown_in}".strip()

    @property
    def money(self) -> str:
        """The way in which the view writes money."""
        return f"{self.locale} {self.shown_in}".strip()

    def in_currency(self, code: str) -> StoreView:
        """Return the view as a visitor sees it who chose a currency; unknown ones change nothing."""
        return replace(self, shown_in=code if code in self.website.others else "")

    def in_base(self, amount: Decimal) -> Decimal:
        """Return an amount of the view's currency in the website's own."""
        return (amount / self.rate).quantize(Decimal("0.01")) if self.shown_in else amount

    @property
    def long_name(self) -> str:
        """Website, group and view on three lines, as orders carry them."""
        return f"{self.website.name}\n{self.website.group_name}\n{self.name}"


BASE = Website(1, "base", "Main Website", "Harbour & Pine", "main_website_store", "GBP", "GB", ("USD",))
EUROPE = Website(2, "europe", "Europe", "Harbour & Pine Europe", "europe_store", "EUR", "FR")
WEBSITES = (BASE, EUROPE)

DEFAULT = StoreView(1, "default", "English", "en_GB", BASE)
FRENCH = StoreView(2, "fr", "Français", "fr_FR", EUROPE)
GERMAN = StoreView(3, "de", "Deutsch", "de_DE", EUROPE)
VIEWS = (DEFAULT, FRENCH, GERMAN)
ALL = StoreView(0, "all", "All Store Views", "en_GB", BASE)

SHELVES = (*VIEWS, ALL, *(view.in_currency(code) for view in VIEWS for code in view.website.others))
"""Every view in every currency: what there is a catalogue of."""

VIEW_BY_CODE = {view.code: view for view in (*VIEWS, ALL)}
VIEW_BY_ID = {view.id: view for view in VIEWS}


def views_of(website: Website) -> tuple[StoreView, ...]:
    """Return the store views of a website; the first is its default."""
    return tuple(view for view in VIEWS if view.website is website)
