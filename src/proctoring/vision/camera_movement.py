"""Whether the camera was moved: a lasting change of everything around the candidate.

A small grey picture of the background is compared once a second. Light may change and people may
pass; a background that has become another and stays so means that the camera points elsewhere, and
that what was learned about straight ahead no longer holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Box, CameraMovement
from proctoring.vision.frame import Pixels

_WIDTH, _HEIGHT = 32, 24
_OTHER = 0.5
"""Correlation with the background as it was, below which it is another."""
_SAME = 0.8
"""Correlation of two looks above which the camera rests."""
_LASTING_LOOKS = 3
_MIN_SHARE = 0.2
"""Share of the picture that must be background for anything to be said."""
_MIN_CONTRAST = 6.0
"""Grey levels: a plain wall says nothing about where the camera points."""
_HAIR, _SHOULDERS, _ABOVE = 0.5, 1.2, 0.6
"""How far, in face widths, the person reaches beside the face and beside what is below it; in face
heights, above it."""
_RENEWAL = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """A small picture of what is not a person."""

    grey: NDArray[np.float32]
    """(24, 32)"""
    known: NDArray[np.bool_]
    """(24, 32) where it is background."""


@dataclass(slots=True)
class CameraMovementDetector:
    """Watches one session's background; its fields are plain and can be saved."""

    reference: Background | None = None
    latest: Background | None = None
    changed_looks: int = 0
    faces: tuple[Box, ...] = ()
    """Where faces were seen last: who turned away still hides the background."""

    def update(
        self, pixels: Pixels, faces: Sequence[Box], persons: Sequence[Box] = ()
    ) -> CameraMovement:
        """Whether the camera was moved and rests again; called about once a second.

        ``persons`` are those seen without a face: what they hide is no background either.
        """
        self.faces = tuple(faces) or self.faces
        background = _background(pixels, self.faces, () if faces else persons)
        before, self.latest = self.latest, background
        if self.reference is None:
            self.reference = background
            return CameraMovement(None, moved=False)
        likeness = _likeness(self.reference, background)
        if likeness is None:
            return CameraMovement(None, moved=False)
        if likeness >= _OTHER:
            self.changed_looks = 0
            self.reference = _renewed(self.reference, background)
            return CameraMovement(likeness, moved=False)
        self.changed_looks += 1
        at_rest = before is not None and (_likeness(before, background) or 0.0) >= _SAME
        if self.changed_looks < _LASTING_LOOKS or not at_rest:
            return CameraMovement(likeness, moved=False)
        self.reference, self.changed_looks = background, 0
        return CameraMovement(likeness, moved=True)


def _background(pixels: Pixels, faces: Sequence[Box], persons: Sequence[Box]) -> Background:
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    known = np.ones((_HEIGHT, _WIDTH), np.bool_)
    across, down = _WIDTH / width, _HEIGHT / height
    for box in faces:
        top = max(0, int((box.top - _ABOVE * box.height) * down))
        chin = max(0, int((box.bottom - 0.1 * box.height) * down))
        for rows, reach in ((slice(top, chin), _HAIR), (slice(chin, None), _SHOULDERS)):
            left = max(0, int((box.left - reach * box.width) * across))
            right = max(0, int((box.right + reach * box.width) * across) + 1)
            known[rows, left:right] = False
    for box in persons:
        known[
            max(0, int(box.top * down)) : max(0, int(box.bottom * down) + 1),
            max(0, int(box.left * across)) : max(0, int(box.right * across) + 1),
        ] = False
    return Background(small.mean(axis=2, dtype=np.float32), known)


def _likeness(one: Background, other: Background) -> float | None:
    """Correlation where both are background; ``None`` where too little of it says anything."""
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
    """The reference, following slow changes of light and filled in where it was hidden."""
    share = np.where(reference.known, np.float32(_RENEWAL), np.float32(1))
    share = np.where(background.known, share, np.float32(0))
    return Background(
        reference.grey + (background.grey - reference.grey) * share,
        reference.known | background.known,
    )
