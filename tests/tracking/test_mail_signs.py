from __future__ import annotations

import json
import logging

import pytest

from bridge.events import MailExpected, PasswordReset, link_proof
from bridge.tracking.observer import CAPTURED
from tests.tracking.conftest import make_book
from tests.tracking.test_capture import ACCOUNT_PAGE, CONTEXT, NEW_SESSION, seen
from tests.tracking.test_observer import VISITOR, login, show
from tests.tracking.wires import JSON, exchange, messages, multipart, set_cookie

TOKEN = "KLngIuOn29s6od0sA3cxrzUoLbJByuc5"
LOGIN_PAGE = ("Location", "http://store.test/customer/account/login/")
SUCCESS = set_cookie(messages("success"))
ERROR = set_cookie(messages("error"))


def reset(target=f"/customer/account/resetpasswordpost/?id=7&token={TOKEN}", *, answer=(LOGIN_PAGE, SUCCESS)):
    return exchange(target, "password=New1&password_confirmation=New1", answer=answer)


def rest(path, body, *, method="POST", answer_body="true", status=200):
    return exchange(path, json.dumps(body), method=method, sent=(JSON,), status=status, answer_body=answer_body)


def graphql(query, answer, **variables):
    body = {"query": query, "variables": variables}
    return exchange("/graphql", json.dumps(body), sent=(JSON,), status=200, answer_body=json.dumps({"data": answer}))


# ---- a forgotten password ------------------------------------------------------------------------------------------


def test_a_reset_link_is_expected_from_the_form_from_rest_and_from_graphql(room):
    form = exchange("/fr/customer/account/forgotpasswordpost/", "email=a%40shop.test", answer=[SUCCESS])
    body = {"email": "a@shop.test", "template": "email_reminder", "websiteId": 1}
    expected = [("MailExpected", "password_forgot", "a@shop.test")]
    assert seen(room, form) == expected
    assert seen(room, rest("/rest/fr/V1/customers/password", body, method="PUT")) == expected
    query = "mutation($e:String!){requestPasswordResetEmail(email:$e)}"
    assert seen(room, graphql(query, {"requestPasswordResetEmail": True}, e="a@shop.test")) == expected


def test_no_mail_is_expected_where_the_shop_says_that_none_went_out(room):
    form = exchange("/customer/account/forgotpasswordpost/", "email=a%40shop.test", answer=[ERROR])
    body = {"email": "a@shop.test", "template": "email_reset"}
    assert seen(room, form) == []
    assert seen(room, rest("/rest/V1/customers/password", body, method="PUT", answer_body="false")) == []
    query = 'mutation{requestPasswordResetEmail(email:"a@shop.test")}'
    assert seen(room, graphql(query, {"requestPasswordResetEmail": False})) == []


# ---- a password set anew -------------------------------------------------------------------------------------------


def test_a_password_set_by_the_link_names_the_customer_and_nothing_of_the_link(room):
    assert seen(room, reset()) == [("PasswordReset", "7", "")]
    assert seen(room, reset(f"/fr/customer/account/resetpasswordpost/id/7/token/{TOKEN}")) == [
        ("PasswordReset", "7", "")
    ]
    assert TOKEN not in repr(room.stream.events)
    assert {event.proof for event in room.stream.events} == {link_proof(TOKEN)}


def test_a_reset_without_the_token_of_a_link_is_none(room):
    assert seen(room, reset("/customer/account/resetpasswordpost/?id=7")) == []


@pytest.mark.parametrize(
    "answer",
    [
        (LOGIN_PAGE, ERROR),
        (("Location", "http://store.test/customer/account/createPassword/"), ERROR),
        (("Location", "http://store.test/customer/account/createPassword/"), SUCCESS),
        (LOGIN_PAGE,),
    ],
)
def test_a_refused_link_or_password_is_no_reset(room, answer):
    assert seen(room, reset(answer=answer)) == []


def test_a_reset_without_a_customer_is_counted_and_its_token_told_nowhere(room, caplog):
    before = CAPTURED.labels("reset", "odd")._value.get()
    with caplog.at_level(logging.DEBUG):
        assert seen(room, reset(f"/customer/account/resetpasswordpost/?id=x&token={TOKEN}")) == []
    assert CAPTURED.labels("reset", "odd")._value.get() == before + 1
    assert TOKEN not in caplog.text


