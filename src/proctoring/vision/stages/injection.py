"""Signs that the stream does not come from a camera: sampled often, reported once a second."""

from __future__ import annotations

from proctoring.vision.injection import SAMPLE_PERIOD, InjectionDetector
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage

REPORT_PERIOD = 1.0


class InjectionStage(Stage):
    """Sets ``Latest.stream``."""

    name = "injection"
    period = SAMPLE_PERIOD

    def __init__(self) -> None:
        self._detector = InjectionDetector()

    def run(self, context: Context) -> ObservationPart:
        """Compare the frame with those before it."""
        context.latest.stream = self._detector.update(context.frame.time, context.frame.pixels)
        return {}


class StreamStage(Stage):
    """Gives ``stream``: the latest signs."""

    name = "stream"
    period = REPORT_PERIOD
    scaled = True

    def run(self, context: Context) -> ObservationPart:
        """Report the latest signs."""
        return {} if context.latest.stream is None else {"stream": context.latest.stream}
