"""A shop with two websites, in entities written by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from bridge.store import (
    Address,
    Amounts,
    AttributeInfo,
    Category,
    Customer,
    Image,
    Order,
    OrderLine,
    Product,
    ProductView,
    StoreView,
    Tree,
    Website,
)

NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)


def at(hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, 25, hour, minute, second, tzinfo=dt.UTC)


def _view(id_: int, code: str, website: int, host: str, currency: str, *, first: bool) -> StoreView:
    return StoreView(
        id=id_,
        code=code,
        name=code.upper(),
        website_id=website,
        is_default=first,
        root_category=2,
        base_url=f"http://{host}/",
        link_url=f"http://{host}/",
        media_url=f"http://{host}/media/",
        secure_base_url=f"https://{host}/",
        secure_link_url=f"https://{host}/",
        secure_media_url=f"https://{host}/media/",
        currency=currency,
        base_currency=currency,
        locale="en_GB",
        timezone="Europe/London",
    )


TREE = Tree(
    websites=(Website(id=1, code="base", name="Main"), Website(id=2, code="europe", name="Europe")),
    views=(
        _view(1, "default", 1, "store.test", "GBP", first=True),
        _view(2, "fr", 2, "eu.store.test", "EUR", first=True),
        _view(3, "de", 2, "eu.store.test", "EUR", first=False),
    ),
)


def product(id_: str, sku: str, name: str, price: str, **more: object) -> Product:
    websites = more.pop("website_ids", (1,))
    children, parts = more.pop("children", ()), more.pop("parts", ())
    kind = more.pop("type", "simple")
    view = ProductView(
        name=name,
        price=Decimal(price),
        url_key=sku.lower(),
        images=(Image(file=f"/{sku.lower()}.jpg", types=("image", "thumbnail")),),
        categories=(Category(id="5", name="Gear"),),
        **more,
    )
    return Product(
        id=id_,
        sku=sku,
        type=kind,
        website_ids=websites,
        children=children,
        parts=parts,
        salable=True,
        views={"": view},
        updated_at=at(1),
    )


def line(id_: str, product_id: str, sku: str, price: str, quantity: int = 1, **more: object) -> OrderLine:
    money = Decimal(price)
    row = Amounts(
        price=money,
        price_with_tax=money,
        original_price=money,
        row=money * quantity,
        tax=Decimal(0),
        tax_compensation=Decimal(0),
        discount=Decimal(0),
        refunded=Decimal(0),
    )
    return OrderLine(id=id_, product=product_id, sku=sku, quantity=Decimal(quantity), local=row, base=row, **more)


def order(id_: str, *lines: OrderLine, store_id: int = 1, currency: str = "GBP", **more: object) -> Order:
    total = sum((one.local.row or Decimal(0) for one in lines), Decimal(0))
    amounts = Amounts(
        currency=currency,
        subtotal=total,
        grand_total=total + 5,
        shipping=Decimal(5),
        tax=Decimal(0),
        discount=Decimal(0),
    )
    given = {
        "number": f"{store_id}{int(id_):08d}",
        "status": "pending",
        "state": "new",
        "email": "guest@example.com",
        "firstname": "Greta",
        "lastname": "Shopper",
        "created_at": at(1),
        "updated_at": at(1),
        "billing": Address(city="London", postcode="N1 1AA", country="GB", firstname="Greta", lastname="Shopper"),
        **more,
    }
    return Order(id=id_, store_id=store_id, local=amounts, base=amounts, lines=lines, **given)


BAG = product("1", "BAG", "Duffle Bag", "34")
VARIANT = product("13", "HOOD-S", "Hoodie-S", "52", visibility=1, values={"color": "4", "material": "31,32"})
HOODIE = product(
    "17", "HOOD", "Hoodie", "0", type="configurable", children=("13",), shown_price=Decimal(52), final_price=Decimal(52)
)
TEE = product("9", "TEE", "Tee", "24.99", website_ids=(1, 2))
STRAP = product("21", "STRAP", "Strap", "5", visibility=1)
KIT = product(
    "20", "KIT", "Kit", "0", type="bundle", parts=("BAG", "STRAP"), shown_price=Decimal(39), final_price=Decimal(39)
)
SET = product("19", "SET", "Set", "0", type="grouped", parts=("BAG", "TEE", "STRAP"), shown_price=Decimal(5))
SETS = (STRAP, KIT, SET)
"""A bundle and a grouped product with a part that has no page of its own."""
COLOR = AttributeInfo(id="93", code="color", input="select", options={"4": "Red", "5": "Blue"})
MATERIAL = AttributeInfo(id="141", code="material", input="multiselect", options={"31": "Wool", "32": "Cotton"})
LABELS = {("product", view.code): [COLOR, MATERIAL] for view in TREE.views}
JANE = Customer(
    id="2",
    email="jane@example.com",
    website_id=1,
    store_id=1,
    firstname="Jane",
    lastname="Doe",
    gender=2,
    country="GB",
    subscribed=True,
    created_at=at(1, 49, 15),
    updated_at=at(1, 49, 16),
)
GUEST_ORDER = order(
    "4",
    line("6", "17", "HOOD-S", "52", type="configurable"),
    line("7", "13", "HOOD-S", "0", parent="6"),
    line("8", "1", "BAG", "34", 2),
)
JANES_ORDER = order("5", line("9", "1", "BAG", "34"), customer_id="2", email="jane@example.com", firstname="Jane")
FRENCH_ORDER = order("6", line("10", "9", "TEE", "24.99"), store_id=2, currency="EUR")
ENTITIES = (BAG, VARIANT, HOODIE, TEE, JANE, GUEST_ORDER, JANES_ORDER, FRENCH_ORDER)
