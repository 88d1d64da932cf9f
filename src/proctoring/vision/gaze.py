"""Estimates where the candidate looks, in degrees, against the session's own baseline.

Horizontal gaze is the position of the iris in the eye plus the turn of the head, so that a head that
turns while the eyes stay on the screen gives no change. Vertical gaze is estimated from the upper lid
(``lids.py``).

The baseline (the aim of eyes that look at the screen, and their lids) is learned in the first three
seconds in which the eyes are open and at rest. One that does not fit eyes on a screen was learned while
looking elsewhere and is rejected: until there is one, horizontal gaze is measured from the line to the
camera, and vertical gaze is not estimated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Gaze, HeadPose
from proctoring.vision.eyes import EyeShape
from proctoring.vision.lids import DOWN_DEGREES, LidBaseline, eyes_shut, may_look_up, vertical_gaze

DEGREES_PER_EYE_WIDTH = 130.0
"""Rotation of the eye that moves the iris by one eye width (an eyeball of 24 mm in a slit of 30)."""
MIN_FACE_PIXELS = 80.0
"""Smallest face width in pixels: false alarms begin at 60."""
LEARNING_SECONDS = 3.0
"""Time over which the baseline is learned."""
FIRST_SECONDS = 1.5
"""After this time the baseline is used; it is refined until ``LEARNING_SECONDS``."""
MAX_AIM = 12.0
"""Degrees from the line to the camera beyond which a baseline was learned while looking aside. Raising
it serves screens far from the camera, and lets a candidate who starts by looking aside have that
accepted."""
LOST_SECONDS = 3.0
"""How long a face that was lost while the head went down counts as looking down."""

_MIN_SAMPLES = 8
"""Frames from which a baseline is learned, at least."""
_WIDE_QUANTILE = 0.8
_OPEN_SHARE = 0.85
"""Eyes count as open from this share of the aperture that is the quantile of the samples."""
_MAX_HEAD = 12.0
"""Degrees of head turn beyond which a frame is not used for the baseline."""
_MAX_RESTING_DEVIATION = 4.0
"""Median deviation of the aim in degrees up to which the eyes are at rest."""
_FULL_SHARE = 0.9
"""Share of ``LEARNING_SECONDS`` that frames must span for the baseline to be complete."""

_HEAD_DOWN = 10.0
_HEAD_MEMORY = 0.35
"""A head that was lowered by so many degrees within so many seconds (three frames), counted twice to allow
for the frames in which it was lost, was going down when the face was lost."""
_LOST_PITCH = -1.5 * DOWN_DEGREES
_LOST_CONFIDENCE = 0.3
"""Gaze while the face is lost."""

# Correction of the aim towards the one that is held most of the time, as in ``neutral.py``.
_MEMORY = 240
_MEMORY_PERIOD = 0.5
"""Number of remembered aims, and the seconds between two: two minutes."""
_REVIEW_PERIOD = 5.0
"""Seconds between two corrections."""
_REVIEW_SAMPLES = 60
"""Remembered aims before the first correction."""
_SAME_AIM = 4.0
"""Degrees within which two remembered aims are the same."""
_MIN_DOMINANCE = 0.5
"""Share of the remembered aims that the most frequent one must have for a correction."""
_MAX_STEP = 0.5
"""Degrees of one correction, at most."""

_MAX_DEGREES = 60.0
"""Limit of an estimate, either way."""

# Confidence: a product of linear ramps, not calibrated against errors.
_SMALL_FACE, _LARGE_FACE = 0.6, 60.0
"""Factor at ``MIN_FACE_PIXELS``, and the pixels above it from which the factor is 1."""
_STRAIGHT, _TURN_RANGE, _MIN_TURN_FACTOR = 20.0, 50.0, 0.4
"""Yaw in degrees up to which the factor is 1, the degrees beyond it in which it would fall to 0, and its
minimum."""
_WIDE_OPEN, _UNKNOWN_OPEN = 0.6, 0.6
"""Share of the baseline's aperture from which the factor is 1 (it is 0.5 for shut eyes), and the share
assumed while there is no baseline."""


@dataclass(frozen=True, slots=True)
class EyeMeasurement:
    """The eyes in one frame."""

    time: float
    """Media time in seconds."""
    eyes: EyeShape
    look_up: float
    """Mean of both eyeLookUp scores; 0 where ``GazeEstimator.needs_look_up`` says that they have no effect."""
    pose: HeadPose
    """Turn of the head against the camera, not against the neutral pose."""

    @property
    def aim(self) -> float:
        """Degrees from the line to the camera towards the candidate's left, of eyes and head together."""
        return self.eyes.iris_across * DEGREES_PER_EYE_WIDTH + self.pose.yaw


