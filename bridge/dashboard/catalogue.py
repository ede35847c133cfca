"""The catalogue of the dashboard's English text, ``translations/messages.pot``: written by ``make catalogue``.

Texts stand in templates as ``_('…')``, in the dashboard's modules as ``_("…")`` and ``mark("…")``. What the other rooms
hold in tables (the settings, the kinds of mail, states) is told by :func:`texts`: those rooms know no languages. The
file names no line, date or version, so it changes with the texts and with nothing else.
"""

from __future__ import annotations

import io
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

from bridge.alerts import rules as alert_rules
from bridge.alerts.channels import CHANNELS, NO_UPSTREAM
from bridge.auth import ROLES
from bridge.dashboard.fields import words_of
from bridge.dashboard.live_page import EVENT_KINDS
from bridge.dashboard.sections import sections
from bridge.dashboard.sentences import sentences
from bridge.events import KINDS
from bridge.export.drift_report import STATES
from bridge.settings import MAIL_KINDS, OTHER_MAILS, SETTINGS
from bridge.store.magento_rights import RIGHTS
from bridge.tracking.page_views import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = ("bridge", "bridge/dashboard", "bridge/settings", "templates", "templates/dashboard", "templates/errors")
KEYWORDS = {**DEFAULT_KEYWORDS, "mark": None}
HEADER = "# The English texts of bridge's dashboard; `make catalogue` writes this file."
UNSTABLE = ("POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator", "Language-Team", "Report-Msgid")
WORDS = {
    "state of an export": ("running", "paused", "done", "cancelled", "failed"),
    "state of a coupon code": ("sending", "stock", "given", "expired", "revoked", "gone"),
    "state of a request for codes": ("open", "done", "failed"),
    "state of a record": ("waiting", "sent", "confirmed", "refused"),
    "step of a record": (
        *("seen", "queued", "merged", "warned", "sent", "answered", "confirmed", "set aside", "being sent", "next try"),
        *("given back", "refused", "skipped", "skip", "done", "gone", "late error"),
    ),
    "kind of a call": (*KINDS, "mail", "errors", "list"),
    "mode of mail": ("off", "sandbox", "live"),
}
"""Words of the database that are shown as they are: what they are -> the words."""


def texts() -> Iterator[tuple[str, str]]:
    """Return the texts that stand in tables of other rooms, each with what it is."""
    for one in SETTINGS:
        yield one.label, f"label of {one.key}"
        yield one.help, f"help of {one.key}"
        if one.widget != "mapping":
            yield from ((words_of(choice), f"choice of {one.key}") for choice in one.choices)
    for section in sections():
        yield section.label, f"section {section.name}"
    yield from ((name, f"kind of mail, {kind}") for kind, name in chain(MAIL_KINDS.items(), OTHER_MAILS.items()))
    yield from ((role, "role") for role in ROLES)
    yield from ((text, "alert") for text in (*alert_rules.KINDS.values(), *alert_rules.ADVICE.values()))
    yield from ((text, "channel of alerts") for text in (*CHANNELS.values(), NO_UPSTREAM))
    yield from ((kind.replace("_", " "), "kind of event") for kind in EVENT_KINDS)
    yield from ((kind, "page type") for kind in sorted(TYPES))
    yield from ((state, "difference") for state in STATES)
    yield from sentences()
    yield from ((right[1], f"what the right {right[0]} is for") for right in RIGHTS)
    yield from ((word, about) for about, words in WORDS.items() for word in words)


def extract_rooms(*_: Any, **_options: Any) -> Iterator[tuple[int, None, str, list[str]]]:
    """Give :func:`texts` to the extraction, in the form that Babel asks of a method: line, function, text, comments."""
    yield from ((1, None, text, [about]) for text, about in texts() if text)


def make(root: Path) -> str:
    """Return the catalogue of the sources below ``root``, with the mapping of its ``babel.cfg``."""
    with (root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call] # the library has no types here
    catalogue = Catalog(project="bridge", header_comment=HEADER, charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        root,
        methods,
        options,
        keywords=KEYWORDS,
        directory_filter=lambda folder: Path(folder).resolve().relative_to(root.resolve()).as_posix() in FOLDERS,
    )
    for name, _line, message, comments, context in sorted(found, key=lambda one: (one[0], one[1], str(one[2]))):
        catalogue.add(message, None, [(Path(name).as_posix(), 1)], auto_comments=comments, context=context)
    out = io.BytesIO()
    write_po(out, catalogue, width=120, include_lineno=False)
    lines = out.getvalue().decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith(tuple(f'"{name}' for name in UNSTABLE))) + "\n"


def main() -> None:
    """Write the catalogue beside the sources that the working directory holds."""
    path = Path("translations/messages.pot")
    path.parent.mkdir(exist_ok=True)
    path.write_text(make(Path()), encoding="utf-8")
    sys.stdout.write(f"{path}: written\n")


if __name__ == "__main__":
    main()
