"""``bridge web``: gunicorn with the edge worker class, and the plain WSGI entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from bridge.app import create_app, proxy_wiring, services
from bridge.ops import set_up_logging
from bridge.proxy import ProxyMiddleware

if TYPE_CHECKING:
    from flask import Flask

    from bridge.config import Config

StartResponse = Callable[..., Any]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class EdgeApplication:
    """The callable that gunicorn loads: Flask for bridge's own paths, with what the edge worker needs beside it."""

    def __init__(self, app: Flask) -> None:
        config = services(app).config
        self.flask = app
        self.proxy_wiring = proxy_wiring(app)
        self.listeners = {config.listen: "shop", config.dashboard_listen: "dashboard"}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request of bridge's own paths."""
        return self.flask.wsgi_app(environ, start_response)


class WebServer(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn, configured by :class:`Config` alone."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings."""
        config = self._config
        for name, value in {
            "bind": [config.listen, config.dashboard_listen],
            "workers": config.workers,
            "worker_class": "bridge.proxy.edge.EdgeWorker",
            "threads": config.threads,
            "graceful_timeout": 30,
            "timeout": 60,
            "proc_name": "bridge-web",
            "accesslog": None,
            "loglevel": "warning",
            "control_socket_disable": True,
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> EdgeApplication:
        """Make the application; called in each worker after the fork."""
        set_up_logging("web", self._config.data_dir / "log")
        app = create_app(self._config)
        services(app).books.start()
        return EdgeApplication(app)


def run_web(config: Config) -> None:
    """Serve until told to stop. Raises :class:`Misconfigured` before the first fork when something is wrong."""
    proxy_wiring(create_app(config))
    WebServer(config).run()


class PlainApplication:
    """Proxy and bridge's own paths as one WSGI application."""

    def __init__(self, app: Flask) -> None:
        self.flask = app
        self._proxy = ProxyMiddleware(app.wsgi_app, proxy_wiring(app))

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request of the shop's visitors."""
        return self._proxy(environ, start_response)


def make_middleware() -> PlainApplication:
    """Return the WSGI application that proxies: for any WSGI server, tests and ``flask run``."""
    app = create_app()
    services(app).books.start()
    return PlainApplication(app)


def make_dashboard(plain: PlainApplication) -> WSGIApp:
    """Return the application for an address of the dashboard's own."""

    def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        environ["bridge.listener"] = "dashboard"
        return plain.flask.wsgi_app(environ, start_response)

    return serve


__all__ = ["EdgeApplication", "PlainApplication", "WebServer", "make_dashboard", "make_middleware", "run_web"]
