"""What a stage is, and the loop that schedules, times and merges all stages of a session."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar, Protocol

from proctoring.vision.schedule import Schedule, ScheduleState
from proctoring.vision.stages.context import Context, ObservationPart


class Stage(Protocol):
    """One analyser of one session. May keep small state; called from one thread at a time."""

    name: ClassVar[str]
    """Key of its time in ``FrameAnalysis.milliseconds`` and in the metrics."""
    period: ClassVar[float] = 0.0
    """Seconds of media time between two runs; 0: every analysed frame."""
    scaled: ClassVar[bool] = False
    """Whether the period grows in proportion when the session's rate is reduced."""
    measures_faces: ClassVar[bool] = False
    """Whether it is left out of frames to which the faces of an earlier frame are carried over; its
    result of that frame then stands in."""

    at_swaps: ClassVar[bool] = False
    """Whether it runs at once where a face that rested is suddenly another picture."""

    def needs_faces(self, time: float) -> bool:  # noqa: ARG002  (for those that do)
        """Whether a run at this media time needs faces that are measured in the same frame."""
        return False

    def run(self, context: Context) -> ObservationPart:
        """Analyse one frame. Frames come in the order of their times."""
        ...


class StageLoop:
    """The stages of one session, in the order in which they run.

    Args:
        stages: each of another name.
        schedules: by name, of a continued session.
    """

    def __init__(
        self, stages: Sequence[Stage], schedules: Mapping[str, ScheduleState] | None = None
    ) -> None:
        known = schedules or {}
        self._stages = tuple((stage, Schedule(known.get(stage.name))) for stage in stages)

    @property
    def schedules(self) -> dict[str, ScheduleState]:
        """For a snapshot: of the stages that have a period, by name."""
        return {stage.name: schedule.state for stage, schedule in self._stages if stage.period}

    def needs_faces(self, time: float, slowdown: float) -> bool:
        """Whether any stage that is due at this media time needs faces measured in the same frame."""
        return any(
            stage.needs_faces(time)
            for stage, schedule in self._stages
            if not (period := _period(stage, slowdown)) or schedule.is_due(time, period)
        )

    def run(self, context: Context) -> dict[str, float]:
        """Run the stages that are due and merge their parts into the context.

        Returns:
            Wall time in milliseconds of each stage that ran, by name.
        """
        milliseconds: dict[str, float] = {}
        for stage, schedule in self._stages:
            if stage.measures_faces and context.carried is not None:
                continue
            period = _period(stage, context.slowdown)
            due = not period or schedule.start_if_due(context.frame.time, period)
            if not due and not (context.swapped and stage.at_swaps):
                continue
            began = clock.perf_counter()
            context.add(stage.run(context), measures_faces=stage.measures_faces)
            milliseconds[stage.name] = (clock.perf_counter() - began) * 1e3
        return milliseconds


@contextmanager
def timed(milliseconds: dict[str, float], name: str) -> Iterator[None]:
    """Enter the wall time in milliseconds of what is done within, unless it raises."""
    began = clock.perf_counter()
    yield
    milliseconds[name] = (clock.perf_counter() - began) * 1e3


def _period(stage: Stage, slowdown: float) -> float:
    return stage.period * slowdown if stage.scaled else stage.period
