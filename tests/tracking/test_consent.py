from __future__ import annotations

import pytest

from bridge.tracking.consent import is_given
from tests.tracking.conftest import make_book
from tests.tracking.test_capture import seen
from tests.tracking.test_observer import VISITOR, login
from tests.tracking.wires import exchange


@pytest.mark.parametrize("mode", ["magento", "cookiebot", "cookie", "event"])
@pytest.mark.parametrize(
    ("cookie", "given"),
    [(b"1", True), ("1", True), (None, False), ("", False), ("0", False), (b"\xff", False), ("true", False)],
)
def test_consent_is_the_cookie_that_the_tag_sets(mode, cookie, given):
    assert is_given(make_book(consent__mode=mode).settings("default"), cookie) is given


def test_where_nobody_is_asked_nobody_needs_to_agree():
    assert is_given(make_book().settings("default"), None)


def test_without_consent_only_a_log_out_is_heeded_and_nothing_told(make_room):
    room = make_room(make_book(consent__mode="cookie"))
    agreed = login(f"bridge_visitor={VISITOR}; bridge_consent=1; PHPSESSID=before")
    assert seen(room, agreed) == [("Identified", "roni@example.com", "login")]
    identities = room.tracking.observer._identities
    withdrawn = exchange("/newsletter/subscriber/new/", "email=x%40example.com", cookie=f"bridge_visitor={VISITOR}",
                         answer=[("Set-Cookie", "mage-messages=%5B%7B%22type%22%3A%22success%22%7D%5D")])  # fmt: skip
    assert seen(room, withdrawn) == []
    assert identities.known(VISITOR, None).email == "roni@example.com"
    left = [("Location", "http://store.test/customer/account/logoutSuccess/")]
    leaving = exchange("/customer/account/logout/", method="GET", cookie=f"bridge_visitor={VISITOR}", answer=left)
    assert seen(room, leaving) == []
    assert identities.known(VISITOR, None).email is None


def test_each_store_view_has_its_own_rule(make_room):
    book = make_book()
    book.values["website:europe"] = {"consent.mode": "cookie"}
    room = make_room(book)
    assert seen(room, login())
    assert seen(room, login(host=b"eu.store.test")) == []
