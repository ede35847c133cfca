"""What a mail's body shows, whatever its language and style: numbers, blocks, and links by what they do.

Classes and links are those of Magento's own templates and block files; a style sheet in the head names every class in
every mail, so only elements of the body count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from bridge.mail.letter import address_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

    from bridge.mail.letter import Letter

LISTS = "li, table.email-credentials td"
LINKS_MOST = 500
LISTS_MOST = 50
HEADINGS_MOST = 10
LINE_MOST = 2000
"""Characters of a line that are looked at."""
NUMBERS_MOST = 20

BLOCKS = {
    "items": "table.email-items",
    "prices": "table.email-items td.item-price",
    "subtotals": "table.email-items .item-subtotal",
    "totals": "table.email-items .order-totals",
    "tracks": "table.shipment-track",
    "details": "table.order-details",
    "message": "table.message-info",
}
"""Block -> the elements that it is found by."""

SORTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (sort, re.compile(pattern, re.IGNORECASE))
    for sort, pattern in (
        ("reset", r"/customer/account/createpassword(?:/|$)"),
        ("confirm_account", r"/customer/account/confirm(?:/|$)"),
        ("account", r"/customer/account/?(?:index/?)?$"),
        ("price_alerts", r"/productalert/unsubscribe/(?:priceall|price/product/|email/product/[0-9]+/type/price)"),
        ("stock_alerts", r"/productalert/unsubscribe/(?:stockall|stock/product/)"),
        ("alert", r"/productalert/unsubscribe/email/product/"),
        ("confirm_newsletter", r"/newsletter/subscriber/confirm/"),
        ("wishlist", r"/wishlist/shared/"),
        ("tracking", r"/shipping/tracking/popup"),
    )
)
"""What a link does <- its path; the first that fits."""

FUNCTIONAL = frozenset(
    {"reset", "confirm_account", "price_alerts", "stock_alerts", "alert", "confirm_newsletter", "wishlist", "tracking"}
)
"""Links that only one family of mails has."""

_NUMBER = re.compile(r"#\s?((?=[A-Za-z._/-]{0,49}[0-9])[A-Za-z0-9][A-Za-z0-9._/-]{3,49})")
_PRODUCT = re.compile(r"/product/([0-9]{1,20})(?:/|$)", re.IGNORECASE)
_IN_PATH = re.compile(r"/(id|token)/([^/]+)", re.IGNORECASE)
_URL = re.compile(r"(?:https?://|mailto:)[^\s<>\"']+")
_SPACE = re.compile(r"\s+")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'|@]{1,64}@[^\s<>()\[\],;:\"'|@]{1,255}")
_LINE_TAGS = frozenset({"p", "td", "th", "li", "div", "dd", "dt", "h1", "h2", "h3"})


@dataclass(frozen=True, slots=True, repr=False)
class Link:
    """A link: ``sort`` is one of :data:`SORTS`, ``mailto``, or ``page``. ``alone`` when its line holds nothing else."""

    sort: str
    url: str
    alone: bool

    @property
    def host(self) -> str:
        """The host name, in small letters."""
        try:
            return (urlsplit(self.url).hostname or "").lower()
        except ValueError:
            return ""

    @property
    def path(self) -> str:
        """The path, without its percent signs."""
        try:
            return unquote(urlsplit(self.url).path)
        except ValueError:
            return ""

    def value(self, name: str) -> str:
        """Return a parameter of the query, or of the path as Magento writes them there."""
        try:
            query = parse_qs(urlsplit(self.url).query)
        except ValueError:
            return ""
        in_path = {key.lower(): value for key, value in _IN_PATH.findall(self.path)}
        return next(iter(query.get(name, [])), in_path.get(name, ""))


@dataclass(frozen=True, slots=True, repr=False)
class Marks:
    """What a body shows.

    Numbers have four characters or more (an order's has nine unless changed); a flat or a suite has fewer.
    ``headings`` are the numbers behind a ``#`` in the heading, in order and with repetitions; ``numbers`` those of
    the whole text, each once. ``blocks`` are keys of :data:`BLOCKS`. ``labelled`` are the numbers that stand in one
    line with something in bold. ``listed`` is the text of lists and of the table of credentials, ``message``
    that of what staff wrote about an order. ``images`` are the addresses of pictures.
    """

    headings: tuple[str, ...] = ()
    has_heading: bool = False
    numbers: tuple[str, ...] = ()
    blocks: frozenset[str] = frozenset()
    links: tuple[Link, ...] = ()
    images: tuple[str, ...] = ()
    labelled: tuple[str, ...] = ()
    listed: str = ""
    message: str = ""
    text: str = ""
    is_empty: bool = True

    @classmethod
    def of(cls, letter: Letter) -> Marks:
        """Return the marks of the HTML body, and of the plain one where there is no other."""
        if letter.html.strip():
            return _of_html(letter.html)
        return _of_text(letter.text) if letter.text.strip() else cls()

    def sorts(self) -> frozenset[str]:
        """Return the sorts of links that there are."""
        return frozenset(link.sort for link in self.links)

    def of_sort(self, sort: str) -> list[Link]:
        """Return the links of a sort."""
        return [link for link in self.links if link.sort == sort]

    def shows(self, email: str) -> bool:
        """Return whether the text holds this address."""
        return _holds(self.text, email)

    def lists(self, email: str) -> bool:
        """Return whether a list or the table of credentials holds this address."""
        return _holds(self.listed, email)

    def says(self, words: str) -> bool:
        """Return whether the mail's message holds these words; tags and white space among them do not count.

        Without the block of the message the whole text counts. Without words there must be no such block: Magento
        leaves it out where nothing was written.
        """
        wanted = _squeezed(LexborHTMLParser(words).text()) if words.strip() else ""
        has_message = "message" in self.blocks
        return wanted in _squeezed(self.message if has_message else self.text) if wanted else not has_message

    def products(self) -> tuple[str, ...]:
        """Return the ids of the products that the links of an alert name, each once."""
        links = [*self.of_sort("stock_alerts"), *self.of_sort("alert")]
        found = [match[1] for link in links if (match := _PRODUCT.search(link.path))]
        return tuple(dict.fromkeys(found))

    def summary(self) -> str:
        """Return the structure in a few words for people: names of marks and counts, nothing of the text."""
        if self.is_empty:
            return "no body"
        told = [f"{len(self.headings)} numbers in the heading" if self.has_heading else "no heading"]
        told.append(f"{len(self.numbers)} numbers")
        told += sorted(self.blocks)
        counts: dict[str, int] = {}
        for link in self.links:
            counts[link.sort] = counts.get(link.sort, 0) + 1
        told += [f"{sort} x{count}" for sort, count in sorted(counts.items())]
        return ", ".join(told)


def _holds(text: str, email: str) -> bool:
    wanted = address_key(email)
    if not wanted:
        return False
    if _ADDRESS.fullmatch(email.strip()):
        return any(address_key(found.strip(".")) == wanted for found in _ADDRESS.findall(text))
    # A quote, an apostrophe or a bracket in the mailbox's name: it stands there as it is or not at all.
    return re.search(rf"(?<![\w.+-]){re.escape(wanted)}(?![\w-]|\.\w)", text.lower()) is not None


def _of_html(html: str) -> Marks:
    tree = LexborHTMLParser(html)
    tree.strip_tags(["script", "style", "title", "head", "template", "noscript"])
    body = tree.body
    if body is None:
        return Marks(is_empty=True)
    headings, lines = body.css("h1"), _Lines()
    bold = body.css("strong, b")[:LINKS_MOST]
    text = _SPACE.sub(" ", body.text(separator=" "))
    return Marks(
        headings=tuple(number for node in headings[:HEADINGS_MOST] for number in _numbers(node.text())),
        has_heading=bool(headings),
        numbers=tuple(dict.fromkeys(_numbers(text)))[:NUMBERS_MOST],
        blocks=frozenset(name for name, css in BLOCKS.items() if body.css_first(css) is not None),
        links=tuple(_html_links(body, lines)),
        images=tuple(filter(None, (node.attributes.get("src") for node in body.css("img[src]")[:LINKS_MOST]))),
        labelled=tuple(dict.fromkeys(number for node in bold for number in _numbers(lines.around(node)))),
        listed=" ".join(node.text(separator=" ") for node in body.css(LISTS)[:LISTS_MOST]),
        message=" ".join(node.text(separator=" ") for node in body.css(BLOCKS["message"])[:LISTS_MOST]),
        text=text,
        is_empty=False,
    )


class _Lines:
    """The texts of lines and cells, each taken once: one may hold hundreds of links."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def around(self, node: LexborNode) -> str:
        """Return the text of the line or cell that an element stands in; empty when it stands in none."""
        above = node.parent
        while above is not None and above.tag not in _LINE_TAGS:
            above = above.parent
        if above is None:
            return ""
        if above.mem_id not in self._texts:
            self._texts[above.mem_id] = _SPACE.sub(" ", above.text())[:LINE_MOST]
        return self._texts[above.mem_id]


def _html_links(body: LexborNode, lines: _Lines) -> Iterator[Link]:
    for node in body.css("a[href]")[:LINKS_MOST]:
        url = (node.attributes.get("href") or "").strip()
        if url:
            around = lines.around(node)
            yield Link(_sort(url), url, not around or _squeezed(around) == _squeezed(node.text()[:LINE_MOST]))


def _squeezed(text: str) -> str:
    return _SPACE.sub("", text)


def _of_text(text: str) -> Marks:
    links = []
    for line in text.splitlines():
        links += [Link(_sort(url), url, line.strip().strip("<>") == url) for url in _URL.findall(line)]
    return Marks(
        numbers=tuple(dict.fromkeys(_numbers(text)))[:NUMBERS_MOST],
        links=tuple(links[:LINKS_MOST]),
        text=_SPACE.sub(" ", text),
        is_empty=False,
    )


def _numbers(text: str) -> list[str]:
    return [found.rstrip("._/-") for found in _NUMBER.findall(text)]


def _sort(url: str) -> str:
    lower = url[:8].lower()
    if lower.startswith("mailto:"):
        return "mailto"
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return "page"
    found = next((sort for sort, pattern in SORTS if pattern.search(path)), "page")
    return "page" if found == "reset" and not _has_token(url) else found


def _has_token(url: str) -> bool:
    return bool(Link("reset", url, alone=False).value("token"))
