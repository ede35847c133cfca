"""Process settings: read once from the environment, refused with one sentence when wrong.

Every variable may also be given as ``NAME_FILE``, the path to a file holding the value (for container secrets).
Shop settings live in the database (``settings.py``); there is no third place.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

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
    smtp_upstream: str | None = field(default=None, repr=False)
    database_url: str = ""
    redis_url: str = field(default="", repr=False)
    data_dir: Path = Path("var")
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    ometria_api_url: str = OMETRIA_API_URL
    ometria_tag_url: str = OMETRIA_TAG_URL
    prefix: str = "/_bridge"
    trusted_proxies: tuple[Network, ...] = ()
    admin_path: str = "/admin"
    workers: int = 1
    threads: int = 8
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


class Reader:
    """Typed look-ups in an environment; each refuses a wrong value with the variable's name and what it takes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return ``NAME``, else what the file named by ``NAME_FILE`` holds, else ``default``; blank is absent."""
        if value := self._environ.get(name, "").strip():
            return value
        if path := self._environ.get(f"{name}_FILE", "").strip():
            try:
                return Path(path).read_text(encoding="utf-8").strip() or default
            except OSError as error:
                raise Misconfigured(
                    f"{name}_FILE names a file that cannot be read ({error.strerror}): correct the path or its rights."
                ) from None
        return default

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        value = (self.text(name) or "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        return self._wrong(name, "one of 1 0 true false yes no on off")

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number between ``low`` and ``high``."""
        text = self.text(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = low - 1
        return value if low <= value <= high else self._wrong(name, f"a number from {low:g} to {high:g}")

    def url(self, name: str, *, schemes: tuple[str, ...] = ("http", "https")) -> str | None:
        """Return an absolute URL with a host and one of ``schemes``, without its trailing slash."""
        text = self.text(name)
        if text is None:
            return None
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good:
            self._wrong(name, f"a URL beginning with {' or '.join(f'{s}://' for s in schemes)} and naming a host")
        return text.rstrip("/")

    def address(self, name: str, default: str) -> str:
        """Return ``host:port``."""
        text = self.text(name) or default
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
            self._wrong(name, "an address such as 127.0.0.1:8000")
        return text

    def path(self, name: str, default: str) -> str:
        """Return a URL path that begins with a slash and does not end with one."""
        text = self.text(name) or default
        if not text.startswith("/") or text == "/" or "//" in text or any(c in text for c in " ?#"):
            self._wrong(name, "a path such as " + default)
        return text.rstrip("/")

    def file(self, name: str) -> Path | None:
        """Return the path of a file."""
        text = self.text(name)
        return Path(text).absolute() if text else None

    def networks(self, name: str) -> tuple[Network, ...]:
        """Return a comma list of IP networks."""
        text = self.text(name) or ""
        try:
            return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
        except ValueError:
            return self._wrong(name, "networks such as 10.0.0.0/8,192.168.1.5/32")

    def _wrong(self, name: str, takes: str) -> NoReturn:
        raise Misconfigured(f"{name} is not usable: it takes {takes}.")


def config_from_environ(environ: Mapping[str, str]) -> Config:
    """Read the process settings; raises :class:`Misconfigured` with one sentence that names the variable.

    Makes the data directory, and the secret key in it when none is given and the database is the default one.
    """
    read = Reader(environ)
    data_dir = Path(read.text("BRIDGE_DATA_DIR", "./var") or "var").absolute()
    _make_data_dir(data_dir)
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
        smtp_listen=read.address("BRIDGE_SMTP_LISTEN", "127.0.0.1:2525"),
        smtp_upstream=read.url("BRIDGE_SMTP_UPSTREAM", schemes=("smtp", "smtps")),
        database_url=database_url,
        redis_url=_redis_url(read, data_dir),
        data_dir=data_dir,
        secret_keys=_secret_keys(read, data_dir, own_database=database_url.startswith(f"sqlite:///{data_dir}")),
        ometria_api_url=read.url("BRIDGE_OMETRIA_API_URL") or OMETRIA_API_URL,
        ometria_tag_url=_tag_url(read),
        prefix=read.path("BRIDGE_PREFIX", "/_bridge"),
        trusted_proxies=read.networks("BRIDGE_TRUSTED_PROXIES"),
        admin_path=read.path("BRIDGE_ADMIN_PATH", "/admin"),
        workers=int(read.number("BRIDGE_WORKERS", 1, 1, 64)),
        threads=int(read.number("BRIDGE_THREADS", 8, 1, 256)),
        timeout_connect=read.number("BRIDGE_TIMEOUT_CONNECT", 5, 0.1, 60),
        timeout_head=read.number("BRIDGE_TIMEOUT_HEAD", 120, 1, 3600),
        timeout_idle=read.number("BRIDGE_TIMEOUT_IDLE", 60, 1, 3600),
        max_body=int(read.number("BRIDGE_MAX_BODY", 0, 0, 2**40)),
        max_connections_per_ip=int(read.number("BRIDGE_MAX_CONNECTIONS_PER_IP", 0, 0, 100_000)),
        kill_file=read.file("BRIDGE_KILL_FILE") or (data_dir / "no-injection").absolute(),
        access_log=read.file("BRIDGE_ACCESS_LOG"),
        edit_meta_policies=read.flag("BRIDGE_EDIT_META_POLICIES"),
    )


def require_store(config: Config) -> str:
    """Return the shop's origin or raise the sentence that says how to name it."""
    if config.store_url is None:
        raise Misconfigured(
            "BRIDGE_STORE_URL is not set: give the shop's origin, e.g. BRIDGE_STORE_URL=http://varnish:80, "
            "or try the bundled shop with `bridge run --sandbox`."
        )
    return config.store_url


def _make_data_dir(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            f"BRIDGE_DATA_DIR cannot be made ({error.strerror}): name a folder that this user may write."
        ) from None


def _database_url(read: Reader, data_dir: Path) -> str:
    url = read.text("BRIDGE_DATABASE_URL") or f"sqlite:///{data_dir / 'bridge.db'}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise Misconfigured(
            "BRIDGE_DATABASE_URL is not usable: it takes postgresql+psycopg://user:password@host/name or sqlite:////path/to/file."
        )
    return url


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
