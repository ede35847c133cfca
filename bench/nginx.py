"""nginx in front of the made shop, as the measure: with `sub_filter` putting in a tag, and merely passing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# glibc gives the pages of each request's buffers back and faults them in again; bridge avoids that, so nginx must too.
ENVIRON = {
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
_TAG = "sub_filter '<head>' '<head><script src=\"/t.js\" async></script>'; sub_filter_once on;"
_PACK = "gzip on; gzip_comp_level 1; gzip_proxied any;"
SERVERS = {
    "nginx-sub": (f"{_TAG} {_PACK}", 'proxy_set_header Accept-Encoding "";'),
    "nginx-pass": ("", ""),
}
CONF = """daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log {folder}/{name}.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log {folder}/{name}.access; keepalive_requests 10000000; client_body_temp_path {folder}/{name}.b;
  proxy_temp_path {folder}/{name}.p; fastcgi_temp_path {folder}/{name}.f; uwsgi_temp_path {folder}/{name}.u;
  scgi_temp_path {folder}/{name}.s;
  proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;
  output_buffers 4 128k;
  upstream shop {{ server 127.0.0.1:{shop}; keepalive 64; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port}; {inject}
    location / {{ proxy_pass http://shop; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; {ask} }}
  }}
}}
"""


def program() -> str | None:
    """Return where nginx is; None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def command(name: str, folder: Path, shop: int, port: int) -> list[str]:
    """Write the configuration of one of SERVERS and return the command that starts it."""
    inject, ask = SERVERS[name]
    conf = folder / f"{name}.conf"
    text = CONF.format(name=name, folder=folder, shop=shop, port=port, inject=inject, ask=ask)
    conf.write_text(text, encoding="ascii")
    return [program() or "nginx", "-c", str(conf), "-p", str(folder)]
