"""Proposals of an object network, before thresholds: boxes, scores, classes."""

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
"""COCO names of the classes that are used; classes of proposals are indices into this tuple."""
COCO_91 = (1, 77, 75, 72, 73)
"""Their indices among the 91 classes (0 is the background) of TensorFlow's detection zoo."""

MIN_SCORE = 0.01
"""Proposals below this score are discarded, which keeps suppression cheap."""
_MAX_PROPOSALS = 300
"""Highest number of proposals, by score, that suppression gets; webcam pictures have far fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Proposals of one network in one picture, without duplicates within a class."""

    boxes: NDArray[np.float32]
    """(n, 4) left, top, right, bottom in pixels, within the picture."""
    scores: NDArray[np.float32]
    """(n,) 0 to 1."""
    classes: NDArray[np.int64]
    """(n,) indices into ``WORDS``."""


Propose = Callable[[Pixels], Steps[Proposals]]
"""A network: picture to proposals, in steps. Called from many threads at once."""


def suppress_duplicates(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    *,
    overlap: float,
    width: int,
    height: int,
) -> Proposals:
    """Non-maximum suppression within each class.

    Args:
        boxes: (n, 4) left, top, right, bottom in pixels; may reach beyond the picture.
        scores: (n,) 0 to 1.
        classes: (n,) indices into ``WORDS``.
        overlap: intersection over union above which two boxes are one object.
        width: of the picture, in pixels; boxes are clipped to it.
        height: of the picture, in pixels.
    """
    if len(scores) > _MAX_PROPOSALS:
        best = np.argpartition(scores, -_MAX_PROPOSALS)[-_MAX_PROPOSALS:]
        boxes, scores, classes = boxes[best], scores[best], classes[best]
    boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    if len(scores):
        sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        kept = np.asarray(
            cv2.dnn.NMSBoxesBatched(
                sizes.tolist(), scores.tolist(), classes.tolist(), MIN_SCORE, overlap
            ),
            np.int64,
        )
        boxes, scores, classes = boxes[kept], scores[kept], classes[kept]
    return Proposals(boxes.astype(np.float32), scores.astype(np.float32), classes.astype(np.int64))


def above_min_score(scores: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns (classes) of the (n, classes) scores that reach ``MIN_SCORE``."""
    rows, classes = np.nonzero(scores >= MIN_SCORE)
    return rows.astype(np.int64), classes.astype(np.int64)


def corners_of(centres: NDArray[np.float32], sizes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 2) centres and (n, 2) sizes to (n, 4) left, top, right, bottom."""
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
