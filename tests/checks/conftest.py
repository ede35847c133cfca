"""What the checks of mail look at: a database, relays and mail servers."""

from __future__ import annotations

from tests.base.conftest import bare_app
from tests.mail.conftest import sink, start_relay, start_sink

__all__ = ["bare_app", "sink", "start_relay", "start_sink"]
