"""What each answer without data means: values in, the error out. The recorded answers are in tests/replay."""

from __future__ import annotations

import msgspec
import pytest
from requests.structures import CaseInsensitiveDict

from bridge.errors import Misconfigured, Retry, Stumbled
from bridge.store.magento_faults import Barred, NotTaken, NotThere, Reply, clock, fault, named

DATE = "Wed, 25 Nov 2026 02:00:00 GMT"


def error(status: int, data=None, route: str = "orders", body: bytes = b"<html>", **headers: str):
    fields = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return fault(Reply(status, data, msgspec.json.encode(data) if data is not None else body, fields), route)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120),
        ("0", 1),
        ("9" * 400, 3600),
        ("-5", 30),
        ("soon", 30),
        ("", 30),
        ("Wed, 25 Nov 2026 02:05:00 GMT", 300),
        ("Wed, 25 Nov 2026 01:00:00 GMT", 1),
        ("Thu, 26 Nov 2026 02:00:00 GMT", 3600),
        ("Wed, 99 Nov 2026 02:00:00 GMT", 30),
    ],
)
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_the_shop_says_when_it_may_be_asked_again(status, given, seconds):
    found = error(status, Retry_After=given, Date=DATE)
    assert isinstance(found, Retry)
    assert found.after == seconds


def test_a_date_counts_from_our_own_clock_where_the_shop_tells_none():
    assert error(503, Retry_After=DATE.replace("2026", "2099")).after == 3600


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, Retry),
        (301, Misconfigured),
        (308, Misconfigured),
        (400, Barred),
        (401, Barred),
        (402, Barred),
        (403, Barred),
        (404, Misconfigured),
        (405, Barred),
        (406, Barred),
        (408, Retry),
        (410, Barred),
        (413, Stumbled),
        (414, Stumbled),
        (425, Retry),
        (429, Retry),
        (431, Stumbled),
        (451, Barred),
        (500, Stumbled),
        (502, Stumbled),
        (503, Retry),
        (504, Stumbled),
        (520, Stumbled),
        (599, Stumbled),
    ],
)
def test_a_page_in_place_of_an_answer_has_the_branch_of_its_status(status, kind):
    assert type(error(status)) is kind


@pytest.mark.parametrize(
    ("status", "kind"), [(400, NotTaken), (401, Misconfigured), (403, Misconfigured), (404, NotThere), (500, Stumbled)]
)
@pytest.mark.parametrize(
    "data",
    [
        {"message": "Odd."},
        {"message": "Odd.", "parameters": None},
        {"message": "Odd.", "parameters": []},
        {"message": "Odd.", "parameters": ["x"]},
        {"message": "Odd.", "parameters": {"resources": ["a", "b"]}},
        {"message": "Odd.", "parameters": {"resources": None}},
    ],
)
def test_parameters_may_have_any_form(status, kind, data):
    assert type(error(status, data)) is kind


@pytest.mark.parametrize("data", [[], "text", 7, False, {}, {"message": None}, {"message": {"a": 1}}])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 429, 500, 503])
def test_json_that_is_not_magentos_is_an_error_in_words_too(status, data):
    assert str(error(status, data)).endswith(".")


def test_a_right_is_named_only_where_it_is_one():
    def refused(resources: str) -> str:
        return str(error(401, {"message": "No.", "parameters": {"resources": resources}}))

    assert "for Magento_Sales::actions_view (401)" in refused("Magento_Sales::actions_view")
    assert "for Magento_Catalog::products, Magento_Sales::sales" in refused(
        "Magento_Catalog::products, Magento_Sales::sales"
    )
    for odd in ("jane@example.com", "<b>x</b>", "A::b\nforged line", "A::b; secret", "A::" + "b" * 500):
        assert "BRIDGE_STORE_TOKEN" in refused(odd)
        assert odd not in refused(odd)


def test_the_report_that_the_shops_log_knows_is_named():
    found = error(500, {"message": "Internal Error. Report ID: webapi-6b064bb14c8af"})
    assert "failed (500) at orders, which its log has as webapi-6b064bb14c8af: it is asked again" in str(found)
    assert "log has" not in str(error(500, {"message": "Report ID: webapi-<b>"}))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('"%fieldName" is required, not "jane".', '400: "%fieldName" is required, not …'),
        ("Odd value &quot;jane&quot;.", "400: Odd value …"),
        ("Ask jane@example.com.", "400: Ask …"),
        ("See /srv/shop/pub/index.php on line 7.", "400: See … on line 7"),
        ("Phone 441234567890 is known.", "400: Phone … is known"),
        ("The pageSize is above 300.", "400: The pageSize is above 300"),
        ("One\r\nforged [ERROR]\tline\x1b[31m.", "400: One forged [ERROR] line [31m"),
        ("long " * 200, "400: " + ("long " * 32).strip()),
        ("", "400"),
    ],
)
def test_the_shops_words_are_told_in_one_line_without_values(message, told):
    found = str(error(400, {"message": message, "parameters": ["jane"]}))
    assert found.startswith(f"The shop refuses the query for orders ({told}): it is asked again for less")


@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("orders", "orders"),
        ("customers/search", "customers/search"),
        ("customers/7", "customers/…"),
        ("stockStatuses/JANE%20S-BAG", "stockStatuses/…"),
        ("inventory/export-stock-salable-qty/website/base", "inventory/export-stock-salable-qty/website/base"),
    ],
)
def test_a_route_is_named_without_the_one_it_asks_for(route, name):
    assert named(route) == name
    assert str(error(404, {"message": "No such entity."}, route)) == f"The shop has no {name} (404)."


def test_a_moment_that_cannot_be_read_is_none():
    assert clock(DATE).isoformat() == "2026-11-25T02:00:00+00:00"
    assert clock("Wed, 25 Nov 2026 02:00:00 -0000").tzinfo is not None
    assert clock("yesterday") is clock("") is clock(None) is None
