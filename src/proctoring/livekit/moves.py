"""How a socket comes back that its server closed with 1012: at once, but not for ever."""

from __future__ import annotations

import random
from collections import deque

SERVICE_RESTART = 1012
"""Close code of a server that stops or hands the session to another one (RFC 6455's registry: Service
Restart). The session goes on elsewhere, or here again."""

_LONGEST_PAUSE = 0.15
"""Seconds before an attempt; drawn at random from zero, so that the clients of one server do not all
return in the same moment."""
_TIME = 1.5
"""Seconds after the close in which attempts follow at once."""
_MOST = 3
_WITHIN = 30.0
"""So many moves within so many seconds return at once: a socket that is moved again and again has a
failing server, and returns after growing pauses like any other."""


class Moves:
    """Decides how soon a socket returns after a close with 1012. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._began: deque[float] = deque(maxlen=_MOST)
        self._until = float("-inf")

    def closed(self, now: float) -> None:
        """The server closed the socket with 1012."""
        if len(self._began) == _MOST and now - self._began[0] < _WITHIN:
            return
        self._began.append(now)
        self._until = now + _TIME

    def pause(self, now: float) -> float | None:
        """Seconds to wait before the next attempt; ``None`` when it is no move, or no longer."""
        if now >= self._until:
            return None
        return random.uniform(0.0, _LONGEST_PAUSE)  # noqa: S311 - jitter, not a secret

    def opened(self) -> None:
        """The socket is open again."""
        self._until = float("-inf")
