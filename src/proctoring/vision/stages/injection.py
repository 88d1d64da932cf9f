"""Signs that the stream does not come from a camera: sampled often, reported once a second."""

from __future__ import annotations

from dataclasses import replace

from proctoring.vision.injection import InjectionDetector
from proctoring.vision.near_repetition import SAMPLE_PERIOD
from proctoring.vision.repetition import RepetitionDetector
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage

REPORT_PERIOD = 1.0


class InjectionStage(Stage):
    """Sets ``Latest.stream``."""

    name = "injection"
    period = SAMPLE_PERIOD

    def __init__(self, detector: InjectionDetector) -> None:
        self._detector = detector

    def run(self, context: Context) -> ObservationPart:
        """Compare the frame with those before it; few have to be decoded for that."""
        context.latest.stream = self._detector.update(context.frame)
        return {}


class DecodedFrameStage(Stage):
    """Compares frames that other stages have decoded between two runs of ``InjectionStage``: none has to be decoded for it.

    Args:
        detector: of ``InjectionStage``.
    """

    name = "injection_decoded"

    def __init__(self, detector: InjectionDetector) -> None:
        self._detector = detector

    def run(self, context: Context) -> ObservationPart:
        """Compare the frame, if it is decoded."""
        self._detector.look(context.frame)
        return {}


class RepetitionStage(Stage):
    """Remembers the digest of every analysed frame: a loop shows some of its frames in each turn.

    Args:
        detector: shared with ``StreamStage``.
    """

    name = "repetition"

    def __init__(self, detector: RepetitionDetector) -> None:
        self._detector = detector

    def run(self, context: Context) -> ObservationPart:
        """Add the frame."""
        self._detector.update(context.frame)
        return {}


class StreamStage(Stage):
    """Gives ``stream``: the latest signs."""

    name = "stream"
    period = REPORT_PERIOD
    scaled = True

    def __init__(self, detector: RepetitionDetector) -> None:
        self._detector = detector

    def run(self, context: Context) -> ObservationPart:
        """Report the latest signs."""
        stream = context.latest.stream
        if stream is None:
            return {}
        found = self._detector.repetition(context.frame.time)
        if found is not None:
            stream = replace(stream, repeats_after=found.lag, exact=True, backwards=found.backwards)
        return {"stream": stream}
