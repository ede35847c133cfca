"""The manners of Magento's front controller: sessions, cookies, messages, headers, compression."""

from __future__ import annotations

import gzip
import json
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from flask import Response, current_app, g, render_template, request

from bridge.sandbox.people import Session
from bridge.sandbox.policies import enforced_policy, report_only_policy
from bridge.sandbox.values import digest, dumps
from bridge.sandbox.views import BASE, DEFAULT, EUROPE, VIEW_BY_CODE, StoreView, Website, views_of
from bridge.sandbox.words import translate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from bridge.sandbox.catalog import Catalog
    from bridge.sandbox.state import ShopState

__all__ = ["Response", "request"]

EXTENSION = "sandbox_shop"
STALE_FORM_KEY = "CachedPageKey016"
SESSION_SECONDS = 3600
SMALLEST_GZIP = 1100
HTML = "text/html; charset=UTF-8"
CLOSED = """<!doctype html>
<html xmlns="http://www.w3.org/1999/xhtml" >
<head>
    <title>Error 503: Service Unavailable</title>
</head>
<body>
    <main><h1>The shop is closed for repairs</h1><p>Please look in again later.</p></main>
</body>
</html>
"""
SESSION_ID = re.compile(r"[A-Za-z0-9,-]{22,256}")


def shop_state() -> ShopState:
    """Return the memory of the shop that answers this request."""
    state: ShopState = current_app.extensions[EXTENSION]
    return state


def visitor() -> Session:
    """Return the session of the visitor who asks."""
    session: Session = g.visitor
    return session


def store_view() -> StoreView:
    """Return the store view that answers this request."""
    view: StoreView = g.view
    return view


def shown_view() -> StoreView:
    """Return the store view in the currency that the visitor chose."""
    return store_view().in_currency(visitor().currency)


def catalog() -> Catalog:
    """Return the catalogue as this request's store view, or the scope of its REST path, sees it."""
    return shop_state().catalogs[shown_view().shelf]


def base_url() -> str:
    """Return the public address of the website that answers this request."""
    return shop_state().base_url(store_view())


def url(path: str = "") -> str:
    """Return an absolute address of the shop."""
    return base_url() + path.lstrip("/")


def say_in(text: str, **values: object) -> str:
    """Return words in the language of the store view."""
    return translate(text, store_view().language, **values)


def is_ajax() -> bool:
    """Tell whether the browser's script asks."""
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"


def back_url(default: str = "") -> str:
    """Return the page the visitor came from if it is ours; no other address is believed."""
    referer = request.headers.get("Referer", "")
    return referer if referer.startswith(url()) else url(default)


def say(kind: str, text: str, **values: object) -> None:
    """Leave a message (``success``, ``error``, ``notice``, ``warning``) for the visitor. ``text`` is HTML."""
    visitor().messages.append({"type": kind, "text": say_in(text, **values)})


def post_mail(message: EmailMessage) -> None:
    """Send a message once the shop's memory is free again; a failing mail host does not fail the request."""
    g.mails.append(message)


# Answers


def page(template: str, *, cacheable: bool = False, status: int = 200, **values: Any) -> Response:
    """Render a page. A cacheable one is the same for everybody, so its form key is stale by design."""
    g.kind = "cacheable" if cacheable else "page"
    session = visitor()
    values["title"] = say_in(values.get("title", ""))
    values["form_key"] = STALE_FORM_KEY if cacheable else session.form_key
    values["logged_in"] = session.customer_id is not None
    return Response(render_template(template, **values), status, content_type=HTML)


def redirect_to(address: str) -> Response:
    """Send the visitor on with 302; waiting messages travel in the cookie."""
    g.kind = "redirect"
    return Response("", 302, {"Location": address}, content_type=HTML)


def ajax_answer(document: Any, status: int = 200) -> Response:
    """Answer a script; waiting messages stay for the ``messages`` section."""
    g.kind = "ajax"
    return Response(dumps(document), status, content_type="application/json")


def rest_answer(document: Any, status: int = 200) -> Response:
    """Answer a REST call."""
    g.kind = "rest"
    return Response(dumps(document), status, content_type="application/json; charset=utf-8")


