"""The file between ``people.py`` and ``liveness_student.py``: images with landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

QUALITY = 95


@dataclass(frozen=True)
class Person:
    """One image of one person: (height, width, 3) RGB, landmarks (n, 2). A room has none."""

    name: str
    picture: np.ndarray
    points: np.ndarray


def save(people: list[Person], path: Path) -> None:
    """Write the file."""
    pictures = [
        cv2.imencode(".jpg", cv2.cvtColor(p.picture, cv2.COLOR_RGB2BGR), [1, QUALITY])[1]
        for p in people
    ]
    np.savez(
        path,
        names=np.array([p.name for p in people]),
        sizes=np.array([len(picture) for picture in pictures]),
        pictures=np.concatenate(pictures),
        counts=np.array([len(p.points) for p in people]),
        points=np.concatenate([p.points for p in people]),
    )


def load(path: Path) -> list[Person]:
    """Read the file."""
    with np.load(path) as file:
        pictures = np.split(file["pictures"], np.cumsum(file["sizes"])[:-1])
        points = np.split(file["points"], np.cumsum(file["counts"])[:-1])
        return [
            Person(str(name), cv2.cvtColor(cv2.imdecode(jpeg, 1), cv2.COLOR_BGR2RGB), own)
            for name, jpeg, own in zip(file["names"], pictures, points, strict=True)
        ]
