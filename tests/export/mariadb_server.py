"""A MariaDB server for tests, in a folder of its own, reached by a unix socket only."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS_SECONDS = 60
SYSTEM = Path("/usr/share/mysql")
SYSTEM_TABLES = ("mysql_system_tables.sql", "mysql_system_tables_data.sql")
# The server's own installer needs programs of other packages; this is what it does: root without a password.
BEGIN = """CREATE DATABASE mysql;
USE mysql;
SET @auth_root_socket = NULL;
SET @current_hostname = 'localhost';
SET @skip_auth_anonymous = 1;
"""
READER = "reader"
"""A user with no right but to connect."""


def _server() -> str | None:
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/libexec")


def why_not() -> str | None:
    """Return why no server can be started here."""
    return None if _server() and (SYSTEM / SYSTEM_TABLES[0]).exists() else "MariaDB is not installed"


def _wait(path: Path) -> None:
    limit = time.monotonic() + STARTS_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as tried:
            if tried.connect_ex(str(path)) == 0:
                return
        assert time.monotonic() < limit, "MariaDB did not come up"
        time.sleep(0.1)


def _fill(path: Path) -> None:
    connection = pymysql.connect(unix_socket=str(path), user="root")
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop")
        cursor.execute(f"CREATE USER {READER}@localhost IDENTIFIED BY 'secret'")


@contextmanager
def start_mariadb(zone: str = "+09:00") -> Iterator[str]:
    """Start a server in a time zone of its own, with Magento's mode; give the SQLAlchemy URL of an empty database."""
    server = _server()
    assert server is not None
    folder = Path(tempfile.mkdtemp(prefix="bridge-maria-"))
    data, path = folder / "data", folder / "m.sock"
    user = ["--user=root"] if os.geteuid() == 0 else []
    data.mkdir()
    subprocess.run(
        [server, "--no-defaults", "--bootstrap", f"--datadir={data}", *user],
        input=BEGIN.encode() + b"".join((SYSTEM / name).read_bytes() for name in SYSTEM_TABLES),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    options = [f"--datadir={data}", f"--socket={path}", "--skip-networking", "--innodb-flush-log-at-trx-commit=0"]
    # Magento sets an empty mode for its own connections, so that its tables may hold zeros for dates.
    options += [f"--default-time-zone={zone}", "--sql-mode=", "--innodb-buffer-pool-size=16M"]
    process = subprocess.Popen([server, "--no-defaults", *options, *user], stderr=subprocess.DEVNULL)
    try:
        _wait(path)
        _fill(path)
        yield f"mysql+pymysql://root@localhost/shop?unix_socket={path}"
    finally:
        process.terminate()
        process.wait(timeout=STARTS_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
