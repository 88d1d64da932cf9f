"""The crops of the passive networks."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.observations import Box
from proctoring.vision.frame import Pixels
from proctoring.vision.liveness.crops import close_crop, context_crop


def ramp(width: int = 400, height: int = 300) -> Pixels:
    """A picture whose red tells the column, and whose green tells the row, in steps of 2 pixels."""
    columns, rows = np.meshgrid(np.arange(width) // 2, np.arange(height) // 2)
    return np.stack([columns, rows, columns * 0], axis=2).astype(np.uint8)


def test_the_crop_grows_the_box_about_its_centre() -> None:
    crop = context_crop(ramp(), Box(180, 130, 220, 170), 2.0)

    assert crop.shape == (80, 80, 3)
    # 80 pixels, columns 160 to 240, at about their own size.
    assert crop[40, 0, 0] == pytest.approx(80, abs=1)
    assert crop[40, -1, 0] == pytest.approx(120, abs=1)


@pytest.mark.parametrize(
    ("box", "corner"),
    [(Box(0, 0, 40, 40), (0, 0)), (Box(360, 260, 400, 300), (-1, -1))],
)
def test_at_an_edge_the_crop_is_shifted_inside_and_never_padded(
    box: Box, corner: tuple[int, int]
) -> None:
    picture = ramp()
    crop = context_crop(picture, box, 2.7)

    assert crop[corner][:2] == pytest.approx(picture[corner][:2], abs=2)


def test_the_growth_is_capped_by_the_picture() -> None:
    crop = context_crop(ramp(), Box(100, 50, 300, 250), 4.0)

    # The height caps it: 1.495 times, the whole height and 299 of the columns.
    assert crop[0, 40, 1] <= 1
    assert crop[-1, 40, 1] == pytest.approx(149, abs=2)


@pytest.mark.parametrize("box", [Box(50, 50, 50.4, 90), Box(50, 50, 90, 50)])
def test_a_box_without_area_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="less than a pixel"):
        context_crop(ramp(), box, 2.7)


def test_the_close_crop_reflects_beyond_the_edge() -> None:
    crop = close_crop(ramp(), Box(0, 100, 100, 200), scale=1.5, size=150)

    assert crop.shape == (150, 150, 3)
    # It begins 25 columns outside: what is there mirrors the first 25 columns.
    assert crop[75, 0, 0] == pytest.approx(12, abs=1)
    assert crop[75, 25, 0] == pytest.approx(0, abs=1)
    assert crop[75, 50, 0] == pytest.approx(12, abs=1)
