"""Decides in which frames faces are measured again, and to which the last measurement is carried over.

Every frame is compared with the last *measured* one, so a slow drift adds up until it is noticed. A large
change is measured at once, a small one within ``SOON_SECONDS`` (at once while anything is nearly suspicious), a
face that does not change every ``REST_SECONDS``. Where the comparison cannot tell, every frame is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from proctoring.observations import Attention
from proctoring.vision.face_change import FaceChange, FacePicture
from proctoring.vision.face_tracking import SURE_PRESENCE
from proctoring.vision.frame import Luma
from proctoring.vision.landmarks import Mesh
from proctoring.vision.noise import Noise
from proctoring.vision.stages.context import Context, MeasuredFaces

REST_SECONDS = 0.5
"""Seconds after which an unchanged face is measured again."""
SOON_SECONDS = 0.2
"""Seconds after a measurement in which a small change is measured."""
LEARNING_SECONDS = 15.0
"""Seconds after which faces are carried over though the baseline is still incomplete: some never is."""
_EARLY = 0.03
"""Seconds by which a frame may be early, since frames jitter."""
_MAX_NOISE = 9.0
"""Mean square difference up to which changes can be told from noise; what exceeds it counts as change."""

SMALL = FaceChange(travel=0.03, eyes=0.025, mouth=0.03, head=0.005)
"""Changes from which a face is measured soon. On recordings of people before a camera, 99 of 100 frames that
others were carried over to were off by at most 4 degrees of gaze sideways, 7 up or down, and 3 of the head."""
LARGE = FaceChange(travel=0.12, eyes=0.08, mouth=math.inf, head=0.025)
"""Changes from which a face is measured at once: a glance of 10 degrees, a blink, a turn of the head. Lips
alone never are: five measurements a second tell moving from still ones (``judgement/lips.py``)."""


@dataclass(frozen=True, slots=True)
class FaceGateState:
    """What a gate knows, apart from pictures."""

    track: int | None = None
    """The candidate's in the last measured frame."""
    learning_since: float | None = None
    noise: tuple[float, ...] = ()
    """``Noise.recent``."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedFace:
    """One measured face, with which later frames are compared."""

    time: float
    """Media time of its frame."""
    luma: Luma
    """The frame's."""
    mesh: Mesh
    """Landmarks in frame pixels."""
    scale: float
    """Pixels of ``luma`` per pixel of the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceGatePictures:
    """What may be carried over, and with what later frames are compared. Without it, the next frame is
    measured."""

    last: MeasuredFaces
    compared: ComparedFace


class FaceGate:
    """Follows one session's faces."""

    def __init__(
        self, state: FaceGateState | None = None, pictures: FaceGatePictures | None = None
    ) -> None:
        state = state or FaceGateState()
        self._noise = Noise(state.noise)
        self._track = state.track
        self._learning_since = state.learning_since
        self._comparison: FaceComparison | None = None
        self.last: MeasuredFaces | None = None
        """What may be carried over; ``None``: nothing."""
        if pictures is not None:
            self.last = pictures.last
            self._comparison = FaceComparison(pictures.compared)

    @property
    def state(self) -> FaceGateState:
        """For a snapshot."""
        return FaceGateState(self._track, self._learning_since, self._noise.recent)

    @property
    def pictures(self) -> FaceGatePictures | None:
        """For a snapshot."""
        if self.last is None or self._comparison is None:
            return None
        return FaceGatePictures(self.last, self._comparison.face)

    def remember(self, context: Context) -> None:
        """Follow a frame in which faces were measured, after all stages have run."""
        face, frame = context.candidate, context.frame
        settled = self._is_settled(context)
        self._track = None if face is None else face.track
        self.last = self._comparison = None
        if settled and face is not None:
            self.last = context.measured
            self._comparison = FaceComparison(
                ComparedFace(frame.time, frame.luma, face.mesh, frame.luma_scale)
            )

    def why_measure_unseen(self, time: float) -> str:
        """Why faces must be measured in a frame of this media time whatever it shows; empty: ask
        ``why_measure``."""
        return (
            "unsettled" if self._comparison is None else self._comparison.why_measure_unseen(time)
        )

    def why_measure(self, time: float, luma: Luma, attention: Attention) -> str:
        """Why faces must be measured in this frame; empty: ``last`` may be carried over to it."""
        if self._comparison is None:
            return "unsettled"
        may_wait = attention is Attention.USUAL
        return self._comparison.why_measure(time, luma, self._noise, may_wait=may_wait)

    def _is_settled(self, context: Context) -> bool:
        """Whether the candidate's is the only face, is followed without doubt, and was read in full."""
        face, time = context.candidate, context.frame.time
        if not context.learning:
            self._learning_since = None
        elif self._learning_since is None or time < self._learning_since:
            self._learning_since = time
        if face is None or face.track != self._track or len(context.faces) > 1:
            return False
        if self._learning_since is not None and time - self._learning_since < LEARNING_SECONDS:
            return False
        seen = context.found.get("candidate", {})
        return (
            face.presence >= SURE_PRESENCE
            and seen.get("head") is not None
            and seen.get("gaze") is not None
            and seen.get("eyes_open") is not False
        )


class FaceComparison:
    """Compares later frames with one measured face."""

    def __init__(self, face: ComparedFace) -> None:
        self.face = face
        self._picture: FacePicture | None = None
        """Made when the next frame is compared: many never are."""

    def why_measure_unseen(self, time: float) -> str:
        """Why the face must be measured in a frame of this media time whatever it shows."""
        return "" if 0 < time - self.face.time < REST_SECONDS - _EARLY else "rest"

    def why_measure(self, time: float, luma: Luma, noise: Noise, *, may_wait: bool = True) -> str:
        """Why the face must be measured in this frame; empty: it has not changed.

        Args:
            time: media time.
            luma: the frame's.
            noise: of the camera, in the skin; learns from the frame.
            may_wait: whether a small change may wait for ``SOON_SECONDS``.
        """
        face = self.face
        since = time - face.time
        if why := self.why_measure_unseen(time):
            return why
        try:
            self._picture = self._picture or FacePicture(face.luma, face.mesh, face.scale)
        except ValueError:
            return "unclear"
        difference = self._picture.difference(luma)
        if difference is None:
            return "unclear"
        noise.add(difference.skin)
        if noise.level is None:
            return "unclear"
        change = self._picture.change(difference, min(noise.level, _MAX_NOISE))
        if _beyond(change, LARGE):
            return "change"
        waits = may_wait and since < SOON_SECONDS - _EARLY
        if not waits and _beyond(change, SMALL):
            return "small change"
        return ""


def _beyond(change: FaceChange, limit: FaceChange) -> bool:
    return (
        change.travel > limit.travel
        or change.eyes > limit.eyes
        or change.mouth > limit.mouth
        or change.head > limit.head
    )
