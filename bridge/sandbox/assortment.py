"""The first twenty products. Ids of products, variants and options all differ, so that no test can mix them up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from bridge.sandbox.goods import COLOUR, SIZE, Product

_SIMPLE = (
    Product(
        1,
        "HP-BAG-01",
        "Quayside Holdall",
        "quayside-holdall",
        Decimal(64),
        "holdall",
        "A weekend bag in waxed cotton with a leather grip.",
        categories=(4,),
        options={"material": "32,33"},
        eur=Decimal("74.90"),
        views={
            "fr": {"name": "Sac de quai", "url_key": "sac-de-quai", "blurb": "Un sac de week-end en coton ciré."},
            "de": {"name": "Kaitasche", "url_key": "kaitasche", "blurb": "Eine Reisetasche aus gewachster Baumwolle."},
        },
    ),
    Product(
        2,
        "HP-BAG-02",
        "Trailhead Daypack",
        "trailhead-daypack",
        Decimal(48),
        "daypack",
        "Eighteen litres, one roll top, no dangling straps.",
        special_price=Decimal(39),
        categories=(4,),
        eur=Decimal(56),
        special_eur=Decimal("44.90"),
        views={"de": {"name": "Wanderrucksack", "url_key": "wanderrucksack"}},
    ),
    Product(
        3,
        "HP-MUG-01",
        "Enamel Camp Mug",
        "enamel-camp-mug",
        Decimal("12.50"),
        "mug",
        "Chips with dignity.",
        categories=(5,),
        options={"material": "34"},
    ),
    Product(
        4,
        "HP-LAN-01",
        "Storm Lantern",
        "storm-lantern",
        Decimal(65),
        "lantern",
        "Burns eleven hours on one filling, in any weather.",
        categories=(5,),
        options={"material": "34"},
    ),
    Product(
        5,
        "HP-BLK-01",
        "Lambswool Blanket",
        "lambswool-blanket",
        Decimal(89),
        "blanket",
        "Woven on a slow loom, for slow evenings.",
        categories=(5,),
        options={"material": "31"},
    ),
    Product(
        6,
        "HP-POT-01",
        'Crème Brûlée "Étoile" Pot & Lid',
        "creme-brulee-etoile-pot-lid",
        Decimal("27.95"),
        "pot",
        'A small pot with a big name: "Étoile" & its lid.',
        categories=(5,),
    ),
    Product(
        7,
        "HP-BLT-01",
        "Bridle Leather Belt",
        "bridle-leather-belt",
        Decimal("29.95"),
        "belt",
        "Sold out until the tannery wakes up.",
        quantity=0,
        categories=(4,),
        options={"material": "33"},
    ),
    Product(
        8,
        "HP-HAT-01",
        "Fisherman Beanie",
        "fisherman-beanie",
        Decimal(18),
        "beanie",
        "Short, ribbed, warm.",
        categories=(3,),
        options={"material": "31"},
    ),
    Product(
        9,
        "HP-SCF-01",
        "Herringbone Scarf",
        "herringbone-scarf",
        Decimal(42),
        "scarf",
        "Two metres of herringbone.",
        views={
            "fr": {"name": "Écharpe à chevrons", "url_key": "echarpe-a-chevrons"},
            "de": {"name": "Fischgrätschal", "url_key": "fischgraetschal"},
        },
        categories=(3,),
        options={"material": "31"},
    ),
)

_VIRTUAL = Product(
    18,
    "HP-WALK-01",
    "Guided Coast Walk",
    "guided-coast-walk",
    Decimal(25),
    "voucher",
    "A morning on the cliffs with somebody who knows the tides.",
    type_id="virtual",
    categories=(5,),
    weight=None,
)


Axes = tuple[tuple[str, int, str, int, Decimal, int], ...]


def variants(parent: Product, first_id: int, axes: Axes) -> list[Product]:
    """Return the variants of a configurable, with ids from ``first_id`` on, and then the parent linked to them.

    ``axes`` are rows of colour, its option id, size, its option id, price and quantity; an empty size is none.
    """
    children = []
    for offset, (colour, colour_id, size, size_id, price, quantity) in enumerate(axes):
        tail = f"{size}-{colour}" if size else colour
        options = {"size": str(size_id)} if size else {}
        children.append(
            Product(
                first_id + offset,
                f"{parent.sku}-{tail}",
                f"{parent.name}-{tail}",
                f"{parent.url_key}-{tail}".lower(),
                price,
                f"{parent.art}:{colour.lower()}",
                parent.blurb,
                quantity=quantity,
                categories=parent.categories[:1],
                visibility=1,
                options={**options, "color": str(colour_id), **parent.options},
            )
        )
    linked = replace(parent, children=tuple(child.id for child in children))
    return [*children, linked]


def configurable(id_: int, sku: str, name: str, url_key: str, *, art: str, blurb: str, **others: Any) -> Product:
    """Return the parent of variants, by default one that differs in colour and size."""
    defaults: dict[str, Any] = {"categories": (3,), "super_attributes": (COLOUR, SIZE), **others}
    return Product(
        id_,
        sku,
        name,
        url_key,
        Decimal(0),
        art,
        blurb,
        type_id="configurable",
        quantity=0,
        weight=None,
        **defaults,
    )


_JACKET = variants(
    configurable(
        17,
        "HP-JKT",
        "Breakwater Jacket",
        "breakwater-jacket",
        art="jacket",
        blurb="Waxed, lined, two deep pockets.",
        views={
            "fr": {"name": "Veste Brise-lames", "url_key": "veste-brise-lames"},
            "de": {"name": "Wellenbrecher-Jacke", "url_key": "wellenbrecher-jacke"},
        },
    ),
    13,
    (
        ("Navy", 4, "S", 7, Decimal(145), 100),
        ("Navy", 4, "M", 8, Decimal(145), 100),
        ("Moss", 5, "S", 7, Decimal(145), 100),
        ("Moss", 5, "M", 8, Decimal(155), 100),
    ),
)
_JUMPER = variants(
    configurable(
        23,
        "HP-JMP",
        "Harbour Jumper",
        "harbour-jumper",
        art="jumper",
        blurb="A plain jumper that wins every argument.",
        categories=(3, 10),
    ),
    19,
    (
        ("Rust", 6, "M", 8, Decimal(72), 100),
        ("Rust", 6, "L", 9, Decimal(72), 100),
        ("Navy", 4, "M", 8, Decimal(72), 100),
        ("Navy", 4, "L", 9, Decimal(72), 0),
    ),
)

FIRST_PRODUCTS: tuple[Product, ...] = (*_SIMPLE, *_JACKET, _VIRTUAL, *_JUMPER)
