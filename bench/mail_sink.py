"""A plain aiosmtpd server that forgets what it takes: what the relay is measured beside. Run with a port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import Any

from aiosmtpd.smtp import SMTP


class Forgetful:
    """Answers 250 to every message and keeps none."""

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take one."""
        return "250 taken"


async def serve(port: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Forgetful(), data_size_limit=2**26, loop=loop), "127.0.0.1", port, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1])))
