"""A shop of any size and an Ometria without limit, for `make scale`. `python -m bench.scale_shop PORT SIZE SITES`.

Each of the shop's lists is made when it is asked for: the sandbox shop gives one row of each sort, and ids are put in.
It has SIZE customers, SIZE products (one configurable with four variants, over and over) and SIZE orders of two lines,
in one website or, with SITES 2, in a shop that has another. `/v2/push` takes everything at once, and keeps when each
push came and how often each record did and the print of its last form; `/figures` tells, `/forget` begins anew.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import uvloop
from werkzeug.test import Client

from bridge.sandbox.options import ShopOptions
from bridge.sandbox.shop import create_shop

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "token-of-the-made-shop"  # noqa: S105 of nothing that is secret
MARK = 918273645
"""Stands in a template where a row's own id goes; the numbers behind it for ids of other things."""
FAMILY = 5
"""Products of a family: the first is configurable."""
PUSHED = msgspec.json.Decoder(list[dict[str, Any]])


class Templates:
    """Rows of the sandbox shop with marks for ids, and its other answers as they are."""

    def __init__(self, sites: int) -> None:
        self._client = Client(create_shop(ShopOptions(base_url="http://made.test/", rest_token=TOKEN)))
        self._sites = sites
        self._kept: dict[str, bytes] = {}
        self.customer = self._customer()
        self.parent, self.variant = self._product("HP-JKT"), self._product("HP-JKT-S-Navy")
        self.order = self._order()

    def other(self, target: str) -> bytes:
        """Return the sandbox's own answer, of one website where no more are wanted."""
        if target not in self._kept:
            answer = self._client.get(target, headers={"Authorization": f"Bearer {TOKEN}", "Host": "made.test"})
            data = answer.get_json()
            if isinstance(data, list):
                data = [row for row in data if self._wanted(row)]
            self._kept[target] = json.dumps(data).encode()
        return self._kept[target]

    def _wanted(self, row: dict[str, Any]) -> bool:
        return self._sites > 1 or row.get("website_id", row["id"]) < 2

    def _rows(self, route: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.other(f"/rest/V1/{route}?searchCriteria[pageSize]=300"))["items"]
        return rows

    def _customer(self) -> bytes:
        row = next(row for row in self._rows("customers/search") if row["website_id"] == 1)
        address = {**row["addresses"][0], "id": MARK, "customer_id": MARK}
        row |= {"id": MARK, "email": f"buyer{MARK}@example.com", "addresses": [address], "default_billing": str(MARK)}
        return json.dumps(row).encode()

    def _product(self, sku: str) -> bytes:
        row = next(row for row in self._rows("products") if row["sku"] == sku)
        row |= {"id": MARK, "sku": f"P{MARK}", "name": f"{row['name']} {MARK}"}
        row["extension_attributes"]["website_ids"] = [1]
        if "configurable_product_links" in row["extension_attributes"]:
            row["extension_attributes"]["configurable_product_links"] = [MARK + more for more in range(1, FAMILY)]
        for attribute in row["custom_attributes"]:
            if attribute["attribute_code"] == "url_key":
                attribute["value"] += f"-{MARK}"
        return json.dumps(row).encode()

    def _order(self) -> bytes:
        row = next(row for row in self._rows("orders") if len(row["items"]) == 2 and row.get("customer_id"))
        row |= {"entity_id": MARK, "increment_id": f"3{MARK}", "customer_id": MARK + 1}
        row |= {"customer_email": f"buyer{MARK + 1}@example.com", "store_id": 1}
        for place, line in enumerate(row["items"], start=2):
            line |= {"product_id": MARK + place, "sku": f"P{MARK + place}", "order_id": MARK}
        row["extension_attributes"]["shipping_assignments"][0]["items"] = row["items"]
        return json.dumps(row).encode()


