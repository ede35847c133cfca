"""Settings of transactional mail: the mode, the limits, and for each of the seven kinds what is sent and by whom.

Which template of Magento belongs to a kind, and what Magento calls the mail: contracts, section "The seven kinds".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import Misconfigured
from bridge.settings import kinds
from bridge.settings.definition import Setting, choice, number, switch, text

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIL_KINDS: dict[str, str] = {
    "order_confirmation": "Order confirmation",
    "order_cancellation": "Order cancellation",
    "order_shipping": "Order shipping",
    "forgot_password": "Forgot password",
    "password_updated": "Update password success",
    "stock_alert": "Stock alert",
    "account_creation": "Account creation",
}
"""Kind -> what people call it."""

OTHER_MAILS: dict[str, str] = {
    "shipment_update": "Shipment update",
    "invoice_new": "Invoice",
    "invoice_update": "Invoice update",
    "creditmemo_new": "Credit memo",
    "creditmemo_update": "Credit memo update",
    "account_confirmation": "Account confirmation request",
    "email_changed": "E-mail changed",
    "email_password_changed": "E-mail and password changed",
    "price_alert": "Price alert",
    "newsletter_success": "Newsletter subscribed",
    "newsletter_confirm": "Newsletter confirmation request",
    "newsletter_unsubscribed": "Newsletter unsubscribed",
    "wishlist_share": "Shared wish list",
    "other": "Any other mail",
}
"""Native mail that is always relayed -> what people call it; their subjects are known so that none is mistaken."""

TEMPLATE_MOST = 2**31 - 1
ADDRESS = r"(?:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?)?"
PLACEHOLDER_HOSTS = ("example.com", "example.org", "example.net", "localhost", "localdomain")
RULE_MOST = 998


def template_id(value: Any) -> str:
    """Return the number of a template as text, or an empty text for none."""
    found = str(value).strip()
    if found and not (found.isascii() and found.isdecimal() and 0 < int(found) <= TEMPLATE_MOST):
        raise Misconfigured("it takes the number of a template in Ometria, such as 1567, or nothing.")
    return str(int(found)) if found else ""


def is_placeholder(address: str) -> bool:
    """Return whether this is an address of Magento's installation, which no provider sends for."""
    host = address.rpartition("@")[2].lower()
    return any(host == name or host.endswith(f".{name}") for name in PLACEHOLDER_HOSTS)


def _placeholder_told(value: Any) -> str:
    if not is_placeholder(str(value)):
        return ""
    return "This is a placeholder of the installation: Ometria sends only for domains that are set up there."


def _rules(value: Any) -> str:
    """Return the patterns of subjects, one a line, that mean this kind; ``{store}`` stands for the shop's name."""
    lines = [line.strip() for line in str(value).splitlines() if line.strip()]
    if any(len(line) > RULE_MOST or any(ord(mark) < 32 for mark in line) for line in lines):
        raise Misconfigured("it takes subjects, one a line, with {store} for the shop's name and * for any words.")
    return "\n".join(dict.fromkeys(lines))


def _sender(kind: str, name: str) -> tuple[Setting, ...]:
    return (
        text(
            f"mail.{kind}.sender_name",
            f"{name}: sender name",
            "Name of the sender. Empty: the name of the shop's own mail.",
            r"[^\x00-\x1f\x7f<>\"]{0,120}",
            'at most 120 characters without < > and "',
        ),
        Setting(
            f"mail.{kind}.sender_email",
            f"{name}: sender address",
            "Address of the sender; its domain must be set up in Ometria. Empty: the address of the shop's own mail.",
            "",
            kinds.text(ADDRESS, "an e-mail address, or nothing"),
            "text",
            caution=_placeholder_told,
        ),
        Setting(
            f"mail.{kind}.reply_to",
            f"{name}: reply-to address",
            "Where answers go. Empty: the reply-to of the shop's own mail, if it has one.",
            "",
            kinds.text(ADDRESS, "an e-mail address, or nothing"),
            "text",
            caution=_placeholder_told,
        ),
    )


def _kind(kind: str, name: str) -> tuple[Setting, ...]:
    uncertain = ("resend", "hold") if kind == "forgot_password" else ("hold", "resend")
    return (
        switch(f"mail.{kind}.enabled", f"{name}: enabled", "Send it with Ometria's template.", default=False),
        Setting(
            f"mail.{kind}.template_id",
            f"{name}: template id",
            "Number of the published template in Ometria. Empty: the shop's own mail goes out.",
            "",
            template_id,
            "text",
        ),
        *_sender(kind, name),
        Setting(
            f"mail.{kind}.subject_rule",
            f"{name}: subjects",
            "More subjects that mean this mail, one a line, with {store} for the shop's name and * for any words. "
            "Needed only where the template has no marker line.",
            "",
            _rules,
            "lines",
        ),
        choice(
            f"mail.{kind}.on_uncertain",
            f"{name}: when the outcome is unknown",
            "A call whose answer was lost may have sent the mail or not. Hold leaves it so and shows it in the log, "
            "resend lets the shop's own mail follow, which may be the second.",
            *uncertain,
        ),
    )


def _other(native: str, name: str) -> Setting:
    told = "Subjects that mean this mail, one a line, as above. It is never replaced."
    return Setting(f"mail.other.{native}_subjects", f"{name}: subjects", told, "", _rules, "lines")


MAIL = (
    choice(
        "mail.mode",
        "Mode",
        "Off relays every mail as it is. Sandbox does the same and also sends to Ometria's sandbox, comparing both. "
        "Live sends the kinds that are enabled through Ometria instead.",
        "off",
        "sandbox",
        "live",
    ),
    number(
        "mail.requests_per_second",
        "Mails per second",
        "Ometria's limit for transactional mails of the key, shared by all workers.",
        default=10,
        low=1,
        high=100,
    ),
    number(
        "mail.patience_seconds",
        "Seconds of patience",
        "How long a mail waits for the shop's data or for Ometria before the shop's own mail goes out.",
        default=120,
        low=0,
        high=3600,
    ),
    number(
        "mail.reset_link_minutes",
        "Minutes of a reset link",
        "How long the shop's link to a new password works (customer/password/reset_link_expiration_period). A mail "
        "older than that is relayed at once, without another try.",
        default=120,
        low=5,
        high=10_080,
    ),
    switch(
        "mail.send_subject",
        "Send the subject",
        "Give Ometria the subject of the shop's own mail. Off: the template's subject is used.",
        default=True,
    ),
    switch(
        "mail.attachments",
        "Pass attachments",
        "Give Ometria the PDF, PNG and JPEG files of a mail (at most 10, 10 MB in all); a mail with another file is "
        "relayed as it is. Off: mails go through Ometria without their files.",
        default=True,
    ),
    choice(
        "mail.other_on_uncertain",
        "Other mails: when the outcome is unknown",
        "What follows for a mail that is none of the seven when the upstream server's answer was lost: resend, which "
        "may make it two, or hold.",
        "resend",
        "hold",
    ),
    *(setting for kind, name in MAIL_KINDS.items() for setting in _kind(kind, name)),
    *(_other(native, name) for native, name in OTHER_MAILS.items()),
)


def shared_template(values: Mapping[str, Any], kind: str) -> str:
    """Return another kind that has the same template id in these resolved values, or an empty text."""
    own = values[f"mail.{kind}.template_id"]
    others = (other for other in MAIL_KINDS if other != kind and own)
    return next((other for other in others if values[f"mail.{other}.template_id"] == own), "")
