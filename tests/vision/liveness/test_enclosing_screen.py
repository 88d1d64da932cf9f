"""Screens around a face."""

from __future__ import annotations

import pytest

from proctoring.observations import Box, Detection
from proctoring.vision.liveness.enclosing_screen import enclosing_screen

FACE = Box(200, 150, 300, 270)


@pytest.mark.parametrize(
    ("screen", "framed"),
    [
        pytest.param(Box(150, 60, 380, 400), True, id="a tablet that shows the face"),
        pytest.param(Box(190, 200, 310, 300), False, id="a phone that hides the chin"),
        pytest.param(Box(300, 150, 380, 300), False, id="a phone at the ear"),
        pytest.param(Box(210, 200, 260, 260), False, id="a phone before the face"),
        pytest.param(Box(0, 0, 640, 640), False, id="a wall of screen behind the person"),
    ],
)
def test_a_screen_frames_a_face_that_lies_within_and_fills_it(screen: Box, framed: bool) -> None:
    assert (enclosing_screen(FACE, [Detection("cell phone", 0.5, screen)]) is not None) == framed


def test_a_face_without_area_is_framed_by_nothing() -> None:
    screen = Detection("cell phone", 0.9, Box(0, 0, 100, 100))
    assert enclosing_screen(Box(5, 5, 5, 9), [screen]) is None
