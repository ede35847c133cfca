"""Process settings: read once from the environment, refused with one sentence when wrong.

Every variable may also be given as ``NAME_FILE``, the path to a file holding the value (for container secrets).
Shop settings live in the database (``settings.py``); there is no third place.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.environment import Network, Reader, SmtpUser
from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
SMTP_MAX_BYTES = 50 * 1024 * 1024

OMETRIA_API_URL = "https://api.ometria.com/v2"
OMETRIA_TAG_URL = "//cdn.ometria.com/tags/{account_id}.js"


@dataclass(frozen=True, slots=True)
class OAuthKeys:
    """The four credentials of a Magento integration (OAuth 1.0a, HMAC-SHA256)."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """All process settings; see ``docs/operate.md`` for the table of variables."""

    store_url: str | None = None
    public_url: str | None = None
    store_rest_url: str | None = None
    store_token: str | None = field(default=None, repr=False)
    store_oauth: OAuthKeys | None = field(default=None, repr=False)
    listen: str = "127.0.0.1:8000"
    dashboard_listen: str = "127.0.0.1:8001"
    dashboard_on_shop: bool = False
    smtp_listen: str = "127.0.0.1:2525"
    smtp_tls_listen: str | None = None
    smtp_tls_cert: Path | None = None
    smtp_tls_key: Path | None = None
    smtp_name: str = "localhost"
    smtp_allow: tuple[Network, ...] = LOOPBACK
    smtp_users: tuple[SmtpUser, ...] = ()
    smtp_max_bytes: int = SMTP_MAX_BYTES
    smtp_spool: tuple[Path, ...] = (Path("var/mail"),)
    smtp_upstream: str | None = field(default=None, repr=False)
    alert_hosts: tuple[str, ...] = ()
    database_url: str = ""
    shop_database_url: str | None = field(default=None, repr=False)
    shop_database_prefix: str = ""
    redis_url: str = field(default="", repr=False)
    data_dir: Path = Path("var")
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    ometria_api_url: str = OMETRIA_API_URL
    ometria_tag_url: str = OMETRIA_TAG_URL
    prefix: str = "/_bridge"
    trusted_proxies: tuple[Network, ...] = ()
    trusted_user_header: str = ""
    admin_path: str = "/admin"
    workers: int = 1
    threads: int = 8
    store_requests: int = 1
    timeout_connect: float = 5.0
    timeout_head: float = 120.0
    timeout_idle: float = 60.0
    max_body: int = 0
    max_connections_per_ip: int = 0
    kill_file: Path = Path("var/no-injection")
    access_log: Path | None = None
    edit_meta_policies: bool = False

    @property
    def embedded_redis(self) -> bool:
        """Whether ``bridge run`` starts its own Valkey: true while no URL is configured."""
        return self.redis_url.startswith("unix://") and str(self.redis_socket) in self.redis_url

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Valkey listens."""
        return self.data_dir / "valkey.sock"

    @property
    def spool_dir(self) -> Path:
        """Where events wait when Redis cannot take them."""
        return self.data_dir / "spool"


