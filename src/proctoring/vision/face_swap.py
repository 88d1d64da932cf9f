"""Whether the picture of a face that rested is another one from one frame to the next: a photo or a
recording that takes the candidate's place, however well it fits.

A person who begins to move does so slower than that. How far two pictures of a face differ is measured as
the root of the mean square difference over the spread of grey levels, both in the small grey copy, over the
landmarks' box as it was in the last measured frame, without the light as a whole. ``docs/accuracy.md`` says on what the limits
were chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from proctoring.observations import Box
from proctoring.vision.frame import Frame, Luma

AT_REST = 0.12
"""Difference from frame to frame up to which a face rests. Half of the frames of people before a camera are
below 0.10, a tenth is above 0.44."""
REST_SECONDS = 1.0
"""Seconds for which a face must have rested."""
SWAPPED = 0.25
"""Difference from which a face that rested is another picture. Of 479 frames after a second of rest two gave more,
all but five 0.19 at most; another person's face laid over the candidate's, eyes on eyes, 0.63 and more."""
_MARGIN = 0.1
"""How far the compared area reaches beyond the box of the landmarks, in face widths."""
_SMOOTHED = 3
"""Side in pixels over which pictures are averaged before they are compared: detail moves with each breath."""
_MIN_SPREAD = 8.0
"""Least spread of grey levels: differences of a darker face are noise."""


def face_difference(before: Luma, now: Luma, face: Box, scale: float) -> float:
    """How far the pictures of a face differ; 0: not at all, 1: as much as the face from an even area.

    Args:
        before: small grey copy of one frame.
        now: of another; infinitely different if its size is another.
        face: box of the landmarks, in frame pixels.
        scale: pixels of the copy per pixel of the frame.
    """
    if before.shape != now.shape:
        return float("inf")
    more = _MARGIN * face.width
    rows = slice(max(0, int((face.top - more) * scale)), int((face.bottom + more) * scale) + 1)
    columns = slice(max(0, int((face.left - more) * scale)), int((face.right + more) * scale) + 1)
    area = before[rows, columns]
    if not area.size:
        return 0.0
    earlier = cv2.blur(area, (_SMOOTHED, _SMOOTHED))
    later = cv2.blur(now[rows, columns], (_SMOOTHED, _SMOOTHED))
    change = cv2.subtract(later, earlier, dtype=cv2.CV_16S)
    (_, (spread,)), (_, (difference,)) = cv2.meanStdDev(earlier), cv2.meanStdDev(change)
    return float(difference[0]) / max(_MIN_SPREAD, float(spread[0]))


@dataclass(frozen=True, slots=True)
class FaceSwapState:
    """What is known of the face's rest, apart from the last picture."""

    time: float = float("-inf")
    """Media time of the last frame."""
    resting_since: float | None = None


class FaceSwap:
    """Follows the picture of one session's candidate from frame to frame.

    Args:
        state: of a continued session.
        before: small grey copy of its last frame; ``None``: no swap is seen within ``REST_SECONDS``.
    """

    def __init__(self, state: FaceSwapState | None = None, before: Luma | None = None) -> None:
        state = state or FaceSwapState()
        self.before = before
        """Small grey copy of the last frame."""
        self._time = state.time
        self._resting_since = state.resting_since

    @property
    def state(self) -> FaceSwapState:
        """For a snapshot."""
        return FaceSwapState(self._time, self._resting_since)

    def update(self, frame: Frame, face: Box | None) -> bool:
        """Add one frame; whether the face that rested until the one before it has been replaced.

        Args:
            frame: not decoded.
            face: where the candidate's face was measured last; ``None``: it was not there.
        """
        before, self.before = self.before, frame.luma
        passed, self._time = frame.time - self._time, frame.time
        if before is None or face is None or not 0 < passed <= REST_SECONDS:
            self._resting_since = None
            return False
        difference = face_difference(before, frame.luma, face, frame.luma_scale)
        since = self._resting_since
        if difference > AT_REST:
            self._resting_since = None
        elif since is None:
            self._resting_since = frame.time
        rested = since is not None and frame.time - since >= REST_SECONDS
        return rested and difference >= SWAPPED
