"""Phones looked at twice: where one network suspects a phone, an unlike one looks closer.

The second sees the suspected place enlarged and alone; what only one of the two sees is not
reported. By choice, not by default: it was better on the pictures it was chosen on and no better on
others (``docs/accuracy.md``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.frame import Pixels
from proctoring.vision.objects import ObjectDetector, load_object_detector, merged
from proctoring.vision.steps import Steps, run_to_completion

CASCADES = {"ssd_mobilenet_v2+picodet_s": ("ssd_mobilenet_v2", "picodet_s")}
"""What the settings may name in a detector's place: one detector and the unlike one that looks
closer. Pairs that were measured."""
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
class DetectorCascade:
    """Two unlike detectors that must agree. Shared by all threads; keeps no state."""

    first: ObjectDetector
    second: ObjectDetector

    def detect(self, pixels: Pixels) -> ObjectDetections:
        """Look at one picture, (height, width, 3) RGB uint8."""
        return run_to_completion(self.detect_in_steps(pixels))

    def detect_in_steps(self, pixels: Pixels) -> Steps[ObjectDetections]:
        """The same, in steps as short as the networks allow."""
        low = min(SUSPECT_SCORE, self.first.phone_score)
        seen = yield from replace(self.first, phone_score=low).detect_in_steps(pixels)
        return (yield from self.confirm(pixels, seen))

    def confirm(self, pixels: Pixels, seen: ObjectDetections) -> Steps[ObjectDetections]:
        """A look of the first at its suspecting score, with the phones that the second sees too."""
        phones = []
        for suspect in seen.phones[:_MOST]:
            sure = yield from self._closer(pixels, suspect)
            if sure is not None:
                phones.append(sure)
        return replace(
            seen, phones=merged(phones), verifier=self.second.name, suspects=len(seen.phones)
        )

    def _closer(self, pixels: Pixels, suspect: Detection) -> Steps[Detection | None]:
        """What the first suspects, if the second sees it too, as sure as the surer of the two."""
        left, top, right, bottom = crop_around(suspect.box, pixels.shape[1], pixels.shape[0])
        view = np.ascontiguousarray(pixels[top:bottom, left:right])
        found = (yield from self.second.detect_in_steps(view)).phones
        if not found:
            return None
        return replace(suspect, score=max(suspect.score, found[0].score))


def crop_around(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels of the square view around a box, within the picture."""
    shorter = min(width, height)
    side = min(shorter, max(AROUND * max(box.width, box.height), _SMALLEST * shorter))
    left = min(max((box.left + box.right - side) / 2, 0.0), width - side)
    top = min(max((box.top + box.bottom - side) / 2, 0.0), height - side)
    size = max(1, int(side))
    return int(left), int(top), int(left) + size, int(top) + size


def load_object_detection(
    store: ModelStore, name: str
) -> tuple[Callable[[Pixels], Steps[ObjectDetections]] | None, tuple[Capability, ...]]:
    """How to look for phones and persons with the detector, or pair, of that name, and what of it
    is there.

    Where a pair's second network is missing, the first decides alone, at its own threshold.
    """
    first_name, second_name = CASCADES.get(name, (name, ""))
    try:
        first = load_object_detector(store, first_name)
    except ModelUnavailableError as error:
        return None, (Capability("objects", False, error.detail, first_name),)
    capability = Capability("objects", True, "", first_name)
    if not second_name:
        return first.detect_in_steps, (capability,)
    try:
        second = load_object_detector(store, second_name)
    except ModelUnavailableError as error:
        off = Capability("objects.verifier", False, error.detail, second_name)
        return first.detect_in_steps, (capability, off)
    on = Capability("objects.verifier", True, "", second_name)
    return DetectorCascade(first, second).detect_in_steps, (capability, on)
