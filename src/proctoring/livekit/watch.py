"""When a room needs an agent: pure, on a clock of the caller's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SETTLE = 5.0
"""Seconds in which a dispatch may bring an agent and the agent a session, before another one is tried."""
LONGEST_SETTLE = 60.0
"""The same after dispatches to no effect: doubled each time, up to this."""
SEEN_TWICE = 2
"""Looks in succession at which a room has to be without an agent."""


@dataclass(frozen=True, slots=True)
class CandidateView:
    """One candidate in a room who publishes a camera or a microphone."""

    fed: bool | None
    """Whether the session at the server receives media; ``None``: it is not open."""


@dataclass(frozen=True, slots=True)
class RoomView:
    """What was found of one room."""

    name: str
    dispatch: str
    """Id of the newest dispatch of our agent. A room without one is nobody's to proctor, and is not viewed."""
    agents: int
    """Agents of ours that LiveKit counts as present, a dead one for some seconds too."""
    candidates: tuple[CandidateView, ...]

    @property
    def is_unattended(self) -> bool:
        """Whether a candidate is not proctored.

        A session that is open and receives nothing has lost its agent, whatever LiveKit counts. One that is
        not open has none, or was ended while its agent stayed.
        """
        return any(
            candidate.fed is False or (candidate.fed is None and not self.agents)
            for candidate in self.candidates
        )


@dataclass(slots=True)
class _Room:
    dispatch: str
    since: float
    """When that dispatch was first seen."""
    settle: float = SETTLE
    unattended: int = 0
    """Looks in succession at which it was."""


class Watch:
    """Remembers rooms from look to look, and decides which need another dispatch.

    A dispatch that somebody else made since the last look counts as ours, so that several watchers of one
    LiveKit server seldom dispatch twice; where they do, the second agent leaves (``elders.py``).
    """

    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = {}

    def look(self, rooms: Iterable[RoomView], now: float) -> list[str]:
        """Rooms to dispatch an agent to now.

        Args:
            rooms: all that have candidates.
            now: seconds.
        """
        views = {room.name: room for room in rooms}
        self._rooms = {name: room for name, room in self._rooms.items() if name in views}
        return [name for name, view in views.items() if self._needs_dispatch(view, now)]

    def _needs_dispatch(self, view: RoomView, now: float) -> bool:
        room = self._rooms.setdefault(view.name, _Room(view.dispatch, now))
        if not view.is_unattended:
            room.unattended, room.settle = 0, SETTLE
            return False
        room.unattended += 1
        if view.dispatch != room.dispatch:
            room.dispatch, room.since = view.dispatch, now
        if room.unattended < SEEN_TWICE or now - room.since < room.settle:
            return False
        room.since = now
        room.settle = min(LONGEST_SETTLE, 2 * room.settle)
        return True
