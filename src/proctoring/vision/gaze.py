"""Where the candidate looks, in degrees, against the session's own baseline.

Sideways it is the iris in the eye plus the turn of the head, so that a head that turns while the
eyes stay on the screen reads as looking at the screen. Up and down neither iris nor head tells it
reliably: the upper lid follows the eye, and the rule in ``lids.py`` tells a lid that follows a
downward look from one that shuts.

The baseline is learned in the first three seconds in which the eyes are open and at rest. One that
is far from what eyes on a screen look like was taken while looking elsewhere and is refused: until
there is one, sideways looks are judged from the line to the camera, up and down are not read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from proctoring.observations import Gaze, HeadPose
from proctoring.vision.eyes import EyeShape
from proctoring.vision.lids import DOWN_DEGREES, LidBaseline, eyes_shut, vertical_gaze

DEGREES_PER_EYE_WIDTH = 130.0
"""Turn of the eye that moves the iris by one eye width (an eyeball of 24 mm in a slit of 30)."""
MIN_FACE_PIXELS = 80.0
"""Face width below which the eyes are not read: false alarms begin at 60."""
LEARNING_SECONDS = 3.0
FIRST_SECONDS = 1.5
"""After this the baseline is used; until ``LEARNING_SECONDS`` it still improves."""
MAX_AIM = 12.0
"""Degrees from the line to the camera beyond which a baseline was taken while looking aside. Raising it
serves screens far from the camera, and lets a candidate who starts by looking aside teach that."""
LOST_SECONDS = 3.0
"""How long a face lost while the head went down counts as looking down; then it is absent."""

_MIN_SAMPLES = 8
_OPEN_SHARE = 0.85
_MAX_HEAD = 12.0
"""Degrees of head turn beyond which a frame says nothing about the baseline."""
_RESTING = 4.0
"""Median deviation, in degrees, up to which the eyes rest on something."""
_FULL = 0.9
"""Share of ``LEARNING_SECONDS`` that frames must span to count as all of it."""
_HEAD_DOWN = 10.0
_HEAD_MEMORY = 0.35
"""Seconds, three frames: a head this far down in one of them was going down when it was lost."""
_LOST_CONFIDENCE = 0.3
_MEMORY = 240
_MEMORY_PERIOD = 0.5
_REVIEW_PERIOD = 5.0
_REVIEW_SAMPLES = 60
_NEIGHBOUR = 4.0
_DOMINANT = 0.5
_MAX_STEP = 0.5
"""As in ``neutral.py``: the aim held most of the time corrects one learned askew."""
_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class EyeMeasurement:
    """What one frame says about the eyes."""

    time: float
    eyes: EyeShape
    look_up: float
    """Mean of both eyeLookUp scores."""
    pose: HeadPose
    """Against the camera, not against neutral."""

    @property
    def aim(self) -> float:
        """Degrees from the line to the camera towards the candidate's left, eyes and head together."""
        return self.eyes.iris_across * DEGREES_PER_EYE_WIDTH + self.pose.yaw


@dataclass(frozen=True, slots=True)
class GazeEstimate:
    """What the eyes of one frame say."""

    gaze: Gaze | None
    reason: str
    """Why ``gaze``, or its ``pitch``, is ``None``; empty otherwise."""
    eyes_open: bool | None


