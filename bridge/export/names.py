"""Small pieces of every mapping: ids with their namespace, plain digits, whole seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from bridge.settings import Account

SECTIONS = {"contact": "customers", "product": "products", "order": "orders"}
"""Kind -> the section of its settings."""


def namespaced(account: Account, kind: str, id_: str) -> str:
    """Return the id as this account knows it: namespace, separator, id."""
    section = SECTIONS[kind]
    namespace = account.settings[f"{section}.namespace"] if account.use_namespaces else ""
    return f"{namespace}{account.settings[f'{section}.namespace_separator']}{id_}" if namespace else id_


def merge(account: Account, kind: str) -> bool | None:
    """Return true where fields that are left out shall keep their value at Ometria."""
    return True if account.settings[f"{SECTIONS[kind]}.merge"] else None


def digits(amount: Decimal | None) -> Decimal | None:
    """Return the amount in plain digits: ``1E+2`` becomes ``100``, all else stays as the shop gave it."""
    if amount is None:
        return None
    exponent = amount.as_tuple().exponent
    return amount if isinstance(exponent, int) and -20 <= exponent <= 0 else type(amount)(format(amount, "f"))


def seconds(moment: dt.datetime | None) -> dt.datetime | None:
    """Return the moment without its fraction."""
    return None if moment is None else moment.replace(microsecond=0)
