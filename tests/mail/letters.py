"""Captured mails, and letters written for tests in the way of a stock Magento."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest

from bridge.mail.facts import CustomerFacts, Expected, Facts, OrderFacts, default_rules
from bridge.mail.letter import Letter
from bridge.mail.recognise import recognise
from bridge.settings import Store

CAPTURED = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "magento" / "mail"
NEEDS_CAPTURES = [
    pytest.mark.shared,
    pytest.mark.skipif(not CAPTURED.is_dir(), reason="the mails of a stock Magento are not beside this checkout"),
]
AT = 1_800_000_000.0

VIEWS = tuple(
    Store(
        ref=f"store:{code}",
        code=code,
        id=id_,
        website=website,
        website_id=website_id,
        is_default=code != "de",
        base_url=url,
        link_url=url,
        locale=locale,
    )
    for id_, code, website, website_id, url, locale in (
        (1, "default", "base", 1, "http://store.test/", "en_GB"),
        (2, "fr", "europe", 2, "http://eu.store.test/", "fr_FR"),
        (3, "de", "europe", 2, "http://eu.store.test/", "de_DE"),
    )
)


@dataclass
class Taken:
    """The part of an envelope that a letter reads."""

    received_at: float = AT
    store_hint: str = ""


@dataclass
class Shop:
    """The shop's word, written down; counts its questions."""

    orders: dict[str, OrderFacts] = field(default_factory=dict)
    customers: dict[str, CustomerFacts] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def order(self, number, email):
        self.asked.append(f"order {number}")
        return self.orders.get(number)

    def customer(self, email, store):
        self.asked.append("customer")
        return self.customers.get(email)


def shop_with(number, email, *, state="processing", store="default", notified_at=0.0, said=""):
    return Shop(orders={number: OrderFacts(number, email, store, state, notified_at, said)})


def parse(raw: bytes, *, received_at=AT, hint="") -> Letter:
    return Letter.parse(raw, Taken(received_at, hint))


def mail(body, *, subject="Something else", to="jane@shop.test", subtype="html", headers=()) -> bytes:
    """A mail with the given body between Magento's header and footer."""
    made = EmailMessage()
    made["Subject"] = subject
    made["To"] = f"Jane Doe <{to}>"
    made["From"] = "Lab Store <owner@store.test>"
    for name, value in headers:
        made[name] = value
    frame = body
    if subtype == "html":
        frame = (
            '<html><head><style>.shipment-track{} .email-items{}</style></head><body><table class="main"><tr><td>'
            '<a class="logo" href="http://store.test/"><img src="http://store.test/l.png"></a></td></tr>'
            f'<tr><td class="main-content">{body}</td></tr><tr><td class="footer"></td></tr></table></body></html>'
        )
    made.set_content(frame, subtype=subtype, cte="quoted-printable")
    return made.as_bytes()


RESET = "http://store.test/customer/account/createPassword/?id=7&amp;token=SECRETSECRETSECRETSECRETSECRET12"
FORGOT = f'<p>A new password:</p><table class="button"><tr><td><a href="{RESET}">Set it</a></td></tr></table>'
WELCOME = (
    '<p>See <a href="http://store.test/customer/account/">your account</a></p><table class="email-credentials">'
    f'<tr><td>jane@shop.test</td></tr></table><p>Forgotten? Click <a href="{RESET}">here</a>.</p>'
)
UPDATE = "<p>Your order #100000012 is now <strong>Gone</strong>.</p>"
CHANGED = '<p>We changed it. Write to <a href="mailto:help@store.test">help@store.test</a>.</p>'
ORDER = (
    '<h1>Your Order <span class="no-link">#100000012</span></h1><table class="order-details"><tr><td>x</td></tr></table>'
    '<table class="email-items"><tr><td class="item-price">5</td></tr><tfoot class="order-totals"></tfoot></table>'
)
SHIPMENT = (
    "<h1>Shipment #300000001 for order #100000012</h1>"
    '<table class="shipment-track"></table><table class="order-details"><tr><td>x</td></tr></table>'
    '<table class="email-items"><tr><td class="item-qty">1</td></tr></table>'
)
INVOICE = (
    '<h1>Invoice #500000001 for order #100000012</h1><table class="order-details"></table>'
    '<table class="email-items"><tr><th class="item-subtotal">x</th></tr><tr><td class="item-price">5</td></tr></table>'
)


def alert(*products, kind="stock"):
    rows = "".join(
        f'<p><a href="http://store.test/productalert/unsubscribe/{"email" if kind == "stock" else "price"}/product/{one}/">x</a></p>'
        for one in products
    )
    return f'{rows}<p><a href="http://store.test/productalert/unsubscribe/{kind}All/">all</a></p>'


def told(
    raw,
    *,
    to="jane@shop.test",
    expected=(),
    shop=None,
    rules=default_rules,
    views=VIEWS,
    received_at=AT,
    hint="",
    patience=120.0,
):
    """Return the verdict on a mail; ``expected`` are native mails of which traffic has told just now."""
    rows = tuple(one if isinstance(one, Expected) else Expected(one, received_at - 1) for one in expected)
    facts = Facts(views, rows, rules, shop or Shop(), patience)
    return recognise(parse(raw, received_at=received_at, hint=hint), to, facts)
