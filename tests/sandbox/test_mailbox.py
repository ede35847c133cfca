"""The mailbox: what comes in over SMTP is kept as it came and shown without harm."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from bridge.sandbox.mailbox import MOST_MESSAGES, MailStore, SmtpSink, create_mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient


@pytest.fixture
def store() -> MailStore:
    return MailStore()


@pytest.fixture
def client(store: MailStore) -> FlaskClient:
    return create_mailbox(store).test_client()


@pytest.fixture
def smtp(store: MailStore) -> Iterator[smtplib.SMTP]:
    sink = SmtpSink(store, "127.0.0.1", 0)
    sink.start()
    try:
        with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as connection:
            yield connection
    finally:
        sink.close()


def order_mail(subject: str = "Your order 000000001") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Shop <shop@example.com>"
    message["To"] = "Zoë Müller <zoe@example.com>"
    message["Subject"] = subject
    message.set_content("Thank you, Zoë.\n")
    message.add_alternative("<h1>Thank you, Zoë.</h1><script>alert(1)</script>", subtype="html")
    return message


def test_a_message_sent_over_smtp_is_listed_with_its_parts(smtp: smtplib.SMTP, client: FlaskClient) -> None:
    smtp.send_message(order_mail("Grüße aus Köln"))
    (mail,) = client.get("/messages.json").get_json()
    assert mail["subject"] == "Grüße aus Köln"
    assert mail["from"] == "Shop <shop@example.com>"
    assert (mail["sender"], mail["recipients"]) == ("shop@example.com", ["zoe@example.com"])
    assert mail["text"] == "Thank you, Zoë.\n"
    assert mail["html"].startswith("<h1>Thank you, Zoë.</h1>")


def test_the_bytes_are_kept_as_they_came(smtp: smtplib.SMTP, client: FlaskClient) -> None:
    sent = b"From: a@example.com\r\nSubject: x\r\nX-Odd:   spaces  kept\r\n\r\n.dot\r\nl\xe9gal\r\n"
    smtp.sendmail("a@example.com", ["b@example.com", "c@example.com"], sent)
    answer = client.get("/messages/1/raw")
    assert answer.data == sent
    assert answer.headers["Content-Disposition"] == 'attachment; filename="message-1.eml"'
    assert client.get("/messages.json").get_json()[0]["recipients"] == ["b@example.com", "c@example.com"]


def test_messages_are_numbered_in_order_of_arrival(smtp: smtplib.SMTP, client: FlaskClient) -> None:
    for subject in ("one", "two", "three"):
        smtp.send_message(order_mail(subject))
    mails = client.get("/messages.json").get_json()
    assert [(mail["n"], mail["subject"]) for mail in mails] == [(1, "one"), (2, "two"), (3, "three")]
    page = client.get("/").text
    assert page.index(">three<") < page.index(">two<") < page.index(">one<")


def test_html_is_shown_only_inside_a_frame_that_may_do_nothing(store: MailStore, client: FlaskClient) -> None:
    store.add_message(order_mail())
    answer = client.get("/messages/1")
    assert "<script>" not in answer.text
    assert 'sandbox srcdoc="&lt;h1&gt;Thank you' in answer.text
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


def test_a_subject_with_markup_is_escaped(store: MailStore, client: FlaskClient) -> None:
    store.add_message(order_mail("<b>bold</b>"))
    for page in ("/", "/messages/1"):
        assert "<b>bold" not in client.get(page).text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"no headers at all",
        b"Subject: =?nope?q?x?=\r\nContent-Type: text/plain; charset=nope\r\n\r\ncaf\xe9",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nnever a part",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n****",
    ],
)
def test_a_broken_message_is_listed_all_the_same(store: MailStore, client: FlaskClient, raw: bytes) -> None:
    store.add(raw, "a@example.com", ("b@example.com",))
    assert len(client.get("/messages.json").get_json()) == 1
    assert client.get("/").status_code == 200
    assert client.get("/messages/1").status_code == 200


def test_only_the_newest_messages_are_kept(store: MailStore) -> None:
    for _ in range(MOST_MESSAGES + 3):
        store.add(b"\r\n", "", ())
    assert [store.mails()[0].number, store.mails()[-1].number] == [4, MOST_MESSAGES + 3]
    assert store.get(3) is None


def test_reset_empties_the_box_and_changes_the_version(store: MailStore, client: FlaskClient) -> None:
    store.add_message(order_mail())
    before = client.get("/version.json").get_json()["version"]
    client.post("/reset")
    assert client.get("/messages.json").get_json() == []
    assert client.get("/version.json").get_json()["version"] > before
    assert client.get("/messages/1").status_code == 404


def test_attachments_are_named(store: MailStore, client: FlaskClient) -> None:
    message = order_mail()
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    store.add_message(message)
    assert client.get("/messages.json").get_json()[0]["attachments"] == ["invoice.pdf"]
    assert "invoice.pdf" in client.get("/messages/1").text


def test_an_address_that_is_taken_is_an_error_at_once(store: MailStore) -> None:
    first = SmtpSink(store, "127.0.0.1", 0)
    try:
        with pytest.raises(OSError, match="in use"):
            SmtpSink(store, "127.0.0.1", first.port)
    finally:
        first.close()
