"""Where lines of the log go in tests."""

from __future__ import annotations

import structlog


def through_logging() -> None:
    """Send lines through logging, as in production; also after a test that set up logging as a process does.

    By itself structlog prints them, and print() in a thread while pytest changes sys.stdout in another kills the
    interpreter (CPython before 3.13.3 keeps no reference to the file it prints to).
    """
    structlog.reset_defaults()
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())
