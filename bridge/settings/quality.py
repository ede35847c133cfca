"""Rules that a record must pass before it is sent, each with what to do about one that does not.

The rules themselves are in :mod:`bridge.export.quality`; their names are the keys behind the dot.
"""

from __future__ import annotations

from bridge.settings import kinds
from bridge.settings.definition import Setting

ACTIONS = ("allow", "warn", "block")


def _rule(name: str, label: str, told: str, default: str) -> Setting:
    text = f"{told} Allow sends such a record, warn sends it and lists it, block sets it aside with the reason."
    return Setting(f"quality.{name}", label, text, default, kinds.choice(*ACTIONS), "choice", ACTIONS)


QUALITY = (
    _rule("price", "Product without a price", "An active product whose price is 0 or unknown.", "warn"),
    _rule("image", "Product without an image", "An active product with a page of its own and no picture.", "warn"),
    _rule("parent", "Variant without a parent", "A product that has no page and belongs to none that has one.", "warn"),
    _rule(
        "optin_time",
        "Opt-in without a time",
        "A contact that is opted in since a time nobody knows: Ometria takes it as now and may welcome people.",
        "warn",
    ),
    _rule(
        "email",
        "Invalid e-mail address",
        "A contact whose address cannot be one; orders go without such an address whatever is set here.",
        "block",
    ),
)
