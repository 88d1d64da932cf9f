"""Where the candidate looks, in degrees, against the session's own baseline.

Sideways it is the iris in the eye plus the turn of the head, so that a head that turns while the
eyes stay on the screen reads as looking at the screen. Up and down neither iris nor head tells it
reliably: the upper lid follows the eye, and the rule below (constants measured on labelled
recordings, see ``docs/accuracy.md``) tells a lid that follows a downward look from one that shuts.
Degrees up and down are those of the rule: it holds from ``DOWN_DEGREES`` and ``UP_DEGREES`` on.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from proctoring.observations import Gaze, HeadPose
from proctoring.vision.eyes import EyeShape

DEGREES_PER_EYE_WIDTH = 130.0
"""Turn of the eye that moves the iris by one eye width (an eyeball of 24 mm in a slit of 30)."""
DOWN_DEGREES = 12.0
"""What a downward look reads just where the rule begins to hold."""
UP_DEGREES = 12.0
MIN_FACE_PIXELS = 80.0
"""Face width below which the eyes are not read: false alarms begin at 60."""

_WINDOW = 3.0
_FIRST = 1.5
"""Seconds of frames from which the baseline is taken, at last and at first."""
_MIN_SAMPLES = 10
_OPEN_SHARE = 0.85
_MAX_BASELINE_HEAD = 12.0
_MAX_BASELINE_ACROSS = 0.12
"""A baseline taken farther off than this was taken while looking aside."""

_LID_DROP = 0.09
_MIN_APERTURE = 0.28
_LOWER_LID = -0.055
_TURNED = 30.0
_LOST_HEAD_DOWN = 10.0
_LOST_MEMORY = 0.35
LOST_SECONDS = 3.0
"""How long a face lost while the head went down counts as looking down; then it is absent."""
_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class GazeBaseline:
    """The eyes of this candidate when they look at the screen."""

    across: float
    down: float
    upper_lid: float
    lower_lid: float
    aperture: float
    look_up: float


@dataclass(frozen=True, slots=True)
class GazeReading:
    """What the eyes of one frame say."""

    gaze: Gaze | None
    reason: str
    """Why ``gaze`` is ``None``; empty otherwise."""
    eyes_open: bool | None


@dataclass(frozen=True, slots=True)
class _Sample:
    time: float
    eyes: EyeShape
    look_up: float


class GazeReader:
    """Reads one session's gaze; one instance per session."""

    def __init__(self) -> None:
        self._samples: list[_Sample] = []
        self._settled = False
        self._heads_down: list[tuple[float, float]] = []
        self._lost_since: float | None = None
        self.baseline: GazeBaseline | None = None

    def forget(self) -> None:
        """Start again: another person, or the camera was moved."""
        self.__init__()  # type: ignore[misc]

    def read(
        self,
        time: float,
        eyes: EyeShape,
        look_up: float,
        head: HeadPose | None,
        face_pixels: float,
    ) -> GazeReading:
        """The gaze in one frame.

        ``look_up`` is the mean of both eyeLookUp scores, ``head`` the turn against neutral,
        ``face_pixels`` the face's width.
        """
        self._lost_since = None
        if head is not None:
            self._heads_down = [
                (then, down) for then, down in self._heads_down if time - then <= _LOST_MEMORY
            ]
            self._heads_down.append((time, -head.pitch))
        if face_pixels < MIN_FACE_PIXELS:
            return GazeReading(None, f"face smaller than {MIN_FACE_PIXELS:.0f} pixels", None)
        if head is None:
            return GazeReading(None, "neutral pose not yet learned", None)
        self._learn(time, eyes, look_up, head)
        if self.baseline is None:
            return GazeReading(None, "baseline of the eyes not yet learned", None)
        return _judge_eyes(self.baseline, eyes, look_up, head, face_pixels)

    def read_lost(self, time: float) -> Gaze | None:
        """The gaze while the candidate's face is lost: down, if the head was just going there."""
        if self._lost_since is None:
            going_down = any(
                time - then <= 2 * _LOST_MEMORY and down >= _LOST_HEAD_DOWN
                for then, down in self._heads_down
            )
            self._heads_down = []
            if not going_down:
                return None
            self._lost_since = time
        if time - self._lost_since > LOST_SECONDS:
            return None
        return Gaze(yaw=0.0, pitch=-1.5 * DOWN_DEGREES, confidence=0.3)

    def _learn(self, time: float, eyes: EyeShape, look_up: float, head: HeadPose) -> None:
        if self._settled or max(abs(head.yaw), abs(head.pitch)) > _MAX_BASELINE_HEAD:
            return
        self._samples.append(_Sample(time, eyes, look_up))
        span = time - self._samples[0].time
        if len(self._samples) < _MIN_SAMPLES or span < _FIRST:
            return
        if self.baseline is not None and span < _WINDOW:
            return
        baseline = _take_baseline(self._samples)
        if span >= _WINDOW:
            self._settled = baseline is not None
            # A refused baseline is tried again with newer frames.
            self._samples = (
                []
                if self._settled
                else [sample for sample in self._samples if time - sample.time < _WINDOW]
            )
        self.baseline = baseline


