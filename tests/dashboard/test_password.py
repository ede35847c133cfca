"""Changing the own password."""

from __future__ import annotations

from tests.dashboard.desk import BASE, PASSWORD, sign_in, token


def test_a_session_ends_when_the_password_changes_elsewhere(board, signed_in):
    here, there = signed_in("owner"), signed_in("owner")
    form = {"csrf_token": token(there, f"{BASE}/password"), "present": PASSWORD}
    new = "a brand new password"
    for data, sentence in (
        ({"new": new, "again": "another"}, "differ"),
        ({"new": "short", "again": "short"}, "12 to 256"),
        ({"new": new, "again": new, "present": "guess"}, "present password is not right"),
    ):
        answer = there.post(f"{BASE}/password", data=form | data)
        assert answer.status_code == 400
        assert sentence in answer.get_data(as_text=True)
        assert new not in answer.get_data(as_text=True)
    assert there.post(f"{BASE}/password", data=form | {"new": new, "again": new}).status_code == 303
    assert "Your password is changed" in there.get(f"{BASE}/password").get_data(as_text=True)
    assert here.get(f"{BASE}/").status_code == 302
    assert sign_in(board.test_client(), "owner").status_code == 401
    assert sign_in(board.test_client(), "owner", new).status_code == 303
