"""Covers painted over faces, and kinds of light: reproducible changes of real pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh

Cover = Callable[[Pixels, Mesh], Pixels]
Light = Callable[[Pixels], Pixels]
Colour = tuple[float, float, float]

_JAW = [93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323]
_FOREHEAD, _CHIN, _NOSE, _NOSE_BASE, _MOUTH = 10, 152, 195, 2, 13
_CHEEKS = [50, 280, 117, 346]
_EYES = ((33, 133), (362, 263))
"""Corners of each eye."""


def _axis(mesh: Mesh) -> tuple[NDArray[np.float32], float]:
    """Direction from chin to forehead, and their distance in pixels."""
    along = mesh[_FOREHEAD, :2] - mesh[_CHIN, :2]
    height = float(np.hypot(*along))
    return along / height, height


def _skin(pixels: Pixels, mesh: Mesh) -> NDArray[np.float64]:
    height, width = pixels.shape[:2]
    x = np.clip(mesh[_CHEEKS, 0].astype(int), 0, width - 1)
    y = np.clip(mesh[_CHEEKS, 1].astype(int), 0, height - 1)
    return np.asarray(pixels[y, x].mean(axis=0), np.float64)


def _filled(pixels: Pixels, corners: NDArray[np.float32], colour: Colour) -> Pixels:
    painted = pixels.copy()
    cv2.fillPoly(painted, [corners.astype(np.int32)], colour)
    return painted


def _below(mesh: Mesh, top: int = _NOSE, growth: float = 1.08) -> NDArray[np.float32]:
    """The outline of the face below the landmark ``top``, enlarged about the middle of the face."""
    up, _ = _axis(mesh)
    middle = mesh[:, :2].mean(axis=0)
    jaw = middle + (mesh[_JAW, :2] - middle) * growth
    under = jaw[(jaw - mesh[top, :2]) @ up <= 0]
    return np.asarray(np.vstack([mesh[top, :2], under[::-1]]), np.float32)


def mask(pixels: Pixels, mesh: Mesh, colour: Colour | None = None, top: int = _NOSE) -> Pixels:
    """From the nose to the chin in one colour; ``None``: that of the skin."""
    red, green, blue = _skin(pixels, mesh) if colour is None else colour
    return _filled(pixels, _below(mesh, top), (float(red), float(green), float(blue)))


def scarf(pixels: Pixels, mesh: Mesh) -> Pixels:
    """Stripes from the nose to below the chin."""
    _, height = _axis(mesh)
    inside = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(inside, [_below(mesh, growth=1.25).astype(np.int32)], 1)
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    stripe = ((rows + 0.3 * columns) // (0.06 * height)).astype(int) % 3
    colours = np.array([[150, 30, 40], [220, 210, 190], [40, 50, 90]], np.uint8)
    painted = pixels.copy()
    painted[inside > 0] = colours[stripe][inside > 0]
    return painted


def hand(pixels: Pixels, mesh: Mesh) -> Pixels:
    """Four fingers in the colour of the skin over mouth and chin."""
    up, height = _axis(mesh)
    angle = float(np.degrees(np.arctan2(up[0], -up[1]))) + 8
    skin = _skin(pixels, mesh)
    painted = pixels.copy()
    for finger in range(4):
        x, y = mesh[_MOUTH, :2] - up * height * (0.01 + 0.085 * (finger - 0.8))
        size = (int(0.36 * height), int(0.055 * height))
        for share, thickness in (
            (0.92 + 0.03 * (finger % 2), -1),
            (0.6, max(1, int(height / 120))),
        ):
            red, green, blue = (float(value) for value in skin * share)
            where = (int(x), int(y))
            cv2.ellipse(painted, where, size, angle, 0, 360, (red, green, blue), thickness)
    return painted


def hair(pixels: Pixels, mesh: Mesh) -> Pixels:
    """Dark strands over one side, the eye included."""
    up, height = _axis(mesh)
    side = 0.15 * (mesh[234, :2] - mesh[454, :2])
    corners = [
        mesh[_FOREHEAD, :2] + 0.15 * height * up,
        mesh[168, :2] + 0.25 * height * up,
        mesh[133, :2],
        mesh[205, :2],
        mesh[136, :2] - 0.1 * height * up,
        mesh[234, :2] + side,
        mesh[54, :2] + side,
    ]
    inside = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.array(corners, np.int32)], 1)
    strands = np.random.default_rng(1).normal(0, 1, pixels.shape[:2]).astype(np.float32)
    blurred = cv2.GaussianBlur(
        strands, (0, 0), sigmaX=max(0.6, 0.004 * height), sigmaY=0.06 * height
    )
    shade = 12 * blurred[..., None] / blurred.std()
    painted = pixels.copy()
    painted[inside > 0] = np.clip(np.array([45, 32, 25]) + shade, 0, 255).astype(np.uint8)[
        inside > 0
    ]
    return painted


def over_eyes(
    pixels: Pixels, mesh: Mesh, colour: Colour, eyes: int = 2, size: float = 0.95
) -> Pixels:
    """Opaque ellipses over one or both eyes: dark glasses, or glare on them.

    Args:
        pixels: the picture.
        mesh: landmarks of the face.
        colour: of the ellipses.
        eyes: how many eyes are covered.
        size: half the width of an ellipse, in eye widths.
    """
    painted = pixels.copy()
    across = mesh[263, :2] - mesh[33, :2]
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    for one, other in _EYES[:eyes]:
        x, y = (mesh[one, :2] + mesh[other, :2]) / 2
        width = float(np.hypot(*(mesh[one, :2] - mesh[other, :2])))
        extent = (int(size * width), int(0.8 * size * width))
        cv2.ellipse(painted, (int(x), int(y)), extent, angle, 0, 360, colour, -1)
    return painted


def fringe(pixels: Pixels, mesh: Mesh) -> Pixels:
    """Brown hair or a cap over the forehead, down to the brows."""
    up, height = _axis(mesh)
    corners = [mesh[127, :2], mesh[105, :2] - 0.02 * height * up, mesh[9, :2]]
    corners += [mesh[334, :2] - 0.02 * height * up, mesh[356, :2]]
    corners += [mesh[284, :2] + 0.3 * height * up, mesh[54, :2] + 0.3 * height * up]
    return _filled(pixels, np.array(corners, np.float32), (60, 45, 35))


COVERS: dict[str, Cover] = {
    "white mask": partial(mask, colour=(235, 235, 235)),
    "black mask": partial(mask, colour=(20, 20, 20)),
    "blue mask": partial(mask, colour=(70, 140, 200)),
    "skin-coloured mask": mask,
    "skin over mouth and chin": partial(mask, top=_NOSE_BASE),
    "scarf": scarf,
    "hand": hand,
    "hair over one side": hair,
    "dark glasses": partial(over_eyes, colour=(18, 18, 22)),
    "fringe": fringe,
}


def dim(pixels: Pixels) -> Pixels:
    """Two fifths of the light, dark parts darker still, with noise."""
    noise = np.random.default_rng(3).normal(0, 3, pixels.shape)
    return np.asarray(np.clip(255 * (pixels / 255.0) ** 1.6 * 0.4 + noise, 0, 255), np.uint8)


def bright(pixels: Pixels) -> Pixels:
    """Gain 1.7 and an offset: skin begins to burn out."""
    return np.asarray(np.clip(1.7 * pixels.astype(np.float32) + 25, 0, 255), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    """One channel."""
    return np.asarray(np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2))


def colour_cast(pixels: Pixels) -> Pixels:
    """The light of a weak bulb."""
    return np.asarray(np.clip(pixels * np.array([1.25, 0.95, 0.55]), 0, 255), np.uint8)


def compressed(pixels: Pixels) -> Pixels:
    """JPEG of quality 12."""
    return decode_jpeg(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=12))


LIGHTS: dict[str, Light] = {
    "as recorded": lambda pixels: pixels,
    "dim": dim,
    "bright": bright,
    "grey": grey,
    "colour cast": colour_cast,
    "compressed": compressed,
}