def config_from_environ(environ: Mapping[str, str]) -> Config:
    """Read the process settings; makes the data directory, and the secret key in it that nothing else gives.

    Raises :class:`Misconfigured` with one sentence that names the variable.
    """
    read = Reader(environ)
    data_dir = _make_data_dir(Path(read.text("BRIDGE_DATA_DIR", "./var") or "var").absolute())
    database_url = _database_url(read, data_dir)
    return Config(
        store_url=read.url("BRIDGE_STORE_URL"),
        public_url=read.url("BRIDGE_PUBLIC_URL"),
        store_rest_url=read.url("BRIDGE_STORE_REST_URL"),
        store_token=read.text("BRIDGE_STORE_TOKEN"),
        store_oauth=_oauth(read),
        listen=read.address("BRIDGE_LISTEN", "127.0.0.1:8000"),
        dashboard_listen=read.address("BRIDGE_DASHBOARD_LISTEN", "127.0.0.1:8001"),
        dashboard_on_shop=read.flag("BRIDGE_DASHBOARD_ON_SHOP"),
        **_smtp(read, data_dir),
        database_url=database_url,
        **_shop_database(read),
        redis_url=_redis_url(read, data_dir),
        data_dir=data_dir,
        secret_keys=_secret_keys(read, data_dir, own_database=database_url.startswith(f"sqlite:///{data_dir}")),
        ometria_api_url=read.url("BRIDGE_OMETRIA_API_URL") or OMETRIA_API_URL,
        ometria_tag_url=_tag_url(read),
        prefix=read.path("BRIDGE_PREFIX", "/_bridge"),
        **_trust(read),
        admin_path=read.path("BRIDGE_ADMIN_PATH", "/admin"),
        workers=int(read.number("BRIDGE_WORKERS", 1, 1, 64)),
        threads=int(read.number("BRIDGE_THREADS", 8, 1, 256)),
        store_requests=int(read.number("BRIDGE_STORE_REQUESTS", 1, 1, 16)),
        timeout_connect=read.number("BRIDGE_TIMEOUT_CONNECT", 5, 0.1, 60),
        timeout_head=read.number("BRIDGE_TIMEOUT_HEAD", 120, 1, 3600),
        timeout_idle=read.number("BRIDGE_TIMEOUT_IDLE", 60, 1, 3600),
        max_body=int(read.number("BRIDGE_MAX_BODY", 0, 0, 2**40)),
        max_connections_per_ip=int(read.number("BRIDGE_MAX_CONNECTIONS_PER_IP", 0, 0, 100_000)),
        kill_file=read.file("BRIDGE_KILL_FILE") or (data_dir / "no-injection").absolute(),
        access_log=read.file("BRIDGE_ACCESS_LOG"),
        edit_meta_policies=read.flag("BRIDGE_EDIT_META_POLICIES"),
    )


def _smtp(read: Reader, data_dir: Path) -> dict[str, Any]:
    """Return the fields of the mail relay."""
    tls_listen = read.text("BRIDGE_SMTP_TLS_LISTEN")
    certificate, key = read.file("BRIDGE_SMTP_TLS_CERT"), read.file("BRIDGE_SMTP_TLS_KEY")
    if certificate is None and (tls_listen or key):
        raise Misconfigured(
            "BRIDGE_SMTP_TLS_CERT is not set: TLS needs a PEM file with the certificate chain, and its key in "
            "BRIDGE_SMTP_TLS_KEY."
        )
    allow = (read.text("BRIDGE_SMTP_ALLOW") or "").lower()
    return {
        "smtp_listen": read.address("BRIDGE_SMTP_LISTEN", "127.0.0.1:2525"),
        "smtp_tls_listen": read.address("BRIDGE_SMTP_TLS_LISTEN", "") if tls_listen else None,
        "smtp_tls_cert": certificate,
        "smtp_tls_key": key,
        "smtp_name": read.host("BRIDGE_SMTP_NAME", socket.gethostname()),
        "smtp_allow": () if allow == "none" else read.networks("BRIDGE_SMTP_ALLOW") or LOOPBACK,
        "smtp_users": read.smtp_users("BRIDGE_SMTP_USERS"),
        "smtp_max_bytes": int(read.number("BRIDGE_SMTP_MAX_BYTES", SMTP_MAX_BYTES, 100_000, 2**30)),
        "smtp_spool": read.folders("BRIDGE_SMTP_SPOOL", (data_dir / "mail", _second_spool(data_dir))),
        "smtp_upstream": read.url("BRIDGE_SMTP_UPSTREAM", schemes=("smtp", "smtps")),
    }


def _second_spool(data_dir: Path) -> Path:
    """Return where mails wait when the data directory takes none: kept over a restart, often another disk."""
    own = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"bridge-mail-{os.geteuid()}-{own}"  # noqa: S108 the spool refuses a folder of others


