"""Which answers get the tag, decided from heads alone. No sockets, no state.

The decision looks at the path, the status and the answer's fields, never at request fields that a shared cache in front
does not key on: whoever asks for a page, the page is the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from bridge.proxy.counters import Reason
    from bridge.proxy.exchange import RequestHead, ResponseHead

PAGE_LIMIT: Final = 8 * 1024 * 1024
HEAD_LIMIT: Final = 128 * 1024
KEPT_PATH: Final = 512  # what is known of longer paths is not kept: a visitor could fill the memory with them

# Paths of Magento that never answer with a storefront page, or whose answers must not be delayed.
_ROOTED = re.compile(
    rb"/(?:"
    rb"(?:rest|soap|graphql|oauth|V1|static|media|pub|errors|\.well-known|setup|update|swagger|magento_version|ping)(?:/|$)"
    rb"|(?:robots\.txt|favicon\.ico|health_check\.php)$"
    rb"|sitemap[^/]*\.xml$"
    rb")"
)
# Front names may follow index.php and a store code.
_CONTROLLERS = re.compile(
    rb"(?:/index\.php)?(?:/[A-Za-z0-9_]+)?/(?:"
    rb"customer/section/load|page_cache/block|mui|captcha|checkout/sidebar|downloadable/download"
    rb"|paypal/(?:ipn|[^/]+/return)|braintree|adyen|stripe|mollie"
    rb")(?:/|$)"
)
_FILE = re.compile(
    rb"\.(?:avif|bmp|css|csv|eot|gif|ico|jpe?g|js|json|map|mjs|mp[34]|otf|pdf|png|svg|ttf|txt|wasm|webm|webp|woff2?|xml|zip)$",
    re.IGNORECASE,
)
_HTML = re.compile(rb"\s*text/html\s*(?:;|$)", re.IGNORECASE)
_GZIP_CODING = re.compile(rb"(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q=([0-9.]+)\s*)?(?:,|$)", re.IGNORECASE)


def _plain(path: bytes) -> bytes:
    """Undo what a web server undoes before it routes: escapes, doubled slashes, dot segments."""
    if b"%" in path:
        path = unquote_to_bytes(path)
    if b"//" in path or b"/." in path:
        segments: list[bytes] = []
        for segment in path.split(b"/"):
            if segment == b"..":
                del segments[-1:]
            elif segment not in {b"", b"."}:
                segments.append(segment)
        path = b"/" + b"/".join(segments)
    return path


def path_reason(path: bytes, admin_path: str) -> Reason | None:
    """Say why answers under this path never get the tag; None where they may."""
    return _path_reason(path, admin_path) if len(path) <= KEPT_PATH else _path_reason.__wrapped__(path, admin_path)


@lru_cache(maxsize=8192)
def _path_reason(path: bytes, admin_path: str) -> Reason | None:
    path = _plain(path)
    admin = admin_path.strip("/").encode()
    rest = path.removeprefix(b"/index.php")
    if admin and (rest == b"/" + admin or rest.startswith(b"/" + admin + b"/")):
        return "admin"
    if _ROOTED.match(rest) or _CONTROLLERS.match(path):
        return "path"
    return None


def may_be_page(path: bytes, admin_path: str) -> bool:
    """Say whether a page may live here, so that the request is prepared for it; names of files are left as they are."""
    return _may_be_page(path, admin_path) if len(path) <= KEPT_PATH else _may_be_page.__wrapped__(path, admin_path)


@lru_cache(maxsize=8192)
def _may_be_page(path: bytes, admin_path: str) -> bool:
    return path_reason(path, admin_path) is None and _FILE.search(path) is None


@lru_cache(maxsize=64)
def takes_gzip(accept_encoding: bytes | None) -> bool:
    """Say whether the client takes gzip."""
    if accept_encoding is None:
        return False
    match = _GZIP_CODING.search(accept_encoding)
    if match is None:
        return accept_encoding.strip() == b"*"
    return match[1] is None or match[1].strip(b"0.") != b""


@lru_cache(maxsize=1024)
def is_html(content_type: bytes | None) -> bool:
    """Say whether a Content-Type is HTML's."""
    return content_type is not None and _HTML.match(content_type) is not None


def coding_of(response: ResponseHead) -> bytes:
    """Return the content coding in lower case; b"" for none."""
    coding = response.index.get(b"content-encoding")
    if coding is None:
        return b""
    coding = b",".join(response.get_all(b"content-encoding")).strip().lower()
    return {b"identity": b"", b"x-gzip": b"gzip"}.get(coding, coding)


def varies_by_coding(response: ResponseHead) -> bool:
    """Say whether the answer tells caches that it depends on Accept-Encoding."""
    vary = b",".join(response.get_all(b"vary")).lower()
    return b"accept-encoding" in vary or b"*" in vary


PAGE_METHODS: Final = frozenset({b"GET", b"POST", b"HEAD"})


def decide(request: RequestHead, response: ResponseHead, reason_of_path: Reason | None) -> Reason | None:
    """Say why this answer does not get the tag; None when it gets it if its body proves to be a document."""
    if not is_html(response.index.get(b"content-type")):
        return "type"
    if reason_of_path is not None:
        return reason_of_path
    if request.method not in PAGE_METHODS:
        return "method"
    reason = head_reason(response)
    if reason is None or reason == "encoding":
        length = response.index.get(b"content-length")
        if length is not None and length.isdigit() and int(length) > PAGE_LIMIT:
            return "size"
    return reason


def head_reason(response: ResponseHead) -> Reason | None:
    """Say why an answer of HTML does not get the tag, going by its head without its length."""
    if response.status == 206 or b"content-range" in response.index:
        return "range"
    if response.status not in {200, 404}:
        return "status"
    disposition = response.index.get(b"content-disposition")
    if disposition is not None and disposition.lower().lstrip().startswith(b"attachment"):
        return "attachment"
    if coding_of(response) not in {b"", b"gzip"}:
        return "encoding"
    return None
