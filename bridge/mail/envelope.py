"""What the SMTP dialogue said about a message, apart from the message itself."""

from __future__ import annotations

import msgspec


class Envelope(msgspec.Struct, frozen=True):
    """The envelope of one message as it was taken.

    ``sender`` and ``recipients`` are the paths of ``MAIL FROM`` and ``RCPT TO`` as sent, without angle brackets; the
    null sender is empty. ``user`` is the name that signed in, ``store_hint`` the store view that this name stands for
    (a hint: an order update is sent with the calling scope's user); both may be empty. ``peer`` is the client's
    address, ``received_at`` Unix seconds.
    """

    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    store_hint: str = ""
    peer: str = ""
    received_at: float = 0.0
