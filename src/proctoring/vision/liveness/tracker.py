"""Tracks indications of liveness of one session's candidate: mean scores, movement, blinks, screens."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Box, Detection, Liveness, NotRead
from proctoring.vision.eyes import measure_eyes
from proctoring.vision.face_view import highlight_brightness, is_turned_away
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh, hull
from proctoring.vision.liveness.blinks import Blinks, BlinksHistory, BlinksState
from proctoring.vision.liveness.enclosing_screen import enclosing_screen
from proctoring.vision.liveness.inner_motion import InnerMotion
from proctoring.vision.liveness.light import MIN_HIGHLIGHT, why_not_scored
from proctoring.vision.liveness.motion import Motion, MotionHistory
from proctoring.vision.liveness.scoring import LivenessScorer

MIN_FACE = 80.0
"""Smallest width of a face in pixels: below it, the detail that the networks need is lost."""
_SAMPLES = 5
"""Latest scores that are averaged."""
_MIN_SAMPLES = 3
"""Scores from which there is a mean."""
_CERTAIN = 0.5
"""Score from which a single frame leaves no doubt that the face is bona fide."""
_MAX_AGE = 15.0
"""Greatest age of a score in seconds: older ones may be of another face."""


@dataclass(frozen=True, slots=True)
class LivenessState:
    """What is known of the candidate's face, apart from its movement."""

    track: int | None = None
    scores: tuple[tuple[float, float], ...] = ()
    """Media times and scores of the networks."""
    framed: tuple[bool, ...] = ()
    """Whether the face was within a screen in each of the last object detections."""
    blinks: BlinksState = field(default_factory=BlinksState)


@dataclass(frozen=True, slots=True, eq=False)
class LivenessHistory:
    """The recent movement of the candidate's face. Without it, movement is measured anew."""

    track: int
    """Of this face."""
    motion: MotionHistory
    blinks: BlinksHistory
    inner: NDArray[np.float64]
    """``InnerMotion.history``."""


class LivenessTracker:
    """Indications of liveness of the candidate's face.

    Scores outlast a break in tracking, since a print that is waved about is lost every second; movement
    and blinks do not.

    Args:
        scorer: the networks; ``None``: faces are not scored.
        state: of a continued session.
        history: the movement of its candidate's face, not used if that is another one by now.
    """

    def __init__(
        self,
        scorer: LivenessScorer | None,
        state: LivenessState | None = None,
        history: LivenessHistory | None = None,
    ) -> None:
        self._scorer = scorer
        self._begin(state or LivenessState(), history)

    def reset(self) -> None:
        """Discard everything: another person is the candidate now."""
        self._begin(LivenessState(), None)

    def _begin(self, state: LivenessState, history: LivenessHistory | None) -> None:
        self._track = state.track
        if history is not None and history.track == state.track:
            self._motion = Motion(history.motion)
            self._blinks = Blinks(state.blinks, history.blinks)
            self._inner = InnerMotion(history.inner)
        else:
            self._motion, self._blinks = Motion(), Blinks(state.blinks)
            self._inner = InnerMotion()
        self._scores: deque[tuple[float, float]] = deque(state.scores, maxlen=_SAMPLES)
        self._framed: deque[bool] = deque(state.framed, maxlen=_SAMPLES)

    @property
    def state(self) -> LivenessState:
        """For a snapshot."""
        return LivenessState(
            self._track, tuple(self._scores), tuple(self._framed), self._blinks.state
        )

    @property
    def history(self) -> LivenessHistory | None:
        """For a snapshot."""
        if self._track is None:
            return None
        return LivenessHistory(
            self._track, self._motion.history, self._blinks.history, self._inner.history
        )

    def update(self, time: float, track: int, mesh: Mesh) -> None:
        """Add the candidate's landmarks of one frame; times must rise."""
        if track != self._track:
            self._track = track
            self._motion, self._blinks, self._inner = Motion(), Blinks(), InnerMotion()
        self._motion.update(time, mesh)
        eyes = measure_eyes(mesh)
        if eyes is not None:
            self._blinks.update(time, eyes.aperture)
            self._inner.update(time, mesh, eyes)

    def update_unchanged(self, time: float) -> None:
        """Add a frame in which the face was seen not to have changed since the last one of ``update``.

        The eyes neither opened nor shut. Movement is learned from measured landmarks only: the same ones
        again would be those of a face that rests more than any does.
        """
        self._blinks.update_unchanged(time)

    @property
    def blinks(self) -> int:
        """Blinks since the present track began."""
        return self._blinks.count

    def update_screens(self, face: Box, screens: Sequence[Detection]) -> None:
        """Add the screens or phones of one object detection, and the face in the same frame."""
        self._framed.append(enclosing_screen(face, screens) is not None)

    def score(
        self, time: float, pixels: Pixels, track: int, mesh: Mesh
    ) -> tuple[Liveness | None, NotRead | None]:
        """Score the candidate's face, after ``update`` with the same frame.

        Returns:
            The indications, and why the networks or the whole face could not be read. Light that the
            networks cannot score leaves the indications of movement.
        """
        box = hull(mesh)
        reason = _rejection_reason(pixels, box, mesh)
        if reason:
            return None, NotRead("liveness", reason)
        unscored = why_not_scored(pixels, box) if self._scorer is not None else ""
        if self._scorer is not None and not unscored:
            self._scores.append((time, self._scorer.score(pixels, box)))
        recent = [] if unscored else self._recent(time)
        unread = NotRead("liveness", unscored) if unscored else None
        return self._indications(track, recent), unread

    def unchanged(self, time: float, track: int) -> Liveness:
        """The indications in a frame in which the face looks as it did when it was scored last."""
        return self._indications(track, self._recent(time))

    @property
    def certain(self) -> bool:
        """Whether the last scores leave no doubt that the face is bona fide."""
        return self._scorer is None or (
            len(self._scores) == _SAMPLES and min(score for _, score in self._scores) >= _CERTAIN
        )

    def _recent(self, time: float) -> list[float]:
        return [score for at, score in self._scores if time - at <= _MAX_AGE]

    def _indications(self, track: int, recent: list[float]) -> Liveness:
        return Liveness(
            track=track,
            score=sum(recent) / len(recent) if len(recent) >= _MIN_SAMPLES else None,
            networks=self._scorer.name if self._scorer else "",
            samples=len(recent),
            parallax=self._motion.parallax,
            motion=self._motion.travel,
            framed_share=sum(self._framed) / len(self._framed) if self._framed else None,
            blinks=self._blinks.per_minute,
            inner_motion=self._inner.extent,
        )


def _rejection_reason(pixels: Pixels, box: Box, mesh: Mesh) -> str:
    """Why a face cannot be analysed; empty: it can be."""
    if box.width < MIN_FACE:
        return f"face smaller than {MIN_FACE:.0f} pixels"
    if is_turned_away(mesh):
        return "face turned away"
    light = highlight_brightness(pixels, box)
    if light is None:
        return "face outside the picture"
    if light < MIN_HIGHLIGHT:
        return "face too dark"
    return ""
