"""The recorded REST answers of a stock Magento behind a server on a free port, and the real export in front of it.

The recordings are of single entities and of whole lists; bridge asks for entities by their ids. The server puts the
recorded entities, byte for byte where they were recorded singly, into the answer that such a question has.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.wrappers import Response

from bridge.config import Config
from bridge.db import db, engine_options, vault
from bridge.export.gather import Gatherer, Ready
from bridge.export.ledger import Claimed
from bridge.settings import Book, load_book
from bridge.store import keep_tree
from bridge.store.magento import Magento
from tests.export.serving import serve
from tests.replay.library import CAPTURES, calls
from tests.schema import create_tables
from tests.store.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.events import EntityRef
    from bridge.export.gather import Outcome
    from bridge.settings import Account
    from tests.replay.library import Recorded
    from tests.store.scripted import Asked

GOLDEN = Path(__file__).parent / "golden"
SECRET = "a-secret-key-for-tests-0123456789"
KEY = "key-main-0001"
IDENTITY = {"orders": "entity_id", "customers/search": "id"}


@cache
def recorded() -> dict[str, Recorded]:
    """Return every recorded REST call by name; none where the recordings are not beside the checkout."""
    return calls(CAPTURES / "rest") if CAPTURES.is_dir() else {}


def entities(single: str, listed: str, key: str) -> dict[str, dict[str, bytes]]:
    """Return recording -> id -> body of each entity in the recordings with these names; shortened lists are none."""
    found: dict[str, dict[str, bytes]] = {}
    for name, call in recorded().items():
        if call.status != 200 or b"fields=" in call.target or not re.fullmatch(f"{single}|{listed}", name):
            continue
        data = json.loads(call.text)
        rows = data["items"] if "items" in data and "search_criteria" in data else [data]
        one = call.text if rows == [data] else None
        found[name] = {str(row[key]): one or json.dumps(row).encode() for row in rows}
    return found


def captured_orders() -> dict[str, dict[str, bytes]]:
    """Return recording -> entity id -> body of every recorded order."""
    return entities(r"order_(?!statuses|comments|items)\w+", r"orders_search\w*", "entity_id")


def captured_customers() -> dict[str, dict[str, bytes]]:
    """Return recording -> id -> body of every recorded customer."""
    return entities(r"customer_one|customers_me|action_create_customer", r"customers_search\w*", "id")


def golden(folder: str, name: str) -> dict[str, Any]:
    """Return an expected record, written by hand."""
    return json.loads((GOLDEN / folder / f"{name}.json").read_text(encoding="utf-8"), parse_float=Decimal)


@dataclass
class CapturedShop:
    """Answers REST calls: the store tree, attributes, and what was put on its shelves by id."""

    orders: dict[str, bytes] = field(default_factory=dict)
    customers: dict[str, bytes] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Response:
        """Answer one call."""
        route = asked.path.partition("/V1/")[2]
        if route in IDENTITY:
            shelf = self.orders if route == "orders" else self.customers
            rows = [body for body in shelf.values() if _matches(json.loads(body), asked, IDENTITY[route])]
            return _json(b'{"items":[%b],"search_criteria":{},"total_count":%d}' % (b",".join(rows), len(rows)))
        head, _, id_ = route.rpartition("/")
        if head == "customers" and id_ in self.customers:
            return _json(self.customers[id_])
        fixed = _fixed().get(route)
        if fixed is None:
            self.unknown.append(asked.path)
            return Response(recorded()["error_404_route"].text, status=404, mimetype="application/json")
        return _json(fixed)


@cache
def _fixed() -> dict[str, bytes]:
    names = {f"store/{part}": f"store_{part}" for part in ("websites", "storeGroups", "storeConfigs", "storeViews")}
    return {route: recorded()[name].text for route, name in names.items()} | {
        "products/attributes/93": recorded()["attribute_color"].text,
        "products/attributes/137": _size(),
        "attributeMetadata/customer/attribute/group_id": _group(),
        "attributeMetadata/customer/attribute/created_in": json.dumps(
            {"attribute_code": "created_in", "frontend_input": "text", "options": []}
        ).encode(),
    }


def _size() -> bytes:
    """Return the attribute of the size, in the form of the recorded colour, with the labels of the GraphQL answer."""
    answer = json.loads((CAPTURES / "graphql" / "product_configurable.json").read_text(encoding="utf-8"))
    (size,) = (one for one in answer["data"]["products"]["items"][0]["configurable_options"] if "size" in one.values())
    values = json.loads(recorded()["configurable_options"].text)[1]["values"]
    options = [
        {"label": option["label"], "value": str(value["value_index"])}
        for option, value in zip(size["values"], values, strict=True)
    ]
    colour = json.loads(recorded()["attribute_color"].text)
    blank = {"label": " ", "value": ""}
    return json.dumps(colour | {"attribute_id": 137, "attribute_code": "size", "options": [blank, *options]}).encode()


def _group() -> bytes:
    """Return the customer attribute of the group, whose options are the recorded groups."""
    groups = json.loads(recorded()["customer_groups"].text)["items"]
    options = [{"label": group["code"], "value": str(group["id"])} for group in groups]
    return json.dumps({"attribute_code": "group_id", "frontend_input": "select", "options": options}).encode()


def _json(body: bytes) -> Response:
    return Response(body, mimetype="application/json")


def _matches(raw: dict[str, Any], asked: Asked, key: str) -> bool:
    for name, condition, value in asked.filters:
        own = str(raw.get(key if name == "entity_id" else name))
        if own not in (value.split(",") if condition == "in" else [value]):
            return False
    return True


@dataclass
class Room:
    """The real client in front of the shop, the real way of a row to its record, and a database of its own."""

    shop: CapturedShop
    store: Magento
    tree: Book

    def book(self, values: dict[str, dict[str, Any]] | None = None) -> Book:
        """Return the settings with these values by scope; one account for everything unless they say otherwise."""
        return Book(self.tree.parents, self.tree.stores, {"default": {"general.api_key": KEY}} | (values or {}))

    def outcome(self, ref: EntityRef, account: Account, book: Book) -> Outcome:
        """Return what becomes of a row of the ledger."""
        row = Claimed(0, account.id, ref, account.owner, "live", 0, 0, False, "")
        config = Config(secret_keys=(SECRET,))
        (found,) = Gatherer(self.store, config, account, book, dry=True).gather([row])
        return found

    def record(self, ref: EntityRef, **settings: Any) -> Any:
        """Return the record as it travels to the one account; a value is of the setting whose dot is two underscores."""
        own = {name.replace("__", "."): value for name, value in settings.items()}
        book = self.book({"default": {"general.api_key": KEY, **own}})
        found = self.outcome(ref, book.accounts()[0], book)
        assert isinstance(found, Ready), found
        return json.loads(found.record.body, parse_float=Decimal)


@contextmanager
def captured_room(folder: Path) -> Iterator[Room]:
    """Start the server and the database, with the store tree as the recorded shop tells it."""
    app = Flask("bridge-captured")
    url = f"sqlite:///{folder / 'captured.db'}"
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url), TESTING=True)
    vault.use([SECRET])
    db.init_app(app)
    shop = CapturedShop()
    with app.app_context(), serve(Scripted(shop.answer)) as address:
        create_tables()
        store = Magento(Config(store_url=address, public_url="http://store.test", store_token="token-0123456789"))
        keep_tree(store.tree(), secure=False)
        db.session.commit()
        yield Room(shop, store, load_book())
        db.session.remove()
        db.engine.dispose()
