"""A photo held before a camera by hand, as video: it moves as a whole and nothing moves within it.

The hand drifts, trembles (8 to 12 Hz, as physiological tremor does) and tilts the sheet by a few
degrees; the camera adds noise of its own to every frame.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Frame, Pixels

_DRIFT_PIXELS, _DRIFT_DEGREES, _DRIFT_SCALE = 12.0, 3.0, 0.015
"""Standard deviation of the slow movement: sideways and up, each angle, size."""
_TREMOR_PIXELS = 0.8
_RETURN = 0.3
"""Per second: how fast the hand returns to where it wants to be."""
_NOISE = 2.0
"""Standard deviation of the camera's noise in grey levels."""
_ROOM, _BEZEL = (150, 140, 128), (20, 20, 22)
"""Colours of the wall behind, and of the frame of a tablet."""


def held_photo(
    picture: Pixels, *, seed: int, seconds: float, rate: float = 10.0, bezel: bool = False
) -> Iterator[Frame]:
    """The picture in a hand, ``rate`` frames a second, in the picture's own size.

    Args:
        picture: (h, w, 3) the photo.
        seed: of the movement and the noise.
        seconds: length of the video.
        rate: frames a second.
        bezel: whether the photo is shown by a tablet, dark edge and wall around it, instead of filling
            the view.
    """
    generator = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    scene = np.full_like(picture, _ROOM)
    if bezel:
        inner = cv2.resize(picture, (round(width * 0.8), round(height * 0.8)))
        left, top = round(width * 0.1), round(height * 0.1)
        sheet = np.full_like(picture, _BEZEL)
        sheet[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    else:
        sheet = picture
    centre = np.array([width / 2, height / 2])
    for n, (x, y, roll, yaw, pitch, size) in enumerate(_hand(generator, int(seconds * rate), rate)):
        x, y = np.array([x, y]) * _DRIFT_PIXELS + generator.normal(0, _TREMOR_PIXELS, 2)
        angles = np.deg2rad(np.array([roll, yaw, pitch]) * _DRIFT_DEGREES)
        shrunk = (0.85 if bezel else 1.05) * (1 + _DRIFT_SCALE * size)
        matrix = _homography(centre, (x, y), angles, shrunk, float(width) * 1.4)
        seen = cv2.warpPerspective(
            sheet,
            matrix,
            (width, height),
            dst=scene.copy(),
            borderMode=cv2.BORDER_TRANSPARENT if bezel else cv2.BORDER_REPLICATE,
        )
        noise = generator.standard_normal(seen.shape, np.float32) * _NOISE
        yield Frame(n / rate, np.asarray(np.clip(seen + noise, 0, 255), np.uint8))


def _hand(generator: np.random.Generator, count: int, rate: float) -> NDArray[np.float64]:
    """(count, 6) slow movements that return to 0, standard deviation 1."""
    keep = float(np.exp(-_RETURN / rate))
    steps = generator.normal(0, np.sqrt(1 - keep * keep), (count, 6))
    path = np.zeros((count, 6))
    for n in range(1, count):
        path[n] = keep * path[n - 1] + steps[n]
    return path


def _homography(
    centre: NDArray[np.float64],
    shift: tuple[float, float],
    angles: NDArray[np.float64],
    scale: float,
    distance: float,
) -> NDArray[np.float64]:
    """The map of a sheet that is turned about its centre and seen from ``distance`` pixels away."""
    roll, yaw, pitch = angles
    turn_z = np.array(
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    )
    turn_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    turn_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    turned = scale * (turn_x @ turn_y @ turn_z)
    # x' = centre + shift + distance * (turned point) / (distance + depth)
    plane = np.column_stack([turned[:, 0], turned[:, 1], [0, 0, distance]])
    camera = np.array([[distance, 0, 0], [0, distance, 0], [0, 0, 1.0]])
    to_middle = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1]])
    back = np.array([[1, 0, centre[0] + shift[0]], [0, 1, centre[1] + shift[1]], [0, 0, 1]])
    return np.asarray(back @ camera @ plane @ to_middle, np.float64)
