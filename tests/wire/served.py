"""What a real gunicorn loads in tests. The origin and the listeners come from the environment."""

from __future__ import annotations

import json
import os

from bridge.proxy import ProxyMiddleware, ProxyOptions, ProxyWiring
from tests.wire.conftest import Tags, own_app


class Served:
    """The application as the composition root would give it to the edge worker."""

    def __init__(self):
        self.proxy_wiring = ProxyWiring(ProxyOptions(origin=os.environ["TEST_ORIGIN"]), Tags())
        self.listeners = json.loads(os.environ["TEST_LISTENERS"])

    def __call__(self, environ, start_response):
        return own_app(environ, start_response)


def edge():
    return Served()


def middleware():
    served = Served()
    return ProxyMiddleware(served, served.proxy_wiring)