@dataclass(frozen=True, slots=True)
class GazeEstimate:
    """The gaze in one frame."""

    gaze: Gaze | None
    reason: str
    """Why ``gaze``, or its ``pitch``, is ``None``; empty otherwise."""
    eyes_open: bool | None
    """``None``: not known."""


@dataclass(frozen=True, slots=True)
class GazeState:
    """One session's baseline, and what else is known of its gaze."""

    aim: float | None = None
    """Baseline: ``EyeMeasurement.aim`` of eyes that look at the middle of the screen."""
    lids: LidBaseline | None = None
    aim_settled: bool = False
    lids_settled: bool = False
    """Whether that part of the baseline is complete."""
    began: float | None = None
    """Media time of the first frame with eyes."""
    heads_down: tuple[tuple[float, float], ...] = ()
    """Times of the last frames, and degrees by which the head was lowered."""
    lost_since: float | None = None
    """Media time at which the face was lost while the head went down."""
    remembered_at: float = float("-inf")
    reviewed_at: float = float("-inf")
    """Media times of the last remembered aim and of the last correction."""


@dataclass(frozen=True, slots=True, eq=False)
class GazeHistory:
    """What the baseline is learned from and corrected by. Without it, both begin anew."""

    began: float
    """``GazeState.began``."""
    samples: tuple[EyeMeasurement, ...]
    memory: NDArray[np.float64]
    """(n,) aims in degrees."""


class GazeEstimator:
    """Estimates one session's gaze and learns its baseline.

    Args:
        state: of a continued session.
        history: its history, not used if the baseline was begun anew since it was kept.
    """

    def __init__(self, state: GazeState | None = None, history: GazeHistory | None = None) -> None:
        state = state or GazeState()
        self.aim = state.aim
        self.lids = state.lids
        self.aim_settled = state.aim_settled
        self.lids_settled = state.lids_settled
        self.began = state.began
        self.heads_down = deque(state.heads_down)
        self.lost_since = state.lost_since
        self.remembered_at = state.remembered_at
        self.reviewed_at = state.reviewed_at
        self.samples: deque[EyeMeasurement] = deque()
        """Those of the last ``LEARNING_SECONDS``, until the baseline is complete."""
        self.memory: deque[float] = deque(maxlen=_MEMORY)
        """Aims, for corrections."""
        if history is not None and history.began == self.began:
            self.samples.extend(history.samples)
            self.memory.extend(history.memory.tolist())
        if self.learned:
            self.samples.clear()

    @property
    def state(self) -> GazeState:
        """For a snapshot."""
        return GazeState(
            self.aim,
            self.lids,
            self.aim_settled,
            self.lids_settled,
            self.began,
            tuple(self.heads_down),
            self.lost_since,
            self.remembered_at,
            self.reviewed_at,
        )

    @property
    def history(self) -> GazeHistory | None:
        """For a snapshot."""
        if self.began is None:
            return None
        return GazeHistory(self.began, tuple(self.samples), np.array(self.memory, np.float64))

    @property
    def learned(self) -> bool:
        """Whether the baseline is complete."""
        return self.aim_settled and self.lids_settled

    def needs_look_up(self, eyes: EyeShape, head: HeadPose | None) -> bool:
        """Whether the eyeLookUp scores can have an effect on ``estimate``, or on what it learns."""
        if not self.learned:
            return True
        return head is not None and self.lids is not None and may_look_up(self.lids, eyes, head)

    def estimate(
        self,
        sample: EyeMeasurement,
        head: HeadPose | None,
        *,
        neutral_learned: bool,
        face_pixels: float,
    ) -> GazeEstimate:
        """Estimate the gaze in one frame.

        Args:
            sample: the eyes; times must rise.
            head: turn of the head against the neutral pose; ``None``: there is none yet.
            neutral_learned: whether the neutral pose is the candidate's own.
            face_pixels: width of the face.
        """
        time = sample.time
        if self.began is None:
            self.began = time
        self.lost_since = None
        if head is not None:
            self.heads_down.append((time, -head.pitch))
            while time - self.heads_down[0][0] > _HEAD_MEMORY:
                self.heads_down.popleft()
        if face_pixels < MIN_FACE_PIXELS:
            return GazeEstimate(None, f"face smaller than {MIN_FACE_PIXELS:.0f} pixels", None)
        if not self.learned:
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
            yaw=_limited(sample.aim - self.aim),
            pitch=None if pitch is None else _limited(pitch),
            confidence=_confidence(self.lids, sample.eyes, head, face_pixels),
        )
        return GazeEstimate(gaze, reason, eyes_open=None if self.lids is None else True)

    def estimate_while_lost(self, time: float) -> Gaze | None:
        """The gaze in a frame without the candidate's face: down, if the head was just going down."""
        if self.lost_since is None:
            recent = [down for then, down in self.heads_down if time - then <= 2 * _HEAD_MEMORY]
            self.heads_down.clear()
            if not recent or max(recent) < _HEAD_DOWN:
                return None
            self.lost_since = time
        if time - self.lost_since > LOST_SECONDS:
            return None
        return Gaze(yaw=0.0, pitch=_LOST_PITCH, confidence=_LOST_CONFIDENCE)

    def _learn(self, sample: EyeMeasurement, head: HeadPose | None) -> None:
        """Learn the baseline; ``head`` is ``None`` unless the neutral pose is the candidate's own."""
        if head is None or max(abs(head.yaw), abs(head.pitch)) <= _MAX_HEAD:
            self.samples.append(sample)
        # At low frame rates, ``_MIN_SAMPLES`` frames span more than the learning time.
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
        full = span >= _FULL_SHARE * LEARNING_SECONDS
        chosen = _with_open_eyes(self.samples)
        if not self.lids_settled:
            lids = _lid_baseline(chosen)
            self.lids = lids or self.lids
            self.lids_settled = full and lids is not None
        if not self.aim_settled:
            aim = _resting_aim(chosen)
            if aim is not None:
                self.aim = aim
            elif self.aim is None:
                self.aim = 0.0  # The line to the camera stands in.
            self.aim_settled = full and aim is not None
        if self.learned:
            self.samples.clear()

    def _follow_aim(self, time: float, aim: float) -> None:
        """Correct the baseline towards the aim that is held most of the time."""
        if self.aim is None:
            return
        if time - self.remembered_at >= _MEMORY_PERIOD:
            self.remembered_at = time
            self.memory.append(aim)
        if time - self.reviewed_at < _REVIEW_PERIOD or len(self.memory) < _REVIEW_SAMPLES:
            return
        self.reviewed_at = time
        aims = np.array(self.memory, np.float32)
        near = np.abs(aims[:, None] - aims[None]) <= _SAME_AIM
        best = near[int(near.sum(axis=1).argmax())]
        held = float(np.median(aims[best]))
        if best.mean() >= _MIN_DOMINANCE and abs(held) <= MAX_AIM:
            self.aim += max(-_MAX_STEP, min(_MAX_STEP, held - self.aim))