class Asked:
    """The filters of a list call: field -> (condition, value), its page size and fields."""

    def __init__(self, query: str) -> None:
        given = parse_qsl(query, keep_blank_values=True)
        self.size, self.fields = 300, ""
        self.filters: dict[str, dict[str, str]] = {}
        group: dict[str, dict[str, str]] = {}
        for name, value in given:
            if name.endswith("[pageSize]"):
                self.size = int(value)
            elif name == "fields":
                self.fields = value
            elif "[filters]" in name:
                at, _, what = name.rpartition("[")
                group.setdefault(at, {})[what.rstrip("]")] = value
        for one in group.values():
            self.filters.setdefault(one["field"], {})[one.get("condition_type", "eq")] = one["value"]

    def ids(self, size: int, step: int = 1) -> tuple[list[int], int]:
        """Return the ids of a page, of every ``step``-th from the first on, and how many there are in all."""
        if {"updated_at", "created_at"} & self.filters.keys():
            # Nothing changes in this shop.
            return [], 0
        own = self.filters.get("entity_id", {})
        named = own.get("in", own.get("eq"))
        if named is None and "sku" in self.filters:
            skus = self.filters["sku"]
            named = ",".join(sku.removeprefix("P") for sku in skus.get("in", skus.get("eq", "")).split(","))
        if named is not None:
            found = [id_ for id_ in map(int, named.split(",")) if 0 < id_ <= size]
            return found[: self.size], len(found)
        last = min(int(own.get("lteq", size)), size)
        first = int(own.get("gt", 0)) + 1
        first += -(first - 1) % step
        left = max(-(-(last - first + 1) // step), 0)
        return list(range(first, last + 1, step))[: self.size] if left else [], left


class Made:
    """What both servers know, and their answers."""

    def __init__(self, size: int, sites: int) -> None:
        self.size = size
        self.templates = Templates(sites)
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self.calls: Counter[str] = Counter()
        self.pushes: list[float] = []
        self.bytes = 0
        self.records: dict[str, Counter[int]] = {}
        self.prints: dict[str, dict[int, int]] = {}

    def answer(self, target: str, body: bytes, came: float) -> bytes:
        """Return the JSON that answers a call."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        if path.startswith("/v2/"):
            return self._push(body, came) if path.endswith("/push") else b"[]"
        if path == "/figures":
            return json.dumps(self._figures()).encode()
        if path == "/forget":
            self.forget()
            return b"{}"
        route = path.partition("/V1/")[2]
        self.calls[route if not route.startswith("customers/") or route == "customers/search" else "customers/ID"] += 1
        made = self._list(route, Asked(parts.query))
        return self.templates.other(target) if made is None else made

    def _list(self, route: str, asked: Asked) -> bytes | None:
        """Return the answer to a list call; None where the sandbox's own will do."""
        own, fields = self.templates, asked.fields
        kind = asked.filters.get("type_id", {}).get("eq")
        if route == "products" and kind in {"bundle", "grouped"}:
            return _rows([], 0, _shown)
        makers: dict[str, Callable[[int], bytes]] = {
            "customers/search": lambda id_: _customer(own, id_, fields),
            "products": lambda id_: _product(own, id_, fields),
            "orders": lambda id_: _order(own, id_, self.size, fields),
            "products-render-info": _shown,
            "inventory/export-stock-salable-qty/website/base": _stock,
        }
        if route in makers:
            return _rows(*asked.ids(self.size, FAMILY if kind else 1), makers[route])
        if route.startswith("customers/"):
            return own.customer.replace(b"%d" % MARK, route.rpartition("/")[2].encode())
        return None

    def _push(self, body: bytes, came: float) -> bytes:
        records = PUSHED.decode(body)
        self.pushes.append(came)
        self.bytes += len(body)
        for record in records:
            kind, id_ = record["@type"], int(record["id"])
            self.records.setdefault(kind, Counter())[id_] += 1
            self.prints.setdefault(kind, {})[id_] = zlib.crc32(msgspec.json.encode(record))
        told = {"status": "OK", "request_id": f"r{len(self.pushes)}", "accepted": len(records), "rejected": 0}
        return json.dumps(told).encode()

    def _figures(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "pushes": self.pushes,
            "bytes": self.bytes,
            "records": {
                kind: {
                    "different": len(counts),
                    "sent": counts.total(),
                    "most": max(counts.values(), default=0),
                    "print": sum(self.prints[kind].values()),
                }
                for kind, counts in self.records.items()
            },
        }


def _rows(ids: list[int], total: int, make: Callable[[int], bytes]) -> bytes:
    return b'{"items":[%s],"total_count":%d}' % (b",".join(make(id_) for id_ in ids), total)


def _stock(id_: int) -> bytes:
    return b'{"sku":"P%d","qty":9,"is_salable":true}' % id_


def _customer(templates: Templates, id_: int, fields: str) -> bytes:
    if fields:
        return b'{"id":%d,"updated_at":"2025-08-02 10:12:00","store_id":1,"website_id":1}' % id_
    return templates.customer.replace(b"%d" % MARK, b"%d" % id_)


def _product(templates: Templates, id_: int, fields: str) -> bytes:
    parent = id_ % FAMILY == 1
    if fields and "links" not in fields:
        row = b'{"id":%d,"sku":"P%d","updated_at":"2025-06-01 09:30:00","extension_attributes":{"website_ids":[1]}}'
        return row % (id_, id_)
    row = templates.parent if parent else templates.variant
    for more in range(FAMILY):
        row = row.replace(b"%d" % (MARK + more), b"%d" % (id_ + more))
    return row


def _order(templates: Templates, id_: int, size: int, fields: str) -> bytes:
    if fields:
        return b'{"entity_id":%d,"updated_at":"2025-09-14 09:05:00","store_id":1}' % id_
    row = templates.order.replace(b'"3%d"' % MARK, b'"3%d"' % id_).replace(b"%d" % (MARK + 1), b"%d" % (id_ % size + 1))
    for place in (2, 3):
        row = row.replace(b"%d" % (MARK + place), b"%d" % (id_ * place % size + 1))
    return row.replace(b"%d" % MARK, b"%d" % id_)


def _shown(id_: int) -> bytes:
    prices = b'"final_price":145,"regular_price":145,"minimal_price":145,"minimal_regular_price":145'
    return b'{"id":%d,"url":"http://made.test/p%d.html","price_info":{%s}}' % (id_, id_, prices)


class Server(asyncio.Protocol):
    """Enough of HTTP/1.1 for one client that keeps its connections."""

    def __init__(self, made: Made) -> None:
        self._made = made
        self._held = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Keep where answers go."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].decode("latin-1")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
            whole = end + 4 + int(fields.get("content-length", "0"))
            if len(self._held) < whole:
                return
            body, self._held = self._held[end + 4 : whole], self._held[whole:]
            said = self._made.answer(head.split(" ", 2)[1], body, time.monotonic())
            date = b"Date: Thu, 26 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
            self._transport.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (date, len(said), said))


async def serve(port: int, made: Made) -> None:
    """Serve until the process is told to end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(made), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Made(int(sys.argv[2]), int(sys.argv[3]))))
