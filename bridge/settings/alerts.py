"""Settings of alerts: when something counts as wrong, and who is told. They hold for the whole installation."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bridge.errors import Misconfigured
from bridge.settings.definition import Setting
from bridge.settings.kinds import whole

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
ADDRESSES_MOST = 10
HOURS = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
WEBHOOK_MOST = 1000


def addresses(value: Any) -> list[str]:
    """Return e-mail addresses given as a list, or as text parted by commas or white space."""
    found = value if isinstance(value, list) else re.split(r"[,\s]+", str(value))
    kept = list(dict.fromkeys(str(one).strip() for one in found if str(one).strip()))
    if len(kept) > ADDRESSES_MOST or not all(ADDRESS.fullmatch(one) for one in kept):
        raise Misconfigured(f"it takes e-mail addresses parted by commas, at most {ADDRESSES_MOST}.")
    return kept


def sender(value: Any) -> str:
    """Return one e-mail address, or an empty text."""
    found = str(value).strip()
    if found and not ADDRESS.fullmatch(found):
        raise Misconfigured("it takes an e-mail address, or nothing.")
    return found


def shop_hours(value: Any) -> str:
    """Return hours of the day as ``8-22``, or an empty text; ``18-2`` is over midnight."""
    found = "".join(str(value).split())
    if not found:
        return ""
    match = HOURS.fullmatch(found)
    first, last = (int(match[1]), int(match[2])) if match else (0, 0)
    if first == last or first > 23 or last > 24:
        raise Misconfigured("it takes two hours of the day such as 8-22, or nothing.")
    return f"{first}-{last}"


def hours_of(text: str) -> tuple[int, int] | None:
    """Return the first hour and the one that ends the day, as :func:`shop_hours` wrote them; None for none."""
    match = HOURS.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def webhook(value: Any) -> str:
    """Return an address to post to. It may hold a token: no sentence repeats it."""
    found = str(value)
    try:
        parts = urlsplit(found)
        good = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not re.fullmatch(rf"[\x21-\x7e]{{1,{WEBHOOK_MOST}}}", found):
        raise Misconfigured("it takes an address that begins with https:// and has no spaces.")
    if "@" in parts.netloc:
        raise Misconfigured("it takes no name and password before the host: put what it needs into the path or query.")
    if parts.fragment:
        raise Misconfigured("it takes no # in the address: what follows is never sent.")
    return found


def _plain(value: Any) -> str:
    if not str(value).startswith("http://"):
        return ""
    return "http is taken only for hosts that BRIDGE_ALERT_HOSTS names: use https for every other."


ALERTS = (
    Setting(
        "alerts.email",
        "E-mail addresses",
        "Who gets a mail when something goes wrong and when it is over, parted by commas. It goes by "
        "BRIDGE_SMTP_UPSTREAM. Empty: nobody.",
        [],
        addresses,
        "words",
        shopwide=True,
    ),
    Setting(
        "alerts.sender",
        "Sender of these mails",
        "Address from which they come. Empty: bridge at the host of BRIDGE_PUBLIC_URL.",
        "",
        sender,
        "text",
        shopwide=True,
    ),
    Setting(
        "alerts.webhook",
        "Webhook",
        "Address that is posted a JSON object when something goes wrong and when it is over. Hosts of private "
        "networks, and http, only where BRIDGE_ALERT_HOSTS names them. Empty: none.",
        "",
        webhook,
        "secret",
        caution=_plain,
        shopwide=True,
    ),
    Setting(
        "alerts.backlog_minutes",
        "Minutes of a backlog",
        "Live changes that have waited so long for Ometria are an alert.",
        30,
        whole(5, 1440),
        "number",
        shopwide=True,
    ),
    Setting(
        "alerts.shop_hours",
        "Shop hours",
        "Hours of the day, in the shop's time zone, in which an hour without any event of a visitor is an alert, such "
        "as 8-22. Empty: never.",
        "",
        shop_hours,
        "text",
        shopwide=True,
    ),
)
