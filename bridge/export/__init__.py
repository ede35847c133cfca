"""From an event, a poll or a walk to a pushed record: ledger, mapping, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.export import ledger
from bridge.export.catalog import find_variants

if TYPE_CHECKING:
    import redis

    from bridge.config import Config
    from bridge.ometria import Ometria
    from bridge.queues import Wakes
    from bridge.store import Store

__all__ = ["Exporter", "find_variants", "ledger", "waiting_gauges"]


@dataclass(frozen=True, slots=True)
class Exporter:
    """What the room's jobs need; at ``app.extensions["bridge.export"]``."""

    config: Config
    redis: redis.Redis
    wakes: Wakes
    store: Store
    ometria: Ometria


def waiting_gauges() -> dict[str, float]:
    """Return the ledger as gauges in the text form of Prometheus: name with labels -> value."""
    found: dict[str, float] = {}
    for row in ledger.counts():
        name = f'bridge_ledger_rows{{kind="{row.kind}",lane="{row.lane}",state="{row.state}"}}'
        found[name] = found.get(name, 0) + row.count
    return found
