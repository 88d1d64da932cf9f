"""Phones looked at twice: where one network suspects a phone, an unlike one looks closer.

Neither is good alone: both take wallets for phones, and each misses phones that the other sees.
The second sees the suspected place enlarged and alone, so it finds phones that are too small for it
in the whole picture; what only one of the two sees is not reported. Figures in
``docs/accuracy.md``: more phones found and fewer wallets taken for phones than with either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore
from proctoring.observations import Box, Detection, ObjectLook
from proctoring.vision.frame import Pixels
from proctoring.vision.objects import ObjectDetector, load_object_detector, merged

PAIRS = {"ssd_mobilenet_v2": "picodet_s"}
"""Detector to the unlike one that looks closer; pairs that were measured."""
SUSPECT_SCORE = 0.2
"""What the first network must give a place to have it looked at closer. Raising it misses more
phones and looks closer less often."""
AROUND = 2.0
"""Side of the closer view against the longer side of the suspected box. Measured: 3.5 finds fewer
phones and takes more wallets for phones."""
_SMALLEST = 0.25
"""Side of the closer view against the picture's shorter side, at least: enlarged further, nothing
is left to see."""
_MOST = 2
"""Places looked at closer in one picture, the most suspicious first."""


@dataclass(frozen=True, slots=True)
class CloserLook:
    """Two unlike detectors that must agree. Shared by all threads; keeps no state."""

    first: ObjectDetector
    second: ObjectDetector

    def look(self, pixels: Pixels) -> ObjectLook:
        """Look at one picture, (height, width, 3) RGB uint8."""
        low = min(SUSPECT_SCORE, self.first.phone_score)
        return self.confirmed(pixels, replace(self.first, phone_score=low).look(pixels))

    def confirmed(self, pixels: Pixels, seen: ObjectLook) -> ObjectLook:
        """A look of the first at its suspecting score, with the phones that the second sees too."""
        suspects = seen.phones[:_MOST]
        phones = [sure for suspect in suspects if (sure := self._closer(pixels, suspect))]
        return replace(
            seen, phones=merged(phones), closer=self.second.name, suspects=len(seen.phones)
        )

    def _closer(self, pixels: Pixels, suspect: Detection) -> Detection | None:
        """What the first suspects, if the second sees it too, as sure as the surer of the two."""
        left, top, right, bottom = view_around(suspect.box, pixels.shape[1], pixels.shape[0])
        found = self.second.look(np.ascontiguousarray(pixels[top:bottom, left:right])).phones
        if not found:
            return None
        return replace(suspect, score=max(suspect.score, found[0].score))


def view_around(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels of the square view around a box, within the picture."""
    shorter = min(width, height)
    side = min(shorter, max(AROUND * max(box.width, box.height), _SMALLEST * shorter))
    left = min(max((box.left + box.right - side) / 2, 0.0), width - side)
    top = min(max((box.top + box.bottom - side) / 2, 0.0), height - side)
    size = max(1, int(side))
    return int(left), int(top), int(left) + size, int(top) + size


def load_object_looks(
    store: ModelStore, name: str
) -> tuple[Callable[[Pixels], ObjectLook] | None, tuple[Capability, ...]]:
    """How to look for phones and persons with the detector of that name, and what of it is there.

    Where the second network is missing, the first decides alone, at its own threshold.
    """
    try:
        first = load_object_detector(store, name)
    except ModelUnavailableError as error:
        return None, (Capability("objects", False, error.detail, name),)
    capability = Capability("objects", True, "", name)
    if name not in PAIRS:
        return first.look, (capability,)
    try:
        second = load_object_detector(store, PAIRS[name])
    except ModelUnavailableError as error:
        off = Capability("objects.closer", False, error.detail, PAIRS[name])
        return first.look, (capability, off)
    on = Capability("objects.closer", True, "", PAIRS[name])
    return CloserLook(first, second).look, (capability, on)
