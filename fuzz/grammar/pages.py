"""Beginnings of HTML documents, well made and not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz import seeds

if TYPE_CHECKING:
    from fuzz.chance import Chance

BLANKS: Final = (b"", b"", b" ", b"\n", b"\r\n", b"\t", b"\f", b" \n  ", b"\x0b", b"\0", b"\xa0", b"\xc2\xa0")
DOCTYPES: Final = (
    b"<!doctype html>", b"<!DOCTYPE HTML>", b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://x">',
    b"<!doctype>", b"<!doctype html", b"<!doctypehtml>", b'<!doctype html PUBLIC "a>b">', b"<!doctyp html>",
    b"<! doctype html>", b"<!doctype html SYSTEM 'x'>", b"<!doctype\n>", b"<!DocType \0>",
)  # fmt: skip
COMMENTS: Final = (
    b"<!-- x -->", b"<!---->", b"<!-->", b"<!--->", b"<!-- x --!>", b"<!--!>", b"<!-- <html><head> -->",
    b"<!--[if IE]><html><![endif]-->", b"<![if x]>", b"<?xml version='1.0'?>", b"<!-- -- > -->", b"<!--<!-- -->",
    b"<!--<!-->", b"<!--<!->-->", b"<!-- --!-->", b"<!-----!>", b"<!--x--!x>-->", b"<!x>", b"<?>", b"<!>",
    b"<![CDATA[<html>]]>", b"<!-", b"<!--", b"<!-- - -- -->", b"<!--->-->", b"<!--a--->", b"<!----!>-->",
    b"<!-- --\n>-->",
)  # fmt: skip
ATTRIBUTES: Final = (
    b' lang="en"', b" lang=en", b" lang='en'", b" class", b' a="b>c"', b" a='b>c'", b" a = b", b" a=", b' a=""', b"/",
    b" / ", b" =", b" ==b", b' a"b', b" a'b='c'", b" a=b'c", b' a=b"c>', b" <", b" <a", b"\na=b\n", b" amp", b" AMP",
    " ⚡".encode(), " ⚡4ads".encode(), b" amp4email=x", b" data-amp", b" a=amp", b"\0", b" \xff=1", b' a="b"c="d"',
    b" a=b/", b' x:y="z"', b' a="<head>"', b" a=b>c", b"\x0bq", b"\xe2\x9a", b' a="', b" a='",
    b' prefix="og: http://ogp.me/ns#"', b" amp=amp", b" =amp", "/⚡/".encode(), b' a=""amp', b" a=b\0 amp",
)  # fmt: skip
NAMES: Final = (
    b"html",
    b"html",
    b"HTML",
    b"head",
    b"head",
    b"Head",
    b"body",
    b"frameset",
    b"header",
    b"htm",
    b"html5",
    b"heads",
    b"title",
    b"meta",
    b"script",
    b"bodyx",
    b"html\0",
    b"he\xe4d",
)
OTHERS: Final = (
    b"<title>x</title>", b"<meta charset=utf-8>", b"text", b"<div>", b"</head>", b"</html>", b"</p>", b"</>", b"<>",
    b"<", b"<1>", b"&lt;", b"</ x>", b"<li>", b"\0", b"\xff", b"<base href=/>", b"<noscript>x</noscript>",
    b"<template>", b"<svg>", b'{"a": "<html>"}', b"</br>", b"<p>ok",
)  # fmt: skip
REST: Final = (
    b"<title>x</title></head><body class=a><p>ok</p></body></html>",
    b"<meta charset=utf-8><p>x",
    b"",
    b"x" * 40,
    b"</head>",
    b"<head><head>",
    b"<html x=y><head z>",
)


def _tag(chance: Chance, name: bytes) -> bytes:
    attributes = b"".join(chance.some(ATTRIBUTES, 3)) if chance.one_in(2) else b""
    end = chance.pick((b"/>", b"", b" >", b"\n>", b"<>")) if chance.one_in(25) else b">"
    return b"<" + name + attributes + end


def _long(chance: Chance) -> bytes:
    """Make something of about the size of a limit."""
    size = chance.pick((8 * 1024, 64 * 1024, 72 * 1024)) + chance.below(80) - 60
    makers = (
        b"<!--" + b"x" * size + b"-->", b" " * size, b"<html a='" + b"y" * size + b"'>", b"<!--" + b"-" * size,
        b"<head " + b"z " * (size // 2) + b">", b"<!doctype " + b"q" * size + b">", b'<html a="' + b">" * size,
        b"<html" + b" a=b" * (size // 4) + b">",
    )  # fmt: skip
    return chance.pick(makers)


def _any(chance: Chance) -> bytes:
    """Make one token, of any kind."""
    turn = chance.below(7)
    if turn <= 1:
        return _tag(chance, chance.pick(NAMES))
    return chance.pick((DOCTYPES, COMMENTS, COMMENTS, BLANKS, OTHERS)[turn - 2])


def prologue(chance: Chance) -> bytes:
    """Make what stands before and at the head."""
    turn = chance.below(10)
    if turn < 6:  # as documents are, with a part missing or something between
        parts = [b"\xef\xbb\xbf" if chance.one_in(10) else b""]
        for part in (chance.pick(DOCTYPES), _tag(chance, b"html"), _tag(chance, b"head")):
            parts.append(chance.pick(BLANKS[:9] if chance.below(6) else BLANKS))
            parts += chance.some(COMMENTS, 2) if chance.one_in(4) else []
            parts += [chance.pick(OTHERS)] if chance.one_in(25) else []
            parts += [part] if chance.below(6) else []
    else:
        parts = [_any(chance) for _ in range(1 + chance.below(7))]
    return b"".join(parts)


def pages(chance: Chance) -> bytes:
    """Make a page."""
    if chance.one_in(1500):
        data = prologue(chance) + _long(chance) + prologue(chance)
    elif chance.one_in(20):
        data = chance.pick(seeds.PAGES)[: 400 + chance.below(600)]
    else:
        data = prologue(chance) + chance.pick(REST)
    if chance.one_in(4):
        data = chance.mutated(data, chance.pick(seeds.PAGES))
    elif chance.one_in(20):
        data = data[: chance.below(len(data) + 1)]
    return data
