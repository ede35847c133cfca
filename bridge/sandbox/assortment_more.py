"""The other products: every type, and every trap that a real catalogue has."""

from __future__ import annotations

from decimal import Decimal

from bridge.sandbox.assortment import configurable, variants
from bridge.sandbox.goods import COLOUR, BundleOption, Product, Selection

_TRAPS = (
    Product(
        201,
        "HP/TEA TIN 02",
        "Tea Tin, Large",
        "tea-tin-large",
        Decimal("9.50"),
        "mug",
        "Its number has a slash and blanks, because somebody once thought that was clever.",
        categories=(5,),
        options={"material": "34"},
    ),
    Product(
        202,
        "HP-KNF-05",
        "L'Abbé's Châtelaine \"N° 5\" <Knife> & Sheath",
        "labbe-s-chatelaine-n-5-knife-sheath",
        Decimal("34.20"),
        "lantern",
        "Names like this one break feeds: «Châtelaine», 'N° 5', <Knife>.",
        categories=(5,),
        options={"material": "33,34"},
        eur=Decimal("41.10"),
        views={
            "fr": {"name": "Châtelaine de l'abbé « N° 5 » & étui", "url_key": "chatelaine-de-l-abbe-n-5"},
            "de": {"name": "Abts Gürtelmesser „Nr. 5“ & Scheide", "url_key": "abts-guertelmesser-nr-5"},
        },
    ),
    Product(
        203,
        "HP-TRP-01",
        "Tarpaulin, Last Year's",
        "tarpaulin-last-years",
        Decimal(55),
        "blanket",
        "Its special price is over.",
        special_price=Decimal(45),
        special_from="2024-06-01 00:00:00",
        special_to="2024-06-30 00:00:00",
        categories=(5,),
        eur=Decimal(66),
        special_eur=Decimal(54),
    ),
    Product(
        204,
        "HP-OAR-01",
        "Ash Oar",
        "ash-oar",
        Decimal(120),
        "belt",
        "Its special price begins far from now.",
        special_price=Decimal(99),
        special_from="2098-01-01 00:00:00",
        categories=(5,),
    ),
    Product(
        205,
        "HP-NET-01",
        "Landing Net",
        "landing-net",
        Decimal("31.50"),
        "pot",
        "Cheaper for a long while.",
        special_price=Decimal("24.75"),
        special_from="2025-01-01 00:00:00",
        special_to="2097-12-31 00:00:00",
        categories=(5,),
        eur=Decimal("37.80"),
        special_eur=Decimal("29.70"),
    ),
    Product(
        206,
        "HP-CAP-01",
        "Oilskin Cap",
        "oilskin-cap",
        Decimal(26),
        "beanie",
        "Sold out, and asked for every day.",
        quantity=0,
        categories=(3,),
        views={"fr": {"name": "Casquette cirée", "url_key": "casquette-ciree"}},
    ),
    Product(
        207,
        "HP-CMP-01",
        "Brass Compass",
        "brass-compass",
        Decimal("78.25"),
        "lantern",
        "Three left.",
        quantity=3,
        categories=(5,),
    ),
    Product(
        208,
        "HP-EU-PAL-01",
        "Boule Set",
        "boule-set",
        Decimal(40),
        "pot",
        "Sold on the continent only.",
        categories=(5,),
        websites=(2,),
        eur=Decimal("1249.50"),
        views={"fr": {"name": "Jeu de pétanque doré"}, "de": {"name": "Boule-Spiel, vergoldet"}},
    ),
    Product(
        209,
        "HP-UK-TEA-01",
        "Thermos for Proper Tea",
        "thermos-for-proper-tea",
        Decimal("29.99"),
        "mug",
        "Sold on the islands only.",
        categories=(5,),
        websites=(1,),
        views={"default": {"name": "Flask for Proper Tea"}},
    ),
    Product(
        210,
        "HP-AXE-01",
        "Hatchet",
        "hatchet",
        Decimal(44),
        "lantern",
        "Not shown in France.",
        categories=(5,),
        views={"fr": {"status": 2}, "de": {"name": "Handbeil", "url_key": "handbeil"}},
    ),
    Product(
        211,
        "HP-OLD-01",
        "Retired Rucksack",
        "retired-rucksack",
        Decimal(60),
        "daypack",
        "Switched off everywhere.",
        categories=(4,),
        status=2,
    ),
)

