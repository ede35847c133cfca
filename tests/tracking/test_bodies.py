from __future__ import annotations

import pytest

from bridge.tracking.bodies import Odd, form_fields
from tests.tracking.wires import multipart

URLENCODED = b"application/x-www-form-urlencoded; charset=UTF-8"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"email=a%40b.test&password=x", {"email": "a@b.test"}),
        (b"password=x&e%6Dail=a%2Bc%40b.test", {"email": "a+c@b.test"}),
        (b"email=first&email=last", {"email": "last"}),
        (b"email=caf%C3%A9+bar", {"email": "café bar"}),
        (b"email", {"email": ""}),
        (b"", {}),
        (b"&&=&email%ZZ=1", {}),
    ],
)
def test_a_urlencoded_form_gives_the_wanted_fields_only(body, expected):
    assert form_fields(body, URLENCODED, {"email"}) == expected


def test_a_multipart_form_gives_the_wanted_fields_only():
    kind, body = multipart(email="é@b.test", password="x", **{"login[username]": "a@b.test"})
    found = form_fields(body.encode(), kind[1].encode(), {"email", "login[username]"})
    assert found == {"email": "é@b.test", "login[username]": "a@b.test"}


def test_a_quoted_boundary_and_a_preamble_are_read():
    _, body = multipart(boundary="a b", email="a@b.test")
    assert form_fields(b"preamble\r\n" + body.encode(), b'multipart/form-data; boundary="a b"', {"email"}) == {
        "email": "a@b.test"
    }


def test_a_file_is_never_a_field():
    body = b'--b\r\nContent-Disposition: form-data; name="email"; filename="x"\r\n\r\na@b.test\r\n--b--\r\n'
    assert form_fields(body, b"multipart/form-data; boundary=b", {"email"}) == {}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"email=x", b"text/plain"),
        (b"email=x", None),
        (b"--b--", b"multipart/form-data"),
        (b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\nx\r\n', b"multipart/form-data; boundary=b"),
        (b"--b\r\nno name\r\n\r\nx\r\n--b--", b"multipart/form-data; boundary=b"),
        (b"email=" + b"x" * 1025, URLENCODED),
    ],
)
def test_what_cannot_be_read_is_refused_without_a_word_of_it(body, kind):
    with pytest.raises(Odd) as refusal:
        form_fields(body, kind, {"email"})
    assert "x" * 10 not in str(refusal.value)
    assert "email" not in str(refusal.value)
