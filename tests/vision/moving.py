"""A photograph moved before a camera: what a flat print does, with a known truth."""

from __future__ import annotations

import cv2
import numpy as np

from proctoring.vision.frame import Pixels


def turned_print(
    picture: Pixels, yaw: float, pitch: float, centre: tuple[float, float], distance: float = 900.0
) -> Pixels:
    """The picture as a flat sheet, turned about a point by two angles in degrees."""
    height, width = picture.shape[:2]
    a, b = np.deg2rad([yaw, pitch])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    placed = np.column_stack([corners - centre, np.zeros(4)]) @ (about_y @ about_x).T
    seen = placed[:, :2] * (distance / (distance + placed[:, 2:])) + centre
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    warped = cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def with_noise(picture: Pixels, generator: np.random.Generator, strength: float = 3.0) -> Pixels:
    """The picture with a camera's noise."""
    noise = generator.normal(0, strength, picture.shape)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


def reshaped(picture: Pixels, centre: tuple[float, float], reach: float = 60.0) -> Pixels:
    """The face about ``centre`` with other proportions: to the embedding network somebody else.

    Stands in for a second person, of whom a bare machine has no photograph.
    """
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = x - centre[0], y - (centre[1] - 20)
    near = np.clip(1 - np.hypot(across, down) / reach, 0, 1)
    share = (1 + 0.8 * near**2).astype(np.float32)
    from_x = np.asarray(centre[0] + across * share, np.float32)
    from_y = np.asarray(centre[1] - 20 + down * share, np.float32)
    return np.asarray(cv2.remap(picture, from_x, from_y, cv2.INTER_LINEAR), np.uint8)


def pushed(
    picture: Pixels, centre: tuple[float, float], reach: float, shift: tuple[float, float]
) -> Pixels:
    """The part of the picture about ``centre`` moved by ``shift`` pixels, the rest as it was.

    All of it moves within half of ``reach`` pixels, less and less beyond, nothing from ``reach`` on: an iris
    in its eye, or a head before its room.
    """
    left, top = (max(0, int(at - reach - 1)) for at in centre)
    right, bottom = (int(at + reach + 2) for at in centre)
    part = picture[top:bottom, left:right]
    y, x = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32)
    away = np.hypot(x + left - centre[0], y + top - centre[1]) / reach
    share = np.clip(2 - 2 * away, 0, 1)
    share = (share * share * (3 - 2 * share)).astype(np.float32)
    moved = cv2.remap(
        np.ascontiguousarray(part),
        np.asarray(x - shift[0] * share, np.float32),
        np.asarray(y - shift[1] * share, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    result = picture.copy()
    result[top:bottom, left:right] = moved
    return result
