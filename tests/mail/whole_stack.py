"""The application on the database of a running stack, with the seven kinds of mail switched on."""

from __future__ import annotations

import pytest

from bridge.app import create_app
from bridge.config import config_from_environ
from bridge.db import db
from tests.mail.mail_room import switch_on


@pytest.fixture
def app(stack):
    """The application on the stack's own database, with the seven kinds switched on."""
    environ = {"BRIDGE_DATA_DIR": str(stack.data_dir), "BRIDGE_STORE_URL": stack.store_origin}
    made = create_app(config_from_environ(environ))
    with made.app_context():
        switch_on()
        yield made
        db.session.remove()
        db.engine.dispose()