def _resting_aim(samples: list[EyeMeasurement]) -> float | None:
    """The median aim; ``None``: the eyes were not at rest, or looked aside."""
    aims = [sample.aim for sample in samples]
    aim = median(aims)
    moving = median(abs(other - aim) for other in aims) > _MAX_RESTING_DEVIATION
    return None if moving or abs(aim) > MAX_AIM else aim


def _with_open_eyes(samples: Iterable[EyeMeasurement]) -> list[EyeMeasurement]:
    """The samples without blinks and half-shut eyes."""
    samples = list(samples)
    apertures = sorted(sample.eyes.aperture for sample in samples)
    wide = apertures[round(_WIDE_QUANTILE * (len(apertures) - 1))]
    return [sample for sample in samples if sample.eyes.aperture >= _OPEN_SHARE * wide]


def _lid_baseline(samples: list[EyeMeasurement]) -> LidBaseline | None:
    """The median of the samples; ``None``: it does not fit eyes that look at a screen."""
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
    """0 to 1: lower for small faces, turned heads and narrow eyes."""
    growth = (1 - _SMALL_FACE) * (face_pixels - MIN_FACE_PIXELS) / _LARGE_FACE
    size = min(1.0, _SMALL_FACE + growth)
    turn = max(_MIN_TURN_FACTOR, 1 - max(0.0, abs(head.yaw) - _STRAIGHT) / _TURN_RANGE)
    share = eyes.aperture / lids.aperture if lids is not None else _UNKNOWN_OPEN
    return size * turn * min(1.0, 0.5 + 0.5 * max(0.0, share) / _WIDE_OPEN)


def _limited(degrees: float) -> float:
    return max(-_MAX_DEGREES, min(_MAX_DEGREES, degrees))
