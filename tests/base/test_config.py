"""Process settings: each wrong value is one sentence that names the variable."""

from __future__ import annotations

import pytest

from bridge.config import config_from_environ, require_store
from bridge.errors import Misconfigured


def read(tmp_path, **values):
    return config_from_environ({"BRIDGE_DATA_DIR": str(tmp_path / "var"), **values})


def test_defaults_are_those_of_the_documentation(tmp_path):
    config = read(tmp_path)
    assert config.listen == "127.0.0.1:8000"
    assert config.dashboard_listen == "127.0.0.1:8001"
    assert config.prefix == "/_bridge"
    assert config.ometria_api_url == "https://api.ometria.com/v2"
    assert config.embedded_redis
    assert config.database_url == f"sqlite:///{tmp_path / 'var' / 'bridge.db'}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BRIDGE_STORE_URL", "varnish:80"),
        ("BRIDGE_STORE_URL", "ftp://varnish"),
        ("BRIDGE_STORE_URL", "http://shop:port"),
        ("BRIDGE_PUBLIC_URL", "//shop.test"),
        ("BRIDGE_LISTEN", "8000"),
        ("BRIDGE_LISTEN", "127.0.0.1:http"),
        ("BRIDGE_LISTEN", "127.0.0.1:70000"),
        ("BRIDGE_DASHBOARD_ON_SHOP", "maybe"),
        ("BRIDGE_DATABASE_URL", "mysql://x"),
        ("BRIDGE_REDIS_URL", "localhost:6379"),
        ("BRIDGE_OMETRIA_TAG_URL", "//cdn.ometria.com/tags/abc.js"),
        ("BRIDGE_PREFIX", "bridge"),
        ("BRIDGE_PREFIX", "/"),
        ("BRIDGE_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("BRIDGE_WORKERS", "0"),
        ("BRIDGE_TIMEOUT_HEAD", "soon"),
        ("BRIDGE_SECRET_KEY", "short"),
        ("BRIDGE_STORE_CONSUMER_KEY", "only-one-of-four"),
        ("BRIDGE_SMTP_LISTEN", "2525"),
        ("BRIDGE_SMTP_ALLOW", "everybody"),
        ("BRIDGE_SMTP_NAME", "mail relay"),
        ("BRIDGE_SMTP_MAX_BYTES", "12"),
        ("BRIDGE_SMTP_UPSTREAM", "http://mail.test"),
        ("BRIDGE_ALERT_HOSTS", "https://hooks.internal"),
        ("BRIDGE_ALERT_HOSTS", "hooks.internal:"),
        ("BRIDGE_ALERT_HOSTS", "hooks.internal:99999"),
        ("BRIDGE_ALERT_HOSTS", "::1"),
        ("BRIDGE_SMTP_USERS", "shop:secret"),
        ("BRIDGE_SMTP_USERS", "shop:secret:no such code"),
        ("BRIDGE_SMTP_USERS", ":secret:fr"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_a_variable(tmp_path, name, value):
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, **{name: value})
    sentence = str(caught.value)
    assert sentence.startswith(name.replace("CONSUMER_KEY", "CONSUMER_SECRET"))
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["BRIDGE_SMTP_TLS_LISTEN", "BRIDGE_SMTP_TLS_KEY"])
def test_tls_without_a_certificate_is_refused(tmp_path, name):
    with pytest.raises(Misconfigured, match="BRIDGE_SMTP_TLS_CERT is not set"):
        read(tmp_path, **{name: "127.0.0.1:465"})


def test_the_relay_takes_mail_from_this_machine_alone_unless_told(tmp_path):
    config = read(tmp_path)
    assert [str(network) for network in config.smtp_allow] == ["127.0.0.0/8", "::1/128"]
    assert config.smtp_users == ()
    assert config.smtp_tls_listen is None
    assert read(tmp_path, BRIDGE_SMTP_ALLOW="none").smtp_allow == ()
    assert [str(network) for network in read(tmp_path, BRIDGE_SMTP_ALLOW="10.0.0.0/8").smtp_allow] == ["10.0.0.0/8"]


