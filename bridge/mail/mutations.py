"""Mails as merchants and mail programs change them: other subjects, texts, styles and blocks, other encodings.

A mutation never makes another mail of one: it changes nothing that only another mail has. All chance comes from the
given :class:`random.Random`, so that a seed and a number name a mutant for good.
"""

from __future__ import annotations

import base64
import html as markup
import quopri
import re
from dataclasses import dataclass, field
from email.header import Header
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from bridge.mail.letter import Letter

WORDS = tuple(
    word
    for line in (
        "Bestellung commande ordine pedido zamówienie заказ 注文 votre für dein Lager disponible пароль Konto compte",
        "récapitulatif żółć hola Grüße merci déjà naïve Straße ¡gracias! 発送 Ihre conto nuevo wieder da hier élan",
    )
    for word in line.split()
)
BLOCKS = ("p", "h1", "h2", "h3", "table table", "tr", "td", "dl", "ul", "img", "span", "tfoot", "thead")
CHARSETS = (
    ("utf-8", "utf-8"),
    ("utf-8", "UTF8"),
    ("iso-8859-1", "iso-8859-1"),
    ("cp1252", "windows-1252"),
    ("utf-16", "utf-16"),
    ("iso-8859-15", '"ISO-8859-15"'),
    ("utf-8", "x-unknown"),
    ("utf-8", ""),
)
FOOTERS = (
    '<p>Lab Store, Suite #200, <a href="mailto:help@store.example.com">help@store.example.com</a></p>',
    '<p><a href="http://store.test/customer/account/">My account</a> <a href="http://store.test/contact/">Contact</a></p>',
    '<p>This mail was sent to {to}. <a href="https://social.example/lab">Follow us</a></p>',
    "<p>Voucher #SAVE2026 for your next order</p><h1>New in #2026spring</h1>",
    '<table><tr><td><a href="http://store.test/sale.html">-20%</a> <span class="price">£9.00</span></td></tr></table>',
    "<ul><li>Free returns</li><li>Pay later</li></ul>",
    "<p>Bestellnummer siehe oben. <strong>Danke!</strong></p>",
)

_TEXT = re.compile(r">([^<>]+)<")
_TOKEN = re.compile(r"[^\W\d_]{3,}")
_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL | re.IGNORECASE)
_INLINE = re.compile(r"""\sstyle=(?:"[^"]*"|'[^']*')""")
_CLASS = re.compile(r"""\sclass=(?:"([^"]*)"|'([^']*)')""")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"""href=(["'])(https?://[^"']+)\1""")
_TAG = re.compile(r"</?([a-z][a-z0-9]*)\b")
_PROTECTED = re.compile(r"#|@|&|https?:|\{|\}")


@dataclass
class Draft:
    """A mail that is being changed: what it says, before it is written as bytes."""

    subject: str
    sender: str
    to: str
    html: str
    text: str = ""
    extra: list[tuple[str, str]] = field(default_factory=list)


def draft(letter: Letter) -> Draft:
    """Return a letter as a draft."""
    to = letter.to[0].email if letter.to else "nobody@example.com"
    return Draft(letter.subject, letter.sender.email or "shop@example.com", to, letter.html, letter.text)


def mutant(letter: Letter, chance: random.Random) -> tuple[bytes, tuple[str, ...]]:
    """Return a changed copy of a letter as bytes, and the names of what was changed."""
    made = draft(letter)
    chosen = chance.sample(sorted(CHANGES), chance.randint(1, 4))
    for name in chosen:
        CHANGES[name](made, chance)
    form = chance.choice(sorted(FORMS))
    return FORMS[form](made, chance), (*chosen, form)


# ---- what a mail says ----------------------------------------------------------------------------------------------


def _phrase(chance: random.Random, most: int = 6) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, most)))


def _subject(made: Draft, chance: random.Random) -> None:
    made.subject = _phrase(chance)


def _prefix(made: Draft, chance: random.Random) -> None:
    made.subject = chance.choice(("[Test] ", "Re: ", "** ", "✅ ")) + made.subject


def _shop_name(made: Draft, chance: random.Random) -> None:
    name = chance.choice(("Müller & Söhne", "Order", "Password Shop", "A", "Update to your order", "email and"))
    made.subject, made.html = (
        made.subject.replace("Lab Store", name),
        made.html.replace("Lab Store", markup.escape(name)),
    )


def _texts(made: Draft, chance: random.Random) -> None:
    """Translate the words of the body; numbers, addresses and links are no words."""

    def line(found: re.Match[str]) -> str:
        if _PROTECTED.search(found[1]):
            return found[0]
        return f">{_TOKEN.sub(lambda _word: chance.choice(WORDS), found[1])}<"

    head, body, rest = made.html.partition("<body")
    made.html = head + body + _TEXT.sub(line, rest)


