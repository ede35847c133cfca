"""Work in a process of its own that kills itself at a chosen step."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from bridge.db import db

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def run_and_die(work: Callable[[], object], steps: Sequence[tuple[Any, str]], last: int) -> bool:
    """Run in a process that dies by -9 at step ``last``; return whether it lived to the end.

    Before and after each call of ``steps`` (owner and name), and of each commit, is a step, counted from 1.
    """
    child = os.fork()
    if child == 0:
        _run(work, steps, last)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the worker failed by itself"
    return not os.WIFSIGNALED(status)


def _run(work: Callable[[], object], steps: Sequence[tuple[Any, str]], last: int) -> None:
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(call):
        def inner(*args, **kwargs):
            step()
            result = call(*args, **kwargs)
            step()
            return result

        return inner

    code = 1
    try:
        db.session.remove()
        db.engine.dispose(close=False)
        for owner, name in steps:
            setattr(owner, name, watched(getattr(owner, name)))
        db.session.commit = watched(db.session.commit)
        work()
        code = 0
    finally:
        os._exit(code)
