"""Rate limits as Ometria states them: so many requests in any one second."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SlidingWindow:
    """Lets at most `most` requests through in every window of `seconds`, not only in those that start on the clock.

    A request that is turned away does not count against later ones, but `violations` says how many there were.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self.most = most
        self.seconds = seconds
        self.violations = 0
        self._clock = clock
        self._admitted: deque[float] = deque()

    def admit(self) -> bool:
        """Say whether a request that arrives now is within the limit, and remember it if it is."""
        now = self._clock()
        while self._admitted and now - self._admitted[0] >= self.seconds:
            self._admitted.popleft()
        if len(self._admitted) >= self.most:
            self.violations += 1
            return False
        self._admitted.append(now)
        return True