def test_a_password_set_over_rest_or_graphql_names_the_address(room):
    body = {"email": "a@shop.test", "resetToken": TOKEN, "newPassword": "New1"}
    assert seen(room, rest("/rest/V1/customers/resetPassword", body)) == [("PasswordReset", "", "a@shop.test")]
    assert seen(room, rest("/rest/V1/customers/resetPassword", body, answer_body='{"message":"x"}', status=400)) == []
    query = 'mutation($t:String!){resetPassword(email:"a@shop.test",resetPasswordToken:$t,newPassword:"New1")}'
    assert seen(room, graphql(query, {"resetPassword": True}, t=TOKEN)) == [("PasswordReset", "", "a@shop.test")]
    assert seen(room, graphql(query, {"resetPassword": None}, t=TOKEN)) == []


# ---- the account form ----------------------------------------------------------------------------------------------


def edit(cookie=f"bridge_visitor={VISITOR}", **fields):
    kind, body = multipart(firstname="R", current_password="Old1", **fields)
    return exchange("/customer/account/editPost/", body, sent=(kind,), cookie=cookie, answer=[LOGIN_PAGE, SUCCESS])


def mails(events):
    return [(event.mail, event.email, event.visitor) for event in events if isinstance(event, MailExpected)]


def test_a_changed_password_is_told_to_the_address_that_is_known_of_the_visitor(room):
    show(room, login(f"PHPSESSID=before; bridge_visitor={VISITOR}"))
    assert mails(show(room, edit(change_password="1", password="New1"))) == [
        ("password_changed", "roni@example.com", None)
    ]


def test_a_changed_address_is_another_mail_than_a_changed_password(room):
    show(room, login(f"PHPSESSID=before; bridge_visitor={VISITOR}"))
    show(room, edit(change_email="1", email="new@shop.test"))
    show(room, login(f"PHPSESSID=before; bridge_visitor={VISITOR}"))
    show(room, edit(change_email="1", change_password="1", email="new@shop.test", password="New1"))
    assert [mail for mail, _, _ in mails(room.stream.events)] == ["email_changed", "email_password_changed"]
    assert {email for _, email, _ in mails(room.stream.events)} == {"roni@example.com"}


def test_of_an_unknown_visitor_or_an_unchanged_password_no_mail_is_expected(room):
    assert mails(show(room, edit(change_password="1", password="New1"))) == []
    show(room, login(f"PHPSESSID=before; bridge_visitor={VISITOR}"))
    assert mails(show(room, edit())) == []


# ---- consent -------------------------------------------------------------------------------------------------------


@pytest.fixture
def silent(make_room):
    """A shop whose visitor did not agree to be tracked."""
    return make_room(make_book(consent__mode="magento"))


def test_without_consent_mails_are_expected_all_the_same_and_name_no_visitor(silent):
    cookie = f"bridge_visitor={VISITOR}"
    forgot = exchange("/customer/account/forgotpasswordpost/", "email=a%40shop.test", cookie=cookie, answer=[SUCCESS])
    show(silent, forgot)
    show(silent, reset())
    register = exchange(
        "/customer/account/createpost/",
        "email=b%40shop.test",
        cookie=cookie,
        answer=[NEW_SESSION, CONTEXT, SUCCESS, ACCOUNT_PAGE],
    )
    show(silent, register)
    assert mails(silent.stream.events) == [
        ("password_forgot", "a@shop.test", None),
        ("account_new", "b@shop.test", None),
    ]
    assert [type(event) for event in silent.stream.events] == [MailExpected, PasswordReset, MailExpected]
    assert silent.stream.urgent == silent.stream.events


def test_what_is_expected_names_no_visitor_with_consent_either(room):
    forgot = exchange(
        "/customer/account/forgotpasswordpost/",
        "email=a%40shop.test",
        cookie=f"bridge_visitor={VISITOR}",
        answer=[SUCCESS],
    )
    assert [event.visitor for event in show(room, forgot)] == [None]
