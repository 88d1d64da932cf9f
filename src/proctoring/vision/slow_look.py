"""Looks that take longer than frames may wait for: asked for in a frame's turn, made beside it.

A slow look holds everything it needs and nothing of a session's state, so it can be made on any
thread while the session goes on; what it found is told to the session's analyser, in its turn.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field

from proctoring.observations import Box, ObjectLook
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.steps import Result, Steps


@dataclass(frozen=True, slots=True, eq=False)
class SlowLook:
    """What is due in one frame."""

    frame: Frame
    sitter: int
    """Counts those who were taken for the candidate: what was asked for one is not held against
    another."""
    face: Box | None
    """The candidate's, in this frame."""
    objects: Callable[[Pixels], Steps[ObjectLook]] | None
    """Looks for phones and persons; ``None``: not due."""

    def steps(self) -> Steps[SlowFindings]:
        """Make it, in steps as short as the networks allow: others may go between two."""
        milliseconds: dict[str, float] = {}
        found: ObjectLook | None = None
        if self.objects is not None:
            found = yield from _timed(self.objects(self.frame.pixels), "objects", milliseconds)
        height, width = self.frame.pixels.shape[:2]
        return SlowFindings(
            self.frame.time, width, height, self.sitter, self.face, found, milliseconds
        )


@dataclass(frozen=True, slots=True, eq=False)
class SlowFindings:
    """What a slow look found."""

    time: float
    """Media time of the frame, in seconds."""
    width: int
    height: int
    sitter: int
    face: Box | None
    objects: ObjectLook | None
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Analyser to the wall time it took, what went between its steps not counted."""


def _timed(steps: Steps[Result], name: str, milliseconds: dict[str, float]) -> Steps[Result]:
    """The same steps, their own time added up under a name."""
    milliseconds[name] = 0.0
    while True:
        began = clock.perf_counter()
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            milliseconds[name] += (clock.perf_counter() - began) * 1e3
        yield
