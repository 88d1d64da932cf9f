"""A phone, tablet or monitor whose picture the face is."""

from __future__ import annotations

from collections.abc import Iterable

from proctoring.observations import Box, Detection

_LARGEST = 30.0
"""A screen so many times larger than the face is one that the face stands before, not one it is
shown on: a phone or tablet held to a camera is filled by the face."""
_INSIDE = 0.85
"""Share of the face that must lie within."""


def enclosing_screen(face: Box, screens: Iterable[Detection]) -> Detection | None:
    """The screen that the face lies within, if any: larger than the face, yet filled by it."""
    area = face.width * face.height
    for screen in screens:
        box = screen.box
        ratio = box.width * box.height / area if area > 0 else 0.0
        if 1.0 < ratio <= _LARGEST and _overlap(face, box) >= _INSIDE * area:
            return screen
    return None


def _overlap(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)