def test_mail_users_are_lines_whose_password_may_hold_colons(tmp_path):
    users = tmp_path / "users"
    users.write_text("english:a:b c:default\n\nothers:p:\n")
    found = read(tmp_path, BRIDGE_SMTP_USERS_FILE=str(users)).smtp_users
    assert [(user.name, user.password, user.store) for user in found] == [
        ("english", "a:b c", "default"),
        ("others", "p", ""),
    ]
    assert "a:b c" not in repr(found)


def test_mails_wait_in_the_data_directory_then_in_a_folder_of_this_installation_elsewhere(tmp_path):
    first, second = read(tmp_path).smtp_spool
    assert first == tmp_path / "var" / "mail"
    assert second.name.startswith("bridge-mail-")
    assert tmp_path not in second.parents
    assert read(tmp_path, BRIDGE_DATA_DIR=str(tmp_path / "other")).smtp_spool[1] != second
    named = read(tmp_path, BRIDGE_SMTP_SPOOL=f"{tmp_path / 'a'}, {tmp_path / 'b'}").smtp_spool
    assert named == (tmp_path / "a", tmp_path / "b")


def test_hosts_of_alerts_are_a_list_with_ports_or_without(tmp_path):
    assert read(tmp_path).alert_hosts == ()
    named = "Hooks.internal:9000, 10.0.0.5 ,[fd00::5]:8080"
    assert read(tmp_path, BRIDGE_ALERT_HOSTS=named).alert_hosts == ("hooks.internal:9000", "10.0.0.5", "[fd00::5]:8080")


def test_a_value_may_come_from_a_file(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("abc123\n")
    config = read(tmp_path, BRIDGE_STORE_TOKEN_FILE=str(secret))
    assert config.store_token == "abc123"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(Misconfigured, match="BRIDGE_STORE_TOKEN_FILE names a file that cannot be read"):
        read(tmp_path, BRIDGE_STORE_TOKEN_FILE=str(tmp_path / "none"))


def test_secrets_never_show_in_the_configuration_s_text(tmp_path):
    config = read(
        tmp_path,
        BRIDGE_STORE_TOKEN="tok-very-secret",
        BRIDGE_SECRET_KEY="key-very-secret-0123456789",
        BRIDGE_REDIS_URL="redis://:pw-very-secret@host",
    )
    assert "very-secret" not in repr(config)


def test_the_secret_key_is_made_once_and_kept_to_this_user(tmp_path):
    first, second = read(tmp_path), read(tmp_path)
    assert first.secret_keys == second.secret_keys
    assert len(first.secret_keys[0]) >= 32
    assert (tmp_path / "var" / "secret-key").stat().st_mode & 0o077 == 0


def test_another_database_needs_a_secret_key_of_its_own(tmp_path):
    with pytest.raises(Misconfigured, match="BRIDGE_SECRET_KEY is required"):
        read(tmp_path, BRIDGE_DATABASE_URL="postgresql+psycopg://u:p@db/bridge")


def test_without_a_shop_the_sentence_says_how_to_name_one(tmp_path):
    with pytest.raises(Misconfigured, match="BRIDGE_STORE_URL is not set"):
        require_store(read(tmp_path))


def test_the_shops_database_is_named_by_a_url_and_a_prefix(tmp_path):
    url = "mysql+pymysql://reader:secret@db/magento"
    config = read(tmp_path, BRIDGE_SHOP_DATABASE_URL=url, BRIDGE_SHOP_DATABASE_PREFIX="mg_")
    assert (config.shop_database_url, config.shop_database_prefix) == (url, "mg_")
    assert "secret" not in repr(config)
    assert read(tmp_path).shop_database_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("BRIDGE_SHOP_DATABASE_URL", "db/magento"), ("BRIDGE_SHOP_DATABASE_PREFIX", "mg;drop")],
)
def test_another_shop_database_is_refused_without_its_value(tmp_path, name, value):
    with pytest.raises(Misconfigured, match=name) as caught:
        read(tmp_path, **{name: value})
    assert value not in str(caught.value)
