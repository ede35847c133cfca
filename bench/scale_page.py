"""The figures of `make scale` -> a page, and the bounds that must hold. Values in, values out."""

from __future__ import annotations

from typing import Any

FLAT_SHARE, FLAT_SLACK = 0.05, 8.0
"""How much more memory (a part, and MB) the end of a run may take than its first tenth and the smallest run's end."""
LINEAR = 1.35
"""How much more CPU a customer may cost in a larger run than in a smaller one."""
USED = 0.98
LIMIT = 4
ROUTES = (
    ("products", "products"),
    ("products-render-info", "shown prices"),
    ("inventory/export-stock-salable-qty/website/base", "stock"),
    ("customers/search", "customers"),
    ("customers/ID", "single customers"),
    ("orders", "orders"),
)
HEAD = """# Export at scale

Written by `make scale` (`bench/scale.py`) from `docs/figures/scale.json`. A made shop answers REST calls with the
sandbox's rows and no delay; a made Ometria takes everything at once. Both, and Valkey, have processes of their own;
bridge's jobs run in one process on one core, on SQLite with `synchronous=FULL`. *CPU* is bridge's own and holds on a
busy machine, too; *wall* does not: the load of the machine (5 minutes) stands beside it.
"""
CALLS = """
Calls do not count what an export asks once: the store tree, categories, attributes. A history lists ids (customers 300
a page, products and orders 100) and reads whole entities by id, 100 at a time, products once for each store view of the
account, with one call for shown prices and one a website for stock. An order's products and customer are read
with it where the account never had them: the row *order* above counts them, too. In a shop with several websites each
customer is read alone, since Magento's list tells the newsletter status by the e-mail address only.
"""


def page(figures: dict[str, Any]) -> str:
    """Return the page in Markdown."""
    parts = [HEAD]
    if kinds := figures.get("kinds"):
        parts.append(_kinds(kinds))
    if limit := figures.get("limit"):
        parts.append(_limit(limit["contact"]))
    if sizes := figures.get("sizes"):
        parts.append(_sizes(sizes))
    ill = broken(figures)
    parts.append("\n" + ("\n".join(f"* **{one}**" for one in ill) if ill else "Every bound holds.") + "\n")
    return "".join(parts)


def _kinds(kinds: dict[str, Any]) -> str:
    lines = [
        "\n## Each kind, Ometria without a limit\n",
        "| kind | entities | records sent | CPU s for 1,000 of it | kB for 1,000 | a second of CPU | wall s | load |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in kinds.items():
        sent = sum(one["sent"] for one in row["records"].values())
        thousand = row["size"] / 1000
        cells = [name, f"{row['size']:,}", f"{sent:,}", f"{row['cpu'] / thousand:.2f}"]
        cells += [f"{row['bytes'] / 1000 / thousand:,.0f}", f"{sent / row['cpu']:,.0f} records"]
        lines.append(f"| {' | '.join(cells)} | {row['seconds']:.0f} | {row['load']} |")
    lines += [
        "\n## Calls of the shop for 1,000 of a kind\n",
        f"| kind | {' | '.join(name for _, name in ROUTES)} | in all |",
        f"| --- |{' ---: |' * (len(ROUTES) + 1)}",
    ]
    for name, row in kinds.items():
        counts = [row["calls"].get(route, 0) * 1000 / row["size"] for route, _ in ROUTES]
        lines.append(f"| {name} | {' | '.join(f'{count:,.0f}' for count in counts)} | {sum(counts):,.0f} |")
    return "\n".join([*lines, CALLS, _machine(kinds), ""])


def _limit(row: dict[str, Any]) -> str:
    return (
        f"\n## At Ometria's limit of {LIMIT} requests in a second\n\n"
        f"{row['size']:,} customers that wait are sent by one worker in {row['pushes']} pushes: {row['pace']:.3f} a "
        f"second, {row['pace'] / LIMIT:.1%} of the limit; at most {row['window']} within any second; "
        f"{row['pace'] * 100:.0f} records a second. Load of the machine: {row['load']}. The limiter counts a call by "
        f"its end, so that no second holds more, whatever the network does: with answers that take *d* seconds it is "
        f"used to 1 / (1 + *d*). While one worker lists it sends nothing; a second one does.\n\n"
        f"{_machine({'': row})}\n"
    )


def _sizes(sizes: dict[str, Any]) -> str:
    lines = [
        "\n## Memory and cost by the number of customers\n",
        "| customers | sent once | MB at the start | after a tenth | at the end | CPU ms each | wall minutes | load |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in sorted(sizes.values(), key=lambda one: one["size"]):
        told = row["records"]["contact"]
        once = "yes" if told["different"] == told["sent"] == row["size"] else "**no**"
        cells = [f"{row['size']:,}", once, f"{row['memory'][0][1]:.0f}", f"{_early(row):.0f}"]
        cells += [f"{row['memory'][-1][1]:.0f}", f"{row['cpu'] * 1000 / row['size']:.2f}"]
        cells.append(f"{row['seconds'] / 60:.1f}")
        lines.append(f"| {' | '.join(cells)} | {row['load']} |")
    return "\n".join([*lines, "", _machine(sizes), ""])


def _machine(rows: dict[str, Any]) -> str:
    return "; ".join(sorted({f"{row['date'][:10]}, {row['machine']}" for row in rows.values()})) + "."


def _early(row: dict[str, Any]) -> float:
    """Return the memory when a tenth of the time had passed."""
    return float(next(size for at, size in row["memory"] if at >= row["seconds"] / 10))


def broken(figures: dict[str, Any]) -> list[str]:
    """Return what does not hold, in words."""
    ill = []
    for row in [row for part in figures.values() for row in part.values()]:
        told = row["records"][row["kind"]]
        if not told["different"] == told["sent"] == row["size"]:
            ill.append(f"{row['kind']} {row['size']}: {told['sent']} sent, {told['different']} different")
    for row in figures.get("limit", {}).values():
        if row["window"] > LIMIT:
            ill.append(f"the limit was exceeded: {row['window']} in a second")
        if row["pace"] < USED * LIMIT:
            ill.append(f"the limit was used to {row['pace'] / LIMIT:.1%} only")
    sizes = sorted(figures.get("sizes", {}).values(), key=lambda one: one["size"])
    for row in sizes:
        bound = min(_early(row), sizes[0]["memory"][-1][1]) * (1 + FLAT_SHARE) + FLAT_SLACK
        if row["memory"][-1][1] > bound:
            ill.append(f"{row['size']} customers: {row['memory'][-1][1]:.0f} MB at the end, {bound:.0f} may be")
        if row["cpu"] / row["size"] > LINEAR * sizes[0]["cpu"] / sizes[0]["size"]:
            ill.append(f"{row['size']} customers: each costs more than in the smallest run")
    return ill