def _restyle(made: Draft, chance: random.Random) -> None:
    made.html = _INLINE.sub(lambda _found: f' style="color: #{chance.randrange(1 << 24):06x}"', made.html)
    made.html = _STYLE.sub("<style>.email-items, .shipment-track, .button { color: red }</style>", made.html)


def _no_classes(made: Draft, _chance: random.Random) -> None:
    made.html = _CLASS.sub("", made.html)


def _other_classes(made: Draft, chance: random.Random) -> None:
    """Give a part of the classes other names, the same name everywhere."""
    names: dict[str, str] = {}

    def renamed(found: re.Match[str]) -> str:
        words = (found[1] or found[2] or "").split()
        for word in words:
            names.setdefault(word, word if chance.random() < 0.5 else f"x{len(names)}")
        return f' class="{" ".join(names[word] for word in words)}"'

    made.html = _CLASS.sub(renamed, made.html)


def _remove_blocks(made: Draft, chance: random.Random) -> None:
    tree = LexborHTMLParser(made.html)
    for _ in range(chance.randint(1, 3)):
        found = tree.css(f"body {chance.choice(BLOCKS)}")
        if found:
            chance.choice(found).decompose()
    made.html = tree.html or ""


def _add_blocks(made: Draft, chance: random.Random) -> None:
    added = "".join(chance.sample(FOOTERS, chance.randint(1, 3))).replace("{to}", made.to)
    place = chance.choice(("</body>", "<!-- Begin Content -->"))
    made.html = made.html.replace(place, added + place if place == "</body>" else place + added, 1)


def _no_comments(made: Draft, _chance: random.Random) -> None:
    made.html = _COMMENT.sub("", made.html)


def _entities(made: Draft, _chance: random.Random) -> None:
    head, body, rest = made.html.partition("<body")
    made.html = head + body + rest.replace("@", "&#64;").encode("ascii", "xmlcharrefreplace").decode("ascii")


def _links(made: Draft, chance: random.Random) -> None:
    """Add parameters of campaigns to links, or serve them over https."""
    mark = chance.choice(("utm_source=mail", "SID=abc", "gclid=x&amp;utm_medium=email"))

    def changed(found: re.Match[str]) -> str:
        url = found[2]
        return f"href={found[1]}{url}{'&amp;' if '?' in url else '?'}{mark}{found[1]}"

    made.html = _LINK.sub(changed, made.html)
    if chance.random() < 0.5:
        made.html = made.html.replace("http://", "https://")


def _headings(made: Draft, chance: random.Random) -> None:
    level = chance.choice(("h2", "h3", "div", "p"))
    made.html = re.sub(r"<(/?)h1\b", rf"<\1{level}", made.html)


def _button_to_sentence(made: Draft, _chance: random.Random) -> None:
    """Write the link of a button as a word in a sentence."""
    made.html = re.sub(
        r"<table[^>]*class=\"button\".*?(<a\b.*?</a>).*?</table>(?:\s*</td>\s*</tr>\s*</table>)?",
        r"<p>Please click \1 now.</p>",
        made.html,
        count=1,
        flags=re.DOTALL,
    )


def _sentence_to_button(made: Draft, _chance: random.Random) -> None:
    """Write a link of a sentence as a button."""
    made.html = re.sub(
        r"(<a\b[^>]*createPassword[^>]*>.*?</a>)",
        r'</p><table class="button"><tr><td>\1</td></tr></table><p>',
        made.html,
        flags=re.DOTALL | re.IGNORECASE,
    )


def _capitals(made: Draft, _chance: random.Random) -> None:
    made.html = _TAG.sub(lambda found: found[0].upper(), made.html)


def _squeeze(made: Draft, _chance: random.Random) -> None:
    made.html = re.sub(r">\s+<", "><", made.html)


def _headers(made: Draft, chance: random.Random) -> None:
    made.extra += [
        ("Message-ID", f"<{chance.randrange(10**9)}@relay.example>"),
        ("X-Mailer", _phrase(chance)),
        ("List-Unsubscribe", "<mailto:off@store.example.com>"),
    ]


CHANGES: dict[str, Callable[[Draft, random.Random], None]] = {
    "subject": _subject,
    "prefix": _prefix,
    "shop name": _shop_name,
    "texts": _texts,
    "styles": _restyle,
    "no classes": _no_classes,
    "other classes": _other_classes,
    "blocks removed": _remove_blocks,
    "blocks added": _add_blocks,
    "no comments": _no_comments,
    "entities": _entities,
    "links": _links,
    "headings": _headings,
    "button to sentence": _button_to_sentence,
    "sentence to button": _sentence_to_button,
    "capitals": _capitals,
    "squeezed": _squeeze,
    "headers": _headers,
}
"""What can be changed of what a mail says."""


