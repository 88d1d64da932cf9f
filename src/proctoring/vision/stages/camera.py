"""Brightness, structure and detail of the whole picture."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.vision.camera import Light, measure_detail, measure_light, quality_of
from proctoring.vision.frame import Frame
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage

DETAIL_PERIOD = 0.4
"""Seconds between two measurements of detail in frames that are decoded anyway."""
MAX_DETAIL_AGE = 0.8
"""Seconds after which a frame is decoded to measure detail. Longer than faces are carried over, so that a
frame in which they are measured comes first."""
_EARLY = 0.025
"""Seconds by which a frame may be earlier than that: frames of ten a second jitter."""
_BRIGHTNESS_CHANGE = 4.0
"""Grey levels by which brightness must change for detail to be measured at once."""
_RELATIVE_CHANGE = 0.15
"""The same for structure and edges, as a share. A hand that covers the lens, and a lens that loses focus,
change them by more than half."""


@dataclass(frozen=True, slots=True)
class MeasuredDetail:
    """The frame in which detail was last measured."""

    time: float
    """Media time."""
    light: Light
    detail: float


class CameraStage(Stage):
    """Gives ``camera``: brightness and structure of every frame, detail as it was last measured.

    Runs after the stages that decode.

    Args:
        measured: of a continued session.
    """

    name = "camera"

    def __init__(self, measured: MeasuredDetail | None = None) -> None:
        self.measured = measured

    def run(self, context: Context) -> ObservationPart:
        """Measure the picture."""
        frame = context.frame
        light = measure_light(frame.luma)
        measured = self.measured
        if measured is None or self._is_detail_due(frame, light, measured):
            measured = MeasuredDetail(frame.time, light, measure_detail(frame.pixels))
        self.measured = measured
        return {"camera": quality_of(light, measured.detail)}

    def _is_detail_due(self, frame: Frame, light: Light, measured: MeasuredDetail) -> bool:
        before = measured.light
        if (
            abs(light.brightness - before.brightness) >= _BRIGHTNESS_CHANGE
            or _differs(light.structure, before.structure)
            or _differs(light.edges, before.edges)
        ):
            return True
        age = frame.time - measured.time
        return not 0 <= age < (DETAIL_PERIOD if frame.decoded else MAX_DETAIL_AGE) - _EARLY


def _differs(now: float, before: float) -> bool:
    return abs(now - before) > _RELATIVE_CHANGE * max(before, 1.0)
