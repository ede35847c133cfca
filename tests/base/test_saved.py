"""Settings in the database: encrypted secrets, scopes, audit."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import select, text

from bridge.db import db, vault
from bridge.errors import Misconfigured
from bridge.models import AuditLog, Scope, SettingValue
from bridge.settings import Books, load_book, save_tree, set_value, unset_value, version


def tree():
    return [
        Scope(ref="default", level="default"),
        Scope(ref="website:base", level="website", code="base", magento_id=1, parent="default"),
        Scope(ref="store:default", level="store", code="default", magento_id=1, parent="website:base", is_default=True),
    ]


def test_a_secret_is_encrypted_in_the_file_and_read_back(bare_app):
    set_value("default", "general.api_key", "om_live_1234567890", "ada")
    db.session.commit()
    raw = db.session.execute(text("SELECT secret, value FROM setting_value")).one()
    assert "om_live" not in str(raw)
    assert load_book().settings("default")["general.api_key"] == "om_live_1234567890"


def test_the_audit_log_names_who_and_what_but_no_secret(bare_app):
    set_value("default", "general.api_key", "om_live_1234567890", "ada")
    set_value("default", "orders.currency", "both", "ada")
    db.session.commit()
    rows = db.session.scalars(select(AuditLog).order_by(AuditLog.id)).all()
    assert [(row.who, row.what, row.after) for row in rows] == [
        ("ada", "default general.api_key", "••••7890"),
        ("ada", "default orders.currency", "both"),
    ]


def test_unset_takes_the_value_above_again(bare_app):
    save_tree(tree())
    set_value("default", "orders.currency", "base", "ada")
    set_value("store:default", "orders.currency", "both", "ada")
    db.session.commit()
    assert load_book().settings("store:default")["orders.currency"] == "both"
    assert unset_value("store:default", "orders.currency", "ada")
    assert not unset_value("store:default", "orders.currency", "ada")
    db.session.commit()
    assert load_book().settings("store:default")["orders.currency"] == "base"


def test_an_unknown_scope_is_answered_with_the_known_ones(bare_app):
    save_tree(tree())
    with pytest.raises(Misconfigured, match="default, store:default, website:base"):
        set_value("website:europe", "orders.currency", "both", "ada")


def test_the_tree_can_be_saved_again_and_values_stay(bare_app):
    save_tree(tree())
    set_value("store:default", "orders.currency", "both", "ada")
    db.session.commit()
    save_tree(tree())
    db.session.commit()
    assert load_book().default_store.code == "default"
    assert load_book().settings("store:default")["orders.currency"] == "both"


def test_every_change_of_a_value_or_of_the_tree_changes_the_version(bare_app):
    seen = [version()]
    for change in (
        lambda: set_value("default", "orders.currency", "both", "ada"),
        lambda: unset_value("default", "orders.currency", "ada"),
        lambda: save_tree(tree()),
    ):
        change()
        db.session.commit()
        seen.append(version())
    assert len(set(seen)) == 4
    assert version() == seen[-1]
    assert db.session.scalar(select(SettingValue.key)) is None


def test_keys_rotate_the_first_encrypts_and_all_decrypt(bare_app):
    set_value("default", "general.api_key", "om_live_1234567890", "ada")
    db.session.commit()
    vault.use(["a-new-secret-key-9876543210", "a-secret-key-for-tests-0123456789"])
    assert load_book().settings("default")["general.api_key"] == "om_live_1234567890"
    vault.use(["a-wholly-different-key-000000"])
    db.session.expire_all()
    with pytest.raises(Misconfigured, match="BRIDGE_SECRET_KEY"):
        load_book()


def test_without_the_database_the_last_good_snapshot_serves(bare_app, tmp_path):
    save_tree(tree())
    set_value("default", "general.account_id", "abcd1234abcd1234", "ada")
    db.session.commit()
    Books(bare_app, tmp_path / "settings.json").refresh()
    db.drop_all()
    books = Books(bare_app, tmp_path / "settings.json")
    assert books.refresh().settings("store:default")["general.account_id"] == "abcd1234abcd1234"
    assert books.current.default_store.code == "default"


def test_a_setting_is_saved_while_the_worker_writes(bare_app, monkeypatch):
    import sqlite3

    from bridge.settings import saved

    real = saved._mark

    def meanwhile():
        other = sqlite3.connect(db.engine.url.database, timeout=0)
        with contextlib.suppress(sqlite3.OperationalError), other:
            other.execute("INSERT INTO cursor (name, data, updated_at) VALUES ('poll', '{}', 0)")
        other.close()
        real()

    monkeypatch.setattr(saved, "_mark", meanwhile)
    set_value("default", "orders.currency", "both", "ada")
    db.session.commit()
    assert load_book().settings("default")["orders.currency"] == "both"
