"""A forgotten password from the first click to the last mail: real processes, and a visitor behind the proxy."""

from __future__ import annotations

import pytest
import requests

from bridge.db import db
from bridge.models_mail import MailDelivery
from tests.browser.stack import wait_for
from tests.mail.mail_room import TEMPLATES
from tests.mail.whole_stack import app

__all__ = ["app"]

EMAIL = "reset@example.com"
FORM_KEY = "AbCdEfGh12345678"


def arrived(stack, kind):
    """Return the mail of a kind that Ometria took, once there is one."""

    def found():
        mails = [one["mail"] for one in stack.received()["mails"]]
        return [one for one in mails if str(one["template_id"]) == TEMPLATES[kind]]

    (mail,) = wait_for(found, 90, pause=0.5, what=f"no {kind} came")
    assert mail["to"]["email"] == EMAIL
    return mail


@pytest.mark.timeout(400)
def test_register_forget_and_set_a_password_anew_behind_the_proxy(stack, app):
    with requests.Session() as visitor:
        visitor.trust_env = False
        visitor.cookies.set("form_key", FORM_KEY)

        def post(path, **form):
            # A shop's pages redirect; where to is of no matter here.
            answer = visitor.post(
                f"{stack.shop}/customer/account/{path}", data=form | {"form_key": FORM_KEY}, allow_redirects=False
            )
            assert answer.status_code == 302, answer.text[:300]

        secrets = {"password": "Secret-123", "password_confirmation": "Secret-123"}
        post("createpost/", firstname="Rae", lastname="Set", email=EMAIL, **secrets)
        arrived(stack, "account_creation")
        post("forgotpasswordpost/", email=EMAIL)
        data = arrived(stack, "forgot_password")["data"]
        address, _, query = data["resetURL"].partition("?")
        assert address.endswith("/customer/account/createPassword/")
        # The link leads to the shop by the name that visitors know: the bridge.
        opened = visitor.get(f"{stack.shop}/customer/account/createPassword/?{query}", allow_redirects=False)
        assert opened.status_code == 302
        post(f"resetpasswordpost/?{query}", password="Other-456", password_confirmation="Other-456")
        told = arrived(stack, "password_updated")
    assert told["to"] == {"email": EMAIL, "name": "Rae Set"}
    assert wait_for(ended, 60, what="a mail did not come to an end") == [
        ("account_creation", "marker", True),
        ("forgot_password", "marker", True),
        ("password_updated", "reset call", False),
    ]
    token = data["token"]
    assert token not in "".join(stack.lines)
    files = [path for path in stack.data_dir.rglob("*") if path.is_file()]
    assert [path.name for path in files if token.encode() in path.read_bytes()] == []


def ended():
    """Return kind, layer, and whether there was an original, of each mail once all went through Ometria."""
    db.session.rollback()
    rows = db.session.query(MailDelivery).order_by(MailDelivery.kind).all()
    if any((row.state, row.route) != ("sent", "ometria") for row in rows):
        return None
    return [(row.kind, row.layer, row.letter is not None) for row in rows]
