"""Training scenes: people bona fide, printed or on a screen, with the teachers' scores."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from pictures import Person, load
from simulated_attacks import (
    cut_around_face,
    filmed,
    invented_background,
    keyed_out,
    on_screen,
    place,
    printed,
)

from proctoring.observations import Box
from proctoring.vision.liveness.crops import context_crop

TEACHERS = (("minifasnet_v2.onnx", 2.7), ("minifasnet_v1se.onnx", 4.0))
"""File of each teacher, and the scale of its crop around the face."""
SCALES = (1.4, 2.7)
"""The student's two crops: the face, and the face with its surroundings."""
HELD_OUT = ("swiz3n", "lwbsza", "sbia1a", "hungry", "want")
"""Recordings of four people that are not trained on, used for validation."""
SHARES = {
    "grid": 0.45,
    "intel": 0.2,
    "heads": 0.12,
    "eyes": 0.08,
    "walletphone": 0.1,
    "astronaut": 0.05,
}


@dataclass(frozen=True)
class Scenes:
    """Training data, one entry per scene."""

    crops: np.ndarray
    """(n, 2, 80, 80, 3) uint8"""
    teachers: np.ndarray
    """(n, 2, 3) logits"""
    living: np.ndarray
    held_out: np.ndarray

    def only(self, chosen: np.ndarray) -> Scenes:
        """The scenes that a mask selects."""
        return Scenes(
            self.crops[chosen], self.teachers[chosen], self.living[chosen], self.held_out[chosen]
        )


def scene(
    person: Person, rooms: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, bool]:
    """An image of a person, bona fide or an attack: image, landmarks, whether living."""
    picture, points = person.picture, person.points
    if rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
        points = np.column_stack([picture.shape[1] - 1 - points[:, 0], points[:, 1]])
    if person.name.startswith("grid") and rng.random() < 0.7:
        picture = keyed_out(picture, invented_background(rng, *picture.shape[:2], rooms))
    width = float(np.ptp(points[:, 0]))
    kind = rng.choice(["living", "print", "screen"], p=[0.45, 0.35, 0.2])
    if kind == "living":
        factor = rng.uniform(max(0.7, 80 / width) if width > 80 else 1.0, max(1.3, 170 / width))
        picture, points = _scaled(picture, points, factor)
        return filmed(picture, rng), points, True
    picture, points = _scaled(picture, points, min(2.5, rng.uniform(90, 240) / width))
    picture, points = cut_around_face(picture, points, rng)
    picture, points = (printed if kind == "print" else on_screen)(picture, points, rng)
    room = invented_background(rng, 480, 640, rooms)
    picture, points = place(picture, points, rng, room, bend=kind == "print")
    return filmed(picture, rng), points, False


def _scaled(
    picture: np.ndarray, points: np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray]:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=way), points * factor


@cache
def _sources(people: Path, teachers: Path) -> tuple[Any, ...]:
    """Sources of scenes, loaded once per process: people by source, rooms, teachers."""
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    networks = [
        (onnxruntime.InferenceSession(teachers / name, options), scale) for name, scale in TEACHERS
    ]
    groups: dict[str, list[Person]] = {}
    for person in load(people):
        groups.setdefault(person.name.split("/")[0], []).append(person)
    rooms = [room.picture for room in groups.pop("room")]
    return groups, rooms, networks


def make_scene(people: Path, teachers: Path, seed: int, number: int) -> tuple[Any, ...]:
    """One scene: crops, the teachers' logits, whether living, whether of a held-out person."""
    groups, rooms, networks = _sources(people, teachers)
    rng = np.random.default_rng([seed, number])
    while True:
        group = groups[rng.choice(list(SHARES), p=list(SHARES.values()))]
        person = group[rng.integers(len(group))]
        picture, points, living = scene(person, rooms, rng)
        height, width = picture.shape[:2]
        hull = np.concatenate([points.min(axis=0), points.max(axis=0)])
        hull = hull + rng.normal(0, 0.02, 4) * (hull[2] - hull[0])
        hull = np.clip(hull, 0, [width - 2, height - 2, width - 1, height - 1])
        if hull[2] - hull[0] >= 30 and hull[3] - hull[1] >= 30:
            break
    box = Box(*map(float, hull))
    logits = []
    for network, scale in networks:
        planes = context_crop(picture, box, scale)[..., ::-1].transpose(2, 0, 1)
        planes = np.ascontiguousarray(planes, np.float32)[None]
        logits.append(network.run(None, {network.get_inputs()[0].name: planes})[0][0])
    crops = np.stack([context_crop(picture, box, scale) for scale in SCALES])
    return crops, np.stack(logits), living, any(name in person.name for name in HELD_OUT)


def make_scenes(people: Path, teachers: Path, count: int, seed: int) -> Scenes:
    """Scenes with the teachers' scores; independent of the number of processes."""
    began, rows = time.time(), []
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        made = pool.map(
            make_scene, *zip(*[(people, teachers, seed, n) for n in range(count)], strict=True),
            chunksize=50,
        )  # fmt: skip
        for row in made:
            rows.append(row)
            if len(rows) % 5000 == 0:
                print(f"{len(rows)} scenes, {time.time() - began:.0f} s", flush=True)
    return Scenes(*(np.array(column) for column in zip(*rows, strict=True)))
