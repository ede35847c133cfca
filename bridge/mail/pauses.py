"""How often something that is not there yet is asked for again. Values in, values out."""

from __future__ import annotations

PAUSES = ((3.0, 1.0), (10.0, 3.0), (40.0, 10.0))
"""Age of a mail in seconds, up to which the pause holds; an older one is looked at every half minute."""
LONGEST_PAUSE = 30.0


def pause_after(age: float) -> float:
    """Return how many seconds to wait before a mail of this age is looked at again."""
    return next((pause for limit, pause in PAUSES if age < limit), LONGEST_PAUSE)


def age_of(received_at: float, date: float | None, moment: float) -> float:
    """Return how old a mail is in seconds: by the shop's own Date where that is before its arrival."""
    began = received_at if date is None else min(date, received_at)
    return max(moment - began, 0.0)
