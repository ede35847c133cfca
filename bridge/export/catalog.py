"""SKU -> product id and parent, kept from everything that is read: the cart names a variant by its SKU only.

Magento's variants do not name their parent; parents name their variants. Where a parent was never read, all
configurable products are walked once, at most every ten minutes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.db import db
from bridge.errors import Stumbled
from bridge.events import EntityRef
from bridge.export import cursors
from bridge.export.writing import begin_write
from bridge.models import CatalogItem, VariantParent
from bridge.store import Family, Product

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store import Order, OrderLine, Store

WALK = "catalog:families"
WALK_SECONDS = 600.0
SKU_MOST = 255
CHUNK = 200
NOT_VISIBLE = 1

log = structlog.get_logger()

Parent = tuple[str, str]
"""Id and SKU of a configurable product."""


def keep_products(products: Sequence[Product]) -> set[str]:
    """Keep products just read; return the variants whose parent was not known before. Commits."""
    begin_write()
    families = [Family(parent=one.id, sku=one.sku, children=one.children) for one in products if one.children]
    fresh = {child for family in families for child in _keep_family(family)}
    parents = _parents([one.id for one in products])
    rows = [_row(one.sku, one.id, parents.get(one.id)) for one in products if 0 < len(one.sku) <= SKU_MOST]
    for row in rows:
        # A product whose SKU was changed is not known by the old one any more.
        old = delete(CatalogItem).where(CatalogItem.product == row["product"], CatalogItem.sku != row["sku"])
        db.session.execute(old.execution_options(synchronize_session=False))
    _keep_items(rows)
    db.session.commit()
    return fresh


def keep_order(order: Order) -> None:
    """Keep what an order's configurable rows say of variant and parent. Commits."""
    parents = {line.id: line.product for line in order.lines if line.type == "configurable"}
    rows = []
    for line in order.lines:
        parent = parents.get(line.parent or "")
        if parent and line.product and line.sku and len(line.sku) <= SKU_MOST and not _known_otherwise(line):
            known = _parents([line.product]).get(line.product)
            rows.append(_row(line.sku, line.product, known or (parent, "")))
    begin_write()
    _keep_items(rows)
    db.session.commit()


def _known_otherwise(line: OrderLine) -> bool:
    """Return whether the product is known under another SKU: an older order still carries the one it had."""
    query = select(CatalogItem.sku).where(CatalogItem.product == line.product, CatalogItem.sku != line.sku)
    return db.session.scalar(query.limit(1)) is not None


def parents_of(products: Sequence[Product], store: Store) -> dict[str, Parent]:
    """Return the parent of each product that is not visible individually and has one."""
    hidden = [one.id for one in products if not one.children and _hidden(one)]
    found = _parents(hidden)
    if set(hidden) - found.keys() and time.time() - cursors.read(WALK).get("at", 0) > WALK_SECONDS:
        _walk(store)
        found = _parents(hidden)
    return found


def skus_of(ids: Iterable[str], store: Store) -> dict[str, str]:
    """Return the SKU of each product, from what is kept, else from the shop; unknown ones are left out."""
    wanted = sorted(set(ids))
    query = select(CatalogItem.product, CatalogItem.sku).where(CatalogItem.product.in_(wanted))
    found = {row.product: row.sku for row in db.session.execute(query)} if wanted else {}
    missing = [EntityRef("product", id_) for id_ in wanted if id_ not in found]
    if missing:
        read = [entity for entity in store.fetch(missing).values() if isinstance(entity, Product)]
        keep_products(read)
        found.update({one.id: one.sku for one in read})
    return found


def find_variants(skus: Sequence[str], store: Store) -> dict[str, tuple[str, str | None]]:
    """Return (product id, parent id or None) of each SKU that the shop has: what the cart page needs to know."""
    read = store.products_by_sku(skus)
    products = list(read.values())
    keep_products(products)
    parents = parents_of(products, store)
    return {sku: (one.id, parents[one.id][0] if one.id in parents else None) for sku, one in read.items()}


def _hidden(product: Product) -> bool:
    return any(view.visibility == NOT_VISIBLE for view in product.views.values())


def _walk(store: Store) -> None:
    try:
        families = list(store.families())
    except Stumbled as error:
        # One broken product must not hold up all others: variants go out again once their parent is known.
        log.warning("families not read", reason=error.reason, next="tried again in ten minutes")
        families = []
    for start in range(0, len(families), CHUNK):
        # In steps: the others' writes wait for the end of each transaction.
        begin_write()
        for family in families[start : start + CHUNK]:
            _keep_family(family)
        db.session.commit()
    cursors.save(WALK, {"at": time.time()})


def _keep_family(family: Family) -> list[str]:
    """Keep the links of one configurable product; a variant of two stays with the first. Return the new ones."""
    gone = delete(VariantParent).where(
        VariantParent.parent == family.parent, VariantParent.variant.not_in(family.children)
    )
    db.session.execute(gone.execution_options(synchronize_session=False))
    known = _parents(family.children)
    _rename(family)
    fresh = [child for child in family.children if child not in known]
    for start in range(0, len(fresh), CHUNK):
        part = fresh[start : start + CHUNK]
        rows = [{"variant": child, "parent": family.parent, "parent_sku": family.sku[:SKU_MOST]} for child in part]
        db.session.execute(_insert(VariantParent).values(rows).on_conflict_do_nothing())
        db.session.execute(
            update(CatalogItem)
            .where(CatalogItem.product.in_(part))
            .values(parent=family.parent, parent_sku=family.sku[:SKU_MOST])
            .execution_options(synchronize_session=False)
        )
    return fresh


def _rename(family: Family) -> None:
    """Carry a changed SKU of the configurable product on to its variants."""
    sku = family.sku[:SKU_MOST]
    stale = update(VariantParent).where(VariantParent.parent == family.parent, VariantParent.parent_sku != sku)
    renamed: Any = db.session.execute(stale.values(parent_sku=sku).execution_options(synchronize_session=False))
    for start in range(0, len(family.children) if renamed.rowcount else 0, CHUNK):
        items = update(CatalogItem).where(
            CatalogItem.product.in_(family.children[start : start + CHUNK]), CatalogItem.parent == family.parent
        )
        db.session.execute(items.values(parent_sku=sku).execution_options(synchronize_session=False))


def _parents(ids: Sequence[str]) -> dict[str, Parent]:
    found: dict[str, Parent] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(VariantParent.variant, VariantParent.parent, VariantParent.parent_sku).where(
            VariantParent.variant.in_(ids[start : start + CHUNK])
        )
        found.update({variant: (parent, sku) for variant, parent, sku in db.session.execute(query)})
    return found


def _row(sku: str, product: str, parent: Parent | None) -> dict[str, Any]:
    return {
        "sku": sku,
        "product": product,
        "parent": parent[0] if parent else None,
        "parent_sku": (parent[1] or None) if parent else None,
        "read_at": time.time(),
    }


def _keep_items(rows: Sequence[dict[str, Any]]) -> None:
    single = list({row["sku"]: row for row in rows}.values())
    for start in range(0, len(single), CHUNK):
        statement = _insert(CatalogItem).values(single[start : start + CHUNK])
        changes = {name: statement.excluded[name] for name in ("product", "parent", "parent_sku", "read_at")}
        db.session.execute(statement.on_conflict_do_update(index_elements=["sku"], set_=changes))


def _insert(model: Any) -> Any:
    dialect: Any = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    return dialect.insert(model)
