"""Finds the phone, tablet or monitor on which a face is shown."""

from __future__ import annotations

from collections.abc import Iterable

from proctoring.observations import Box, Detection

_MAX_AREA_RATIO = 30.0
"""A screen at most so many times larger than the face can show it: a phone or tablet that is held to the
camera is filled by the face. A larger one is behind the person."""
_INSIDE = 0.85
"""Share of the face that must lie within the screen."""


def enclosing_screen(face: Box, screens: Iterable[Detection]) -> Detection | None:
    """The first screen that encloses the face and is filled by it; ``None``: none."""
    area = face.width * face.height
    for screen in screens:
        box = screen.box
        ratio = box.width * box.height / area if area > 0 else 0.0
        if 1.0 < ratio <= _MAX_AREA_RATIO and _shared_area(face, box) >= _INSIDE * area:
            return screen
    return None


def _shared_area(one: Box, other: Box) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)
