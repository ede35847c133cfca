"""Who may send through the relay: networks, and names with passwords."""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.config import Network, SmtpUser


def own_form(peer: str) -> str:
    """Return an address without scope, and an IPv4 one that came through an IPv6 socket in its own form."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    return str(getattr(address, "ipv4_mapped", None) or address)


class Senders:
    """The allow-list and the users of one relay."""

    def __init__(self, networks: Sequence[Network], users: Sequence[SmtpUser]) -> None:
        self._networks = tuple(networks)
        self._users = tuple(users)

    @property
    def users_wanted(self) -> bool:
        """Whether names are set up, so that credentials can be right or wrong."""
        return bool(self._users)

    def trusted(self, peer: str) -> bool:
        """Return whether the address lies in an allowed network; such a client needs no name and no TLS."""
        try:
            address = ipaddress.ip_address(own_form(peer))
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def find(self, name: bytes, password: bytes) -> SmtpUser | None:
        """Return the user whose name and password these are; every pair is compared in constant time."""
        found = None
        for user in self._users:
            right = hmac.compare_digest(user.name.encode(), name)
            right &= hmac.compare_digest(user.password.encode(), password)
            if right:
                found = user
        return found
