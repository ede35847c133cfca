"""lexbor, a browser's HTML parser, through selectolax: the tree that a document makes."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

BOM = b"\xef\xbb\xbf"  # the decoder's, which lexbor comes after


def tree(document: bytes) -> str:
    """Return the tree written as HTML again."""
    return LexborHTMLParser(document.removeprefix(BOM)).html or ""


def tree_and_first(document: bytes) -> tuple[str, str]:
    """Return the tree, and the first thing in the head, both written as HTML again."""
    parser = LexborHTMLParser(document.removeprefix(BOM))
    first = parser.head.child if parser.head is not None else None
    return parser.html or "", (first.html or "") if first is not None else ""
