"""What the sandbox shop sells. Ids of products, variants and options all differ, so that no test can mix them up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

COLOUR = 93
SIZE = 137


@dataclass(frozen=True)
class Option:
    """One value of a select attribute: Magento's option id and its label."""

    id: int
    label: str


@dataclass(frozen=True)
class Attribute:
    """A product attribute; ``options`` is empty for free text and numbers."""

    id: int
    code: str
    label: str
    frontend_input: str
    backend_type: str
    options: tuple[Option, ...] = ()
    is_user_defined: bool = False
    scope: str = "store"

    def option_label(self, option_id: int) -> str:
        """Return the label of an option id; KeyError when the attribute has no such option."""
        return {option.id: option.label for option in self.options}[option_id]


@dataclass(frozen=True)
class Category:
    """A category below the root category 2."""

    id: int
    name: str
    url_key: str
    blurb: str
    position: int


@dataclass(frozen=True)
class Product:
    """A product as the shop keeps it; prices in GBP, tax included and not shown apart."""

    id: int
    sku: str
    name: str
    url_key: str
    price: Decimal
    art: str
    blurb: str = ""
    type_id: str = "simple"
    special_price: Decimal | None = None
    quantity: int = 100
    categories: tuple[int, ...] = ()
    weight: Decimal | None = Decimal(1)
    visibility: int = 4
    options: dict[str, str] = field(default_factory=dict)
    children: tuple[int, ...] = ()
    super_attributes: tuple[int, ...] = ()
    created_at: str = "2025-05-01 08:00:00"
    updated_at: str = "2025-06-01 09:30:00"

    @property
    def final_price(self) -> Decimal:
        """What a visitor pays for one."""
        return self.price if self.special_price is None else min(self.price, self.special_price)

    @property
    def image_file(self) -> str:
        """Path below ``media/catalog/product``, with Magento's two directory letters."""
        return f"/{self.sku[0].lower()}/{self.sku[1].lower()}/{self.sku.lower()}.svg"


CATEGORIES = (
    Category(3, "Outerwear", "outerwear", "Layers for salt wind and soft rain.", 1),
    Category(4, "Bags & Carry", "bags", "Made to be put down on wet stone and picked up again.", 2),
    Category(5, "Camp & Home", "camp", "Small comforts for the far end of the path.", 3),
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


def _variants(
    parent: Product, first_id: int, axes: tuple[tuple[str, int, str, int, Decimal, int], ...]
) -> list[Product]:
    children = []
    for offset, (colour, colour_id, size, size_id, price, quantity) in enumerate(axes):
        children.append(
            Product(
                first_id + offset,
                f"{parent.sku}-{size}-{colour}",
                f"{parent.name}-{size}-{colour}",
                f"{parent.url_key}-{size}-{colour}".lower(),
                price,
                f"{parent.art}:{colour.lower()}",
                parent.blurb,
                quantity=quantity,
                categories=parent.categories[:1],
                visibility=1,
                options={"size": str(size_id), "color": str(colour_id), **parent.options},
            )
        )
    linked = replace(parent, children=tuple(child.id for child in children))
    return [*children, linked]


def _configurable(id_: int, sku: str, name: str, url_key: str, *, art: str, blurb: str) -> Product:
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
        categories=(3,),
        weight=None,
        super_attributes=(COLOUR, SIZE),
    )


_JACKET = _variants(
    _configurable(
        17, "HP-JKT", "Breakwater Jacket", "breakwater-jacket", art="jacket", blurb="Waxed, lined, two deep pockets."
    ),
    13,
    (
        ("Navy", 4, "S", 7, Decimal(145), 100),
        ("Navy", 4, "M", 8, Decimal(145), 100),
        ("Moss", 5, "S", 7, Decimal(145), 100),
        ("Moss", 5, "M", 8, Decimal(155), 100),
    ),
)
_JUMPER = _variants(
    _configurable(
        23, "HP-JMP", "Harbour Jumper", "harbour-jumper", art="jumper", blurb="A plain jumper that wins every argument."
    ),
    19,
    (
        ("Rust", 6, "M", 8, Decimal(72), 100),
        ("Rust", 6, "L", 9, Decimal(72), 100),
        ("Navy", 4, "M", 8, Decimal(72), 100),
        ("Navy", 4, "L", 9, Decimal(72), 0),
    ),
)

PRODUCTS: tuple[Product, ...] = (*_SIMPLE, *_JACKET, _VIRTUAL, *_JUMPER)


class Catalog:
    """The products with their look-ups. Nothing here changes while the shop runs."""

    def __init__(self, products: tuple[Product, ...] = PRODUCTS) -> None:
        self.products = products
        self.by_id = {product.id: product for product in products}
        self.by_sku = {product.sku: product for product in products}
        self.parent_of = {child: product.id for product in products for child in product.children}

    @cached_property
    def by_url_key(self) -> dict[str, Product]:
        """Products that have a page of their own."""
        return {product.url_key: product for product in self.products if product.visibility != 1}

    def children(self, product: Product) -> list[Product]:
        """Return the variants of a configurable product."""
        return [self.by_id[child] for child in product.children]

    def variant(self, product: Product, chosen: dict[int, str]) -> Product | None:
        """Return the child that has exactly the chosen option ids, by attribute id; None when incomplete or unknown."""
        codes = {attribute.id: attribute.code for attribute in ATTRIBUTES}
        for child in self.children(product):
            if all(child.options.get(codes[axis]) == chosen.get(axis) for axis in product.super_attributes):
                return child
        return None

    def lowest_price(self, product: Product) -> Decimal:
        """Return the price shown for a product: a configurable shows its cheapest variant."""
        if product.children:
            return min(child.final_price for child in self.children(product))
        return product.final_price


def attribute(id_: int) -> Attribute:
    """Return an attribute by its id."""
    return next(found for found in ATTRIBUTES if found.id == id_)


def category(id_: int) -> Category:
    """Return a category by its id."""
    return next(found for found in CATEGORIES if found.id == id_)
