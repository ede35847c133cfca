"""Every mail that a stock Magento sent, through relay, spool and upstream hop: the next server gets the same bytes."""

from __future__ import annotations

from bridge.mail.upstream import Upstream, received_line
from tests.mail.conftest import start_relay, start_sink  # noqa: F401 fixtures
from tests.replay.library import CAPTURES, NEEDS_CAPTURES

pytestmark = NEEDS_CAPTURES


def test_all_captured_mails_leave_as_they_came(request):
    relay, taking = request.getfixturevalue("start_relay")(), request.getfixturevalue("start_sink")()
    mails = [path.read_bytes() for path in sorted((CAPTURES / "mail").glob("*.eml"))]
    assert len(mails) > 80
    with relay.client() as client:
        client.greet()
        for mail in mails:
            assert mail.endswith(b"\r\n")
            assert client.mail((b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n") == 250
    with Upstream(taking.url()) as upstream:
        for name in relay.spool.waiting():
            envelope, raw = relay.spool.read(name)
            trace = received_line(envelope, "relay.test", name)
            outcomes = upstream.send(envelope.sender, envelope.recipients, raw, received=trace)
            assert outcomes["ada@example.test"].state == "accepted"
    assert len(taking.taken) == len(mails)
    for taken, mail in zip(taking.taken, mails, strict=True):
        assert taken.message.endswith(mail), "not the same bytes"
        assert taken.message.removesuffix(mail).count(b"\r\n") == 2
        assert taken.message.startswith(b"Received: from [127.0.0.1] by relay.test")
