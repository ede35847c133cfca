"""Categories and product attributes of the sandbox shop."""

from __future__ import annotations

from bridge.sandbox.goods import COLOUR, SIZE, Attribute, Category, Option

CATEGORIES = (
    Category(
        3,
        "Outerwear",
        "outerwear",
        "Layers for salt wind and soft rain.",
        1,
        views={
            "fr": {
                "name": "Vestes",
                "url_key": "vestes",
                "blurb": "Des couches contre le vent salé et la pluie douce.",
            },
            "de": {"name": "Jacken", "url_key": "jacken", "blurb": "Schichten gegen Salzwind und sanften Regen."},
        },
    ),
    Category(
        4,
        "Bags & Carry",
        "bags",
        "Made to be put down on wet stone and picked up again.",
        2,
        views={
            "fr": {
                "name": "Sacs & Bagages",
                "url_key": "sacs",
                "blurb": "Faits pour être posés sur la pierre mouillée.",
            },
            "de": {"name": "Taschen & Gepäck", "url_key": "taschen", "blurb": "Gemacht für nasse Steine."},
        },
    ),
    Category(
        5,
        "Camp & Home",
        "camp",
        "Small comforts for the far end of the path.",
        3,
        views={
            "fr": {"name": "Camp & Maison", "url_key": "camp-maison", "blurb": "Un peu de confort au bout du chemin."},
            "de": {"name": "Lager & Zuhause", "url_key": "lager", "blurb": "Kleine Freuden am Ende des Weges."},
        },
    ),
    Category(
        10,
        "Knitwear",
        "knitwear",
        "Wool that has met the sea.",
        1,
        parent_id=3,
        views={
            "fr": {"name": "Tricots", "url_key": "tricots", "blurb": "De la laine qui connaît la mer."},
            "de": {"name": "Strickwaren", "url_key": "strickwaren", "blurb": "Wolle, die das Meer kennt."},
        },
    ),
)

ATTRIBUTES = (
    Attribute(73, "name", "Product Name", "text", "varchar"),
    Attribute(74, "sku", "SKU", "text", "static", scope="global"),
    Attribute(75, "description", "Description", "textarea", "text"),
    Attribute(76, "short_description", "Short Description", "textarea", "text"),
    Attribute(77, "price", "Price", "price", "decimal", scope="global"),
    Attribute(78, "special_price", "Special Price", "price", "decimal", scope="website"),
    Attribute(
        COLOUR,
        "color",
        "Colour",
        "select",
        "int",
        (Option(4, "Navy"), Option(5, "Moss"), Option(6, "Rust")),
        is_user_defined=True,
        scope="global",
    ),
    Attribute(126, "url_key", "URL Key", "text", "varchar"),
    Attribute(
        SIZE,
        "size",
        "Size",
        "select",
        "int",
        (Option(7, "S"), Option(8, "M"), Option(9, "L")),
        is_user_defined=True,
        scope="global",
    ),
    Attribute(
        141,
        "material",
        "Material",
        "multiselect",
        "text",
        (Option(31, "Wool"), Option(32, "Waxed cotton"), Option(33, "Leather"), Option(34, "Steel & enamel")),
        is_user_defined=True,
        scope="global",
    ),
)


def attribute(id_: int) -> Attribute:
    """Return an attribute by its id."""
    return next(found for found in ATTRIBUTES if found.id == id_)
