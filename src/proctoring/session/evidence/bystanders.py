"""Makes everybody but the candidate unrecognisable in a picture that is kept.

Rather too much than too little: somebody who walks in is found by the next look at the latest, so
the place of every bystander is hidden from ``AROUND`` seconds before they were seen there to as long
after; and a picture around which nobody looked for faces is hidden whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Box, FrameObservation
from proctoring.vision.frame import Pixels

AROUND = 1.2
"""Seconds: newcomers are looked for once a second, and so are persons."""
NEAR = 0.6
"""Seconds within which a look tells where the candidate's face is, and whether anybody looked: at
the lowest rate, looks are a second apart."""

_FACE_WIDER, _FACE_HIGHER = 1.5, 1.8
"""From the hull of the landmarks, which ends at the brows, to the whole head."""
_HEAD_OF_PERSON = 0.5
"""Upper share of a person's box that holds the head, sitting or standing."""
_CELLS = 6
"""What is hidden keeps so many cells across, blended: no features of a face are left."""
_CELLS_OF_PICTURE = 16


@dataclass(frozen=True, slots=True)
class Look:
    """Who was where, in shares of the picture's width and height (0 to 1)."""

    time: float
    """Media time in seconds."""
    candidate: Box | None
    """The candidate's face; ``None``: not there, or not looked for."""
    bystanders: tuple[Box, ...] | None
    """Other faces; ``None``: nobody looked for faces."""
    persons: tuple[Box, ...]
    """Whole persons, the candidate among them; empty also when nobody looked for them."""
    followed: bool = True
    """Whether the session itself looked; ``False``: a kept picture alone was searched for faces."""


def look_of(observation: FrameObservation) -> Look:
    """What an observation says of who is where."""
    width, height = observation.width, observation.height
    candidate: Box | None = None
    bystanders: list[Box] = []
    own = None if observation.candidate is None else observation.candidate.track
    for face in observation.faces or ():
        box = _share(face.box, width, height)
        if face.track == own:
            candidate = box
        else:
            bystanders.append(box)
    persons = () if observation.objects is None else observation.objects.persons
    return Look(
        observation.time,
        candidate,
        None if observation.faces is None else tuple(bystanders),
        tuple(_share(person.box, width, height) for person in persons),
    )


def hide_bystanders(pixels: Pixels, time: float, looks: Sequence[Look]) -> Pixels:
    """The picture of media time ``time`` with everybody but the candidate hidden.

    Args:
        pixels: not changed.
        looks: in order of time; those within ``AROUND`` seconds count.
    """
    near = [look for look in looks if abs(look.time - time) <= NEAR]
    if not any(look.followed and look.bystanders is not None for look in near):
        return _mosaic(pixels, _CELLS_OF_PICTURE)
    around = [look for look in looks if abs(look.time - time) <= AROUND]
    faces = [face for look in around for face in look.bystanders or ()]
    heads = [head for look in around for head in _other_heads(look, _seen_last(looks, look.time))]
    if not faces and not heads:
        return pixels
    height, width = pixels.shape[:2]
    hidden = pixels.copy()
    covered = np.zeros((height, width), np.uint8)
    for box in (*(_grown(face, _FACE_WIDER, _FACE_HIGHER) for face in faces), *heads):
        _hide(hidden, covered, pixels, box)
    own = min(
        (look for look in near if look.candidate is not None),
        key=lambda look: abs(look.time - time),
        default=None,
    )
    if own is not None and own.candidate is not None:
        keep = _ellipses((own.candidate,), width, height) > 0
        keep &= _ellipses(faces, width, height) == 0
        covered[keep] = 0
    return np.where(covered[:, :, None] > 0, hidden, pixels)


def _other_heads(look: Look, candidate: Box | None) -> Iterable[Box]:
    """Upper halves of the persons who are not the candidate.

    Who has the candidate's face is the candidate. Where that was not seen lately (turned away), the
    largest person is taken for the candidate.
    """
    if not look.persons:
        return ()
    own = None
    if candidate is not None:
        x, y = _centre(candidate)
        holding = [p for p in look.persons if p.left <= x <= p.right and p.top <= y <= p.bottom]
        # Of several that reach over the face, the one whose head it would be: nearest to its top.
        own = min(holding, key=lambda p: abs(p.top - candidate.top), default=None)
    else:
        own = max(look.persons, key=lambda p: p.width * p.height)
    return [
        Box(p.left, p.top, p.right, p.top + _HEAD_OF_PERSON * p.height)
        for p in look.persons
        if p is not own
    ]


def _seen_last(looks: Sequence[Look], time: float) -> Box | None:
    """Where the candidate's face was, at that time or shortly before."""
    for look in reversed(looks):
        if look.time <= time and look.candidate is not None:
            return look.candidate if time - look.time <= 2 * AROUND else None
    return None


def _hide(hidden: Pixels, covered: NDArray[np.uint8], pixels: Pixels, box: Box) -> None:
    height, width = pixels.shape[:2]
    left, right = (int(np.clip(side * width, 0, width)) for side in (box.left, box.right))
    top, bottom = (int(np.clip(side * height, 0, height)) for side in (box.top, box.bottom))
    if right - left < 1 or bottom - top < 1:
        return
    hidden[top:bottom, left:right] = _mosaic(pixels[top:bottom, left:right], _CELLS)
    covered[top:bottom, left:right] = 1


def _mosaic(pixels: Pixels, cells: int) -> Pixels:
    height, width = pixels.shape[:2]
    few = cv2.resize(
        np.ascontiguousarray(pixels),
        (min(cells, width), min(cells, height)),
        interpolation=cv2.INTER_AREA,
    )
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _ellipses(boxes: Iterable[Box], width: int, height: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    for box in boxes:
        x, y = _centre(box)
        axes = (max(1, round(box.width * width / 2)), max(1, round(box.height * height / 2)))
        cv2.ellipse(mask, (round(x * width), round(y * height)), axes, 0, 0, 360, 1, cv2.FILLED)
    return mask


def _centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _grown(box: Box, wider: float, higher: float) -> Box:
    x, y = _centre(box)
    half_width, half_height = box.width * wider / 2, box.height * higher / 2
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def _share(box: Box, width: int, height: int) -> Box:
    return Box(box.left / width, box.top / height, box.right / width, box.bottom / height)
