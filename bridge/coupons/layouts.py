"""What codes look like: what may be asked for, how guessable it is, and codes of our own. Values in, values out.

A call that lets the shop make codes gets a *tag*: its first letters are chosen here, the same for all its codes and no
other call's. Its codes look like all others (the tag is as random as the rest), and what a lost answer held is found by
it. That costs some of the letters that tell codes of one call apart, so it is done only where enough of them are left;
shorter codes, and those without letters that look alike, are chosen here one by one and inserted.
"""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING, Final

import msgspec

from bridge.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store import CodeFormat

LETTERS: Final = {
    "alphanum": string.ascii_uppercase + string.digits,
    "alpha": string.ascii_uppercase,
    "num": string.digits,
    "clear": "ABCDEFGHJKMNPQRSTUVWXYZ23456789",
}
"""The first three are the shop's own; ``clear`` has no letters and digits that look alike: no 0, O, 1, I, L."""
CODE_MOST: Final = 255
"""The shop's column; what is longer it cuts off without a word."""
LAYOUT_MOST: Final = 40
LENGTH_MOST: Final = 32
TAG_LETTERS: Final = {"alphanum": 4, "alpha": 5, "num": 5}
"""Letters of a tag; that no code has it yet is looked up before it is used."""
SPARE: Final = 1_000_000
"""How many codes there must be for each that is made, behind the tag: a guess hits one of them once in a million."""
FULLEST: Final = 4
"""One of so many possible codes is made at most; the shop makes longer ones without a word beyond that."""
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+#@!*:=-]*")
_PART: Final = re.compile(r"[A-Za-z0-9._/-]*")


def code_fault(code: object) -> str:
    """Return why this cannot be a code, or an empty text."""
    if not isinstance(code, str) or not code:
        return "It is empty."
    if len(code) > CODE_MOST:
        return f"It is longer than {CODE_MOST} characters."
    if code[0] in "=+-@\t\r":
        return "It begins like a formula of a spreadsheet."
    if not _CODE.fullmatch(code):
        return "A code begins with a letter or digit of a-z, 0-9 and has only those and . _ / + # @ ! * : = - in it."
    return ""


def check_layout(layout: CodeFormat) -> CodeFormat:
    """Return the layout, or raise :class:`Refused` with what is wrong about it."""
    if layout.kind not in LETTERS:
        raise Refused(f"The format must be one of {', '.join(LETTERS)}.", "kind")
    if not 1 <= layout.length <= LENGTH_MOST:
        raise Refused(f"The length must be from 1 to {LENGTH_MOST} characters.", "length")
    if not 0 <= layout.every <= LENGTH_MOST:
        raise Refused(f"Dashes come after every 1 to {LENGTH_MOST} characters; 0 is none.", "every")
    if layout.every and layout.delimiter not in {"-", "_", ".", "/"}:
        raise Refused("The character between the groups must be one of - _ . /")
    for name, part in (("prefix", layout.prefix), ("suffix", layout.suffix)):
        if not _PART.fullmatch(part) or (name == "prefix" and part and not part[0].isalnum()):
            raise Refused(
                f"The {name} may have letters, digits and . _ / - in it; a prefix begins with one of the first.", name
            )
    if full_length(layout) > LAYOUT_MOST:
        raise Refused(f"Prefix, code and suffix together must not be longer than {LAYOUT_MOST} characters.", "length")
    return layout


def check_quantity(quantity: int, most: int) -> int:
    """Return how many codes are asked for, or raise :class:`Refused`."""
    if quantity < 1:
        raise Refused(f"{quantity} codes cannot be made: ask for at least 1.", "quantity")
    if quantity > most:
        raise Refused(
            f"{quantity:,} codes are more than one request may ask for ({most:,}, setting coupons.request_most).",
            "quantity",
        )
    return quantity


def check_room(layout: CodeFormat, quantity: int, known: int) -> None:
    """Raise :class:`Refused` where so many more codes of this look would fill the possible ones too far."""
    if (known + quantity) * FULLEST > space(layout):
        raise Refused(
            f"There are only {space(layout):,} codes of this format and length, and {known:,} of them are known: "
            "make them longer."
        )


def space(layout: CodeFormat) -> int:
    """Return how many different codes there can be."""
    return int(len(LETTERS[layout.kind]) ** layout.length)


def full_length(layout: CodeFormat) -> int:
    """Return how long a code is with all its parts."""
    dashes = (layout.length - 1) // layout.every if layout.every else 0
    return len(layout.prefix) + layout.length + dashes * len(layout.delimiter) + len(layout.suffix)


def tagged(layout: CodeFormat, quantity: int) -> CodeFormat | None:
    """Return what to ask the shop for: the layout with a new tag as the end of its prefix.

    None where too little would be left behind it, and for letters that the shop does not know. Groups between dashes
    stay where they would be: the tag ends with one.
    """
    letters = TAG_LETTERS.get(layout.kind, 0)
    if not letters:
        return None
    if layout.every:
        letters = -(-letters // layout.every) * layout.every
    rest = msgspec.structs.replace(layout, length=layout.length - letters)
    if rest.length < 1 or space(rest) < quantity * SPARE:
        return None
    chosen = _letters(layout, letters) + (layout.delimiter if layout.every else "")
    return msgspec.structs.replace(rest, prefix=layout.prefix + chosen)


def own_codes(layout: CodeFormat) -> Iterator[str]:
    """Yield random codes without end."""
    while True:
        yield layout.prefix + _letters(layout, layout.length) + layout.suffix


def _letters(layout: CodeFormat, count: int) -> str:
    chosen = [secrets.choice(LETTERS[layout.kind]) for _ in range(count)]
    if not layout.every:
        return "".join(chosen)
    return layout.delimiter.join("".join(chosen[at : at + layout.every]) for at in range(0, count, layout.every))
