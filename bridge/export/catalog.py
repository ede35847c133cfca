"""SKU -> product id and parent, kept from everything that is read: the cart names a variant by its SKU only.

Magento's variants do not name their parent; parents name their variants: configurable products by id, bundles and
grouped products by SKU. A product that several hold belongs to the configurable one, else to a bundle, else to a
grouped one, and among equals to the first. What a bundle or a grouped product holds is a variant of it only where it
has no page of its own. Where a parent was never read, all products that hold others are walked once, at most every ten
minutes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import delete, false, or_, select, update

from bridge.db import db
from bridge.errors import Stumbled
from bridge.events import EntityRef
from bridge.export import cursors
from bridge.models import CatalogItem, VariantParent
from bridge.store import Family, Product
from bridge.writing import begin_write, insert, put

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store import Order, Store

WALK = "catalog:families"
WALK_SECONDS = 600.0
SKU_MOST = 255
CHUNK = 200
NOT_VISIBLE = 1
KINDS = ("configurable", "bundle", "grouped")
"""Types of parents, the strongest first."""

log = structlog.get_logger()

Parent = tuple[str, str]
"""Id and SKU of a product that holds others."""


def keep_products(products: Sequence[Product]) -> set[str]:
    """Keep products just read; return the variants whose parent was not known before. Commits."""
    begin_write()
    fresh = {child for family, whole in _families(products) for child in _keep_family(family, whole=whole)}
    # What has a page of its own is bought there too, so a bundle or a grouped product is not its parent in a cart.
    parents = _parents([one.id for one in products], KINDS[:1]) | _parents([one.id for one in products if _hidden(one)])
    rows = [_row(one.sku, one.id, parents.get(one.id)) for one in products if _sku_fits(one)]
    _forget_renamed(rows)
    _keep_items(rows)
    db.session.commit()
    return fresh


def _forget_renamed(rows: Sequence[dict[str, Any]]) -> None:
    """Forget the old SKU of each product whose SKU was changed."""
    now = {row["product"]: row["sku"] for row in rows}
    old = {id_: sku for id_, sku in _skus(list(now)).items() if sku != now[id_]}
    if old:
        gone = delete(CatalogItem).where(CatalogItem.product.in_(list(old)), CatalogItem.sku.in_(list(old.values())))
        db.session.execute(gone.execution_options(synchronize_session=False))


def keep_orders(orders: Sequence[Order]) -> None:
    """Keep what configurable rows of orders say of variant and parent. Commits."""
    lines: list[tuple[str, str, str]] = []
    for order in orders:
        parents = {line.id: line.product for line in order.lines if line.type == "configurable"}
        for line in order.lines:
            parent = parents.get(line.parent or "")
            if parent and line.product and line.sku and len(line.sku) <= SKU_MOST:
                lines.append((line.sku, line.product, parent))
    if not lines:
        return
    ids = sorted({product for _, product, _ in lines})
    skus, known = _skus(ids), _parents(ids)
    # An older order still carries the SKU that the product had; of one that is not known yet the first counts.
    rows = [
        _row(sku, product, known.get(product) or (parent, ""))
        for sku, product, parent in lines
        if skus.setdefault(product, sku) == sku
    ]
    begin_write()
    _keep_items(rows)
    db.session.commit()


def parents_of(products: Sequence[Product], store: Store) -> dict[str, Parent]:
    """Return the parent of each product that is not visible individually and has one."""
    hidden = [one.id for one in products if not one.children and not one.parts and _hidden(one)]
    found = _parents(hidden)
    if set(hidden) - found.keys() and time.time() - cursors.read(WALK).get("at", 0) > WALK_SECONDS:
        _walk(store)
        found = _parents(hidden)
        begin_write()
        _keep_items([_row(one.sku, one.id, found[one.id]) for one in products if one.id in found and _sku_fits(one)])
        db.session.commit()
    return found


def holders(ids: Sequence[str]) -> dict[str, str]:
    """Return the parent of each product that is known to be part of another, by id."""
    return {variant: parent for variant, (parent, _) in _parents(ids).items()}


def skus_of(ids: Iterable[str], store: Store) -> dict[str, str]:
    """Return the SKU of each product, from what is kept, else from the shop; unknown ones are left out."""
    wanted = sorted(set(ids))
    found = _skus(wanted)
    missing = [EntityRef("product", id_) for id_ in wanted if id_ not in found]
    if missing:
        read = [entity for entity in store.fetch(missing).values() if isinstance(entity, Product)]
        keep_products(read)
        found.update({one.id: one.sku for one in read})
    return found


def _skus(ids: Sequence[str]) -> dict[str, str]:
    """Return the SKU of each product that is kept."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(CatalogItem.product, CatalogItem.sku).where(CatalogItem.product.in_(ids[start : start + CHUNK]))
        found.update({row.product: row.sku for row in db.session.execute(query)})
    return found


