"""The sockets that this server forwards to others."""

from __future__ import annotations

from proctoring.cluster.forward_socket import Forward
from proctoring.cluster.place import Elsewhere
from proctoring.errors import TooManyError


class Forwards:
    """The sockets that are forwarded now. For the event loop.

    Args:
        most: at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[Forward] = set()
        self.count = 0
        """Requests and sockets forwarded so far."""

    def __len__(self) -> int:
        return len(self._open)

    def add(self, place: Elsewhere) -> Forward:
        """A socket that is to be forwarded to this server.

        Raises:
            TooManyError: as many are as may be.
        """
        if len(self._open) >= self._most:
            raise TooManyError("this server forwards as many sockets as it may; connect again")
        forward = Forward(place)
        self._open.add(forward)
        return forward

    def remove(self, forward: Forward) -> None:
        """It has ended."""
        self._open.discard(forward)

    def cut_others(self, living: set[str]) -> None:
        """Close those to servers that do not live, so that their clients come back."""
        for forward in self._open:
            if forward.place.server_id not in living:
                forward.cut()
