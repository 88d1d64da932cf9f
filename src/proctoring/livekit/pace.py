"""Which frames to send: the server's rate out of whatever rate the camera has."""

from __future__ import annotations


class Pace:
    """Takes about ``frames_per_second`` of a stream, evenly, judged by the frames' own times."""

    def __init__(self, frames_per_second: float) -> None:
        self._due: int | None = None
        self._step = 0
        self.set_rate(frames_per_second)

    def set_rate(self, frames_per_second: float) -> None:
        """Change the rate; takes effect from the next frame."""
        self._step = round(1_000_000 / frames_per_second)

    def takes(self, capture_us: int) -> bool:
        """Whether the frame captured at this time (microseconds) is to be sent.

        A frame up to a tenth of a step early is taken, so that a camera whose frames jitter around
        the due times does not lose every other one. Late frames do not cause a burst, and a clock
        that jumps either way starts the count anew.
        """
        early = self._step // 10
        if self._due is None or abs(capture_us - self._due) > 2 * self._step:
            self._due = capture_us
        if capture_us < self._due - early:
            return False
        self._due += self._step
        return True
