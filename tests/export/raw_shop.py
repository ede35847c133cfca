"""A shop that answers REST calls from raw rows as Magento's JSON has them, however odd, and the records they give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.config import Config
from bridge.events import EntityRef
from bridge.export.gather import Gatherer
from bridge.export.ledger import Claimed

if TYPE_CHECKING:
    from bridge.events import Kind
    from bridge.export.gather import Outcome
    from bridge.settings import Account, Book
    from bridge.store import Store

SECRET = "a-secret-key-for-tests-0123456789"
VIEWS = ({"id": 1, "code": "default", "website_id": 1}, {"id": 2, "code": "fr", "website_id": 2})
ROUTES: dict[str, str] = {"products": "product", "customers/search": "contact", "orders": "order"}
OPTIONS = [{"label": " ", "value": ""}, {"label": "Red", "value": "4"}]


@dataclass
class RawShop:
    """``rows`` holds what the lists of each kind give, ``others`` what further routes list; ask with a route and filters."""

    rows: dict[str, list[Any]] = field(default_factory=lambda: {"product": [], "contact": [], "order": []})
    attributes: dict[str, Any] = field(default_factory=dict)
    others: dict[str, list[Any]] = field(default_factory=dict)

    def answer(self, route: str, filters: list[tuple[str, str, str]]) -> Any:
        """Return the JSON of an answer, None where the route does not exist."""
        if route in ROUTES:
            kind = ROUTES[route]
            key = "entity_id" if kind == "order" else "id"
            found = [row for row in self.rows[kind] if _matches(row, key, filters)]
            return {"items": found, "total_count": len(found)}
        if route.startswith("customers/"):
            return next((row for row in self.rows["contact"] if str(row.get("id")) == route.partition("/")[2]), None)
        if route.startswith("products/attributes/"):
            return self.attributes.get(route.rpartition("/")[2])
        if route in self.others:
            listed = self.others[route]
            return listed if route.startswith("store/") else {"items": listed, "total_count": len(listed)}
        return {
            "store/websites": [{"id": 1, "code": "base"}, {"id": 2, "code": "europe"}],
            "store/storeConfigs": [{**view, "default_display_currency_code": "GBP"} for view in VIEWS],
        }.get(route, {"items": [], "total_count": 0})


def _matches(row: dict[str, Any], key: str, filters: list[tuple[str, str, str]]) -> bool:
    for name, condition, value in filters:
        own = str(row.get(key if name == "entity_id" else name))
        if condition in {"in", "eq"} and own not in (value.split(",") if condition == "in" else [value]):
            return False
    return True


def select(name: str, id_: int) -> dict[str, Any]:
    """Return an attribute with one option, 4, which is called Red."""
    return {"attribute_id": id_, "attribute_code": name, "frontend_input": "select", "options": OPTIONS}


def row_of(kind: Kind, id_: str, account: Account) -> Claimed:
    """Return a claimed row of an entity."""
    ref = EntityRef(kind, f"customer:{id_}" if kind == "contact" else id_)
    return Claimed(int(id_), account.id, ref, "default", "live", 0, 0, False, "")


def outcomes(store: Store, kind: Kind, ids: list[str], account: Account, book: Book) -> dict[str, Outcome]:
    """Read and map entities as a session does, by id."""
    rows = [row_of(kind, id_, account) for id_ in ids]
    found = Gatherer(store, Config(secret_keys=(SECRET,)), account, book, dry=True).gather(rows)
    return {str(one.row.id): one for one in found}


def product(id_: int = 1, **more: Any) -> dict[str, Any]:
    """Return a product of website 1 as Magento lists it; a keyword replaces a field."""
    return {
        "id": id_,
        "sku": f"S{id_}",
        "name": f"Thing {id_}",
        "price": 34,
        "status": 1,
        "visibility": 4,
        "type_id": "simple",
        "created_at": "2026-11-25 10:00:00",
        "updated_at": "2026-11-25 10:00:00",
        "extension_attributes": {"website_ids": [1]},
        "custom_attributes": [{"attribute_code": "url_key", "value": f"thing-{id_}"}],
        **more,
    }


def customer(id_: int = 2, **more: Any) -> dict[str, Any]:
    """Return a customer of store view 1 as Magento lists it."""
    return {
        "id": id_,
        "email": f"c{id_}@example.com",
        "firstname": "Jane",
        "lastname": "Doe",
        "store_id": 1,
        "website_id": 1,
        "created_at": "2026-11-25 10:00:00",
        "updated_at": "2026-11-25 10:00:00",
        "addresses": [],
        "extension_attributes": {"is_subscribed": False},
        **more,
    }


def item(id_: int = 1, **more: Any) -> dict[str, Any]:
    """Return a row of an order."""
    money = {f"{base}{name}": 34 for base in ("", "base_") for name in ("price", "original_price", "row_total")}
    return {
        "item_id": id_,
        "product_id": 1,
        "sku": "S1",
        "name": "Thing 1",
        "product_type": "simple",
        "qty_ordered": 1,
        **money,
        **more,
    }


def order(id_: int = 4, **more: Any) -> dict[str, Any]:
    """Return an order of store view 1 as Magento lists it."""
    return {
        "entity_id": id_,
        "increment_id": f"10000000{id_}",
        "store_id": 1,
        "status": "pending",
        "state": "new",
        "customer_email": "guest@example.com",
        "customer_is_guest": 1,
        "order_currency_code": "GBP",
        "base_currency_code": "GBP",
        "grand_total": 39,
        "subtotal": 34,
        "created_at": "2026-11-25 10:00:00",
        "updated_at": "2026-11-25 10:00:00",
        "items": [item()],
        **more,
    }


def as_json(data: Any) -> bytes:
    """Return what travels."""
    return json.dumps(data).encode()