# Before and after


def begin() -> Response | None:
    """Take the lock, send visitors of a wrong host away, find or open the session."""
    state = shop_state()
    g.kind, g.mails, g.nonce = "file", [], secrets.token_urlsafe(24)
    g.vary = g.store_cookie = None
    state.lock.acquire()
    g.locked = True
    website = _website(state)
    g.view = _view_of(website or BASE)
    if request.path.startswith(("/static/", "/media/")):
        return None
    if state.maintenance:
        g.kind = "closed"
        return Response(CLOSED, 503, content_type=HTML)
    _open_session(state)
    if website is None and request.method in {"GET", "HEAD"} and not request.path.startswith(("/rest/", "/graphql")):
        return redirect_to(url(request.path))
    return None


def _website(state: ShopState) -> Website | None:
    host = request.headers.get("Host", "").lower()
    return {state.options.authority: BASE, state.options.eu_authority: EUROPE}.get(host)


def _view_of(website: Website) -> StoreView:
    """Return the view that ``___store`` or the cookie ``store`` names, if the website has it, or its first view."""
    views = views_of(website)
    for code in (request.args.get("___store", ""), request.cookies.get("store", "")):
        found = VIEW_BY_CODE.get(code)
        if found in views:
            return found
    return views[0]


def _open_session(state: ShopState) -> None:
    """Find the visitor's session. An unknown id is taken over, as PHP does without strict mode."""
    known = request.cookies.get("PHPSESSID", "")
    session = state.sessions.get(known)
    if session is None:
        state.forget_blank_sessions()
        session = Session(known if SESSION_ID.fullmatch(known) else _new_session_id(), secrets.token_hex(8))
        state.sessions[session.id] = session
    g.visitor = session
    brought = request.cookies.get("form_key", "")
    if brought.isalnum():
        session.form_key = brought


def _new_session_id() -> str:
    return secrets.token_hex(13)


def regenerate(*, forget: bool = False) -> None:
    """Give the visitor a new session id. With ``forget`` the old session is gone, and with it all that it knew."""
    state, old = shop_state(), visitor()
    if forget:
        state.sessions = {key: value for key, value in state.sessions.items() if value is not old}
        g.visitor = Session(_new_session_id(), old.form_key)
    else:
        # The old id goes on leading to the same session: requests that were on their way must not lose the visitor.
        old.id = _new_session_id()
    state.sessions[g.visitor.id] = g.visitor


def form_key_is_valid() -> bool:
    """Compare the posted form key with the session's."""
    return secrets.compare_digest(request.form.get("form_key", "").encode(), visitor().form_key.encode())


def finish(response: Response) -> Response:
    """Add what every answer of the shop carries, then compress it."""
    if g.kind == "closed":
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-XSS-Protection"] = "1; mode=block"
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
    elif g.kind == "rest":
        _rest_headers(response)
    elif g.kind != "file":
        _storefront_headers(response)
        _storefront_cookies(response)
    return _compress(response)


def release(_error: BaseException | None = None) -> None:
    """Free the memory, then send the mails: the visitor waits for them, as in the real shop."""
    if g.pop("locked", False):
        shop_state().lock.release()
    send = shop_state().options.mail
    for message in g.pop("mails", []):
        try:
            if send is not None:
                send(message)
        except OSError:
            current_app.logger.warning("the sandbox shop could not send a mail")


