"""What a camera's sensor and JPEG compression add to the difference of two pictures, measured in each session.

Differences that are never undercut for long are noise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

_MEMORY = 40
"""Differences of which the lower end is the noise: four seconds of frames at the full rate."""
_LOW_SHARE = 0.2
"""Share of them that is below the noise level."""
_ENOUGH = 5
"""Differences from which there is a noise level."""


class Noise:
    """The noise level of one camera in one kind of area, from the differences found there.

    Movement only adds to a difference, so the lower end of the last seconds is what the camera adds
    itself. A level follows the camera within seconds, and a scene that moves for all of that time raises
    it: what is compared with it must be limited in absolute terms too.
    """

    def __init__(self, recent: Sequence[float] = ()) -> None:
        self._recent: deque[float] = deque(recent, maxlen=_MEMORY)

    @property
    def recent(self) -> tuple[float, ...]:
        """The last differences, to be given to the constructor where a session is continued."""
        return tuple(self._recent)

    def add(self, difference: float) -> None:
        """Add a mean square difference of two frames, in squared grey levels."""
        self._recent.append(difference)

    @property
    def level(self) -> float | None:
        """Mean square difference that noise alone makes; ``None``: not known yet."""
        if len(self._recent) < _ENOUGH:
            return None
        return sorted(self._recent)[int(_LOW_SHARE * len(self._recent))]
