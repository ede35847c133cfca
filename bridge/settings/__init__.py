"""Shop settings: one table, resolved store view <- website <- default."""

from bridge.settings.book import DEFAULT, Account, Book, Settings, Store, account_id
from bridge.settings.cache import Books
from bridge.settings.clashes import GONE, clash
from bridge.settings.definition import Setting
from bridge.settings.kinds import MappedAttribute, mapped_attributes
from bridge.settings.mail import MAIL_KINDS, OTHER_MAILS, is_placeholder, shared_template
from bridge.settings.saved import (
    known_scope,
    load_book,
    mask,
    read_snapshot,
    save_tree,
    set_value,
    unset_value,
    version,
    write_snapshot,
)
from bridge.settings.table import BY_KEY, SETTINGS, caution, parse, setting

__all__ = [
    "BY_KEY",
    "DEFAULT",
    "GONE",
    "MAIL_KINDS",
    "OTHER_MAILS",
    "SETTINGS",
    "Account",
    "Book",
    "Books",
    "MappedAttribute",
    "Setting",
    "Settings",
    "Store",
    "account_id",
    "caution",
    "clash",
    "is_placeholder",
    "known_scope",
    "load_book",
    "mapped_attributes",
    "mask",
    "parse",
    "read_snapshot",
    "save_tree",
    "set_value",
    "setting",
    "shared_template",
    "unset_value",
    "version",
    "write_snapshot",
]
