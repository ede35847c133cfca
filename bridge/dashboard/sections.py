"""The sections of the settings, in the order of Magento's configuration screens."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.dashboard.language import mark
from bridge.settings import SETTINGS, Setting


@dataclass(frozen=True, slots=True)
class Section:
    """One page of settings: the part of the key before the dot, and how people call it."""

    name: str
    label: str
    icon: str
    intro: str

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The definitions of this section, in the order of the table."""
        return tuple(setting for setting in SETTINGS if setting.section == self.name)


_KNOWN = (
    Section(
        "general",
        mark("General settings"),
        "sliders",
        mark("Which Ometria account this shop feeds, and how stores are named."),
    ),
    Section(
        "global",
        mark("Global account"),
        "globe2",
        mark("A second account that receives a copy of what the stores send."),
    ),
    Section(
        "export", mark("Data export"), "cloud-upload", mark("When waiting records are sent, and how many at a time.")
    ),
    Section(
        "customers", mark("Customers"), "people", mark("How customers and subscribers become contacts at Ometria.")
    ),
    Section("products", mark("Products"), "box-seam", mark("How products and their images are described to Ometria.")),
    Section("orders", mark("Orders"), "receipt", mark("How orders are described, and which of them count as revenue.")),
    Section(
        "quality",
        mark("Data quality"),
        "patch-check",
        mark("What becomes of records that Ometria could make little use of."),
    ),
    Section("tracking", mark("Tracking"), "graph-up", mark("What the tag in the pages of the shop records.")),
    Section("consent", mark("Consent"), "hand-thumbs-up", mark("When a visitor counts as having agreed to tracking.")),
    Section(
        "mail", mark("Transactional emails"), "envelope", mark("Which mails of the shop are sent through Ometria.")
    ),
    Section("coupons", mark("Coupons"), "ticket-perforated", mark("How Ometria asks for coupon codes.")),
    Section("alerts", mark("Alerts"), "bell", mark("Who is told when something stops.")),
    Section("logging", mark("Logs"), "journal-text", mark("What is written down about the work, beyond its outcome.")),
    Section("privacy", mark("Privacy"), "shield-lock", mark("How long personal data and logs are kept.")),
)


def sections() -> tuple[Section, ...]:
    """Return the sections that hold settings; one that this page does not know yet comes last, under its own name."""
    used = {setting.section for setting in SETTINGS}
    known = {section.name for section in _KNOWN}
    others = tuple(Section(name, name.replace("_", " ").capitalize(), "gear", "") for name in sorted(used - known))
    return tuple(section for section in _KNOWN if section.name in used) + others
