"""The mails that a stock Magento sends, by names of ours, and which of them Ometria sends in its place."""

from __future__ import annotations

from typing import Literal

KIND_OF = {
    "order_new": "order_confirmation",
    "order_update": "order_cancellation",
    "shipment_new": "order_shipping",
    "password_forgot": "forgot_password",
    "password_changed": "password_updated",
    "stock_alert": "stock_alert",
    "account_new": "account_creation",
}
"""The native mail, as markers name it -> its kind. An order update counts only when the order is cancelled."""

KINDS = tuple(KIND_OF.values())
"""The seven kinds that Ometria can send, as the settings name them."""

NATIVE_OF = {kind: native for native, kind in KIND_OF.items()}

OTHERS = (
    "shipment_update",
    "invoice_new",
    "invoice_update",
    "creditmemo_new",
    "creditmemo_update",
    "account_confirmation",
    "email_changed",
    "email_password_changed",
    "price_alert",
    "newsletter_success",
    "newsletter_confirm",
    "newsletter_unsubscribed",
    "wishlist_share",
    "other",
)
"""Native mails that are always relayed untouched; ``other`` is any further mail of the shop."""

NATIVES = (*KIND_OF, *OTHERS)

ORDER_FAMILY = frozenset({"order_new", "order_update", "shipment_new"})
"""Native mails about an order: the order's own customer is the only one whose mail may be replaced."""

Subscription = Literal["subscribed", "unsubscribed", "unconfirmed"]

NEWS: dict[str, Subscription] = {
    "newsletter_success": "subscribed",
    "newsletter_confirm": "unconfirmed",
    "newsletter_unsubscribed": "unsubscribed",
}
"""Native mails that tell how a newsletter subscription stands -> how it stands."""
