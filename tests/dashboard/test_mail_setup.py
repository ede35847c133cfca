"""Setting up mail as a page: marker lines, what was seen, test sends, and mails that a person names."""

from __future__ import annotations

import html
import re

import pytest

from bridge.db import db
from bridge.mail import seen, setup
from bridge.mail.letter import Mailbox
from bridge.mail.mailer import EXTENSION, Mailer
from bridge.models_mail import MailDelivery, MailLetter
from bridge.ometria import MailAnswer
from bridge.settings import MAIL_KINDS, load_book, set_value
from tests.dashboard.desk import API_KEY, BASE, token
from tests.dashboard.test_beside import only_there

PAGE = f"{BASE}/mail/setup"
SUBJECT = "Acme: Bestellung 100045 von Erika Muster"


class Ometria:
    """What the page asks of Ometria; it keeps what it was given."""

    def __init__(self, answer):
        self.answer, self.bodies = answer, []

    def send(self, account, body, begin, *, rate, hide=()):
        assert begin()
        self.bodies.append(body.decode())
        return self.answer


@pytest.fixture
def ometria(board):
    found = Ometria(MailAnswer("accepted", request_id="req-9", status=200))
    nothing = dict.fromkeys(Mailer.__dataclass_fields__)
    board.extensions[EXTENSION] = Mailer(**nothing | {"ometria": found})
    with board.app_context():
        set_value("default", "general.api_key", API_KEY, "test")
        for number, kind in enumerate(MAIL_KINDS, 101):
            set_value("default", f"mail.{kind}.template_id", str(number), "test")
        db.session.commit()
    return found


@pytest.fixture
def unnamed(board):
    """A mail that no layer could name; return its letter's id."""
    with board.app_context():
        seen.note("", "de", 100.0, Mailbox("Acme", "shop@acme.test"), marked=False)
        letter = MailLetter(spool="1", subject=SUBJECT, sender="shop@acme.test", shape="items, totals")
        db.session.add(letter)
        db.session.flush()
        row = {"key": "k", "recipient": "erika.muster@example.com", "products": [], "letter": letter.id}
        db.session.add(MailDelivery(**row, route="relay", state="sent", why="no rule for <i>it</i>"))
        db.session.commit()
        return letter.id


def words(text):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def card(client, kind):
    """Return the part of the page that is about a kind."""
    text = client.get(PAGE).get_data(as_text=True)
    begin = text.index(f'id="{kind}"')
    return text[begin : text.index("</section>", begin)]


def post(client, path, **form):
    return client.post(f"{BASE}/mail/{path}", data={"csrf_token": token(client, PAGE), **form}, follow_redirects=True)


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_each_kind_has_its_lines_to_copy_and_the_settings_of_magento(signed_in, kind):
    part = html.unescape(card(signed_in("viewer"), kind))
    for line in setup.template_lines(kind):
        assert f">{line.html}</pre>" in part
        assert line.plain in part
        assert line.path in part
    assert all(one in part for one in setup.SWITCHES[kind])
    assert setup.ALL_OFF in part


def test_what_was_seen_of_a_kind_stands_for_each_store_view(board, signed_in):
    with board.app_context():
        seen.note("stock_alert", "de", 100.0, Mailbox("<b>Acme", "owner@example.com"), marked=False)
        seen.note("stock_alert", "out", 100.0, Mailbox("Acme", "shop@acme.test"), marked=True)
        db.session.commit()
    part = card(signed_in("viewer"), "stock_alert")
    rows = {}
    for row in re.findall(r"<tr><td>(?:.|\n)*?</tr>", part):
        name, *cells = [words(cell).strip() for cell in re.findall(r"<td.*?>((?:.|\n)*?)</td>", row)]
        rows[name] = cells
    assert [cell.split(" ")[0] for cell in rows["Deutsch"][:2]] == ["seen", "not"]
    assert "Seen: <b>Acme owner@example.com For Ometria: owner@example.com placeholder" in rows["Deutsch"][2]
    assert "no marker line yet" in rows["Deutsch"][4]
    assert [cell.split(" ")[0] for cell in rows["Outlet"][:2]] == ["seen", "seen"]
    assert "the shop's own" in rows["Outlet"][2]
    assert rows["English"][:2] == ["never seen", "not seen"]
    assert "catalog/productalert/allow_stock" in rows["English"][4]


def test_the_sender_that_is_set_stands_beside_the_one_seen(board, signed_in):
    with board.app_context():
        seen.note("stock_alert", "de", 100.0, Mailbox("Acme", "owner@example.com"), marked=False)
        set_value("store:de", "mail.stock_alert.sender_email", "post@brand.test", "test")
        db.session.commit()
    part = card(signed_in("viewer"), "stock_alert")
    assert "owner@example.com" in part
    assert "post@brand.test" in part
    assert "placeholder" not in part


def test_a_mail_that_nobody_named_is_summed_up_without_addresses_numbers_and_names(unnamed, signed_in):
    text = signed_in("viewer").get(PAGE).get_data(as_text=True)
    assert "Acme: Bestellung ••• von ••• •••" in text
    assert "items, totals" in text
    assert "no rule for &lt;i&gt;it&lt;/i&gt;" in text
    assert "Erika" not in text
    assert "100045" not in text
    assert f"/{unnamed}/kind" not in text


