"""What the shop's own page tells a shopper on our behalf, through the cookie in which Magento gathers its notices."""

from __future__ import annotations

import json
from typing import Literal
from urllib.parse import quote

Notice = Literal["expired", "incomplete"]

_TEXTS: dict[str, dict[Notice, str]] = {
    "en": {
        "expired": "This link to a cart is not valid or has expired.",
        "incomplete": "Some products could not be put back in your cart. Please choose them again.",
    },
    "de": {
        "expired": "Dieser Link zu einem Warenkorb ist ungültig oder abgelaufen.",
        "incomplete": "Einige Artikel konnten nicht zurück in den Warenkorb gelegt werden. Bitte wählen Sie neu.",
    },
    "fr": {
        "expired": "Ce lien vers un panier n'est pas valable ou a expiré.",
        "incomplete": "Certains articles n'ont pas pu être remis dans votre panier. Veuillez les choisir à nouveau.",
    },
    "es": {
        "expired": "Este enlace a un carrito no es válido o ha caducado.",
        "incomplete": "Algunos artículos no se han podido devolver a su carrito. Elíjalos de nuevo, por favor.",
    },
    "it": {
        "expired": "Questo link a un carrello non è valido o è scaduto.",
        "incomplete": "Non è stato possibile rimettere nel carrello alcuni articoli. Sceglili di nuovo.",
    },
    "nl": {
        "expired": "Deze link naar een winkelwagen is ongeldig of verlopen.",
        "incomplete": "Sommige artikelen konden niet worden teruggeplaatst in uw winkelwagen. Kies ze opnieuw.",
    },
}


def text(notice: Notice, locale: str) -> str:
    """Return the sentence in the language of a locale such as ``fr_FR``; English where there is none."""
    return _TEXTS.get(locale.partition("_")[0].lower(), _TEXTS["en"])[notice]


def cookie_value(notice: Notice, locale: str) -> str:
    """Return the value of ``mage-messages`` that shows the notice on the shop's next page."""
    return quote(json.dumps([{"type": "notice", "text": text(notice, locale)}], ensure_ascii=False), safe="")
