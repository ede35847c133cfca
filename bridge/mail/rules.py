"""Subject rules: which native mails a subject can be. The weakest layer: it only confirms what the structure allows.

A rule is a subject with ``{store}`` for the shop's name and ``*`` for any words; case and white space do not count.
Magento's English subjects are always known, those of the mails that are never replaced too: a subject that two rules
take for different mails confirms neither.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bridge.errors import Misconfigured
from bridge.mail.natives import KIND_OF, NATIVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SUBJECT_MOST = 998
LETTERS_LEAST = 6
"""Letters that a rule must have beside its wildcards: a shorter one would fit too much."""
WILD_MOST = 4

_WILD = re.compile(r"(\{store\}|\*)")
_SPACE = re.compile(r"\s+")
_DIGITS = re.compile(r"#?\s?\b(?=[A-Za-z/_-]*[0-9])[A-Za-z0-9/_-]{4,50}\b")


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern, and the native mail that a subject of this pattern is."""

    native: str
    pattern: str

    @property
    def weight(self) -> int:
        """How many characters the pattern has beside its wildcards."""
        return len(_WILD.sub("", self.pattern))

    def fits(self, subject: str) -> bool:
        """Return whether a subject is of this pattern."""
        return _is_of(_plain(subject)[:SUBJECT_MOST], _parts(self.pattern))


DEFAULTS: tuple[Rule, ...] = tuple(
    Rule(native, pattern)
    for native, pattern in (
        ("order_new", "Your {store} order confirmation"),
        ("order_update", "Update to your {store} order"),
        ("shipment_new", "Your {store} order has shipped"),
        ("password_forgot", "Reset your {store} password"),
        ("password_changed", "Your {store} password has been changed"),
        ("stock_alert", "Products back in stock alert"),
        ("account_new", "Welcome to {store}"),
        ("account_confirmation", "Please confirm your {store} account"),
        ("email_changed", "Your {store} email has been changed"),
        ("email_password_changed", "Your {store} email and password has been changed"),
        ("invoice_new", "Invoice for your {store} order"),
        ("invoice_update", "Update to your {store} invoice"),
        ("creditmemo_new", "Credit memo for your {store} order"),
        ("creditmemo_update", "Update to your {store} credit memo"),
        ("shipment_update", "Update to your {store} shipment"),
        ("price_alert", "Products price changed alert"),
        ("newsletter_success", "Newsletter subscription success"),
        ("newsletter_confirm", "Newsletter subscription confirmation"),
        ("newsletter_unsubscribed", "Newsletter unsubscription success"),
        ("wishlist_share", "Take a look at * Wish List"),
        ("other", "Contact Form"),
        # Without the shop's name these would fit "Your {store} password has been changed".
        ("email_changed", "Your email has been changed"),
        ("email_password_changed", "Your email and password has been changed"),
    )
)
"""The subjects of Magento's own English templates."""


def natives_of(subject: str, rules: Iterable[Rule]) -> frozenset[str]:
    """Return the native mails that a subject can be by the rules; empty when none fits.

    Of rules that fit the ones with the most words of their own count: "Your {store} password has been changed" fits
    also where the e-mail was changed too, which a longer rule says.
    """
    fitting = [rule for rule in rules if rule.fits(subject)]
    most = max((rule.weight for rule in fitting), default=0)
    return frozenset(rule.native for rule in fitting if rule.weight == most)