def find_variants(skus: Sequence[str], store: Store) -> dict[str, tuple[str, str | None]]:
    """Return (product id, parent id or None) of each SKU that the shop has: what the cart page needs to know."""
    read = store.products_by_sku(skus)
    products = list(read.values())
    keep_products(products)
    parents = parents_of(products, store)
    return {sku: (one.id, parents[one.id][0] if one.id in parents else None) for sku, one in read.items()}


def _families(products: Sequence[Product]) -> list[tuple[Family, bool]]:
    """Return the families of products just read, and whether all of their members could be found by what is kept."""
    ids = _ids_of([sku for one in products for sku in one.parts]) | {one.sku: one.id for one in products}
    found = []
    for one in products:
        held = one.children or tuple(ids[sku] for sku in one.parts if sku in ids)
        if held:
            kind = one.type if one.type in KINDS else KINDS[0]
            family = Family(parent=one.id, sku=one.sku, children=held, kind=kind)
            found.append((family, bool(one.children) or len(held) == len(one.parts)))
    return sorted(found, key=lambda pair: KINDS.index(pair[0].kind))


def _ids_of(skus: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(skus), CHUNK):
        query = select(CatalogItem.sku, CatalogItem.product).where(CatalogItem.sku.in_(skus[start : start + CHUNK]))
        found.update({row.sku: row.product for row in db.session.execute(query)})
    return found


def _sku_fits(product: Product) -> bool:
    return 0 < len(product.sku) <= SKU_MOST


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
            _keep_family(family, whole=True)
        db.session.commit()
    cursors.save(WALK, {"at": time.time()})


def _keep_family(family: Family, *, whole: bool) -> list[str]:
    """Keep the links of one family; a variant of two stays with the first of the stronger kind. Return the new ones.

    ``whole``: all members are named, so what is kept besides them is one no more.
    """
    known = _links_of(family.parent)
    if whole and (left := known.keys() - set(family.children)):
        gone = delete(VariantParent).where(VariantParent.parent == family.parent, VariantParent.variant.in_(left))
        db.session.execute(gone.execution_options(synchronize_session=False))
    if {sku for sku, _ in known.values()} - {family.sku[:SKU_MOST]}:
        _rename(family)
    unknown = [child for child in family.children if known.get(child, ("", ""))[1] != family.kind]
    taken = _taken(unknown, family.kind)
    fresh = [child for child in unknown if child not in taken]
    for start in range(0, len(fresh), CHUNK):
        part = fresh[start : start + CHUNK]
        link = {"parent": family.parent, "parent_sku": family.sku[:SKU_MOST], "kind": family.kind}
        # No IN: a statement for many rows at once takes none.
        weaker = or_(false(), *(VariantParent.kind == kind for kind in KINDS[KINDS.index(family.kind) + 1 :]))
        kept = insert(VariantParent).on_conflict_do_update(index_elements=["variant"], set_=link, where=weaker)
        db.session.execute(kept, [{"variant": child, **link} for child in part])
        if family.kind != KINDS[0]:
            continue
        db.session.execute(
            update(CatalogItem)
            .where(CatalogItem.product.in_(part))
            .values(parent=family.parent, parent_sku=family.sku[:SKU_MOST])
            .execution_options(synchronize_session=False)
        )
    return fresh


def _links_of(parent: str) -> dict[str, tuple[str, str]]:
    """Return the variants of a parent, each with the parent's SKU and kind as they are kept."""
    query = select(VariantParent.variant, VariantParent.parent_sku, VariantParent.kind)
    rows = db.session.execute(query.where(VariantParent.parent == parent))
    return {variant: (sku, kind) for variant, sku, kind in rows}


def _taken(children: Sequence[str], kind: str) -> set[str]:
    """Return the members that belong to a family that is not weaker than one of ``kind``."""
    found: set[str] = set()
    for start in range(0, len(children), CHUNK):
        query = select(VariantParent.variant).where(
            VariantParent.variant.in_(children[start : start + CHUNK]),
            VariantParent.kind.in_(KINDS[: KINDS.index(kind) + 1]),
        )
        found.update(db.session.scalars(query))
    return found


def _rename(family: Family) -> None:
    """Carry a changed SKU of the parent on to its variants."""
    sku = family.sku[:SKU_MOST]
    stale = update(VariantParent).where(VariantParent.parent == family.parent, VariantParent.parent_sku != sku)
    renamed: Any = db.session.execute(stale.values(parent_sku=sku).execution_options(synchronize_session=False))
    for start in range(0, len(family.children) if renamed.rowcount else 0, CHUNK):
        items = update(CatalogItem).where(
            CatalogItem.product.in_(family.children[start : start + CHUNK]), CatalogItem.parent == family.parent
        )
        db.session.execute(items.values(parent_sku=sku).execution_options(synchronize_session=False))


def _parents(ids: Sequence[str], kinds: Sequence[str] = KINDS) -> dict[str, Parent]:
    found: dict[str, Parent] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(VariantParent.variant, VariantParent.parent, VariantParent.parent_sku).where(
            VariantParent.variant.in_(ids[start : start + CHUNK]), VariantParent.kind.in_(kinds)
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
    put(CatalogItem, list({row["sku"]: row for row in rows}.values()), ("sku",))