def _take_baseline(samples: list[_Sample]) -> GazeBaseline | None:
    """The median of the frames with open eyes; ``None`` where these eyes are not level."""
    apertures = sorted(sample.eyes.aperture for sample in samples)
    wide = apertures[min(len(apertures) - 1, round(0.8 * (len(apertures) - 1)))]
    chosen = [sample for sample in samples if sample.eyes.aperture >= _OPEN_SHARE * wide]
    baseline = GazeBaseline(
        median(sample.eyes.iris_across for sample in chosen),
        median(sample.eyes.iris_down for sample in chosen),
        median(sample.eyes.upper_lid for sample in chosen),
        median(sample.eyes.lower_lid for sample in chosen),
        median(sample.eyes.aperture for sample in chosen),
        median(sample.look_up for sample in chosen),
    )
    level = (
        baseline.upper_lid <= -0.12
        and 0.17 <= baseline.aperture <= 0.5
        and baseline.down <= -0.02
        and abs(baseline.across) <= _MAX_BASELINE_ACROSS
    )
    return baseline if level else None


def _judge_eyes(
    baseline: GazeBaseline, eyes: EyeShape, look_up: float, head: HeadPose, face_pixels: float
) -> GazeReading:
    iris_down = eyes.iris_down - baseline.down
    upper_lid = eyes.upper_lid - baseline.upper_lid
    lower_lid = eyes.lower_lid - baseline.lower_lid
    aperture = eyes.aperture / baseline.aperture
    look_up -= baseline.look_up
    head_down = -head.pitch

    by_head_up = max(head_down / -25, head_down / -15 if upper_lid <= 0.03 else 0.0)
    by_eyes_up = min(iris_down / -0.03, upper_lid / -0.02, look_up / 0.06) if head_down < 8 else 0.0
    up = max(by_head_up, by_eyes_up, 0.0)

    followed = aperture >= _MIN_APERTURE and lower_lid >= _LOWER_LID and head_down > -10
    by_lid = upper_lid / _LID_DROP
    down = max(
        by_lid if followed else 0.0,
        min(head_down / 8, by_lid),
        min(head_down / 18, upper_lid / 0.05),
        0.0,
    )
    if by_head_up >= 1:
        down = 0.0
    if down < 1 and by_head_up < 1 and upper_lid >= _LID_DROP:
        return GazeReading(None, "eyes shut", eyes_open=False)

    if abs(head.yaw) > _TURNED:  # The lids of a turned face tell nothing; sideways tells enough.
        pitch = 0.0
    elif down >= 1 or down * DOWN_DEGREES > up * UP_DEGREES:
        pitch = -DOWN_DEGREES * down
    else:
        pitch = UP_DEGREES * up
    across = (eyes.iris_across - baseline.across) * DEGREES_PER_EYE_WIDTH
    return GazeReading(
        Gaze(
            yaw=_bounded(across + head.yaw),
            pitch=_bounded(pitch),
            confidence=_confidence(aperture, head, face_pixels),
        ),
        "",
        eyes_open=True,
    )


def _confidence(aperture: float, head: HeadPose, face_pixels: float) -> float:
    """Lower for small faces, turned heads and narrow eyes; a product of plain ramps."""
    size = min(1.0, 0.6 + 0.4 * (face_pixels - MIN_FACE_PIXELS) / 60)
    turn = max(0.4, 1 - max(0.0, abs(head.yaw) - 20) / 50)
    opening = min(1.0, 0.5 + 0.5 * max(0.0, aperture) / 0.6)
    return size * turn * opening


def _bounded(degrees: float) -> float:
    return max(-_LIMIT, min(_LIMIT, degrees))
