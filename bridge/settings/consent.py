"""Settings of what may be kept of a visitor: the link that rebuilds a basket, and when she counts as having agreed."""

from __future__ import annotations

from bridge.settings.definition import choice, number, text

CART_LINK = number(
    "tracking.cart_link_days",
    "Days that a cart link works",
    "How long the link to a basket in an e-mail rebuilds it, counted from its last change. 0: it leads to the cart "
    "page.",
    default=30,
    low=0,
    high=365,
)

CONSENT = (
    choice(
        "consent.mode",
        "Signal of consent",
        "What says that a visitor agreed to tracking: none asks nobody, magento is the shop's own cookie notice, "
        "cookiebot is Cookiebot's marketing category, cookie is a cookie named below, event is an event that the page "
        "raises.",
        "none",
        "magento",
        "cookiebot",
        "cookie",
        "event",
    ),
    text(
        "consent.cookie",
        "Consent cookie",
        "Name of the cookie that the shop's consent tool sets, or of the event that the page raises.",
        r"[A-Za-z0-9_.:-]{0,100}",
        "at most 100 letters, digits, _ . : or -",
    ),
    text(
        "consent.pattern",
        "Pattern of consent",
        "Regular expression that the cookie's decoded value must match; empty takes any value.",
        r"[^\r\n]{0,200}",
        "at most 200 characters on one line",
    ),
)
