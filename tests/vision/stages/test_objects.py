"""Object detections that are made, and those that are carried over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.stages.context import Context, Latest
from proctoring.vision.stages.objects import ObjectStage
from proctoring.vision.steps import Steps, run_to_completion

PERSON = Detection("person", 0.9, Box(100, 80, 540, 480))
PHONE = Detection("cell phone", 0.5, Box(300, 400, 340, 470))
MESH = np.array([[245.0, 90.0, 0.0], [335.0, 200.0, 0.0]], np.float32)


class PhoneDetector:
    """Sees a phone where the lap is black. Remembers whether it was asked for close views."""

    def __init__(self) -> None:
        self.calls: list[bool] = []

    def __call__(self, pixels: Pixels, /, *, close: bool = True) -> Steps[ObjectDetections]:
        self.calls.append(close)
        yield
        phones = (PHONE,) if pixels[435, 320].max() < 30 else ()
        return ObjectDetections(phones, (PERSON,), "by hand")


def filmed(picture: Callable[[float], Pixels], seconds: int) -> list[Pixels]:
    """Ten frames a second, as a camera gives them."""
    noise = np.random.default_rng(0).normal(0, 2, (480, 640, 3)).round().astype(np.int16)
    noisy = (
        picture(n / 10) + np.roll(noise, (37 * n, 53 * n), (0, 1)) for n in range(seconds * 10)
    )
    return [np.clip(pixels, 0, 255).astype(np.uint8) for pixels in noisy]


def session(
    frames: list[Pixels], *, gated: bool
) -> tuple[PhoneDetector, list[tuple[float, ObjectDetections]]]:
    """A candidate at ten frames a second, and all results with the media time of their frames."""
    detector, latest = PhoneDetector(), Latest()
    stage = ObjectStage(detector, DepictedFaceDetector(), LivenessTracker(None), gated=gated)
    found = []
    for n, pixels in enumerate(frames):
        frame = Frame(n / 10, pixels)
        context = Context(frame, 1.0, latest)
        context.candidate = TrackedFace(1, MESH, 1.0, Box(245, 90, 335, 200))
        deferred = stage.request(context)
        if deferred is not None:
            result = run_to_completion(deferred.steps())
            found.append((result.time, stage.apply(result, latest, 1.0)["objects"]))
        elif "objects" in context.found:
            found.append((frame.time, context.found["objects"]))
    return detector, found


def test_a_still_candidate_is_looked_at_every_eight_seconds_and_reported_every_second(
    astronaut: Pixels,
) -> None:
    detector, found = session(filmed(lambda _: astronaut, 18), gated=True)
    assert [time for time, _ in found] == pytest.approx(range(18))
    since = [objects.carried_since for _, objects in found]
    assert since == pytest.approx([None, *[0] * 7, None, *[8] * 7, None, 16])
    assert detector.calls == [True, False, True]
    assert all(objects.face_seen and len(objects.persons) == 1 for _, objects in found)


@pytest.mark.parametrize("put_down", [3.05, 5.95])
def test_a_phone_that_is_put_down_is_found_and_stays_found_as_without_the_gate(
    astronaut: Pixels, put_down: float
) -> None:
    phone = astronaut.copy()
    phone[400:470, 300:340] = 10

    def picture(time: float) -> Pixels:
        return phone if put_down <= time < 9 else astronaut

    frames = filmed(picture, 14)
    _, gated = session(frames, gated=True)
    _, always = session(frames, gated=False)
    assert [(time, objects.phones) for time, objects in gated] == [
        (time, objects.phones) for time, objects in always
    ]
    assert sum(bool(objects.phones) for _, objects in gated) > 4
