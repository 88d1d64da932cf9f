"""Detections that take longer than the next frame may wait: requested with a frame, run beside it.

A deferred detection holds its inputs and no state of the session, so it can run on any thread while
the session goes on. Its result is applied to the session's analyser on the session's own thread.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field

from proctoring.observations import Box, ObjectDetections
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.steps import Result, Steps


@dataclass(frozen=True, slots=True, eq=False)
class DeferredDetection:
    """The slow networks that are due in one frame, and their inputs."""

    frame: Frame
    candidate_generation: int
    """How often another person had become the candidate when this was requested: a result of an
    older generation is not held against the present candidate."""
    face: Box | None
    """Box of the candidate's face in this frame; ``None``: not seen."""
    objects: Callable[[Pixels], Steps[ObjectDetections]] | None
    """Detects phones, persons and screens; ``None``: not due."""

    def steps(self) -> Steps[DeferredResult]:
        """Run it, in steps as short as the networks allow."""
        milliseconds: dict[str, float] = {}
        found: ObjectDetections | None = None
        if self.objects is not None:
            found = yield from _timed(self.objects(self.frame.pixels), "objects", milliseconds)
        return DeferredResult(
            self.frame.time,
            self.frame.width,
            self.frame.height,
            self.candidate_generation,
            self.face,
            found,
            milliseconds,
        )


@dataclass(frozen=True, slots=True, eq=False)
class DeferredResult:
    """The result of a deferred detection."""

    time: float
    """Media time of the frame, in seconds."""
    width: int
    height: int
    candidate_generation: int
    face: Box | None
    objects: ObjectDetections | None
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Wall time per analyser, without the pauses between its steps."""


def _timed(steps: Steps[Result], name: str, milliseconds: dict[str, float]) -> Steps[Result]:
    """The same steps; the time spent in them is summed up under ``name``."""
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
