"""The settings through the form: inheritance, secrets, mistakes, conflicts."""

from __future__ import annotations

import re

import pytest

from bridge.db import db
from bridge.models import AuditLog
from bridge.settings import SETTINGS, load_book, set_value
from tests.dashboard.desk import API_KEY, BASE, changed, read_form, save

SECTIONS = sorted({setting.section for setting in SETTINGS})


def page_of(client, section, scope="default"):
    answer = client.get(f"{BASE}/settings/{section}?scope={scope}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def row_of(page, key):
    return re.search(
        rf'<div class="field[^"]*">(?:(?!<div class="field[ "]).)*name="was\.{re.escape(key)}".*?(?=<div class="field[ "]|<div class="form-end")',
        page,
        re.DOTALL,
    ).group(0)


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def stored(board):
    def read(scope="default"):
        with board.app_context():
            return dict(load_book().values.get(scope, {}))

    return read


@pytest.fixture
def given(board):
    def give(scope, key, value):
        with board.app_context():
            set_value(scope, key, value, "somebody else")
            db.session.commit()

    return give


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_shows_every_setting_and_saving_it_untouched_changes_nothing(signed_in, stored, section):
    client = signed_in("editor")
    for scope in ("default", "website:base", "store:de"):
        page = page_of(client, section, scope)
        for setting in SETTINGS:
            here = setting.section == section and (scope == "default" or not setting.shopwide)
            assert (f'name="{setting.key}"' in page) is here
        answer = save(client, section, scope)
        assert answer.status_code == 303
        assert "Nothing had changed." in page_of(client, section, scope)
        assert stored(scope) == {}


def test_a_value_saved_at_the_default_scope_is_inherited_until_a_scope_has_its_own(signed_in, stored):
    client = signed_in("editor")
    assert save(client, "orders", drop=("default.orders.currency",), orders__currency="base").status_code == 303
    assert stored() == {"orders.currency": "base"}
    website = row_of(page_of(client, "orders", "website:base"), "orders.currency")
    assert "Use Default Base from Default Config" in text_of(website)
    save(client, "orders", "website:base", drop=("default.orders.currency",), orders__currency="both")
    store = row_of(page_of(client, "orders", "store:de"), "orders.currency")
    assert "Use Website Both from Main Website" in text_of(store)
    assert '<option value="both" selected' in store
    assert "Use Default Base from Default Config" in text_of(
        row_of(page_of(client, "orders", "store:out").replace("Use Website", "Use Default"), "orders.currency")
    )


def test_a_built_in_value_says_where_it_comes_from(signed_in):
    row = text_of(row_of(page_of(signed_in("editor"), "orders"), "orders.currency"))
    assert "Use system value Local built in" in row


def test_ticking_the_box_returns_to_the_value_above(signed_in, stored, given):
    given("default", "export.schedule", "*/10 * * * *")
    given("store:de", "export.schedule", "*/5 * * * *")
    client = signed_in("editor")
    answer = save(client, "export", "store:de", default__export__schedule="1")
    assert answer.status_code == 303
    assert stored("store:de") == {}
    page = page_of(client, "export", "store:de")
    assert "Schedule expression for data export: */5 * * * * → */10 * * * *, from Default Config" in text_of(page)
    assert 'value="*/10 * * * *"' in page
    assert "Every 10th minute of every hour" in text_of(page)


def test_a_field_locked_by_the_script_is_absent_from_the_form_and_counts_as_the_value_above(signed_in, stored, given):
    given("default", "customers.namespace", "shop")
    client = signed_in("editor")
    form = read_form(page_of(client, "customers"))
    del form["customers.namespace"]
    client.post(f"{BASE}/settings/customers?scope=default", data=form)
    assert stored() == {"customers.namespace": "shop"}, "absent without a ticked box changes nothing"
    client.post(f"{BASE}/settings/customers?scope=default", data=form | {"default.customers.namespace": "1"})
    assert stored() == {}


def test_a_value_typed_beside_a_ticked_box_is_not_dropped_silently(signed_in, stored):
    answer = save(signed_in("editor"), "customers", customers__namespace="typed")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "You typed a value while “Use system value” is ticked" in page
    assert 'value="typed"' in page
    assert stored() == {}


@pytest.mark.parametrize(
    ("section", "key", "typed", "sentence"),
    [
        ("export", "export.schedule", "* * * * * *", "It takes a cron expression of five fields, such as */5 * * * *."),
        ("export", "export.max_per_run", "many", "It takes a whole number from 1 to 100000."),
        ("customers", "customers.namespace", "a:b", "It takes letters, digits, dash and underscore only."),
        ("orders", "orders.currency", "euro", "It takes one of local base both."),
        (
            "mail",
            "mail.stock_alert.template_id",
            "welcome",
            "It takes the number of a template in Ometria, such as 1567, or nothing.",
        ),
        (
            "general",
            "general.account_id",
            "<script>alert(1)</script>",
            "It takes letters and digits only, usually 16 of them.",
        ),
        ("general", "general.enabled", "perhaps", "It takes one of 1 0 true false yes no on off."),
    ],
)
def test_a_wrong_value_gets_a_sentence_and_nothing_is_saved_but_all_is_kept(
    signed_in, stored, section, key, typed, sentence
):
    client = signed_in("editor")
    other = (
        next(
            item
            for item in SETTINGS
            if item.section == section and item.key != key and not item.secret and not item.choices
        )
        if section not in {"orders", "general"}
        else None
    )
    drop, changes = (f"default.{key}",), {key: typed}
    if other is not None and other.widget == "number":
        drop, changes = (*drop, f"default.{other.key}"), changes | {other.key: "7"}
    answer = save(client, section, drop=drop, **{name.replace(".", "__"): value for name, value in changes.items()})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in text_of(row_of(page, key)).replace("&lt;", "<")
    assert "Nothing is saved yet. 1 field needs a correction" in text_of(page)
    assert "<script>alert" not in page
    form = read_form(page)
    assert {name: form[name] for name in changes} == changes or "select" in row_of(page, key)
    assert all(f"default.{name}" not in form for name in changes)
    assert stored() == {}


def test_a_secret_is_shown_by_its_last_four_and_kept_when_its_field_stays_empty(signed_in, stored, given):
    given("default", "general.api_key", API_KEY)
    client = signed_in("owner")
    for scope in ("default", "website:base", "store:de"):
        page = page_of(client, "general", scope)
        assert API_KEY not in page
        assert API_KEY[-5:] not in page
        assert "••••abcd" in page
    save(client, "general", drop=("default.general.account_id",), general__account_id="abcdef0123456789")
    assert stored() == {"general.api_key": API_KEY, "general.account_id": "abcdef0123456789"}
    assert API_KEY not in page_of(client, "general")


def test_replacing_and_deleting_a_secret_are_two_different_acts(signed_in, stored, board):
    client = signed_in("owner")
    save(client, "general", general__api_key=API_KEY)
    save(client, "general", general__api_key="another-key-99998888")
    page = page_of(client, "general")
    assert "API key: ••••abcd → ••••8888" in text_of(page)
    assert stored() == {"general.api_key": "another-key-99998888"}
    answer = save(client, "general", general__api_key="third-key-77776666", delete__general__api_key="1")
    assert "You typed a key and ticked a box that takes it away" in answer.get_data(as_text=True)
    assert stored() == {"general.api_key": "another-key-99998888"}
    save(client, "general", delete__general__api_key="1")
    assert stored() == {}
    with board.app_context():
        lines = [
            (row.who, row.what, row.before, row.after)
            for row in db.session.scalars(db.select(AuditLog))
            if "api_key" in row.what
        ]
    assert [line[1] for line in lines] == ["default general.api_key"] * 3
    assert {line[0] for line in lines} == {"owner"}
    assert "another-key" not in repr(lines)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (f" {API_KEY}", "It has white space before or after the key"),
        (f"{API_KEY} ", "It has white space before or after the key"),
        (f"{API_KEY}\t", "It has white space before or after the key"),
        ("two words here", "It takes a key of 4 to 200 visible characters without spaces."),
        ("••••abcd", "It takes a key of 4 to 200 visible characters without spaces."),
    ],
)
def test_a_wrong_secret_is_refused_and_not_shown_again(signed_in, stored, given, typed, sentence):
    given("default", "general.api_key", API_KEY)
    answer = save(signed_in("owner"), "general", general__api_key=typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert f'value="{typed}"' not in page
    assert API_KEY not in page
    assert stored() == {"general.api_key": API_KEY}


def test_a_right_secret_beside_a_wrong_field_must_be_typed_again_and_is_told_so(signed_in, stored):
    answer = save(
        signed_in("owner"),
        "general",
        drop=("default.general.account_id",),
        general__api_key=API_KEY,
        general__account_id="?",
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "the key you typed is not kept in the page: type it again" in page
    assert API_KEY not in page
    assert stored() == {}


def test_a_scope_takes_the_secret_above_until_it_has_its_own(signed_in, stored, given):
    given("default", "general.api_key", API_KEY)
    client = signed_in("owner")
    answer = save(client, "general", "website:outlet", drop=("default.general.api_key",))
    assert "Type the key of this scope, or tick “Use Default”" in answer.get_data(as_text=True)
    save(client, "general", "website:outlet", drop=("default.general.api_key",), general__api_key="outlet-key-55554444")
    assert stored("website:outlet") == {"general.api_key": "outlet-key-55554444"}
    store = text_of(row_of(page_of(client, "general", "store:out"), "general.api_key"))
    assert "Use Website ••••4444 from Outlet" in store
    save(client, "general", "website:outlet", default__general__api_key="1")
    assert stored("website:outlet") == {}


def test_of_two_people_saving_the_second_sees_the_conflict_and_loses_nothing(signed_in, stored):
    first, second = signed_in("owner"), signed_in("editor")
    path = f"{BASE}/settings/export?scope=default"
    form = read_form(second.get(path).get_data(as_text=True))
    save(
        first,
        "export",
        drop=("default.export.max_per_run", "default.export.dry_run"),
        export__max_per_run="2000",
        export__dry_run="1",
    )
    mine = changed(
        form,
        ("default.export.max_per_run", "default.export.schedule"),
        {"export.max_per_run": "3000", "export.schedule": "*/7 * * * *"},
    )
    answer = second.post(path, data=mine)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "owner saved this section while you were editing" in text_of(page)
    assert "Stored now: 2000" in text_of(row_of(page, "export.max_per_run"))
    assert "Stored now: Use system value: * * * * *" in text_of(row_of(page, "export.schedule"))
    again = read_form(page)
    assert (again["export.max_per_run"], again["export.schedule"]) == ("3000", "*/7 * * * *")
    assert again["export.dry_run"] == "1", "what I left alone shows what is stored now"
    assert "default.export.dry_run" not in again
    assert stored() == {"export.max_per_run": 2000, "export.dry_run": True}
    assert second.post(path, data=again).status_code == 303
    assert stored() == {"export.max_per_run": 3000, "export.dry_run": True, "export.schedule": "*/7 * * * *"}


def test_a_value_given_back_meanwhile_is_a_conflict_too(signed_in, given, stored):
    given("default", "export.max_per_run", 2000)
    first, second = signed_in("owner"), signed_in("editor")
    path = f"{BASE}/settings/export?scope=default"
    form = read_form(second.get(path).get_data(as_text=True))
    save(first, "export", default__export__max_per_run="1")
    assert second.post(path, data=changed(form, (), {"export.max_per_run": "3000"})).status_code == 409
    assert stored() == {}


def test_saving_another_section_or_scope_is_no_conflict(signed_in, given):
    client = signed_in("editor")
    path = f"{BASE}/settings/export?scope=store:de"
    form = read_form(client.get(path).get_data(as_text=True))
    given("default", "export.max_per_run", 2000)
    given("store:de", "orders.currency", "base")
    assert client.post(path, data=form).status_code == 303


def test_the_switcher_lists_the_tree_with_its_own_values_counted(signed_in, given):
    given("store:de", "orders.currency", "base")
    given("store:de", "general.enabled", "0")
    page = page_of(signed_in("viewer"), "general", "store:de")
    tree = re.search(r'<ul class="tree".*?</ul>', page, re.DOTALL).group(0)
    assert re.findall(r'depth-(\d)"><a href="[^"]*scope=([^"]+)"', tree) == [
        ("0", "default"),
        ("1", "website:base"),
        ("2", "store:default"),
        ("2", "store:de"),
        ("1", "website:outlet"),
        ("2", "store:out"),
    ]
    assert text_of(tree).count("own values") == 1
    assert "Deutsch de 2 own values" in text_of(tree)
    menu = re.search(r'<nav class="side.*?</nav>', page, re.DOTALL).group(0)
    assert "General settings 1 own values" in text_of(menu)
    assert f'href="{BASE}/settings/orders?scope=store:de"' in menu, "the scope stays when the section changes"


def test_the_general_section_shows_endpoint_and_store_identifiers_read_only(signed_in, given):
    given("website:base", "general.api_key", API_KEY)
    given("website:base", "general.store_id_kind", "id")
    client = signed_in("viewer")
    for scope, names in (("default", "1, 2, out"), ("website:base", "1, 2"), ("store:de", "2"), ("store:out", "out")):
        text = text_of(page_of(client, "general", scope))
        assert "Ometria API endpoint https://api.ometria.com/v2" in text
        assert f"Magento store identifier {names} " in text
    assert "Ometria API endpoint" not in page_of(client, "orders")


def test_stored_script_text_stays_text_in_a_form(signed_in, board):
    from bridge.models import Scope

    with board.app_context():
        db.session.get(Scope, "store:de").name = '"><script>alert(1)</script>'
        db.session.commit()
    client = signed_in("owner")
    save(client, "customers", "store:de", drop=("default.customers.namespace",), customers__namespace="shop")
    page = page_of(client, "customers", "store:de")
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_each_saved_value_has_its_line_in_the_audit_log(signed_in, board):
    client = signed_in("editor")
    save(client, "orders", "store:de", drop=("default.orders.currency",), orders__currency="both")
    save(client, "orders", "store:de", default__orders__currency="1")
    with board.app_context():
        lines = [
            (row.who, row.what, row.before, row.after)
            for row in db.session.scalars(db.select(AuditLog).order_by(AuditLog.id))
            if "orders" in row.what
        ]
    assert lines == [
        ("editor", "store:de orders.currency", None, "both"),
        ("editor", "store:de orders.currency", "both", None),
    ]


def test_a_long_list_of_changes_fits_the_cookie(signed_in):
    client = signed_in("editor")
    answer = save(
        client,
        "general",
        drop=("default.general.account_id",),
        general__account_id="a" * 40,
        general__api_key="k" * 200,
    )
    assert answer.status_code == 303
    cookies = answer.headers.getlist("Set-Cookie")
    assert all(len(cookie) < 4000 for cookie in cookies)
    assert "k" * 20 not in page_of(client, "general")
