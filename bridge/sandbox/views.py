"""Websites and store views of the sandbox shop: two currencies, three languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Website:
    """A website with its one store group. Customers, prices and stock belong to a website."""

    id: int
    code: str
    name: str
    group_name: str
    group_code: str
    currency: str
    country: str


@dataclass(frozen=True)
class StoreView:
    """A store view: what visitors see. ``id`` 0 and code ``all`` is the scope of the admin, which has no pages."""

    id: int
    code: str
    name: str
    locale: str
    website: Website

    @property
    def language(self) -> str:
        """Two letters, for ``<html lang>`` and the words of the pages."""
        return self.locale[:2]

    @property
    def currency(self) -> str:
        """The currency in which the view shows and sells."""
        return self.website.currency

    @property
    def long_name(self) -> str:
        """Website, group and view on three lines, as orders carry them."""
        return f"{self.website.name}\n{self.website.group_name}\n{self.name}"


BASE = Website(1, "base", "Main Website", "Harbour & Pine", "main_website_store", "GBP", "GB")
EUROPE = Website(2, "europe", "Europe", "Harbour & Pine Europe", "europe_store", "EUR", "FR")
WEBSITES = (BASE, EUROPE)

DEFAULT = StoreView(1, "default", "English", "en_GB", BASE)
FRENCH = StoreView(2, "fr", "Français", "fr_FR", EUROPE)
GERMAN = StoreView(3, "de", "Deutsch", "de_DE", EUROPE)
VIEWS = (DEFAULT, FRENCH, GERMAN)
ALL = StoreView(0, "all", "All Store Views", "en_GB", BASE)

VIEW_BY_CODE = {view.code: view for view in (*VIEWS, ALL)}
VIEW_BY_ID = {view.id: view for view in VIEWS}


def views_of(website: Website) -> tuple[StoreView, ...]:
    """Return the store views of a website; the first is its default."""
    return tuple(view for view in VIEWS if view.website is website)
