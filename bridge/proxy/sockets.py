"""What the system alone knows of a connection, beneath asyncio's transports."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

_RESET: Final = struct.pack("ii", 1, 0)


def unsent(transport: asyncio.Transport) -> int:
    """Return how many bytes written to the transport the other end has not acknowledged."""
    size = transport.get_write_buffer_size()
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile, or a system that does not tell
            waiting: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
            size += waiting
    return size


def end_by_reset(transport: asyncio.Transport) -> None:
    """Have the connection end by a reset when it is closed, which the other end cannot take for an orderly end."""
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