# One axis, shown as swatches rather than as a list.
_SCARVES = variants(
    configurable(
        216,
        "HP-SNOOD",
        "Drystone Snood",
        "drystone-snood",
        art="jumper",
        blurb="Choose a colour by its colour.",
        categories=(3, 10),
        super_attributes=(COLOUR,),
        has_swatches=True,
        views={"fr": {"name": "Tour de cou Pierre sèche"}, "de": {"name": "Trockenmauer-Schlauchschal"}},
    ),
    212,
    (
        ("Navy", 4, "", 0, Decimal("21.50"), 40),
        ("Moss", 5, "", 0, Decimal("21.50"), 40),
        ("Rust", 6, "", 0, Decimal("23.50"), 0),
    ),
)

_BUNDLES = (
    Product(
        221,
        "HP-KIT",
        "Weekend Kit",
        "weekend-kit",
        Decimal(0),
        "holdall",
        "A bag and something to drink from; costs what its parts cost.",
        type_id="bundle",
        quantity=0,
        categories=(4,),
        weight=Decimal(0),
        bundle=(
            BundleOption(51, "Bag", "select", (Selection(61, 1, is_default=True), Selection(62, 2))),
            BundleOption(52, "Mug", "radio", (Selection(63, 3, is_default=True), Selection(64, 201, qty=2))),
            BundleOption(53, "Extras", "checkbox", (Selection(65, 8), Selection(66, 9)), required=False),
        ),
        views={"fr": {"name": "Kit de week-end"}, "de": {"name": "Wochenend-Paket"}},
    ),
    Product(
        222,
        "HP-GIFT",
        "Lighthouse Gift Box",
        "lighthouse-gift-box",
        Decimal(70),
        "lantern",
        "One price for the box, and a little more for better things in it.",
        type_id="bundle",
        quantity=0,
        categories=(5,),
        has_fixed_price=True,
        weight=Decimal(3),
        eur=Decimal(84),
        bundle=(
            BundleOption(54, "Light", "radio", (Selection(67, 4, price=Decimal(0), is_default=True),)),
            BundleOption(
                55,
                "Comfort",
                "select",
                (Selection(68, 5, price=Decimal(15), is_default=True), Selection(69, 8, price=Decimal("4.50"))),
            ),
        ),
    ),
)

_GROUPED = (
    Product(
        223,
        "HP-TABLE",
        "Galley Table",
        "galley-table",
        Decimal(0),
        "mug",
        "Mug, pot and lantern: take what you need.",
        type_id="grouped",
        quantity=0,
        categories=(5,),
        weight=None,
        associated=(3, 6, 4),
        views={"fr": {"name": "Table de cambuse"}, "de": {"name": "Kombüsentisch"}},
    ),
)

_VIRTUAL = (
    Product(
        224,
        "HP-KNOT-01",
        "Evening of Knots",
        "evening-of-knots",
        Decimal("17.50"),
        "voucher",
        "Two hours, nine knots.",
        type_id="virtual",
        categories=(5,),
        weight=None,
        views={"fr": {"name": "Soirée de nœuds"}, "de": {"name": "Knotenabend"}},
    ),
)


def _plain(id_: int, sku: str, name: str, price: str, art: str, *categories: int) -> Product:
    return Product(id_, sku, name, name.lower().replace(" ", "-"), Decimal(price), art, categories=categories)


_PLAIN = (
    _plain(225, "HP-GLV-01", "Deckhand Gloves", "22", "beanie", 3),
    _plain(226, "HP-SCK-01", "Boot Socks", "11.40", "beanie", 3, 10),
    _plain(227, "HP-PCH-01", "Belt Pouch", "27.30", "daypack", 4),
    _plain(228, "HP-TOT-01", "Market Tote", "19.95", "holdall", 4),
    _plain(229, "HP-CND-01", "Tallow Candle", "4.80", "lantern", 5),
    _plain(230, "HP-KTL-01", "Trail Kettle", "39.60", "pot", 5),
)

MORE_PRODUCTS: tuple[Product, ...] = (*_TRAPS, *_SCARVES, *_BUNDLES, *_GROUPED, *_VIRTUAL, *_PLAIN)