# ---- how it is written ---------------------------------------------------------------------------------------------


def _encoded(text: str, chance: random.Random, *, subtype: str) -> list[bytes]:
    """Return the lines of a part: its headers, an empty one, its body."""
    charset, label = chance.choice(CHARSETS)
    data = text.encode(charset, "xmlcharrefreplace" if subtype == "html" else "replace")
    way = chance.choice(("quoted-printable", "base64", "8bit", "BASE64"))
    if charset == "utf-16":
        way = "base64"
    body = {"quoted-printable": quopri.encodestring, "8bit": lambda raw: raw}.get(way, base64.encodebytes)(data)
    kind = f"Content-Type: text/{subtype}" + (f";\n\tcharset={label}" if label else "")
    return [kind.encode(), f"Content-Transfer-Encoding: {way}".encode(), b"", body]


def _head(made: Draft, chance: random.Random) -> list[bytes]:
    """Return the message's headers: in any order and case, folded, encoded one way or another, or raw."""
    raw = made.subject.replace("\n", " ")
    subject = chance.choice(
        (
            Header(raw, "utf-8", header_name="Subject").encode().encode(),
            f"=?UTF-8?B?{base64.b64encode(raw.encode()).decode()}?=".encode(),
            raw.encode(),
            raw.replace(" ", "\n  ", 1).encode(),
        )
    )
    to = chance.choice((made.to, f"<{made.to}>", f"=?utf-8?Q?J=C3=B6?= <{made.to}>", f'"Doe, J."\n <{made.to}>'))
    fields = [(b"Subject", subject), (b"To", to.encode()), (b"From", f"Shop <{made.sender}>".encode())]
    fields += [(name.encode(), value.encode()) for name, value in made.extra]
    if chance.random() < 0.8:
        fields.append((b"Date", b"Wed, 25 Nov 2026 01:45:54 +0000"))
    chance.shuffle(fields)
    case = chance.choice((bytes.lower, bytes.upper, bytes))
    return [b"MIME-Version: 1.0", *(b"%b: %b" % (case(name), value) for name, value in fields)]


def _bytes(lines: list[bytes], chance: random.Random) -> bytes:
    data = b"\n".join(lines) + b"\n"
    return data.replace(b"\n", b"\r\n") if chance.random() < 0.8 else data


def _single(made: Draft, chance: random.Random) -> bytes:
    subtype = "html" if made.html else "plain"
    return _bytes([*_head(made, chance), *_encoded(made.html or made.text, chance, subtype=subtype)], chance)


def plain_text(html: str) -> str:
    """Return HTML as a mail program turns it into plain text: links behind their words, blocks as lines."""
    tree = LexborHTMLParser(html)
    tree.strip_tags(["style", "script", "head"])
    for node in tree.css("a[href]"):
        node.insert_after(f" ({node.attributes.get('href')}) ")
    text = tree.body.text(separator="\n") if tree.body is not None else ""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _plain(made: Draft, chance: random.Random) -> bytes:
    text = plain_text(made.html) or made.text
    return _bytes([*_head(made, chance), *_encoded(text, chance, subtype="plain")], chance)


def _parts(made: Draft, chance: random.Random, kind: str, parts: list[list[bytes]]) -> bytes:
    boundary = b"=_%d" % chance.randrange(10**9)
    lines = [*_head(made, chance), b'Content-Type: multipart/%b; boundary="%b"' % (kind.encode(), boundary), b""]
    for part in parts:
        lines += [b"--" + boundary, *part]
    return _bytes([*lines, b"--" + boundary + b"--"], chance)


def _alternative(made: Draft, chance: random.Random) -> bytes:
    text = _encoded(plain_text(made.html) or "text", chance, subtype="plain")
    return _parts(made, chance, "alternative", [text, _encoded(made.html, chance, subtype="html")])


def _with_file(made: Draft, chance: random.Random) -> bytes:
    file = [
        b'Content-Type: application/pdf; name="terms.pdf"',
        b"Content-Disposition: attachment",
        b"Content-Transfer-Encoding: base64",
        b"",
        base64.encodebytes(b"%PDF-1.4 terms"),
    ]
    return _parts(made, chance, "mixed", [_encoded(made.html, chance, subtype="html"), file])


FORMS: dict[str, Callable[[Draft, random.Random], bytes]] = {
    "one part": _single,
    "one part again": _single,
    "plain text": _plain,
    "alternative": _alternative,
    "with a file": _with_file,
}
"""How a mail can be written as bytes."""
