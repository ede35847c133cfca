"""The dashboard beside an export room whose shop is in memory: what was sent is written into the tables by hand."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.config import Config
from bridge.db import db
from bridge.errors import Retry
from bridge.export import Exporter, sent
from bridge.export.mapping import Mapped
from bridge.export.preview import explain_ref
from bridge.settings import load_book, set_value
from bridge.store import keep_tree
from bridge.store.memory import Memory
from tests.dashboard.desk import API_KEY, KEY
from tests.export import samples

if TYPE_CHECKING:
    from flask import Flask

    from bridge.events import EntityRef


class NoRedis:
    """What stands for Ometria: a pace that cannot be looked at, since Redis does not answer."""

    @property
    def pacer(self) -> NoRedis:
        return self

    def standing(self, key: str, rate: int) -> None:
        raise Retry("Redis does not answer.")


@dataclasses.dataclass
class Wakes:
    """What was woken."""

    woken: list[tuple[str, ...]] = dataclasses.field(default_factory=list)

    def try_wake(self, *words: str) -> bool:
        self.woken.append(words)
        return True


def furnish(board: Flask) -> Exporter:
    """Give the application an export room, the tree of its shop and one account."""
    shop = Memory(samples.TREE, samples.ENTITIES)
    config = Config(secret_keys=(KEY,))
    services: Any = Exporter(config, None, Wakes(), shop, NoRedis())  # type: ignore[arg-type] # no Redis, no Ometria
    board.extensions["bridge.export"] = services
    with board.app_context():
        keep_tree(samples.TREE, secure=False)
        set_value("default", "general.api_key", API_KEY, "test")
        db.session.commit()
    return services


def send(ref: EntityRef, request_id: str = "req-1") -> None:
    """Write down that an entity was sent as it is now."""
    for row in explain_ref(ref):
        record = Mapped(ref.kind, row["record"]["id"], row["record"]["id"], msgspec.json.encode(row["record"]))
        sent.keep(row["account"], [(ref, record, request_id)])


def account() -> str:
    """Return the account's id."""
    return load_book().accounts()[0].id