def _trust(read: Reader) -> dict[str, Any]:
    name, networks = read.text("BRIDGE_TRUSTED_USER_HEADER") or "", read.networks("BRIDGE_TRUSTED_PROXIES")
    if name and not (networks and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name)):
        raise Misconfigured("BRIDGE_TRUSTED_USER_HEADER takes a field's name; BRIDGE_TRUSTED_PROXIES must be set, too.")
    hosts = read.hosts("BRIDGE_ALERT_HOSTS")
    return {"trusted_proxies": networks, "trusted_user_header": name, "alert_hosts": hosts}


def require_store(config: Config) -> str:
    """Return the shop's origin or raise the sentence that says how to name it."""
    if config.store_url is None:
        raise Misconfigured(
            "BRIDGE_STORE_URL is not set: give the shop's origin, e.g. BRIDGE_STORE_URL=http://varnish:80, "
            "or try the bundled shop with `bridge run --sandbox`."
        )
    return config.store_url


def _make_data_dir(data_dir: Path) -> Path:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"BRIDGE_DATA_DIR cannot be made ({error.strerror}): name a folder that this user may write."
        ) from None
    return data_dir


def _database_url(read: Reader, data_dir: Path) -> str:
    url = read.text("BRIDGE_DATABASE_URL") or f"sqlite:///{data_dir / 'bridge.db'}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise Misconfigured(
            "BRIDGE_DATABASE_URL is not usable: it takes postgresql+psycopg://user:password@host/name or sqlite:////path/to/file."
        )
    return url


def _shop_database(read: Reader) -> dict[str, Any]:
    url, prefix = read.text("BRIDGE_SHOP_DATABASE_URL"), read.text("BRIDGE_SHOP_DATABASE_PREFIX") or ""
    if url is not None and "://" not in url:
        raise Misconfigured(
            "BRIDGE_SHOP_DATABASE_URL is not usable: it takes an SQLAlchemy URL such as "
            "mysql+pymysql://reader:password@host/magento, of a user that may only read newsletter_subscriber."
        )
    if not all(part.isascii() and (part.isalnum() or part == "_") for part in prefix):
        raise Misconfigured("BRIDGE_SHOP_DATABASE_PREFIX is not usable: it takes letters, digits and _ only.")
    return {"shop_database_url": url, "shop_database_prefix": prefix}


def _redis_url(read: Reader, data_dir: Path) -> str:
    url = read.text("BRIDGE_REDIS_URL") or f"unix://{data_dir / 'valkey.sock'}"
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise Misconfigured(
            "BRIDGE_REDIS_URL is not usable: it takes redis://, rediss:// or unix:// followed by the address."
        )
    return url


def _tag_url(read: Reader) -> str:
    url = read.text("BRIDGE_OMETRIA_TAG_URL") or OMETRIA_TAG_URL
    if "{account_id}" not in url or not url.startswith(("//", "https://", "http://")):
        raise Misconfigured(
            "BRIDGE_OMETRIA_TAG_URL is not usable: it takes a URL with {account_id} in it, "
            "such as //cdn.ometria.com/tags/{account_id}.js."
        )
    return url


def _oauth(read: Reader) -> OAuthKeys | None:
    names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    values = [read.text(f"BRIDGE_STORE_{name}") for name in names]
    if not any(values):
        return None
    for name, value in zip(names, values, strict=True):
        if not value:
            raise Misconfigured(
                f"BRIDGE_STORE_{name} is missing: the four OAuth values of the integration belong together."
            )
    return OAuthKeys(*[value or "" for value in values])


def _secret_keys(read: Reader, data_dir: Path, *, own_database: bool) -> tuple[str, ...]:
    if text := read.text("BRIDGE_SECRET_KEY"):
        keys = tuple(part.strip() for part in text.split(",") if part.strip())
        if any(len(key) < 16 for key in keys):
            raise Misconfigured(
                "BRIDGE_SECRET_KEY is too short: it takes at least 16 characters, several joined by commas."
            )
        return keys
    if not own_database:
        raise Misconfigured(
            "BRIDGE_SECRET_KEY is required with a database of your own: "
            "set the same value of 16 or more characters on each host."
        )
    path = data_dir / "secret-key"
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return (path.read_text(encoding="ascii").strip(),)


__all__ = ["Config", "Network", "OAuthKeys", "SmtpUser", "config_from_environ", "require_store"]
