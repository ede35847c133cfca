"""The tag's place: where a browser opens the head, at most once, the same however the document was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import targets
from fuzz.messages import insist
from fuzz.readers import prologue
from fuzz.readers.with_lexbor import tree, tree_and_first

if TYPE_CHECKING:
    from fuzz.chance import Chance

WRITTEN: Final = '<script src="/_bridge/tag.js?v=fuzz" data-bridge="" async=""></script>'


def check(data: bytes, chance: Chance) -> int:
    """Put the tag into a document, whole and cut, and compare its place with a tokenizer's and a parser's."""
    if targets.MARKUP in data:
        return 0
    whole = targets.splice([data])
    at = whole.out.find(targets.MARKUP) if whole.placed else -1
    expected = data[:at] + targets.MARKUP + data[at:] if whole.placed else data
    insist(whole.out == expected, "not the document and the tag", whole.out[:200])
    for most in (3, 10):
        cut = targets.splice(chance.pieces(data, most))
        insist(cut.out == whole.out, "cut: another document", (whole.placed, cut.placed))
        insist((cut.placed, cut.reason) == (whole.placed, whole.reason), "cut: decided otherwise")
        insist(not cut.held_too_long, "held too long")
    place = prologue.find(data)
    insist(at == place.at, f"another place than a tokenizer's: {place.why}", (at, place))
    insist((whole.reason == "amp") == (place.why == "amp"), "amp", (whole.reason, place))
    return 1 + (_parsed(data, whole.out, place.why) if whole.placed and chance.one_in(2) else 0)


def _parsed(data: bytes, out: bytes, why: str) -> int:
    """A browser's tree of the page must be that of the origin's page, but for the tag at the head's beginning."""
    if why == "other" and _ignored(data):
        return 0
    tagged, first = tree_and_first(out)
    insist(first == WRITTEN, "not first in the head", first[:80])
    before, _, after = tagged.partition(WRITTEN)
    insist(before + after == tree(data), "another tree", (before + after, tree(data)))
    return 1


def _ignored(data: bytes) -> bool:
    """A browser passes over end tags and a second `<html>` before the head and takes the attributes of what follows."""
    lower = data.lower()
    return lower.count(b"<html") > 1 or b"</" in lower
