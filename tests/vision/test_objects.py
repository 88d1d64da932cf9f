"""The same tests on every detector; those whose weights are unavailable are skipped with the reason."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from proctoring.errors import ModelUnavailableError
from proctoring.models.imported import import_detector
from proctoring.models.store import ModelStore
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Pixels
from proctoring.vision.objects import LAP, WHOLE, ObjectDetector, load_object_detector, merged
from proctoring.vision.proposals import PERSON, PHONE, WORDS, Proposals
from proctoring.vision.steps import Steps, run_to_completion

from .conftest import photograph

DETECTORS = [
    "ssd_mobilenet_v2",
    "yolox_nano",
    "picodet_s",
    pytest.param("yolo11n", marks=pytest.mark.slow),  # not shipped; much the largest of them
]


@pytest.fixture(scope="module", params=DETECTORS)
def detector(
    request: pytest.FixtureRequest,
    model_store: ModelStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> ObjectDetector:
    name: str = request.param
    store = model_store
    if name == "yolo11n":
        shared: Path = request.getfixturevalue("shared_models")
        store = ModelStore(tmp_path_factory.mktemp("models"))
        import_detector(store.folder, shared / "yolo11n_int8_openvino_model", name)
    try:
        return load_object_detector(store, name)
    except ModelUnavailableError as error:
        if name == "ssd_mobilenet_v2":
            raise
        pytest.skip(error.detail)


@pytest.fixture(scope="module")
def portrait() -> Pixels:
    """(512, 512, 3): the whole photograph."""
    return photograph("astronaut")


def test_one_person_is_one_person(detector: ObjectDetector, portrait: Pixels) -> None:
    look = detector.detect(portrait)

    assert look.detector == detector.name
    assert len(look.persons) == 1
    person = look.persons[0]
    assert person.label == "person"
    assert person.score >= detector.person_score
    assert person.box.left < 150 < 300 < person.box.right, "the astronaut stands there"
    assert person.box.top < 100 < 450 < person.box.bottom


def test_two_people_side_by_side_are_two(detector: ObjectDetector, portrait: Pixels) -> None:
    beside = np.concatenate([portrait[:, :400], portrait[:, 399::-1]], axis=1)

    look = detector.detect(np.ascontiguousarray(beside))

    assert len(look.persons) == 2


@pytest.mark.parametrize("picture", ["coffee", "chelsea"])
def test_a_picture_without_people_has_none(detector: ObjectDetector, picture: str) -> None:
    assert detector.detect(photograph(picture)).persons == ()


def test_boxes_follow_the_picture_when_it_is_padded_and_shrunk(
    detector: ObjectDetector, portrait: Pixels
) -> None:
    """Wide pictures go into square networks: boxes must come back in the picture's own pixels."""
    wide = np.zeros((512, 910, 3), np.uint8)
    wide[:, 300:812] = portrait
    small = np.asarray(cv2.resize(wide, (455, 256), interpolation=cv2.INTER_AREA), np.uint8)

    alone, placed = detector.detect(portrait).persons[0].box, detector.detect(small).persons[0].box

    moved = np.array(
        [placed.left * 2 - 300, placed.top * 2, placed.right * 2 - 300, placed.bottom * 2]
    )
    assert np.abs(moved - [alone.left, alone.top, alone.right, alone.bottom]).max() < 60


def test_boxes_lie_within_the_picture(detector: ObjectDetector, portrait: Pixels) -> None:
    look = detector.detect(portrait)

    for found in (*look.persons, *look.phones):
        assert 0 <= found.box.left < found.box.right <= 512
        assert 0 <= found.box.top < found.box.bottom <= 512


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 4000)])
def test_pictures_of_the_oddest_shapes_are_analysed(
    detector: ObjectDetector, shape: tuple[int, int]
) -> None:
    look = detector.detect(np.full((*shape, 3), 127, np.uint8))

    assert look.persons == ()
    assert look.phones == ()


