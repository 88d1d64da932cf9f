"""How many sockets one session and one token have open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from proctoring.errors import TooManyError


class SocketCounts:
    """Counts open sockets. For the event loop.

    Args:
        per_session: video, audio and browser sockets of one session. Listeners have a limit of their own.
        per_token: sockets of one token.
    """

    def __init__(self, per_session: int, per_token: int) -> None:
        self._per_session = per_session
        self._per_token = per_token
        self._sessions: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self.refused = 0
        """Sockets that were refused."""

    @contextmanager
    def counted(self, session_id: str | None, token: str | None) -> Iterator[None]:
        """Count a socket while it is open.

        Args:
            session_id: ``None`` for a listener.
            token: what identifies its token; ``None``: it has none.

        Raises:
            TooManyError: there are as many as may be.
        """
        if session_id is not None and self._sessions[session_id] >= self._per_session:
            self.refused += 1
            raise TooManyError(f"{self._per_session} sockets of this session are open already")
        if token is not None and self._tokens[token] >= self._per_token:
            self.refused += 1
            raise TooManyError(f"{self._per_token} sockets with this token are open already")
        keys = [(self._sessions, session_id), (self._tokens, token)]
        try:
            for counter, key in keys:
                if key is not None:
                    counter[key] += 1
            yield
        finally:
            for counter, key in keys:
                if key is not None:
                    counter[key] -= 1
                    if not counter[key]:
                        del counter[key]
