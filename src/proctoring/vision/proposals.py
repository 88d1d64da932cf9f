"""What an object network proposes, before anyone decides what counts: boxes, scores, classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Pixels
from proctoring.vision.steps import Steps

PERSON, PHONE = "person", "cell phone"
SCREENS = ("tv", "laptop")
WORDS = (PERSON, PHONE, "remote", *SCREENS)
"""COCO's words for what is looked for; the classes of candidates are places in this tuple."""
COCO_91 = (1, 77, 75, 72, 73)
"""Where those words are among the 91 classes, background first, as TensorFlow's zoo numbers them."""

FLOOR = 0.01
"""Proposals below this score are never looked at again: it keeps suppression cheap."""
_MOST = 300
"""Proposals per look that suppression sees, the best first; webcam pictures have far fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Proposals of one network in one picture, each class apart free of duplicates."""

    boxes: NDArray[np.float32]
    """(n, 4) left, top, right, bottom in pixels of the picture, within it."""
    scores: NDArray[np.float32]
    """(n,) 0 to 1."""
    classes: NDArray[np.int64]
    """(n,) places in ``WORDS``."""


Propose = Callable[[Pixels], Steps[Proposals]]
"""Picture, (height, width, 3) RGB uint8, to candidates, in steps. Called from many threads at once."""


def suppress_duplicates(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    *,
    overlap: float,
    width: int,
    height: int,
) -> Proposals:
    """Proposals without duplicates: of two of one class whose IoU is above ``overlap``, the better.

    Args:
        boxes: (n, 4) left, top, right, bottom, possibly reaching beyond the picture.
        scores: (n,).
        classes: (n,).
        overlap: the intersection over union above which two boxes are one object.
        width: of the picture, in pixels; boxes are cut at its border.
        height: of the picture.
    """
    if len(scores) > _MOST:
        best = np.argpartition(scores, -_MOST)[-_MOST:]
        boxes, scores, classes = boxes[best], scores[best], classes[best]
    boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    if len(scores):
        sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        kept = np.asarray(
            cv2.dnn.NMSBoxesBatched(
                sizes.tolist(), scores.tolist(), classes.tolist(), FLOOR, overlap
            ),
            np.int64,
        )
        boxes, scores, classes = boxes[kept], scores[kept], classes[kept]
    return Proposals(boxes.astype(np.float32), scores.astype(np.float32), classes.astype(np.int64))


def above_floor(scores: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of (n, words) scores are worth a look: their rows, and their columns (classes)."""
    rows, classes = np.nonzero(scores >= FLOOR)
    return rows.astype(np.int64), classes.astype(np.int64)


def corners_of(centres: NDArray[np.float32], sizes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 2) centres and (n, 2) widths and heights to (n, 4) left, top, right, bottom."""
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
