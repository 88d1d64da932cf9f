"""Detects that the camera was moved, by a lasting change of the background.

A small grey picture of the background is compared about once a second. Light may change and people
may pass; a background that has changed and stays so means that the camera points elsewhere, and that
the learned neutral pose and eye baselines no longer hold. The thresholds were checked on composed
scenes only (docs/accuracy.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Box, CameraMovement
from proctoring.vision.frame import Frame, Luma

_WIDTH, _HEIGHT = 32, 24
"""Size of the small picture."""
CHANGED_BELOW = 0.5
"""Correlation with the reference background below which the background has changed."""
_AT_REST_FROM = 0.8
"""Correlation of two successive backgrounds from which the camera is at rest."""
_LASTING_UPDATES = 3
"""Successive updates for which a change must last."""
_MIN_SHARE = 0.2
"""Share of the picture that must be visible background in both; otherwise nothing is concluded."""
_MIN_CONTRAST = 6.0
"""Standard deviation in grey levels below which the background is a plain wall, alike everywhere."""
_HAIR, _SHOULDERS, _ABOVE = 0.5, 1.2, 0.6
"""How far a person reaches beyond the face box: beside the face and beside the body in face widths,
above the face in face heights."""
_CHIN = 0.1
"""How far above the lower edge of the face box the shoulders may begin, in face heights."""
_RENEWAL = 0.1
"""Weight of the new background when the reference follows slow changes of light."""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """A small grey picture and which parts of it are background."""

    grey: NDArray[np.float32]
    """(24, 32) grey levels, 0 to 255."""
    known: NDArray[np.bool_]
    """(24, 32) ``True`` where no person hides the background."""


@dataclass(frozen=True, slots=True)
class CameraMovementState:
    """What is known of the camera, apart from pictures."""

    changed_updates: int = 0
    """Successive updates in which the background has differed."""
    faces: tuple[Box, ...] = ()
    """Boxes of the faces that were seen last: a person who turns away still hides the background."""
    reference_since: float | None = None
    """Media time at which the present reference began."""


@dataclass(frozen=True, slots=True, eq=False)
class Backgrounds:
    """What the background is compared with. Without it, the next one becomes the reference."""

    since: float
    """``CameraMovementState.reference_since``."""
    reference: Background
    latest: Background | None


class CameraMovementDetector:
    """Compares one session's background with its reference.

    Args:
        state: of a continued session.
        backgrounds: its backgrounds, not used if the camera was moved since they were kept.
    """

    def __init__(
        self, state: CameraMovementState | None = None, backgrounds: Backgrounds | None = None
    ) -> None:
        state = state or CameraMovementState()
        self.reference: Background | None = None
        self.latest: Background | None = None
        self.changed_updates = state.changed_updates
        self.faces = state.faces
        self._since = state.reference_since
        if backgrounds is not None and backgrounds.since == self._since:
            self.reference, self.latest = backgrounds.reference, backgrounds.latest

    @property
    def state(self) -> CameraMovementState:
        """For a snapshot."""
        return CameraMovementState(self.changed_updates, self.faces, self._since)

    @property
    def backgrounds(self) -> Backgrounds | None:
        """For a snapshot."""
        if self.reference is None or self._since is None:
            return None
        return Backgrounds(self._since, self.reference, self.latest)

    def update(
        self, frame: Frame, faces: Sequence[Box], persons: Sequence[Box] = ()
    ) -> CameraMovement:
        """Compare the background of one frame; call about once a second.

        Args:
            frame: the picture, which is not decoded.
            faces: boxes of all faces in it.
            persons: boxes of persons; used where there is no face.

        Returns:
            The correlation with the reference, and whether the camera was moved and is at rest again.
        """
        self.faces = tuple(faces) or self.faces
        background = _background(frame, self.faces, () if faces else persons)
        before, self.latest = self.latest, background
        if self.reference is None:
            self.reference, self._since = background, frame.time
            return CameraMovement(None, moved=False)
        similarity = _correlation(self.reference, background)
        if similarity is None:
            return CameraMovement(None, moved=False)
        if similarity >= CHANGED_BELOW:
            self.changed_updates = 0
            self.reference = _renewed(self.reference, background)
            return CameraMovement(similarity, moved=False)
        self.changed_updates += 1
        at_rest = before is not None and (_correlation(before, background) or 0.0) >= _AT_REST_FROM
        if self.changed_updates < _LASTING_UPDATES or not at_rest:
            return CameraMovement(similarity, moved=False)
        self.reference, self.changed_updates = background, 0
        self._since = frame.time
        return CameraMovement(similarity, moved=True)


def _background(frame: Frame, faces: Sequence[Box], persons: Sequence[Box]) -> Background:
    width, height = frame.width, frame.height
    luma: Luma = frame.luma
    small = cv2.resize(luma.astype(np.float32), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    known = np.ones((_HEIGHT, _WIDTH), np.bool_)
    across, down = _WIDTH / width, _HEIGHT / height
    for box in faces:
        top = max(0, int((box.top - _ABOVE * box.height) * down))
        chin = max(0, int((box.bottom - _CHIN * box.height) * down))
        for rows, reach in ((slice(top, chin), _HAIR), (slice(chin, None), _SHOULDERS)):
            left = max(0, int((box.left - reach * box.width) * across))
            right = max(0, int((box.right + reach * box.width) * across) + 1)
            known[rows, left:right] = False
    for box in persons:
        known[
            max(0, int(box.top * down)) : max(0, int(box.bottom * down) + 1),
            max(0, int(box.left * across)) : max(0, int(box.right * across) + 1),
        ] = False
    return Background(np.asarray(small, np.float32), known)


def _correlation(one: Background, other: Background) -> float | None:
    """Correlation where both are background; ``None`` where too little is visible or it is plain."""
    both = one.known & other.known
    if both.mean() < _MIN_SHARE:
        return None
    first, second = one.grey[both], other.grey[both]
    first, second = first - first.mean(), second - second.mean()
    spread = float(first.std()), float(second.std())
    if min(spread) < _MIN_CONTRAST:
        return None
    return float((first * second).mean()) / (spread[0] * spread[1])


def _renewed(reference: Background, background: Background) -> Background:
    """The reference moved towards a new background, and completed where it was hidden before."""
    share = np.where(reference.known, np.float32(_RENEWAL), np.float32(1))
    share = np.where(background.known, share, np.float32(0))
    return Background(
        reference.grey + (background.grey - reference.grey) * share,
        reference.known | background.known,
    )