def rules_of(values: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of a scope: its own ``mail.<kind>.subject_rule`` settings, and Magento's English subjects."""
    return (*(Rule(native, line) for native in NATIVES for line in _lines(values, key_of(native))), *DEFAULTS)


def key_of(native: str) -> str:
    """Return the setting that holds a native mail's rules, one a line."""
    return f"mail.{KIND_OF[native]}.subject_rule" if native in KIND_OF else f"mail.other.{native}_subjects"


def _lines(values: Mapping[str, Any], key: str) -> list[str]:
    try:
        return [line.strip() for line in str(values[key]).splitlines() if line.strip()]
    except KeyError:
        return []


def learned(subject: str, native: str, rules: Iterable[Rule], *, names: Iterable[str] = (), store: str = "") -> Rule:
    """Return the rule for mails with a subject like this one, that a person says to be ``native``.

    The shop's name ``store`` becomes ``{store}``; numbers and the ``names`` of people become ``*``. Raises
    :class:`Misconfigured` when too little is left to tell anything (about ``names``), or when a rule takes the subject
    for another mail (about ``native``).
    """
    if native not in NATIVES:
        raise Misconfigured(f"{native!r} is no mail of the shop.", "native")
    pattern = _plain(subject, fold=False).replace("*", " ").replace("{", " ").replace("}", " ")
    for name in sorted({_plain(name, fold=False) for name in names if len(name.strip()) > 1}, key=len, reverse=True):
        pattern = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "*", pattern, flags=re.IGNORECASE)
    pattern = _DIGITS.sub("*", pattern)
    if store.strip():
        pattern = re.sub(re.escape(_plain(store, fold=False)), "{store}", pattern, count=1, flags=re.IGNORECASE)
    pattern = _SPACE.sub(" ", pattern).strip()
    checked(pattern, "names")
    if taken := natives_of(subject, rules) - {native}:
        named = " and ".join(sorted(taken))
        raise Misconfigured(f"This subject is taken for {named} already: change that rule first.", "native")
    return Rule(native, pattern)


def taught(values: Mapping[str, Any], rule: Rule) -> tuple[str, str]:
    """Return the setting to write a learned rule to and its new value, beside what the scope's ``values`` hold."""
    key = key_of(rule.native)
    return key, "\n".join(dict.fromkeys([*_lines(values, key), rule.pattern]))


def shop_name(subject: str, senders: Iterable[str]) -> str:
    """Return the shop's name as far as a subject and a sender's name share it: their longest run of equal words."""
    said = _plain(subject, fold=False).split()
    plain = [word.casefold().strip(".,:;!?") for word in said]
    best: list[str] = []
    for sender in senders:
        named = sender.casefold().split()
        for start in [at for at, word in enumerate(plain) if word in named]:
            for end in range(len(said), start + len(best), -1):
                run = plain[start:end]
                if any(run == named[at : at + len(run)] for at in range(len(named))):
                    best = said[start:end]
                    break
    found = " ".join(best).strip(".,:;!?")
    return found if len(found) > 2 else ""


def checked(pattern: str, field: str = "") -> str:
    """Return a pattern that tells enough; raises :class:`Misconfigured` about ``field`` for one that fits too much."""
    wild = _WILD.findall(pattern)
    if len(wild) > WILD_MOST:
        raise Misconfigured(f"A subject rule takes at most {WILD_MOST} of {{store}} and *.", field)
    if sum(mark.isalpha() for mark in _WILD.sub("", pattern)) < LETTERS_LEAST:
        raise Misconfigured(f"A subject rule takes at least {LETTERS_LEAST} letters beside {{store}} and *.", field)
    return pattern


def _plain(subject: str, *, fold: bool = True) -> str:
    text = _SPACE.sub(" ", unicodedata.normalize("NFKC", subject)).strip()
    return text.casefold() if fold else text


@lru_cache(maxsize=1024)
def _parts(pattern: str) -> tuple[str, ...]:
    """Return the words of a pattern between its wildcards."""
    return tuple(_WILD.split(_plain(pattern))[::2])


def _is_of(subject: str, parts: tuple[str, ...]) -> bool:
    """Return whether a subject has all parts in order, the first at its begin and the last at its end."""
    first, *others = parts
    if not others:
        return subject == first
    *middle, last = others
    place = len(first)
    if not subject.startswith(first) or not subject.endswith(last):
        return False
    for part in middle:
        found = subject.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return place <= len(subject) - len(last)