def test_threads_that_share_a_detector_see_what_each_would_see_alone(
    detector: ObjectDetector, portrait: Pixels
) -> None:
    pictures = [portrait, np.ascontiguousarray(portrait[:, ::-1]), photograph("coffee")]
    alone = [detector.detect(picture) for picture in pictures]
    seen: dict[int, list[ObjectDetections]] = {number: [] for number in range(len(pictures))}

    def work(number: int) -> None:
        seen[number] = [detector.detect(pictures[number]) for _ in range(3)]

    threads = [threading.Thread(target=work, args=(number,)) for number in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(look == alone[number] for number in seen for look in seen[number])


def test_phones_held_up_to_a_webcam_are_found_where_they_are(
    detector: ObjectDetector, shared_data: Path
) -> None:
    """Every third labelled phone; how many of all is ``evaluation/objects.py``'s to say."""
    folder = shared_data / "phone" / "walletphone"
    items = json.loads((folder / "manifest.json").read_text())["items"]
    phones = [
        (name, item)
        for name, item in sorted(items.items())
        if item["label"] == "phone" and item["first_of_frame"]
    ][::3]
    found = 0
    for name, item in phones:
        pixels = decode_jpeg((folder / name).read_bytes())
        height, width = pixels.shape[:2]
        x, y, w, h = next(o["xywhn"] for o in item["objects"] if o["cls"] == "phone")
        truth = Box(
            (x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height
        )
        found += any(overlap(phone.box, truth) > 0.3 for phone in detector.detect(pixels).phones)

    assert found >= len(phones) * 0.1


def overlap(a: Box, b: Box) -> float:
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a.width * a.height + b.width * b.height - shared)


def test_a_model_that_is_no_detector_is_refused(model_store: ModelStore) -> None:
    with pytest.raises(ModelUnavailableError, match="face_landmarker is not an object detector"):
        load_object_detector(model_store, "face_landmarker")


@pytest.mark.parametrize("name", ["nothing", "", "../ssd_mobilenet_v2", "a/b", "..", "."])
def test_an_unknown_detector_is_named(model_store: ModelStore, name: str) -> None:
    with pytest.raises(ModelUnavailableError, match="there is no model named"):
        load_object_detector(model_store, name)


def person(left: float, right: float, score: float) -> Detection:
    return Detection("person", score, Box(left, 0, right, 100))


def test_a_box_within_a_better_one_is_the_same_object() -> None:
    assert merged([person(0, 100, 0.9), person(20, 60, 0.5)]) == (person(0, 100, 0.9),)
    assert merged([person(20, 60, 0.9), person(0, 100, 0.5)]) == (person(20, 60, 0.9),)


def test_boxes_that_share_less_are_two_objects_the_better_first() -> None:
    assert merged([person(0, 100, 0.5), person(50, 150, 0.9)]) == (
        person(50, 150, 0.9),
        person(0, 100, 0.5),
    )


def scripted(*views: list[tuple[str, float]]) -> tuple[ObjectDetector, list[int]]:
    """A detector of two views whose proposals are given, and the heights of the views it analysed."""
    seen: list[int] = []

    def propose(pixels: Pixels) -> Steps[Proposals]:
        found = views[len(seen)]
        seen.append(pixels.shape[0])
        yield
        boxes = [(10.0 * n, 10.0, 10.0 * n + 8, 30.0) for n in range(len(found))]
        return Proposals(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array([score for _, score in found], np.float32),
            np.array([WORDS.index(word) for word, _ in found], np.int64),
        )

    return ObjectDetector("scripted", propose, 0.35, 0.4, views=(WHOLE, LAP)), seen


@pytest.mark.parametrize(
    ("score", "close", "views"), [(0.0, True, 2), (0.015, False, 1), (0.03, False, 2)]
)
def test_the_close_view_is_analysed_where_the_first_leaves_doubt(
    portrait: Pixels, score: float, close: bool, views: int
) -> None:
    detector, seen = scripted([(PERSON, 0.9), (PHONE, score)], [(PHONE, 0.5)])
    look = run_to_completion(detector.detect_in_steps(portrait, close=close))
    assert len(seen) == views
    assert len(look.phones) == views - 1


@pytest.mark.parametrize(
    ("also", "doubtful"),
    [
        ((PHONE, 0.1), False),
        ((PHONE, 0.2), True),
        ((PERSON, 0.15), False),
        ((PERSON, 0.25), True),
        (("tv", 0.15), False),
        (("laptop", 0.25), True),
        (("tv", 0.5), False),  # found, not in doubt
    ],
)
def test_what_scores_below_the_thresholds_leaves_doubt(
    portrait: Pixels, also: tuple[str, float], doubtful: bool
) -> None:
    detector, _ = scripted([(PERSON, 0.9), also], [])
    look = detector.detect(portrait)
    assert look.doubtful == doubtful
    assert len(look.persons) == 1
    assert len(look.screens) == (also == ("tv", 0.5))
