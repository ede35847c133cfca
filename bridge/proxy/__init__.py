"""The wire: traffic between visitors and the shop, passed on unchanged but for one tag in each page.

One core that knows no sockets, two adaptors: `bridge.proxy.edge.EdgeWorker`, a gunicorn worker class, and
`ProxyMiddleware` for any WSGI server. The composition root gives both the same `ProxyWiring`.
"""

from __future__ import annotations

from bridge.proxy.counters import Counters, counters
from bridge.proxy.exchange import Exchange, RequestHead, ResponseHead
from bridge.proxy.middleware import ProxyMiddleware
from bridge.proxy.options import Observer, ProxyOptions, ProxyWiring, Route, TagSource

__all__ = [
    "Counters",
    "Exchange",
    "Observer",
    "ProxyMiddleware",
    "ProxyOptions",
    "ProxyWiring",
    "RequestHead",
    "ResponseHead",
    "Route",
    "TagSource",
    "counters",
]
