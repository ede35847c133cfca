"""The Content-Security-Policy headers of a 2.4.7 storefront, with a short list of hosts."""

from __future__ import annotations

_HOSTS = "www.googletagmanager.com www.google-analytics.com www.paypal.com"


def _join(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in directives.items()) + ";"


def _shared() -> dict[str, str]:
    return {
        "font-src": "data: 'self' 'unsafe-inline'",
        "form-action": "www.paypal.com 'self' 'unsafe-inline'",
        "frame-ancestors": "'self'",
        "frame-src": "www.paypal.com 'self' 'unsafe-inline'",
        "img-src": f"data: {_HOSTS} 'self' 'unsafe-inline'",
        "style-src": "'self' 'unsafe-inline'",
        "object-src": "'self' 'unsafe-inline'",
        "media-src": "'self' 'unsafe-inline'",
        "manifest-src": "'self' 'unsafe-inline'",
        "connect-src": f"{_HOSTS} 'self' 'unsafe-inline'",
        "child-src": "http: https: blob: 'self' 'unsafe-inline'",
        "default-src": "'self' 'unsafe-inline' 'unsafe-eval'",
        "base-uri": "'self' 'unsafe-inline'",
    }


def report_only_policy() -> str:
    """Return the policy that ordinary pages only report on."""
    return _join({**_shared(), "script-src": f"{_HOSTS} 'self' 'unsafe-inline' 'unsafe-eval'"})


def enforced_policy(nonce: str) -> str:
    """Return the policy that holds on the checkout: inline scripts run only with this response's nonce."""
    sources = f"{_HOSTS} 'self' 'unsafe-eval' 'unsafe-hashes' 'nonce-{nonce}'"
    return _join({**_shared(), "script-src": sources})
