"""A deferred detection runs in steps; only the time spent in them is measured."""

from __future__ import annotations

import time

import numpy as np
import pytest

from proctoring.models.store import ModelStore
from proctoring.observations import ObjectDetections
from proctoring.settings import Settings
from proctoring.vision.cascade import load_object_detection
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.steps import Steps, run_to_completion

ROOM = Frame(0.0, np.zeros((480, 640, 3), np.uint8))


def test_time_between_two_steps_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("proctoring.vision.deferred.clock.perf_counter", lambda: now)

    def objects(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        nonlocal now
        for _step in range(3):
            now += 0.01
            yield
        return ObjectDetections((), (), "by hand")

    steps = DeferredDetection(ROOM, 0, None, objects).steps()
    found: DeferredResult | None = None
    while found is None:
        try:
            next(steps)
            now += 5.0
        except StopIteration as end:
            found = end.value
    assert found.objects is not None
    assert found.milliseconds == {"objects": pytest.approx(30)}


def test_the_default_detector_is_cut_into_short_steps(model_store: ModelStore) -> None:
    objects, _ = load_object_detection(model_store, Settings().object_model)
    assert objects is not None
    look = DeferredDetection(ROOM, 0, None, objects)
    run_to_completion(look.steps())  # the first call of a thread makes what it needs
    taken = [min(times) for times in zip(*(seconds(look) for _ in range(3)), strict=True)]
    assert len(taken) >= 6
    assert max(taken) < sum(taken) / 2


def seconds(look: DeferredDetection) -> list[float]:
    """Processor time of each step."""
    taken = []
    steps, going = look.steps(), True
    while going:
        began = time.thread_time()
        going = next(steps, "end") != "end"
        taken.append(time.thread_time() - began)
    return taken
