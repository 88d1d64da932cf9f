"""Detects phones, persons and screens with the detector that the settings name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.frame import Pixels
from proctoring.vision.objects_picodet import load_picodet
from proctoring.vision.objects_ssd import load_ssd
from proctoring.vision.objects_yolo import load_yolo11, load_yolox
from proctoring.vision.proposals import PERSON, PHONE, SCREENS, WORDS, Propose
from proctoring.vision.steps import Steps, run_to_completion

View = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of the picture, as shares of its width and height."""
WHOLE: View = (0.0, 0.0, 1.0, 1.0)
LAP: View = (0.15, 0.4, 0.85, 1.0)
"""Where hands are in a webcam picture: at this scale small phones are found."""
_CLOSER_FROM = 0.06
"""Share of the phone threshold from which a proposal in the first view is looked at in the others. Of 379
labelled pictures with a phone, SSD found it only in the close view in 31: there the first view's score was at
least .06 of the threshold, and in 30 of them .15."""
_DOUBTFUL_PHONE, _DOUBTFUL = 0.4, 0.5
"""Share of the thresholds from which there may be a phone; another person or a screen. Of 24 webcam clips
without a phone and with one person, 19 never reach the first and 23 never the second."""

_SAME_OBJECT = 0.7
"""Intersection over the smaller box above which two boxes are one object: an upper body within a whole
one, or one phone in two views."""


class DetectInSteps(Protocol):
    """A detector: a picture to phones, persons and screens."""

    def __call__(self, pixels: Pixels, /, *, close: bool = True) -> Steps[ObjectDetections]:
        """Detect in one picture; see ``ObjectDetector.detect_in_steps``."""
        ...


@dataclass(frozen=True, slots=True)
class ObjectDetector:
    """A network with its measured thresholds. Shared by all threads; keeps no state."""

    name: str
    """Catalogue name."""
    propose: Propose
    phone_score: float
    """Lowest score of a phone. Raising it misses more phones, and takes fewer wallets for phones."""
    person_score: float
    """Lowest score of a person. Raising it misses more half-hidden persons, and takes fewer coats and
    posters for persons."""
    phone_words: tuple[str, ...] = (PHONE,)
    """Classes that are reported as phones."""
    screen_score: float = 0.4
    """Lowest score of a screen. Raising it takes fewer windows for televisions, and more faces on
    televisions for persons."""
    views: tuple[View, ...] = (WHOLE,)
    """Parts in which phones are detected; persons and screens are detected in the first part only. The
    others are close views."""

    def detect(self, pixels: Pixels) -> ObjectDetections:
        """Detect in one picture."""
        return run_to_completion(self.detect_in_steps(pixels))

    def detect_in_steps(self, pixels: Pixels, *, close: bool = True) -> Steps[ObjectDetections]:
        """Detect in one picture, in steps as short as the network allows.

        Args:
            pixels: the picture.
            close: whether close views are analysed even if the first view has nothing like a phone.
        """
        phones: list[Detection] = []
        persons: list[Detection] = []
        screens: list[Detection] = []
        best_phone = 0.0
        for number, view in enumerate(self.views):
            if number and not close and best_phone < _CLOSER_FROM * self.phone_score:
                break
            part, left, top = _part(pixels, view)
            found = yield from self.propose(part)
            for box, score, place in zip(found.boxes, found.scores, found.classes, strict=True):
                word = WORDS[place]
                detection = Detection(word, float(score), _shifted(box, left, top))
                if word in self.phone_words:
                    best_phone = max(best_phone, detection.score)
                    if score >= self.phone_score:
                        phones.append(detection)
                elif word == PERSON and score >= _DOUBTFUL * self.person_score and number == 0:
                    persons.append(detection)
                elif word in SCREENS and score >= _DOUBTFUL * self.screen_score and number == 0:
                    screens.append(detection)
        all_persons, all_screens = merged(persons), merged(screens)
        sure_persons = tuple(one for one in all_persons if one.score >= self.person_score)
        sure_screens = tuple(one for one in all_screens if one.score >= self.screen_score)
        return ObjectDetections(
            merged(phones),
            sure_persons,
            self.name,
            sure_screens,
            doubtful=best_phone >= _DOUBTFUL_PHONE * self.phone_score
            or sure_persons != all_persons
            or sure_screens != all_screens,
        )


def load_object_detector(store: ModelStore, name: str) -> ObjectDetector:
    """Load a detector of the catalogue or an imported one.

    Thresholds are those at which each was measured (``docs/accuracy.md``); an imported network gets
    those of its family.

    Raises:
        ModelUnavailableError: there is no such detector, or its weights are unavailable.
    """
    model = store.find(name)
    path = store.fetch(name)
    columns = tuple(model.classes.index(word) if word in model.classes else -1 for word in WORDS)
    match model.family:
        case "ssd":
            return ObjectDetector(name, load_ssd(path), 0.35, 0.4, views=(WHOLE, LAP))
        case "yolox":
            return ObjectDetector(name, load_yolox(path, columns), 0.3, 0.6)
        case "yolo11":
            return ObjectDetector(name, load_yolo11(path, columns), 0.25, 0.4)
        case "picodet":
            return ObjectDetector(name, load_picodet(path, columns), 0.3, 0.5)
        case _:
            raise ModelUnavailableError(f"{name} is not an object detector")


def merged(detections: list[Detection]) -> tuple[Detection, ...]:
    """The detections by descending score, without those that mostly overlap with a better one."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda detection: -detection.score):
        if all(_shared(detection.box, other.box) <= _SAME_OBJECT for other in kept):
            kept.append(detection)
    return tuple(kept)


def _shared(a: Box, b: Box) -> float:
    """Intersection over the smaller of two boxes."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    smaller = min(a.width * a.height, b.width * b.height)
    return width * height / smaller if width > 0 and height > 0 and smaller > 0 else 0.0


def _part(pixels: Pixels, view: View) -> tuple[Pixels, int, int]:
    """The pixels of a view, at least one, and its left and top in pixels of the picture."""
    height, width = pixels.shape[:2]
    left, top = int(view[0] * width), int(view[1] * height)
    right, bottom = max(left + 1, int(view[2] * width)), max(top + 1, int(view[3] * height))
    return np.ascontiguousarray(pixels[top:bottom, left:right]), left, top


def _shifted(box: NDArray[np.float32], left: int, top: int) -> Box:
    return Box(float(box[0]) + left, float(box[1]) + top, float(box[2]) + left, float(box[3]) + top)