@dataclass(slots=True)
class GazeEstimator:
    """Reads one session's gaze; its fields are plain and can be saved."""

    aim: float | None = None
    """Degrees from the line to the camera at which the candidate looks at the middle of the screen."""
    lids: LidBaseline | None = None
    aim_settled: bool = False
    lids_settled: bool = False
    """Whether that baseline has had its ``LEARNING_SECONDS``."""
    samples: deque[EyeMeasurement] = field(default_factory=deque)
    """The last ``LEARNING_SECONDS`` while something is not settled."""
    heads_down: deque[tuple[float, float]] = field(default_factory=deque)
    """Times and degrees down of the last frames."""
    lost_since: float | None = None
    memory: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    remembered_at: float = float("-inf")
    reviewed_at: float = float("-inf")

    def estimate(
        self,
        sample: EyeMeasurement,
        head: HeadPose | None,
        *,
        neutral_learned: bool,
        face_pixels: float,
    ) -> GazeEstimate:
        """The gaze in one frame; ``head`` is the turn against neutral, if that is known."""
        time = sample.time
        self.lost_since = None
        if head is not None:
            self.heads_down.append((time, -head.pitch))
            while time - self.heads_down[0][0] > _HEAD_MEMORY:
                self.heads_down.popleft()
        if face_pixels < MIN_FACE_PIXELS:
            return GazeEstimate(None, f"face smaller than {MIN_FACE_PIXELS:.0f} pixels", None)
        if not (self.lids_settled and self.aim_settled):
            self._learn(sample, head if neutral_learned else None)
        if head is None or self.aim is None:
            return GazeEstimate(None, "baseline of the eyes not yet learned", None)
        if self.lids is not None and eyes_shut(self.lids, sample.eyes, head):
            return GazeEstimate(None, "eyes shut", eyes_open=False)
        self._follow_aim(time, sample.aim)
        pitch = None
        reason = "baseline of the lids not yet learned"
        if self.lids is not None:
            pitch = vertical_gaze(self.lids, sample.eyes, sample.look_up, head)
            reason = "" if pitch is not None else "head turned too far to read the lids"
        gaze = Gaze(
            yaw=_bounded(sample.aim - self.aim),
            pitch=None if pitch is None else _bounded(pitch),
            confidence=_confidence(self.lids, sample.eyes, head, face_pixels),
        )
        return GazeEstimate(gaze, reason, eyes_open=None if self.lids is None else True)

    def estimate_while_lost(self, time: float) -> Gaze | None:
        """The gaze while the candidate's face is lost: down, if the head was just going there."""
        if self.lost_since is None:
            lately = [down for then, down in self.heads_down if time - then <= 2 * _HEAD_MEMORY]
            self.heads_down.clear()
            if not lately or max(lately) < _HEAD_DOWN:
                return None
            self.lost_since = time
        if time - self.lost_since > LOST_SECONDS:
            return None
        return Gaze(yaw=0.0, pitch=-1.5 * DOWN_DEGREES, confidence=_LOST_CONFIDENCE)

    def _learn(self, sample: EyeMeasurement, head: HeadPose | None) -> None:
        """Take the baseline from the last seconds; ``head`` only if neutral is the candidate's."""
        if head is None or max(abs(head.yaw), abs(head.pitch)) <= _MAX_HEAD:
            self.samples.append(sample)
        # At low rates the fewest frames that say anything span more than the learning time.
        while (
            len(self.samples) > _MIN_SAMPLES
            and sample.time - self.samples[0].time > LEARNING_SECONDS
        ):
            self.samples.popleft()
        if len(self.samples) < _MIN_SAMPLES:
            return
        span = sample.time - self.samples[0].time
        if span < FIRST_SECONDS:
            return
        full = span >= _FULL * LEARNING_SECONDS
        chosen = _open_eyed(self.samples)
        if not self.lids_settled:
            lids = _lid_baseline(chosen)
            self.lids = lids or self.lids
            self.lids_settled = full and lids is not None
        if not self.aim_settled:
            aim = _resting_aim(chosen)
            if aim is not None:
                self.aim = aim
            elif self.aim is None:
                self.aim = 0.0  # The camera, until the candidate's own is known.
            self.aim_settled = full and aim is not None
        if self.lids_settled and self.aim_settled:
            self.samples.clear()

    def _follow_aim(self, time: float, aim: float) -> None:
        """Move the baseline a little towards the aim that is held most of the time."""
        if self.aim is None:
            return
        if time - self.remembered_at >= _MEMORY_PERIOD:
            self.remembered_at = time
            self.memory.append(aim)
        if time - self.reviewed_at < _REVIEW_PERIOD or len(self.memory) < _REVIEW_SAMPLES:
            return
        self.reviewed_at = time
        aims = np.array(self.memory, np.float32)
        near = np.abs(aims[:, None] - aims[None]) <= _NEIGHBOUR
        best = near[int(near.sum(axis=1).argmax())]
        held = float(np.median(aims[best]))
        if best.mean() >= _DOMINANT and abs(held) <= MAX_AIM:
            self.aim += max(-_MAX_STEP, min(_MAX_STEP, held - self.aim))


def _resting_aim(samples: list[EyeMeasurement]) -> float | None:
    """The median aim; ``None`` where the eyes wander or look aside."""
    aims = [sample.aim for sample in samples]
    aim = median(aims)
    wandering = median(abs(other - aim) for other in aims) > _RESTING
    return None if wandering or abs(aim) > MAX_AIM else aim


def _open_eyed(samples: Iterable[EyeMeasurement]) -> list[EyeMeasurement]:
    """Without blinks and half-shut eyes: those near the wider apertures among the samples."""
    samples = list(samples)
    apertures = sorted(sample.eyes.aperture for sample in samples)
    wide = apertures[round(0.8 * (len(apertures) - 1))]
    return [sample for sample in samples if sample.eyes.aperture >= _OPEN_SHARE * wide]


def _lid_baseline(samples: list[EyeMeasurement]) -> LidBaseline | None:
    """The median; ``None`` where these are not eyes on a screen."""
    baseline = LidBaseline(
        median(sample.eyes.iris_down for sample in samples),
        median(sample.eyes.upper_lid for sample in samples),
        median(sample.eyes.lower_lid for sample in samples),
        median(sample.eyes.aperture for sample in samples),
        median(sample.look_up for sample in samples),
    )
    return baseline if baseline.is_plausible else None


def _confidence(
    lids: LidBaseline | None, eyes: EyeShape, head: HeadPose, face_pixels: float
) -> float:
    """Lower for small faces, turned heads and narrow eyes; a product of plain ramps."""
    size = min(1.0, 0.6 + 0.4 * (face_pixels - MIN_FACE_PIXELS) / 60)
    turn = max(0.4, 1 - max(0.0, abs(head.yaw) - 20) / 50)
    share = eyes.aperture / lids.aperture if lids is not None else 0.6
    return size * turn * min(1.0, 0.5 + 0.5 * max(0.0, share) / 0.6)


def _bounded(degrees: float) -> float:
    return max(-_LIMIT, min(_LIMIT, degrees))