def _rest_headers(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
    if g.get("rest_session", False):
        response.headers["Expires"] = "Thu, 19 Nov 1981 08:52:00 GMT"
        response.headers["Pragma"] = "no-cache"
        _session_cookie(response)
    else:
        response.headers["X-Frame-Options"] = "SAMEORIGIN"


def _storefront_headers(response: Response) -> None:
    headers = response.headers
    headers["Pragma"] = "no-cache"
    headers["Cache-Control"] = "max-age=0, must-revalidate, no-cache, no-store"
    headers["Expires"] = "Thu, 01 Jan 2015 00:00:00 GMT"
    if g.kind in {"page", "ajax"}:
        headers["X-Magento-Tags"] = "FPC"
    if g.get("enforce_policy", False):
        headers["Content-Security-Policy"] = enforced_policy(g.nonce)
    else:
        headers["Content-Security-Policy-Report-Only"] = report_only_policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-XSS-Protection"] = "1; mode=block"
    headers["X-Frame-Options"] = "SAMEORIGIN"


def _storefront_cookies(response: Response) -> None:
    _session_cookie(response)
    if request.method == "POST":
        version = digest(secrets.token_hex(8))[:32]
        _cookie(response, "private_content_version", version, 315360000, shared=False)
    if g.kind != "cacheable":
        _cookie(response, "form_key", visitor().form_key)
    for name, shared in g.get("dropped_cookies", ()):
        _drop(response, name, shared=shared)
    if g.store_cookie is not None:
        _cookie(response, "store", g.store_cookie, 31536000, shared=False)
        _cookie(response, "section_data_clean", g.store_cookie, 15, shared=False)
        _cookie(response, "private_content_version", f"updated-{secrets.token_hex(8)}", 31536000, shared=False)
    if g.kind in {"page", "redirect"}:
        _messages_cookie(response)
    _vary_cookie(response)


def drop_cookies(*, persistent: bool = True) -> None:
    """Let this answer delete what Magento deletes when a visitor signs in or out."""
    dropped = [("form_key", True)]
    if persistent:
        dropped.append(("persistent_shopping_cart", False))
    if "mage-cache-sessid" in request.cookies:
        dropped.append(("mage-cache-sessid", False))
    g.dropped_cookies = dropped


def _session_cookie(response: Response) -> None:
    _cookie(response, "PHPSESSID", visitor().id, http_only=True)


def _messages_cookie(response: Response) -> None:
    session = visitor()
    if not session.messages:
        return
    waiting = _waiting_messages() + session.messages
    session.messages = []
    response.set_cookie("mage-messages", quote(dumps(waiting), safe=""), max_age=31536000, path="/", samesite="Strict")


def _waiting_messages() -> list[dict[str, str]]:
    try:
        waiting = json.loads(unquote(request.cookies.get("mage-messages", "")))
    except ValueError:
        return []
    return waiting if isinstance(waiting, list) else []


def _vary_cookie(response: Response) -> None:
    parts = [g.vary or ("customer" if visitor().customer_id is not None else "")]
    if store_view() is not views_of(store_view().website)[0] or store_view().website is not DEFAULT.website:
        parts.append(store_view().code)
    if shown_view().shown_in:
        parts.append(shown_view().currency)
    value = " ".join(parts).strip() or None
    if value is not None:
        _cookie(response, "X-Magento-Vary", digest("vary", value), http_only=True, shared=False)
    elif "X-Magento-Vary" in request.cookies:
        _drop(response, "X-Magento-Vary", http_only=True)


def _cookie(
    response: Response,
    name: str,
    value: str,
    seconds: int = SESSION_SECONDS,
    *,
    http_only: bool = False,
    shared: bool = True,
) -> None:
    domain = _cookie_domain() if shared else None
    response.set_cookie(name, value, max_age=seconds, path="/", domain=domain, httponly=http_only, samesite="Lax")


def _cookie_domain() -> str | None:
    host = urlsplit(f"//{request.host}").hostname
    return None if host is None or ":" in host else host


def _drop(response: Response, name: str, *, shared: bool = False, http_only: bool = False) -> None:
    domain = _cookie_domain() if shared else None
    response.set_cookie(
        name, "deleted", max_age=0, expires=1, path="/", domain=domain, httponly=http_only, samesite="Lax"
    )


def _compress(response: Response) -> Response:
    """Code and chunk the answer as nginx does on the fly: no length, ``Vary`` on everything that could be coded."""
    body = response.get_data()
    compressible = response.mimetype in {
        "text/html",
        "application/json",
        "text/javascript",
        "application/javascript",
        "text/css",
        "image/svg+xml",
    }
    if request.method == "HEAD" or not compressible or len(body) < SMALLEST_GZIP:
        return response
    response.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings["gzip"] > 0:
        body = gzip.compress(body, 6, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    del response.headers["Content-Length"]
    response.response = _chunks(body)
    return response


def _chunks(body: bytes, size: int = 4096) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]
