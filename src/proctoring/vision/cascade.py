"""Detects phones with a cascade: where one network suspects a phone, a different one verifies it.

The second network gets an enlarged crop around the suspected place; what only one of the two finds is
not reported. Optional: it was better on the pictures it was chosen on and no better on others
(``docs/accuracy.md``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.frame import Pixels
from proctoring.vision.objects import (
    DetectInSteps,
    ObjectDetector,
    load_object_detector,
    merged,
)
from proctoring.vision.steps import Steps, run_to_completion

CASCADES = {"ssd_mobilenet_v2+picodet_s": ("ssd_mobilenet_v2", "picodet_s")}
"""Name in the settings, to the catalogue names of the first network and of its verifier. Only measured
pairs."""
SUSPECT_SCORE = 0.2
"""Score of the first network from which a phone is suspected. Raising it misses more phones and runs
the verifier less often."""
CROP_SCALE = 2.0
"""Side of the crop over the longer side of the suspected box. With 3.5, fewer phones were found and more
wallets taken for phones."""
_MIN_CROP = 0.25
"""Smallest side of the crop over the picture's shorter side: enlarged further, no detail is left."""
_MAX_CROPS = 2
"""Crops that are verified in one picture, by descending score."""


@dataclass(frozen=True, slots=True)
class DetectorCascade:
    """Two different detectors that must agree. Shared by all threads; keeps no state."""

    first: ObjectDetector
    second: ObjectDetector

    def detect(self, pixels: Pixels) -> ObjectDetections:
        """Detect in one picture."""
        return run_to_completion(self.detect_in_steps(pixels))

    def detect_in_steps(self, pixels: Pixels, *, close: bool = True) -> Steps[ObjectDetections]:
        """Detect in one picture, in steps as short as the networks allow; see ``ObjectDetector``."""
        low = min(SUSPECT_SCORE, self.first.phone_score)
        first = replace(self.first, phone_score=low)
        seen = yield from first.detect_in_steps(pixels, close=close)
        return (yield from self.confirm(pixels, seen))

    def confirm(self, pixels: Pixels, seen: ObjectDetections) -> Steps[ObjectDetections]:
        """The detections of the first network at ``SUSPECT_SCORE``, with only verified phones."""
        phones = []
        for suspect in seen.phones[:_MAX_CROPS]:
            verified = yield from self._verify(pixels, suspect)
            if verified is not None:
                phones.append(verified)
        return replace(
            seen, phones=merged(phones), verifier=self.second.name, suspects=len(seen.phones)
        )

    def _verify(self, pixels: Pixels, suspect: Detection) -> Steps[Detection | None]:
        """The suspected phone with the higher of both scores; ``None``: the second finds no phone."""
        left, top, right, bottom = crop_around(suspect.box, pixels.shape[1], pixels.shape[0])
        view = np.ascontiguousarray(pixels[top:bottom, left:right])
        found = (yield from self.second.detect_in_steps(view)).phones
        if not found:
            return None
        return replace(suspect, score=max(suspect.score, found[0].score))


def crop_around(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels of a square crop around a box, within the picture."""
    shorter = min(width, height)
    side = min(shorter, max(CROP_SCALE * max(box.width, box.height), _MIN_CROP * shorter))
    left = min(max((box.left + box.right - side) / 2, 0.0), width - side)
    top = min(max((box.top + box.bottom - side) / 2, 0.0), height - side)
    size = max(1, int(side))
    return int(left), int(top), int(left) + size, int(top) + size


def load_object_detection(
    store: ModelStore, name: str
) -> tuple[DetectInSteps | None, tuple[Capability, ...]]:
    """Load the detector or cascade of that name; ``None``: unavailable. Also the capabilities.

    Where the verifier of a cascade is unavailable, the first detector decides alone, at its own threshold.
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
