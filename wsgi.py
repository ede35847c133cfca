"""WSGI entry: ``gunicorn wsgi:application`` (any server), ``flask --app wsgi:application run``.

``bridge web`` is the fast path and does not come through here. A plain WSGI server has one listener, the shop's; set
BRIDGE_DASHBOARD_ON_SHOP=1 to reach the dashboard through it, or serve ``wsgi:dashboard`` on another address.
"""

from __future__ import annotations

from bridge.web import make_dashboard, make_middleware

application = make_middleware()
dashboard = make_dashboard(application)
