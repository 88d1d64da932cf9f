"""What a stage is, and the loop that schedules, times and merges all stages of a session."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from typing import ClassVar, Protocol

from proctoring.vision.schedule import Schedule
from proctoring.vision.stages.context import Context, ObservationPart


class Stage(Protocol):
    """One analyser of one session. May keep small state; called from one thread at a time."""

    name: ClassVar[str]
    """Key of its time in ``FrameAnalysis.milliseconds`` and in the metrics."""
    period: ClassVar[float] = 0.0
    """Seconds of media time between two runs; 0: every analysed frame."""
    scaled: ClassVar[bool] = False
    """Whether the period grows in proportion when the session's rate is reduced."""

    def run(self, context: Context) -> ObservationPart:
        """Analyse one frame. Frames come in the order of their times."""
        ...


class StageLoop:
    """The stages of one session, in the order in which they run."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = tuple((stage, Schedule()) for stage in stages)

    def run(self, context: Context) -> dict[str, float]:
        """Run the stages that are due and merge their parts into the context.

        Returns:
            Wall time in milliseconds of each stage that ran, by name.
        """
        milliseconds: dict[str, float] = {}
        for stage, schedule in self._stages:
            period = stage.period * context.slowdown if stage.scaled else stage.period
            if period and not schedule.start_if_due(context.frame.time, period):
                continue
            began = clock.perf_counter()
            context.add(stage.run(context))
            milliseconds[stage.name] = (clock.perf_counter() - began) * 1e3
        return milliseconds
