"""Rules that a record should keep before it is sent: which of them it breaks, and what the settings say to do then.

They are about what Ometria takes and can then make little use of: it recommends no product without price and picture,
and may welcome everybody whose opt-in has no time.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from bridge.db import db
from bridge.errors import Refused
from bridge.export.records import Contact, Product
from bridge.models import Finding
from bridge.writing import begin_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.events import EntityRef
    from bridge.export.records import Record
    from bridge.settings import Settings

CHUNK = 200
SAID = {
    "price": "The product is for sale and has no price above 0.",
    "image": "The product has a page and no picture.",
    "parent": "The product has no page of its own and belongs to none that has one.",
    "optin_time": "The contact is opted in and the time of it is not known.",
    "email": "The e-mail address cannot be one.",
}
"""Rule -> what is said of a record that breaks it; each has a setting ``quality.RULE``."""
EMAIL = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?=.{4,255}$)(?:[^\s@.<>()\[\]\\,;:\"_]{1,63}\.)+[^\s@.<>()\[\]\\,;:\"_]{2,63}"
)
"""Deliberately wide: letters of any script, since addresses may have them; no quoted names."""


def broken(record: Record, *, orphan: bool = False) -> tuple[str, ...]:
    """Return the rules that a record breaks; ``orphan`` says of a product that it has neither page nor parent."""
    if isinstance(record, Product):
        active = record.is_active is True
        checks = {
            "price": active and (record.price is None or record.price <= 0),
            "image": active and not record.is_variant and not record.image_url,
            "parent": orphan,
        }
    elif isinstance(record, Contact):
        opted_in = record.marketing_optin == "EXPLICITLY_OPTEDIN"
        checks = {
            "optin_time": opted_in and record.timestamp_subscribed is None,
            "email": not valid_email(record.email or ""),
        }
    else:
        checks = {}
    return tuple(rule for rule, hit in checks.items() if hit)


def valid_email(text: str) -> bool:
    """Return whether a text can be an e-mail address."""
    return EMAIL.fullmatch(text) is not None and ".." not in text and not text.startswith(".") and ".@" not in text


def judge(rules: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """Return the rules to warn of; raises :class:`Refused` where the settings block one."""
    actions = {rule: settings[f"quality.{rule}"] for rule in rules}
    blocked = [rule for rule, action in actions.items() if action == "block"]
    if blocked:
        raise Blocked(tuple(blocked))
    return tuple(rule for rule, action in actions.items() if action == "warn")


class Blocked(Refused):
    """The record breaks rules that the settings block."""

    def __init__(self, rules: tuple[str, ...]) -> None:
        said = " ".join(SAID[rule] for rule in rules)
        keys = ", ".join(f"quality.{rule}" for rule in rules)
        super().__init__(f"Held back by data quality: {said} Change it in the shop, or {keys}.")
        self.rules = rules


def keep(account: str, found: Sequence[tuple[EntityRef, tuple[str, ...], bool]]) -> None:
    """Replace what is known of entities just looked at: (entity, rules broken, held back). Commits if it changes."""
    new = [
        {"account": account, "kind": ref.kind, "entity": ref.id, "rule": rule, "blocked": blocked, "at": time.time()}
        for ref, rules, blocked in {row[0]: row for row in found}.values()
        for rule in rules
    ]
    refs = sorted({ref for ref, _, _ in found})
    if not new and not _known(account, refs):
        return
    begin_write()
    for kind, ids in _parts(refs):
        gone = delete(Finding).where(Finding.account == account, Finding.kind == kind, Finding.entity.in_(ids))
        db.session.execute(gone.execution_options(synchronize_session=False))
    if new:
        db.session.execute(insert(Finding), new)
    db.session.commit()


def _known(account: str, refs: Sequence[EntityRef]) -> bool:
    for kind, ids in _parts(refs):
        here = (Finding.account == account, Finding.kind == kind, Finding.entity.in_(ids))
        if db.session.scalar(select(Finding.entity).where(*here).limit(1)) is not None:
            return True
    return False


def _parts(refs: Sequence[EntityRef]) -> Iterable[tuple[str, list[str]]]:
    for kind in sorted({ref.kind for ref in refs}):
        ids = [ref.id for ref in refs if ref.kind == kind]
        for start in range(0, len(ids), CHUNK):
            yield kind, ids[start : start + CHUNK]


def findings(account: str | None = None, rule: str | None = None, limit: int = 100) -> list[Finding]:
    """Return what is known to break rules, the newest first, for people to look at."""
    query = select(Finding).order_by(Finding.at.desc(), Finding.kind, Finding.entity).limit(limit)
    if account is not None:
        query = query.where(Finding.account == account)
    if rule is not None:
        query = query.where(Finding.rule == rule)
    return list(db.session.scalars(query))
