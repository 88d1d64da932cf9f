"""Makes everybody but the candidate unrecognisable in a frame that is stored.

It rather hides too much. A newcomer is found by the next detection at the latest, so the place of a
bystander is hidden from ``HIDE_MARGIN`` seconds before a detection to as long after it. A frame near
which faces were not searched for is hidden completely.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Box, FrameObservation
from proctoring.vision.frame import Pixels

HIDE_MARGIN = 1.2
"""Seconds. The periods of the search for new faces and of person detection are 1 s."""
NEAR = 0.6
"""Seconds within which an observation locates the candidate's face in a frame and shows that faces
were searched for: at the lowest rate, observations are 1 s apart."""

_FACE_WIDTH_FACTOR, _FACE_HEIGHT_FACTOR = 1.5, 1.8
"""From the hull of the landmarks, which ends at the brows, to the whole head."""
_HEAD_SHARE = 0.5
"""Upper share of a person's box that contains the head, sitting or standing."""
_MOSAIC_CELLS = 6
"""Cells across a hidden face, interpolated: no facial features remain."""
_MOSAIC_CELLS_OF_FRAME = 16
"""Cells across a frame that is hidden completely."""


@dataclass(frozen=True, slots=True)
class PeopleInFrame:
    """Where people are in a frame. Boxes are in shares of its width and height (0 to 1)."""

    time: float
    """Media time in seconds."""
    candidate: Box | None
    """The candidate's face; ``None``: not found, or not searched for."""
    bystanders: tuple[Box, ...] | None
    """Other faces; ``None``: not searched for."""
    persons: tuple[Box, ...]
    """Whole persons, including the candidate; also empty if they were not searched for."""
    from_session: bool = True
    """Whether this is an observation of the session; ``False``: faces found in a stored frame."""


def people_in(observation: FrameObservation) -> PeopleInFrame:
    """Where an observation locates people."""
    width, height = observation.width, observation.height
    candidate: Box | None = None
    bystanders: list[Box] = []
    own = None if observation.candidate is None else observation.candidate.track
    for face in observation.faces or ():
        box = _relative(face.box, width, height)
        if face.track == own:
            candidate = box
        else:
            bystanders.append(box)
    persons = () if observation.objects is None else observation.objects.persons
    return PeopleInFrame(
        observation.time,
        candidate,
        None if observation.faces is None else tuple(bystanders),
        tuple(_relative(person.box, width, height) for person in persons),
    )


def hide_bystanders(pixels: Pixels, time: float, people: Sequence[PeopleInFrame]) -> Pixels:
    """The frame of media time ``time`` with everybody but the candidate hidden.

    Args:
        pixels: not modified.
        people: in order of time; those within ``HIDE_MARGIN`` seconds are used.
    """
    near = [each for each in people if abs(each.time - time) <= NEAR]
    if not any(each.from_session and each.bystanders is not None for each in near):
        return _mosaic(pixels, _MOSAIC_CELLS_OF_FRAME)
    around = [each for each in people if abs(each.time - time) <= HIDE_MARGIN]
    faces = [face for each in around for face in each.bystanders or ()]
    heads = [
        head for each in around for head in _other_heads(each, _last_candidate(people, each.time))
    ]
    if not faces and not heads:
        return pixels
    height, width = pixels.shape[:2]
    hidden = pixels.copy()
    covered = np.zeros((height, width), np.uint8)
    whole_heads = (_enlarged(face, _FACE_WIDTH_FACTOR, _FACE_HEIGHT_FACTOR) for face in faces)
    for box in (*whole_heads, *heads):
        _hide(hidden, covered, pixels, box)
    own = min(
        (each for each in near if each.candidate is not None),
        key=lambda each: abs(each.time - time),
        default=None,
    )
    if own is not None and own.candidate is not None:
        keep = _ellipses((own.candidate,), width, height) > 0
        keep &= _ellipses(faces, width, height) == 0
        covered[keep] = 0
    return np.where(covered[:, :, None] > 0, hidden, pixels)


def _other_heads(people: PeopleInFrame, candidate: Box | None) -> Iterable[Box]:
    """Upper parts of the persons who are not the candidate.

    The candidate is the person with the candidate's face. If the face was not seen lately, as when
    the candidate has turned away, the largest person is taken for the candidate.
    """
    if not people.persons:
        return ()
    own = None
    if candidate is not None:
        x, y = _centre(candidate)
        around_face = [
            p for p in people.persons if p.left <= x <= p.right and p.top <= y <= p.bottom
        ]
        # Of several whose box contains the face, the one whose head is nearest to it.
        own = min(around_face, key=lambda p: abs(p.top - candidate.top), default=None)
    else:
        own = max(people.persons, key=lambda p: p.width * p.height)
    return [
        Box(p.left, p.top, p.right, p.top + _HEAD_SHARE * p.height)
        for p in people.persons
        if p is not own
    ]


def _last_candidate(people: Sequence[PeopleInFrame], time: float) -> Box | None:
    """The candidate's face at that time or shortly before."""
    for each in reversed(people):
        if each.time <= time and each.candidate is not None:
            return each.candidate if time - each.time <= 2 * HIDE_MARGIN else None
    return None


def _hide(hidden: Pixels, covered: NDArray[np.uint8], pixels: Pixels, box: Box) -> None:
    height, width = pixels.shape[:2]
    left, right = (int(np.clip(side * width, 0, width)) for side in (box.left, box.right))
    top, bottom = (int(np.clip(side * height, 0, height)) for side in (box.top, box.bottom))
    if right - left < 1 or bottom - top < 1:
        return
    hidden[top:bottom, left:right] = _mosaic(pixels[top:bottom, left:right], _MOSAIC_CELLS)
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
    """A mask of the ellipses that fill the boxes."""
    mask = np.zeros((height, width), np.uint8)
    for box in boxes:
        x, y = _centre(box)
        axes = (max(1, round(box.width * width / 2)), max(1, round(box.height * height / 2)))
        cv2.ellipse(mask, (round(x * width), round(y * height)), axes, 0, 0, 360, 1, cv2.FILLED)
    return mask


def _centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _enlarged(box: Box, width_factor: float, height_factor: float) -> Box:
    x, y = _centre(box)
    half_width, half_height = box.width * width_factor / 2, box.height * height_factor / 2
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def _relative(box: Box, width: int, height: int) -> Box:
    return Box(box.left / width, box.top / height, box.right / width, box.bottom / height)
