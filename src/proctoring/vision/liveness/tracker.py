"""One session's candidate watched for signs of life: single looks averaged, movement over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from proctoring.observations import Box, Detection, Liveness, NotRead
from proctoring.vision.eyes import measure_eyes
from proctoring.vision.face_view import highlight_brightness, is_turned_away
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh, hull
from proctoring.vision.liveness.blinks import Blinks
from proctoring.vision.liveness.enclosing_screen import enclosing_screen
from proctoring.vision.liveness.motion import Motion
from proctoring.vision.liveness.scoring import LivenessScorer

MIN_FACE = 80.0
"""Pixels of face width below which nothing is said: the networks' own detail is gone."""
_LOOKS = 5
_MIN_LOOKS = 3
"""Looks that are averaged, and from how many on there is a mean."""
_LOOKS_SECONDS = 15.0
"""Older looks are forgotten: they may be of another face."""
_DARK = 25.0
"""Brightness (0 to 255) that the brightest tenth of the face must reach."""


class LivenessTracker:
    """What is known about the candidate's face. Single looks outlast a break in following it: a
    print that is waved about is lost and found every second."""

    def __init__(self, scorer: LivenessScorer | None) -> None:
        self._scorer = scorer
        self.reset()

    def reset(self) -> None:
        """Start anew: somebody else is the candidate now."""
        self._track: int | None = None
        self._motion = Motion()
        self._blinks = Blinks()
        self._scores: deque[tuple[float, float]] = deque(maxlen=_LOOKS)
        self._framed: deque[bool] = deque(maxlen=_LOOKS)

    def update(self, time: float, track: int, mesh: Mesh) -> None:
        """Take in the candidate's landmarks of one frame; times rise."""
        if track != self._track:
            self._track = track
            self._motion, self._blinks = Motion(), Blinks()
        self._motion.update(time, mesh)
        eyes = measure_eyes(mesh)
        if eyes is not None:
            self._blinks.update(time, eyes.aperture)

    @property
    def blinks(self) -> int:
        """Blinks of the face that is followed now, since it was found."""
        return self._blinks.count

    def update_screens(self, face: Box, screens: Sequence[Detection]) -> None:
        """Take in one look of the object detector: the screens and phones it saw."""
        self._framed.append(enclosing_screen(face, screens) is not None)

    def score(
        self, time: float, pixels: Pixels, track: int, mesh: Mesh
    ) -> tuple[Liveness | None, NotRead | None]:
        """Judge the candidate's face in one frame, after ``follow`` took it in."""
        box = hull(mesh)
        reason = _unreadable(pixels, box, mesh)
        if reason:
            return None, NotRead("liveness", reason)
        if self._scorer is not None:
            self._scores.append((time, self._scorer.score(pixels, box)))
        recent = [score for at, score in self._scores if time - at <= _LOOKS_SECONDS]
        return (
            Liveness(
                track=track,
                score=sum(recent) / len(recent) if len(recent) >= _MIN_LOOKS else None,
                networks=self._scorer.name if self._scorer else "",
                samples=len(recent),
                parallax=self._motion.depth,
                motion=self._motion.sway,
                framed_share=sum(self._framed) / len(self._framed) if self._framed else None,
                blinks=self._blinks.per_minute,
            ),
            None,
        )


def _unreadable(pixels: Pixels, box: Box, mesh: Mesh) -> str:
    """Why this face cannot be judged; empty when it can."""
    if box.width < MIN_FACE:
        return f"face smaller than {MIN_FACE:.0f} pixels"
    if is_turned_away(mesh):
        return "face turned away"
    light = highlight_brightness(pixels, box)
    if light is None:
        return "face outside the picture"
    if light < _DARK:
        return "face too dark"
    return ""
