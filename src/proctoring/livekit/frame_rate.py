"""Reducing a camera's frame rate to the one that the server requests."""

from __future__ import annotations

_EARLY_SHARE = 10
"""A frame may be due up to one ``_EARLY_SHARE``th of a period early."""
_JUMP_PERIODS = 2
"""Periods between a frame and its due time from which the schedule restarts."""


class FrameRateLimiter:
    """Accepts about ``frames_per_second`` of a stream, evenly, by the frames' capture times."""

    def __init__(self, frames_per_second: float) -> None:
        self._due: int | None = None
        self._period = 0
        self.set_rate(frames_per_second)

    def set_rate(self, frames_per_second: float) -> None:
        """Change the rate, from the next frame on."""
        self._period = round(1_000_000 / frames_per_second)

    def accept(self, capture_us: int) -> bool:
        """Whether to send the frame captured at this time, in microseconds.

        A frame up to a tenth of a period early is accepted, so that a camera whose frames jitter around
        the due times does not lose every other one. Late frames cause no burst, and a clock that jumps
        in either direction restarts the schedule.
        """
        early = self._period // _EARLY_SHARE
        if self._due is None or abs(capture_us - self._due) > _JUMP_PERIODS * self._period:
            self._due = capture_us
        if capture_us < self._due - early:
            return False
        self._due += self._period
        return True
