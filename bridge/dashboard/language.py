"""The language of the dashboard: English, or a catalogue in ``translations/`` that a browser or a person asks for.

English is what the source says; a language is there when ``translations/<code>/LC_MESSAGES/messages.mo`` is. The shop's
pages and the sandbox are not concerned: they speak the language of their store view. What is kept in the database
(reasons, refusals, log lines) stays English, so that it reads the same whoever looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask_babel
from babel import Locale, UnknownLocaleError
from flask import abort, current_app, g, has_app_context, has_request_context, redirect, request, url_for
from flask_babel import Babel, get_locale
from jinja2 import pass_context
from markupsafe import Markup

from bridge.auth import login_required

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from werkzeug.wrappers import Response

SOURCE = "en"
EXTENSION = "bridge.languages"
COOKIE = "bridge_language"
COOKIE_SECONDS = 365 * 86_400
DOMAIN = "messages"


def init_language(app: Flask, folder: Path | None) -> None:
    """Give the templates ``_()`` and ``| translated``; the catalogues of ``folder`` are read once, when first used."""
    app.extensions[EXTENSION] = found_in(folder)
    Babel(app, default_locale=SOURCE, default_translation_directories=str(folder or ""), locale_selector=chosen)
    app.jinja_env.globals.update({"_": markup, "gettext": markup, "ngettext": markup_of_many})
    app.jinja_env.filters["translated"] = translated_filter


def found_in(folder: Path | None) -> tuple[str, ...]:
    """Return the codes of the languages there are: English first, then those with a compiled catalogue."""
    compiled = folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo") if folder is not None else ()
    codes = sorted(path.parts[-3] for path in compiled)
    return (SOURCE, *(code for code in codes if code != SOURCE and _locale(code)))


def chosen() -> str:
    """Return the language of this request: what the person chose in this browser, else what the browser prefers."""
    codes: tuple[str, ...] = current_app.extensions[EXTENSION]
    if len(codes) == 1 or not has_request_context():
        return SOURCE
    kept = request.cookies.get(COOKIE, "")
    if kept in codes:
        return kept
    return request.accept_languages.best_match(codes, SOURCE) or SOURCE


def choices() -> list[tuple[str, str]]:
    """Return code and own name of each language; empty while there is nothing to choose."""
    codes: tuple[str, ...] = current_app.extensions[EXTENSION]
    return [(code, _own_name(code)) for code in codes] if len(codes) > 1 else []


@login_required("viewer")
def choose_language() -> Response:
    """Keep the language that a person chose, in this browser; all pages are in it from now on."""
    code = request.form.get("language", "")
    codes: tuple[str, ...] = current_app.extensions[EXTENSION]
    if code not in codes:
        abort(400)
    answer = redirect(url_for("dashboard.password"), 303)
    answer.set_cookie(
        COOKIE,
        code,
        max_age=COOKIE_SECONDS,
        path=current_app.config["SESSION_COOKIE_PATH"],
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return answer


def context() -> dict[str, Any]:
    """Return what the frame says about itself: the language of the page, its direction, and the others."""
    locale = get_locale()
    return {
        "language": str(locale).replace("_", "-") if locale else SOURCE,
        "direction": locale.text_direction if locale else "ltr",
        "languages": choices(),
    }


def gettext(text: str, /, **values: Any) -> str:
    """Return a text in the language of this request, its ``%(name)s`` filled with ``values``; modules call it ``_``."""
    found = _message(text)
    return found % values if values else found


def ngettext(one: str, many: str, count: int, /, **values: Any) -> str:
    """Return the text for a count of things, which is ``%(num)s`` in it."""
    return _plural(one, many, count) % {"num": count, **values}


def mark(text: str) -> str:
    """Return ``text`` as it is: the name tells the extraction that this text is translated where it is shown."""
    return text


def translated(text: str) -> str:
    """Return a text of a table (a setting's label, a state) in the language of this request; it is no markup."""
    return gettext(text) if text else ""


def labelled(form: Any) -> Any:
    """Return a form (WTForms) whose labels and descriptions are in the language of this request."""
    for field in form:
        field.label.text = translated(str(field.label.text))
        field.description = translated(str(field.description))
    return form


def markup(text: str, /, **values: Any) -> Markup:
    """Return a text of a template, with its values escaped: what ``_()`` is there; percent signs are doubled in it."""
    found = _message(text)
    return Markup(found) % values if values else Markup(found.replace("%%", "%"))  # noqa: S704 a text of the source


def markup_of_many(one: str, many: str, count: int, /, **values: Any) -> Markup:
    """Return the text for a count of things, which is ``%(num)s`` in it: what ``ngettext()`` is in a template."""
    return Markup(_plural(one, many, count)) % {"num": count, **values}  # noqa: S704 a text of the source


@pass_context
def translated_filter(_context: Any, text: str) -> str:
    """Return :func:`translated`; with the context in hand Jinja does not take it for a constant of the template."""
    return translated(text)


def _message(text: str) -> str:
    words = _words()
    return text if words is None else str(words.ugettext(text))


def _plural(one: str, many: str, count: int) -> str:
    words = _words()
    if words is None:
        return one if count == 1 else many
    return str(words.ungettext(one, many, count))


def _words() -> Any:
    """Return the catalogue of this request, None without an application that has languages, as in commands and jobs.

    A page asks for some hundred texts: Flask-Babel's own way to the catalogue costs more than the text.
    """
    if not has_app_context():
        return None
    if EXTENSION not in g:
        # The source's own language is not looked up text by text.
        foreign = EXTENSION in current_app.extensions and chosen() != SOURCE
        setattr(g, EXTENSION, flask_babel.get_translations() if foreign else None)
    return g.get(EXTENSION)


def _locale(code: str) -> Locale | None:
    try:
        return Locale.parse(code)
    except (ValueError, UnknownLocaleError):
        return None


def _own_name(code: str) -> str:
    locale = _locale(code)
    return (locale.get_display_name() if locale else None) or code


__all__ = [
    "SOURCE",
    "choose_language",
    "chosen",
    "context",
    "found_in",
    "gettext",
    "init_language",
    "labelled",
    "mark",
    "ngettext",
    "translated",
]
