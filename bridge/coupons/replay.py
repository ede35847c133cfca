"""The memory of signatures that were taken: each opens the door once, over all processes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import redis

from bridge.coupons.signature import ForbiddenError
from bridge.errors import Retry

if TYPE_CHECKING:
    from bridge.coupons.signature import Proof

MARGIN_SECONDS: Final = 60
"""Kept longer than a signature is good for: the clocks of the processes may differ."""


class Replays:
    """Signatures taken, in Redis until they are too old anyway."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection

    def take(self, proof: Proof, now: float) -> None:
        """Keep the signature; raises :class:`ForbiddenError` where it was taken before.

        Without Redis nobody can tell, so the call is refused: raises :class:`Retry`.
        """
        key = f"bridge:signed:{hashlib.sha256(proof.signature.encode()).hexdigest()}"
        seconds = max(int(proof.expires - now), 0) + MARGIN_SECONDS
        try:
            fresh = self._redis.set(key, 1, nx=True, ex=seconds)
        except redis.RedisError:
            raise Retry("The memory of signatures does not answer, so no signed call is taken.") from None
        if not fresh:
            raise ForbiddenError("the signature was used before")
