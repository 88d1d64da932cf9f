"""Where one network suspects a phone, a different one verifies it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore
from proctoring.observations import Box, ObjectDetections
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.cascade import DetectorCascade, crop_around, load_object_detection
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.objects import ObjectDetector, load_object_detector
from proctoring.vision.proposals import PERSON, PHONE, WORDS, Proposals
from proctoring.vision.steps import Steps, run_to_completion

ROOM = np.zeros((480, 640, 3), np.uint8)


def sees(name: str, *found: tuple[str, float, tuple[float, float, float, float]]) -> ObjectDetector:
    """A detector that sees the same in every picture."""

    def propose(_: Pixels) -> Steps[Proposals]:
        yield
        return Proposals(
            np.array([box for _, _, box in found], np.float32).reshape(-1, 4),
            np.array([score for _, score, _ in found], np.float32),
            np.array([WORDS.index(word) for word, _, _ in found], np.int64),
        )

    return ObjectDetector(name, propose, phone_score=0.35, person_score=0.4)


PAIR = "ssd_mobilenet_v2+picodet_s"
PLACE = (300.0, 200.0, 340.0, 260.0)


@pytest.mark.parametrize(
    ("first", "second", "reported", "suspects"),
    [
        ((0.8,), (0.5,), [0.8], 1),
        ((0.25,), (0.6,), [0.6], 1),  # alone, the first would not have said it
        ((0.8,), (0.3,), [], 1),  # the second is not sure enough
        ((0.8,), (), [], 1),
        ((0.15,), (0.9,), [], 0),  # not suspected, so not looked at
        ((), (0.9,), [], 0),
    ],
)
def test_a_phone_is_what_both_see_as_sure_as_the_surer(
    first: tuple[float, ...], second: tuple[float, ...], reported: list[float], suspects: int
) -> None:
    pair = DetectorCascade(
        sees("first", *((PHONE, score, PLACE) for score in first)),
        sees("second", *((PHONE, score, (10, 10, 50, 70)) for score in second)),
    )
    look = pair.detect(ROOM)
    assert [phone.score for phone in look.phones] == pytest.approx(reported)
    assert [phone.box for phone in look.phones] == [Box(*PLACE)] * len(reported)
    assert (look.detector, look.verifier, look.suspects) == ("first", "second", suspects)


def test_persons_are_the_first_networks_alone() -> None:
    first = sees("first", (PERSON, 0.9, (100, 50, 400, 480)))
    second = sees("second", (PERSON, 0.9, (0, 0, 20, 20)), (PERSON, 0.9, (30, 30, 60, 60)))
    assert [person.box for person in DetectorCascade(first, second).detect(ROOM).persons] == [
        Box(100, 50, 400, 480)
    ]


@pytest.mark.parametrize(
    ("box", "view"),
    [
        (Box(300, 200, 340, 280), (240, 160, 400, 320)),  # twice the longer side, around it
        (Box(300, 200, 310, 205), (245, 142, 365, 262)),  # no smaller than a quarter of the picture
        (Box(0, 0, 40, 80), (0, 0, 160, 160)),  # within the picture
        (Box(600, 420, 640, 480), (520, 360, 640, 480)),
        (Box(0, 0, 640, 480), (80, 0, 560, 480)),
    ],
)
def test_the_crop_around_a_box(box: Box, view: tuple[int, int, int, int]) -> None:
    assert crop_around(box, 640, 480) == view


def test_the_next_detection_is_sooner_after_a_suspected_phone(vision_models: VisionModels) -> None:
    looked: list[int] = []
    n = 0

    def objects(_: Pixels, **__: bool) -> Steps[ObjectDetections]:
        looked.append(n)
        yield
        return ObjectDetections((), (), "first", verifier="second", suspects=int(n < 5))

    analyser = VisionAnalyser(replace(vision_models, identity=None, objects=objects))
    for n in range(21):
        analyser.analyse(Frame(n / 10, ROOM))
    assert looked == [0, 5, 10, 20]


@pytest.mark.slow
def test_without_the_second_network_the_first_decides_and_health_says_so(
    model_store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = ModelStore.fetch

    def without(store: ModelStore, name: str) -> Path:
        if name == "picodet_s":
            raise ModelUnavailableError("picodet_s could not be had")
        return fetch(store, name)

    monkeypatch.setattr(ModelStore, "fetch", without)
    look, capabilities = load_object_detection(model_store, PAIR)
    assert look is not None
    assert run_to_completion(look(ROOM)).verifier == ""
    assert [(c.name, c.available, c.reason) for c in capabilities] == [
        ("objects", True, ""),
        ("objects.verifier", False, "picodet_s could not be had"),
    ]


def test_by_default_the_one_detector_decides_alone(model_store: ModelStore) -> None:
    look, capabilities = load_object_detection(model_store, Settings().object_model)
    assert look is not None
    assert run_to_completion(look(ROOM)).verifier == ""
    assert [capability.name for capability in capabilities] == ["objects"]


@pytest.mark.slow
def test_both_real_networks_agree_on_a_phone_and_not_on_an_earbud_case(
    model_store: ModelStore, shared_data: Path
) -> None:
    try:
        load_object_detector(model_store, "picodet_s")
    except ModelUnavailableError as error:
        pytest.skip(error.detail)
    look, capabilities = load_object_detection(model_store, PAIR)
    assert look is not None
    assert all(capability.available for capability in capabilities)
    folder = shared_data / "phone" / "walletphone"
    held = {
        kind: [
            bool(run_to_completion(look(decode_jpeg(path.read_bytes()))).phones)
            for path in sorted(folder.glob("*.jpg"))
            if path.name in names
        ]
        for kind, names in _some(folder).items()
    }
    assert sum(held["phone"]) >= 5
    assert sum(held["airpods"]) == 0


def _some(folder: Path) -> dict[str, set[str]]:
    """Names of eight pictures of each kind."""
    items = json.loads((folder / "manifest.json").read_text())["items"]
    names: dict[str, set[str]] = {"phone": set(), "airpods": set()}
    for name, item in sorted(items.items()):
        kind = item["objects"][0]["cls"]
        if item["first_of_frame"] and kind in names and len(names[kind]) < 8:
            names[kind].add(name)
    return names
