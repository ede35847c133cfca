"""The dashboard in another language: every text of every page comes from the catalogue."""

from __future__ import annotations

import html
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bridge.dashboard import language
from bridge.dashboard.catalogue import make
from bridge.dashboard.sentences import said, sentences
from bridge.db import db
from bridge.mail.setup import ALL_OFF, SWITCHES, template_lines
from bridge.models import EventLog, RequestLog
from bridge.settings import MAIL_KINDS
from bridge.store.magento_rights import RIGHTS
from tests.dashboard.desk import BASE, ROOT, FakeRedis, read_form, save, sign_in, token
from tests.dashboard.export_desk import account, furnish
from tests.dashboard.routes import pages

CODE = "eo"
"""The made language goes by a code of a real one, since Babel takes no other."""
POT = ROOT / "translations" / "messages.pot"
KEPT = re.compile(r"%%|%\([a-z_0-9]+\)[sd]|&[a-z#0-9]+;|<[^>]*>")
WORD = re.compile(r"(?<![\w\u0301])[A-Za-z][a-z]{2,}(?![\w\u0301])")


def accented(text):
    """Return a text whose every letter carries an accent; placeholders and entities stay."""
    parts, last = [], 0
    for match in [*KEPT.finditer(text), None]:
        end = match.start() if match else len(text)
        parts.append(re.sub(r"[A-Za-z]", lambda letter: letter.group() + "\u0301", text[last:end]))
        if match:
            parts.append(match.group())
            last = match.end()
    return "".join(parts)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder of catalogues with one compiled language."""
    folder = tmp_path_factory.mktemp("translations")
    with POT.open("rb") as file:
        catalogue = read_po(file, locale=CODE)
    for message in catalogue:
        if isinstance(message.id, tuple):
            message.string = tuple(accented(one) for one in message.id)
        elif message.id:
            message.string = accented(message.id)
    target = folder / CODE / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True)
    with target.open("wb") as file:
        write_mo(file, catalogue)
    return folder


@pytest.fixture
def abroad(make_app, made):
    app = make_app(FakeRedis({}), translations=made)
    furnish(app)
    return app


def visitor(app, role="owner"):
    client = app.test_client()
    sign_in(client, role)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = f"{CODE}, en;q=0.5"
    return client


MAGENTO = [
    *(text for texts in SWITCHES.values() for text in texts),
    ALL_OFF,
    *(f"{one.name} {one.path}" for kind in MAIL_KINDS for one in template_lines(kind)),
    *(right[0] for right in RIGHTS),
    "Marketing > Promotions > Cart Price Rules",
]
"""Menus and templates of Magento, named as its backend does in English."""
OWN_WORDS = {
    *("bridge", "Ometria", "Magento", "Redis", "sqlite", "Pygal", "Esperanto", "and"),
    # Names of the shop in the tests, a zone, an address, the end of a key, and who did what as the audit log keeps it.
    *("Main", "Website", "Outlet", "English", "Deutsch", "default", "Europe", "London", "html", "abcd"),
    *("test", "user", "password", "added", "owner", "editor", "viewer"),
    # Values of settings, and old keys of the Magento module.
    *("customers", "subscribers", "complete", "pending", "processing", "none"),
    *("account", "advanced", "apikey", "general", "off", "ometria", "privatekey"),
    # A schedule in words and the month of a run: CronSim and Babel tell them, in their own languages.
    *("Every", "minute", "Nov"),
    *(word for text in MAGENTO for word in re.findall("[A-Za-z]{3,}", text)),
}
"""What is the same in every language: names, codes, and what is kept as it was written."""
DATA = re.compile(
    r"<(script|style|pre|time|output)\b.*?</\1>|<(span|td|a|input|textarea|li|small|datalist|th)\b"
    r"[^>]*class=\"[^\"]*\b(?:code|was|is-now|value)\b[^\"]*\"[^>]*>.*?</\2>|<small>.*?</small>|<datalist.*?</datalist>",
    re.DOTALL,
)
"""Parts of a page that show data or what a person types: codes, records, times."""


def english(page):
    """Return the words of a page that are plain English letters: of its text, and of what screen readers say."""
    body = DATA.sub(" ", page)
    said = re.findall(r'\b(?:aria-label|title|alt|placeholder|data-late|data-open|data-paused)="([^"]*)"', body)
    text = re.sub(r"<[^>]*>", " ", body)
    return [word for word in WORD.findall(html.unescape(" ".join([text, *said]))) if word not in OWN_WORDS]


def test_the_catalogue_that_is_committed_is_what_the_sources_hold_now():
    assert POT.read_text(encoding="utf-8") == make(ROOT), "run `make catalogue`"


def test_no_text_of_a_page_is_outside_of_the_catalogue(abroad):
    with abroad.app_context():
        fill()
    client = visitor(abroad)
    left, seen = {}, 0
    for path in pages(abroad):
        answer = client.get(path, buffered=True)
        if answer.mimetype not in {"text/html", "image/svg+xml"} or answer.status_code == 302:
            continue
        page = answer.get_data(as_text=True)
        seen += "\u0301" in page
        if words := english(page):
            left[path] = words
    assert not left
    assert seen > 30


def test_what_a_form_says_is_in_the_language_of_its_reader(abroad):
    client = visitor(abroad)
    refused = [
        save(client, "export", export__schedule="* * * * * *"),
        save(client, "export", export__max_per_run="0"),
        save(client, "products", products__namespace="a:b"),
        save(client, "mail", mail__stock_alert__template_id="letters"),
        client.post(
            f"{BASE}/history", data={"csrf_token": token(client, f"{BASE}/history"), "kind": "all", "since": "x"}
        ),
        client.post(f"{BASE}/mail/test", data={"csrf_token": token(client, f"{BASE}/mail/setup"), "kind": "none"}),
        client.post(
            f"{BASE}/coupons", data={"csrf_token": token(client, f"{BASE}/coupons"), "name": "a", "rule_id": "b"}
        ),
        client.get(f"{BASE}/logs/errors?since=yesterday"),
        client.get(f"{BASE}/mail?kind=nothing"),
        client.post(
            f"{BASE}/settings-file", data={"csrf_token": token(client, f"{BASE}/settings-file"), "text": "a: [b"}
        ),
    ]
    for answer in refused:
        page = answer.get_data(as_text=True)
        told = re.findall(r'class="(?:wrong|note is-bad)"[^>]*>(.*?)</(?:p|div)>', page, re.DOTALL)
        assert answer.status_code in {400, 422}
        assert told, answer.request.path
        assert not english(" ".join(told)), told
        assert "\u0301" in told[-1]


def test_what_was_done_is_told_in_the_language_of_its_reader(abroad):
    client = visitor(abroad)
    assert save(client, "export", export__live="0", drop=("default.export.live",)).status_code == 303
    page = client.get(f"{BASE}/settings/export").get_data(as_text=True)
    told = re.search(r'<div class="note is-good".*?</div>', page, re.DOTALL).group()
    assert "\u0301" in told
    assert not english(told)


def test_a_browser_that_asks_for_no_language_there_is_reads_english(abroad):
    client = visitor(abroad)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "tlh, de;q=0.3"
    page = client.get(f"{BASE}/").get_data(as_text=True)
    assert '<html lang="en" dir="ltr">' in page
    assert "<h1>Overview</h1>" in page
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = f"tlh, {CODE};q=0.3"
    assert f'<html lang="{CODE}" dir="ltr">' in client.get(f"{BASE}/").get_data(as_text=True)


def test_a_person_chooses_the_language_in_this_browser_before_what_it_asks_for(abroad):
    client = visitor(abroad, "viewer")
    form = read_form(client.get(f"{BASE}/password").get_data(as_text=True))
    assert form["language"] == CODE
    answer = client.post(f"{BASE}/language", data={"csrf_token": form["csrf_token"], "language": "en"})
    assert (answer.status_code, answer.location) == (303, f"{BASE}/password")
    kept = answer.headers["Set-Cookie"]
    assert all(part in kept for part in ("bridge_language=en", "HttpOnly", "SameSite=Lax", f"Path={BASE}"))
    assert "<h1>Your password</h1>" in client.get(f"{BASE}/password").get_data(as_text=True)
    wrong = client.post(f"{BASE}/language", data={"csrf_token": form["csrf_token"], "language": "../de"})
    assert wrong.status_code == 400


def test_with_english_alone_there_is_nothing_to_choose(signed_in):
    client = signed_in("viewer")
    page = client.get(f"{BASE}/password", headers={"Accept-Language": "de"}).get_data(as_text=True)
    assert 'name="language"' not in page
    assert '<html lang="en" dir="ltr">' in page


def test_a_catalogue_that_is_no_language_or_not_compiled_is_not_there(made, tmp_path):
    assert language.found_in(made) == ("en", CODE)
    for name in ("no-language", "de"):
        (tmp_path / name / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "no-language" / "LC_MESSAGES" / "messages.mo").write_bytes(b"")
    assert language.found_in(tmp_path) == ("en",)
    assert language.found_in(None) == ("en",)


def test_markup_in_a_value_or_in_a_text_of_a_table_stays_text(abroad):
    template = "{{ _('Rule %(id)s', id=given) }}{{ given | translated }}{{ given | said }}"
    with abroad.test_request_context():
        shown = abroad.jinja_env.from_string(template).render(given="<b>50%</b>")
    assert shown == "Rule " + "&lt;b&gt;50%&lt;/b&gt;" * 3


def test_a_template_that_was_made_in_one_language_speaks_the_next(abroad):
    template = abroad.jinja_env.from_string("{{ 'Customers' | translated }} {{ _('Menu') }} 50%")
    seen = []
    for code in (CODE, "en"):
        with abroad.test_request_context(headers={"Accept-Language": code}):
            seen.append(template.render())
    assert seen == [f"{accented('Customers')} {accented('Menu')} 50%", "Customers Menu 50%"]


def test_every_sentence_of_another_room_is_known_by_its_own_pattern(abroad):
    with abroad.test_request_context(headers={"Accept-Language": CODE}):
        for text, file in sentences():
            made_one = re.sub(r"%\([a-z_0-9]+\)s", "7", text).replace("%%", "%")
            assert "\u0301" in said(made_one), (file, text)


def test_the_wheel_holds_the_catalogues_and_three_commands_make_one(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    held = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert held["translations"] == "bridge/_translations"
    pybabel = str(Path(sys.executable).with_name("pybabel"))
    for words in (
        ["init", "-i", str(POT), "-d", str(tmp_path), "-l", "de"],
        ["update", "-i", str(POT), "-d", str(tmp_path), "-l", "de"],
        ["compile", "-d", str(tmp_path)],
    ):
        subprocess.run([pybabel, *words], check=True, capture_output=True, cwd=tmp_path, timeout=60)
    assert language.found_in(tmp_path) == ("en", "de")


def fill():
    """Give the lists of the pages something to show."""
    now, one = time.time(), account()
    db.session.add(EventLog(id="e1", at=now, type="order_placed", store="default", summary="1"))
    db.session.add(EventLog(id="e2", at=now - 60, type="basket_changed", store="default", summary="2"))
    for number, outcome in enumerate(("accepted", "refused", "retry")):
        call = {"account": one, "kind": "order", "records": 1, "status": 202, "milliseconds": 3, "message": ""}
        db.session.add(RequestLog(at=now - number, request_id=f"r-{number}", outcome=outcome, **call))
    db.session.commit()