def test_an_editor_says_what_a_mail_is_and_such_mails_are_known_by_it(unnamed, board, signed_in):
    client = signed_in("editor")
    page = client.get(PAGE).get_data(as_text=True)
    assert SUBJECT in page
    assert 'name="shop" value="Acme"' in page
    form = {"native": "order_new", "scope": "store:de", "shop": "Acme", "names": "Erika Muster"}
    assert "are taken for Order confirmation from now on" in words(
        post(client, f"{unnamed}/kind", **form).get_data(as_text=True)
    )
    with board.app_context():
        book, key = load_book(), "mail.order_confirmation.subject_rule"
        assert book.settings("store:de")[key] == "{store}: Bestellung* von *"
        assert book.settings("store:out")[key] == ""


@pytest.mark.parametrize(
    ("form", "name", "told"),
    [
        ({"native": "none"}, "native", "is no mail of the shop"),
        ({"native": "invoice_new"}, "native", "This subject is taken for order_new already"),
        ({"scope": "store:none"}, "scope", "There is no scope 'store:none'"),
        ({"names": "Bestellung,von,Erika,Muster,Acme"}, "names", "A subject rule takes"),
    ],
)
def test_a_rule_that_cannot_be_made_is_told_beside_its_field_in_the_row_of_its_mail(
    unnamed, board, signed_in, form, name, told
):
    with board.app_context():
        other = db.session.get(MailDelivery, 1)
        letter = MailLetter(spool="2", subject="Another one", sender="shop@acme.test", shape="text")
        db.session.add(letter)
        db.session.flush()
        row = {"key": "l", "recipient": other.recipient, "products": [], "letter": letter.id}
        db.session.add(MailDelivery(**row, route="relay", state="sent", why="none"))
        rule = "{store}: Bestellung * von *" if form.get("native") == "invoice_new" else ""
        set_value("default", "mail.order_confirmation.subject_rule", rule, "test")
        db.session.commit()
    sent = {"native": "order_new", "scope": "store:de", "shop": "Acme Ltd", "names": "Erika", **form}
    answer = post(signed_in("editor"), f"{unnamed}/kind", **sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert told in html.unescape(only_there(page, name))
    (row,) = re.findall(r"<details open>.*?</details>", page, re.DOTALL)
    assert f'id="wrong-{name}"' in row
    assert f'id="names-{unnamed}" name="names" value="{sent["names"]}"' in row
    assert 'name="shop" value="Acme Ltd"' in row
    assert name == "scope" or '<option value="store:de" selected>' in row
    assert name == "native" or '<option value="order_new" selected>' in row
    with board.app_context():
        assert load_book().settings("default")["mail.order_confirmation.subject_rule"] == rule
        assert load_book().settings("store:de")["mail.order_confirmation.subject_rule"] == rule


def test_a_rule_refused_for_a_mail_that_is_no_longer_shown_is_told_at_the_top(unnamed, board, signed_in):
    with board.app_context():
        db.session.execute(db.delete(MailDelivery))
        db.session.commit()
    page = post(signed_in("editor"), f"{unnamed}/kind", native="none").get_data(as_text=True)
    assert re.search(r'<div class="note is-bad" role="alert">[^<]*is no mail of the shop', page)
    assert 'aria-invalid="true"' not in page


def test_a_mail_that_is_not_there_cannot_be_named(signed_in):
    assert post(signed_in("editor"), "77/kind", native="order_new").status_code == 404


@pytest.mark.parametrize("kind", MAIL_KINDS)
def test_an_editor_sends_a_test_of_each_kind(ometria, signed_in, kind):
    form = {"kind": kind, "email": "me@brand.test", "scope": "store:de", "sandbox": "1"}
    answer = post(signed_in("editor"), "test", **form)
    assert f"Ometria took the test of {MAIL_KINDS[kind]} (request req-9)." in words(answer.get_data(as_text=True))
    (body,) = ometria.bodies
    assert '"sandbox":true' in body
    assert "me@brand.test" in body


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"kind": "<b>"}, "Choose a kind"),
        ({"email": "nobody"}, "is not an e-mail address"),
        ({"scope": "store:none"}, "scope"),
    ],
)
def test_a_test_that_cannot_be_sent_is_told(ometria, signed_in, form, told):
    typed = {"kind": "stock_alert", "email": "me@brand.test", "scope": "default"} | form
    answer = post(signed_in("editor"), "test", **typed)
    assert (answer.status_code, told in words(answer.get_data(as_text=True))) == (422, True)
    assert ometria.bodies == []


def test_what_ometria_says_against_a_test_is_told(ometria, signed_in):
    ometria.answer = MailAnswer("refused", "No such <template>", status=400)
    answer = post(signed_in("editor"), "test", kind="stock_alert", email="me@brand.test")
    assert answer.status_code == 502
    assert "Ometria did not take it: No such &lt;template>" in answer.get_data(as_text=True).replace("&gt;", ">")


def test_a_viewer_neither_sends_tests_nor_makes_rules(ometria, unnamed, signed_in):
    client = signed_in("viewer")
    assert post(client, "test", kind="stock_alert", email="me@brand.test").status_code == 403
    assert post(client, f"{unnamed}/kind", native="order_new").status_code == 403
    assert ometria.bodies == []
