"""How far a face has changed since its landmarks were estimated, from the small grey copies of two frames.

The picture of the face is first laid over the earlier one: shifted, turned, scaled, and brightened as a
whole, by least squares over the skin (Lucas and Kanade 1981, with the gradient of the earlier picture).
Rows that are lighter or darker as a whole are taken out too: lamps flicker a hundred times a second, and a
shutter that reads row by row shows it as bands. What then still differs in the eyes, the mouth and the skin is
compared with the gradient there, which says how far an edge must have moved to make that difference, after the
camera's noise was subtracted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Luma
from proctoring.vision.landmarks import Mesh

_EYES = (
    [33, 133, 159, 145, 160, 158, 144, 153],
    [263, 362, 386, 374, 385, 387, 380, 373],
)
"""Landmarks around each eye; the first two are its corners."""
_MOUTH = [61, 291, 0, 17, 37, 267, 84, 314]
_SURFACE = 468
"""Number of landmarks of a mesh before those of the irises."""
_MARGIN = 0.1
"""Margin around eyes, mouth and face, in widths of each."""
_MAX_SAMPLES = 1500
"""Pixels by which a picture is laid over another, at most: more change nothing but the time."""
_MAX_ITERATIONS = 4
_SETTLED = 0.03
"""Step in pixels from which on the picture is laid over well enough."""
_MIN_PIXELS = 24
"""Width in pixels of the smallest face that is compared. At a quarter of the frame, its eyes are six wide."""
_MIN_GRADIENT = 0.5
"""Grey levels per pixel below which an area shows nothing that could be seen to move."""
_BAND_ROWS = 13
"""Rows over which the light of lamps that flicker is smoothed: their bands are 30 rows and more of 120."""
_NOISE_MARGIN = 1.2
"""Factor on the noise before it is subtracted."""

Area = tuple[slice, slice]
Grey = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceDifference:
    """What differs between two pictures of a face."""

    travel: float
    """How far the face moved in the picture, scaling and turning included, in face widths."""
    eyes: tuple[float, ...]
    mouth: float
    skin: float
    """Mean square differences in squared grey levels, of each eye, the mouth, and the rest."""


@dataclass(frozen=True, slots=True)
class FaceChange:
    """How far a face has changed, each in the unit in which it is judged. 0: not beyond the noise."""

    travel: float
    """How far the face moved in the picture, in face widths."""
    eyes: float
    """Movement of the edges in the eye that changed more, in eye widths: irises and lids."""
    mouth: float
    """Likewise in the mouth, in mouth widths."""
    head: float
    """Likewise in the skin, in face widths: a head that turns, an expression, a hand."""


class FacePicture:
    """The picture of one face as it was when its landmarks were estimated.

    Args:
        luma: of that frame.
        mesh: landmarks in frame pixels.
        scale: pixels of ``luma`` per pixel of the frame.

    Raises:
        ValueError: the face is too small, or not within the picture.
    """

    def __init__(self, luma: Luma, mesh: Mesh, scale: float) -> None:
        points = np.asarray(mesh[:, :2] * scale, np.float32)
        self._luma_shape = luma.shape
        rows, columns = _area(points, _MARGIN, luma.shape)
        self._origin = (columns.start, rows.start)
        self._picture = luma[rows, columns].astype(np.float32)
        self._width = float(np.ptp(points[:, 0]))
        if self._width < _MIN_PIXELS or min(self._picture.shape) < _MIN_PIXELS:
            raise ValueError("the face is too small to be compared")
        points = points - np.array(self._origin, np.float32)
        shape = self._picture.shape
        self._eyes = tuple(_area(points[eye], _MARGIN, shape) for eye in _EYES)
        self._mouth = _area(points[_MOUTH], _MARGIN, shape)
        self._skin = _skin(points, (*self._eyes, self._mouth), shape)
        across, down = _gradient(self._picture)
        strength = across * across + down * down
        self._gradients = tuple(
            math.sqrt(cv2.mean(strength[area])[0]) for area in (*self._eyes, self._mouth)
        )
        self._skin_gradient = math.sqrt(cv2.mean(strength, self._skin)[0])
        if min(self._gradients) < _MIN_GRADIENT:
            raise ValueError("the face has no contours")
        self._eye_width = sum(_distance(points, eye) for eye in _EYES) / len(_EYES)
        self._mouth_width = _distance(points, _MOUTH)
        self._prepare_fit(across, down)
        self._on_skin = np.asarray(self._skin != 0, np.float32)
        self._skin_rows = _smooth_sums(self._on_skin) + 1e-3

    def _prepare_fit(self, across: Grey, down: Grey) -> None:
        """The samples of the skin, and the matrices that give the fit from their differences."""
        at = np.flatnonzero(self._skin)
        self._samples = at[:: max(1, len(at) // _MAX_SAMPLES)]
        self._middle = ((self._skin.shape[1] - 1) / 2, (self._skin.shape[0] - 1) / 2)
        y, x = np.divmod(self._samples, self._skin.shape[1])
        x, y = (x - self._middle[0]) / self._width, (y - self._middle[1]) / self._width
        gx, gy = across.ravel()[self._samples], down.ravel()[self._samples]
        grey = self._grey = self._picture.ravel()[self._samples]
        self._mean = float(grey.mean())
        basis = np.stack(
            [gx, gy, gx * x + gy * y, gy * x - gx * y, np.ones_like(gx), grey - self._mean]
        ).astype(np.float32)
        self._fit = np.linalg.inv(basis @ basis.T + 1e-3 * np.eye(len(basis)))
        self._basis = basis.astype(np.float64)

    def difference(self, luma: Luma) -> FaceDifference | None:
        """What differs in another picture; ``None``: it is of another size."""
        if luma.shape != self._luma_shape:
            return None
        shift_x = shift_y = growth = turn = 0.0
        for _ in range(_MAX_ITERATIONS):
            now = self._laid_over(luma, shift_x, shift_y, growth, turn)
            fit = (self._fit @ (self._basis @ (now.ravel()[self._samples] - self._grey))).tolist()
            if max(map(abs, fit[:4])) < _SETTLED:
                break
            shift_x -= fit[0]
            shift_y -= fit[1]
            growth -= fit[2] / self._width
            turn -= fit[3] / self._width
        # Less the light, which is fit[4] + fit[5] * (self._picture - self._mean).
        rest = cv2.addWeighted(now, 1.0, self._picture, -1.0 - fit[5], fit[5] * self._mean - fit[4])
        rest = self._without_bands(np.asarray(rest, np.float32))
        rest = cv2.multiply(rest, rest)
        travel = math.hypot(shift_x, shift_y) / self._width + math.hypot(growth, turn) / 2
        return FaceDifference(
            travel,
            tuple(cv2.mean(rest[area])[0] for area in self._eyes),
            cv2.mean(rest[self._mouth])[0],
            cv2.mean(rest, self._skin)[0],
        )

    def _without_bands(self, rest: Grey) -> Grey:
        """A difference less what lamps that flicker add to it: the mean of the skin of each row."""
        of_skin = _smooth_sums(np.asarray(cv2.multiply(rest, self._on_skin), np.float32))
        return np.asarray(rest - of_skin / self._skin_rows, np.float32)

    def change(self, difference: FaceDifference, noise: float) -> FaceChange:
        """How far the face has changed, by a difference and the noise level of its skin."""
        noise *= _NOISE_MARGIN
        *eyes, mouth = (
            math.sqrt(max(0.0, found - noise)) / gradient
            for found, gradient in zip(
                (*difference.eyes, difference.mouth), self._gradients, strict=True
            )
        )
        skin = math.sqrt(max(0.0, difference.skin - noise)) / max(
            _MIN_GRADIENT, self._skin_gradient
        )
        return FaceChange(
            difference.travel,
            max(eyes) / max(1.0, self._eye_width),
            mouth / max(1.0, self._mouth_width),
            skin / self._width,
        )

    def _laid_over(self, luma: Luma, x: float, y: float, growth: float, turn: float) -> Grey:
        """The part of another picture that is laid over this one."""
        cosine, sine = 1 + growth, turn
        middle_x, middle_y = self._middle
        to_luma = np.array(
            [
                [
                    cosine,
                    -sine,
                    self._origin[0] + middle_x + x - cosine * middle_x + sine * middle_y,
                ],
                [
                    sine,
                    cosine,
                    self._origin[1] + middle_y + y - sine * middle_x - cosine * middle_y,
                ],
            ],
            np.float32,
        )
        size = (self._picture.shape[1], self._picture.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        part = cv2.warpAffine(luma, to_luma, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return part.astype(np.float32)


def _area(points: NDArray[np.float32], margin: float, shape: tuple[int, ...]) -> Area:
    """The rectangle around points, enlarged by ``margin`` widths, within a picture of this shape.

    Raises:
        ValueError: it lies outside the picture.
    """
    by_axis = np.ascontiguousarray(points.T)  # along the rows it takes five times as long
    (left, top), (right, bottom) = by_axis.min(axis=1).tolist(), by_axis.max(axis=1).tolist()
    more = margin * (right - left)
    rows = slice(max(0, math.floor(top - more)), min(shape[0], math.ceil(bottom + more) + 1))
    columns = slice(max(0, math.floor(left - more)), min(shape[1], math.ceil(right + more) + 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise ValueError("a part of the face is outside the picture")
    return rows, columns


def _skin(
    points: NDArray[np.float32], without: tuple[Area, ...], shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """255 within the outline of the face, except for the areas ``without``."""
    mask = np.zeros(shape, np.uint8)
    outline = cv2.convexHull(points[:_SURFACE])[:, 0]
    cv2.fillConvexPoly(mask, np.rint(outline).astype(np.int32), 255)
    for area in without:
        mask[area] = 0
    return mask


def _gradient(picture: Grey) -> tuple[Grey, Grey]:
    smooth = cv2.GaussianBlur(picture, (3, 3), 0)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def _smooth_sums(picture: Grey) -> Grey:
    """(rows, 1) sum of each row, smoothed over the rows around it."""
    sums = cv2.reduce(picture, 1, cv2.REDUCE_SUM)
    return np.asarray(cv2.GaussianBlur(sums, (1, _BAND_ROWS), 0), np.float32)


def _distance(points: NDArray[np.float32], landmarks: list[int]) -> float:
    """Of the first two of the landmarks, in pixels."""
    return math.dist(points[landmarks[0]].tolist(), points[landmarks[1]].tolist())
