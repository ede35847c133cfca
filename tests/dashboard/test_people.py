"""The people page: an owner gives access and takes it, and can never lock everybody out."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from bridge.auth import add_user
from bridge.db import db
from bridge.models import AuditLog, User
from tests.dashboard.desk import BASE, PASSWORD, beside, sign_in, token

PEOPLE = f"{BASE}/people"


def send(client, path=PEOPLE, **form):
    return client.post(path, data={"csrf_token": token(client, PEOPLE), **form})


def one(board, name):
    with board.app_context():
        return f"{PEOPLE}/{db.session.scalar(select(User.id).where(User.name == name))}"


def audited(board):
    with board.app_context():
        return [(row.who, row.what, row.before, row.after) for row in db.session.scalars(select(AuditLog))]


def shown(answer):
    return re.search(r'id="password">([a-z-]+)<', answer.get_data(as_text=True)).group(1)


def test_an_owner_adds_a_person_who_signs_in_with_the_password_shown_once(board, signed_in):
    owner = signed_in("owner")
    answer = send(owner, name=" mary ", role="editor")
    password = shown(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert password not in str(answer.headers)
    page = owner.get(PEOPLE).get_data(as_text=True)
    assert "mary" in page
    assert password not in page
    mary = board.test_client()
    assert sign_in(mary, "mary", password).status_code == 303
    assert mary.get(PEOPLE).status_code == 403
    assert 'href="/_bridge/dashboard/people"' not in mary.get(f"{BASE}/").get_data(as_text=True)
    assert ("owner", "user mary added", None, "editor") in audited(board)
    assert password not in str(audited(board))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": "", "role": "viewer"}, "1 to 120 visible characters"),
        ({"name": "a\nb", "role": "viewer"}, "1 to 120 visible characters"),
        ({"name": "x" * 121, "role": "viewer"}, "1 to 120 visible characters"),
        ({"name": "mary", "role": "admin"}, "no role"),
        ({"name": "mary"}, "no role"),
        ({"name": "Editor", "role": "owner"}, "There is a person called Editor already."),
    ],
)
def test_an_unusable_person_is_refused_beside_what_was_typed(board, signed_in, form, sentence):
    owner = signed_in("owner")
    answer = send(owner, **form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert sentence in beside(page, "name" if form.get("role") in {"viewer", "owner"} else "role")
    assert 'id="password"' not in page
    if form["name"].isprintable():
        assert f'value="{form["name"]}"' in page
    with board.app_context():
        assert [user.name for user in db.session.scalars(select(User).order_by(User.name))] == [
            "editor",
            "owner",
            "viewer",
        ]
    assert sign_in(board.test_client(), "editor", PASSWORD).status_code == 303, "whose password is as it was"


def test_a_role_holds_from_the_next_request_on(board, signed_in):
    owner, editor = signed_in("owner"), signed_in("editor")
    assert send(owner, one(board, "editor"), action="role", role="owner").status_code == 303
    assert "editor: editor → owner." in owner.get(PEOPLE).get_data(as_text=True)
    assert editor.get(PEOPLE).status_code == 200
    send(owner, one(board, "editor"), action="role", role="viewer")
    assert editor.get(PEOPLE).status_code == 403
    assert audited(board)[-2:] == [
        ("owner", "user editor role", "editor", "owner"),
        ("owner", "user editor role", "owner", "viewer"),
    ]


def test_a_new_password_ends_the_sessions_of_that_person(board, signed_in):
    owner, editor = signed_in("owner"), signed_in("editor")
    password = shown(send(owner, one(board, "editor"), action="password"))
    assert editor.get(f"{BASE}/").status_code == 302
    assert sign_in(board.test_client(), "editor").status_code == 401
    assert sign_in(board.test_client(), "editor", password).status_code == 303
    assert audited(board)[-1][:2] == ("owner", "user editor password")


def test_a_removed_person_is_out_at_once(board, signed_in):
    owner, editor = signed_in("owner"), signed_in("editor")
    address = one(board, "editor")
    assert send(owner, address, action="remove").status_code == 303
    assert editor.get(f"{BASE}/").status_code == 302
    assert sign_in(board.test_client(), "editor").status_code == 401
    assert send(owner, address, action="remove").status_code == 404
    assert audited(board)[-1] == ("owner", "user editor removed", "editor", None)


@pytest.mark.parametrize(
    "form", [{"action": "remove"}, {"action": "role", "role": "viewer"}, {"action": "password"}, {}]
)
def test_nobody_changes_the_own_row_so_that_an_owner_remains(board, signed_in, form):
    owner = signed_in("owner")
    assert send(owner, one(board, "owner"), **form).status_code == 400
    assert owner.get(PEOPLE).status_code == 200


@pytest.mark.parametrize("form", [{}, {"action": "role"}, {"action": "role", "role": "king"}, {"action": "promote"}])
def test_an_unknown_change_is_refused(board, signed_in, form):
    before = audited(board)
    assert send(signed_in("owner"), one(board, "editor"), **form).status_code == 400
    assert audited(board) == before


def test_an_owner_who_was_demoted_a_moment_ago_changes_nothing(board, signed_in, monkeypatch):
    with board.app_context():
        add_user("boss", PASSWORD, "owner")
    boss, address = signed_in("boss"), one(board, "owner")
    csrf = token(boss, PEOPLE)
    # The role as it was read before the lock: the other owner's change comes in between.
    monkeypatch.setattr("bridge.auth.Staff.may", lambda _self, _role: True)
    assert send(signed_in("owner"), one(board, "boss"), action="role", role="editor").status_code == 303
    assert boss.post(address, data={"csrf_token": csrf, "action": "role", "role": "viewer"}).status_code == 403
    with board.app_context():
        assert db.session.scalar(select(User.role).where(User.name == "owner")) == "owner"


def test_two_owners_who_change_one_role_the_second_sees_what_the_first_did(board, signed_in):
    first, second = signed_in("owner"), signed_in("owner")
    person = one(board, "viewer")
    assert send(first, person, action="role", role="editor", was="viewer").status_code == 303
    answer = send(second, person, action="role", role="owner", was="viewer")
    assert answer.status_code == 409
    assert "Somebody else has made viewer editor meanwhile." in answer.get_data(as_text=True)
    with board.app_context():
        assert db.session.scalar(select(User.role).where(User.name == "viewer")) == "editor"
    assert send(second, person, action="role", role="owner", was="editor").status_code == 303
