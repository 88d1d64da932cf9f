"""Attacks staged with a public-domain photograph, through everything that judges a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
from evaluation.held_photo import held_photo

from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import load_policy
from proctoring.observations import Box
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels

from ..vision.conftest import photograph, warp
from ..vision.moving import reshaped, turned_print, with_noise

pytestmark = pytest.mark.slow

RATE = 5
FACE = (272.0, 175.0)
"""The middle of the face in ``photo``."""

PictureAt = Callable[[int], Pixels]


@pytest.fixture(scope="module")
def models(vision_models: VisionModels) -> VisionModels:
    """Faces alone: what is tested here must hold without the passive networks, as on a machine
    that cannot have them, and needs no objects."""
    return replace(vision_models, objects=None, liveness=None)


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """(480, 640, 3) a photograph, the face about 115 pixels wide."""
    astronaut = photograph("astronaut")
    return warp(astronaut, shift=(64.0, 80.0), scale=1.25)


def incidents(models: VisionModels, picture_at: PictureAt, seconds: float) -> list[IncidentChange]:
    """What starts, and alerts, in a session of such pictures."""
    # At its full rate, as of a client that sends only five pictures a second.
    pipeline = Pipeline(load_policy("exam"), VisionAnalyser(models))
    return [change for change in _changes(pipeline, picture_at, seconds) if change.alerts]


def spoofs(models: VisionModels, picture_at: PictureAt, seconds: float) -> list[IncidentChange]:
    """The spoof incidents among them."""
    started = incidents(models, picture_at, seconds)
    return [change for change in started if change.kind == "face.spoof"]


def kinds(changes: list[IncidentChange]) -> list[str]:
    """Of each incident, what it is."""
    return [change.kind for change in changes]


def _changes(pipeline: Pipeline, picture_at: PictureAt, seconds: float) -> Iterator[IncidentChange]:
    for n in range(int(seconds * RATE)):
        _, changes = pipeline.analyse(Frame(n / RATE, picture_at(n)))
        yield from changes


def swaying(photo: Pixels, seed: int = 1) -> PictureAt:
    """The photograph carried about, never twice the same way, before a real camera."""
    path = np.random.default_rng(seed).normal(0, 1, (2, 400)).cumsum(axis=1)

    def picture(n: int) -> Pixels:
        x, y = 3 * path[:, n]
        moved = warp(photo, shift=(float(x), float(y)))
        return with_noise(moved, np.random.default_rng(n), 1.5)

    return picture


def test_a_still_photo_fed_as_the_camera(models: VisionModels, photo: Pixels) -> None:
    (change,) = spoofs(models, lambda _: photo, 17)
    assert "one and the same picture since the session began" in change.reason


def test_a_still_photo_with_a_cameras_noise(models: VisionModels, photo: Pixels) -> None:
    generator = np.random.default_rng(0)
    (change,) = spoofs(models, lambda _: with_noise(photo, generator, 2), 20)
    assert "the head moved less than" in change.reason


def test_a_flat_print_turned_before_the_camera(models: VisionModels, photo: Pixels) -> None:
    generator = np.random.default_rng(0)

    def turning(n: int) -> Pixels:
        yaw = 36 * float(np.sin(2 * np.pi * n / RATE / 6))
        return with_noise(turned_print(photo, yaw, yaw / 4, FACE), generator, 1.5)

    (change,) = spoofs(models, turning, 14)
    assert "turns as a flat sheet does" in change.reason


def test_a_loop_fed_as_the_camera(models: VisionModels, photo: Pixels) -> None:
    length = 9 * RATE
    once = swaying(photo)
    changes = incidents(models, lambda n: once(n % length), 17)
    (change,) = [change for change in changes if change.kind == "camera.looped"]
    assert change.reason == "the same pictures as 9.0 s before, pixel for pixel"
    assert change.started_at <= 12


def test_a_loop_that_is_encoded_anew(models: VisionModels, photo: Pixels) -> None:
    length = 9 * RATE
    once = swaying(photo)

    def encoded(n: int) -> Pixels:
        quality = int(np.random.default_rng(n).integers(60, 91))
        return decode_jpeg(simplejpeg.encode_jpeg(once(n % length), quality=quality))

    changes = spoofs(models, encoded, 26)
    assert any("the picture repeats that of" in change.reason for change in changes)


def test_movement_alone_does_not_accuse(models: VisionModels, photo: Pixels) -> None:
    # Without networks a photo that is only carried about shows itself in time alone: see below.
    assert incidents(models, swaying(photo), 20) == []


@pytest.mark.parametrize("bezel", [False, True])
def test_a_photo_that_moves_as_a_whole_is_told_after_a_minute(
    models: VisionModels, bezel: bool
) -> None:
    """The face is 130 pixels wide, 90 on the tablet."""
    close = warp(photograph("astronaut"), shift=(110.0, 120.0), scale=1.5)
    held = list(held_photo(close, seed=5, seconds=60, rate=RATE, bezel=bezel))
    told = incidents(models, lambda n: held[n].pixels, 60)
    assert kinds(told) == ["face.motionless"]
    assert "no blink in 20 s" in told[0].reason


@pytest.mark.parametrize("gamma", [1.0, 2.0, 3.0])
def test_a_dim_room_raises_nothing(models: VisionModels, photo: Pixels, gamma: float) -> None:
    table = np.asarray(255 * (np.arange(256) / 255) ** gamma, np.uint8)
    once = swaying(photo, seed=2)
    assert spoofs(models, lambda n: np.asarray(cv2.LUT(once(n), table), np.uint8), 12) == []


COVERED = np.full((480, 640, 3), 12, np.uint8)


def one_after_the_other(*parts: tuple[float, PictureAt]) -> PictureAt:
    """Each source for so many seconds."""

    def picture(n: int) -> Pixels:
        left = n / RATE
        for seconds, source in parts:
            if left < seconds:
                return source(n)
            left -= seconds
        raise AssertionError("the session is longer than its parts")

    return picture


def covered(n: int) -> Pixels:
    """A hand on the lens, with the camera's noise."""
    return with_noise(COVERED, np.random.default_rng(n), 1.5)


def test_a_swap_of_persons_while_the_camera_is_covered(models: VisionModels, photo: Pixels) -> None:
    """The second person is a face of other proportions: a bare machine has one photograph. With two
    people: the test below."""
    if models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")
    somebody, other = swaying(photo), swaying(reshaped(photo, FACE))
    started = incidents(models, one_after_the_other((8, somebody), (4, covered), (6, other)), 18)
    assert kinds(started) == ["camera.covered", "face.mismatch"]
    # Changed proportions look like a covered face: five comparisons, not three, half a second apart.
    assert started[1].started_at < 12 + 3
    assert "compared after the camera was covered" in started[1].reason


def test_the_same_person_after_the_camera_was_covered(models: VisionModels, photo: Pixels) -> None:
    somebody = swaying(photo)
    started = incidents(models, one_after_the_other((8, somebody), (4, covered), (8, somebody)), 20)
    assert kinds(started) == ["camera.covered"]


def in_a_room(person: Pixels, at: tuple[int, int]) -> PictureAt:
    """Whoever is in a picture from ``at`` (left, top) on, 250 by 300 pixels, before another wall."""
    room = np.asarray(cv2.resize(photograph("coffee"), (640, 480)), np.uint8)
    moving = swaying(person)

    def picture(n: int) -> Pixels:
        scene = room.copy()
        scene[180:, 200:450] = moving(n)[at[1] : at[1] + 300, at[0] : at[0] + 250]
        return with_noise(scene, np.random.default_rng(n), 1.5)

    return picture


def test_a_swap_of_two_real_people(models: VisionModels, shared_data: Path) -> None:
    if models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")
    first, second = (
        in_a_room(
            decode_jpeg((shared_data / "spoof/nuaa/ClientRaw" / name).read_bytes()), (230, 30)
        )
        for name in ("0001/0001_00_00_01_0.jpg", "0002/0002_01_00_01_92.jpg")
    )
    started = incidents(models, one_after_the_other((8, first), (4, covered), (6, second)), 18)
    assert kinds(started) == ["camera.covered", "face.mismatch"]


def frozen_at(second: float, source: PictureAt) -> PictureAt:
    """The source stops; what it gave last is encoded anew each time, as a video stream does."""

    def picture(n: int) -> Pixels:
        quality = int(np.random.default_rng(n).integers(75, 86))
        still = source(min(n, int(second * RATE)))
        return decode_jpeg(simplejpeg.encode_jpeg(still, quality=quality))

    return picture


def test_a_camera_that_freezes(models: VisionModels, photo: Pixels) -> None:
    assert kinds(incidents(models, frozen_at(6, swaying(photo)), 24)) == ["camera.frozen"]


def test_a_camera_that_is_moved(models: VisionModels, photo: Pixels) -> None:
    """Turned to the side by a third of the picture: the person and the room go with it."""
    room = np.asarray(cv2.resize(photograph("coffee"), (1280, 480)), np.uint8)

    def before(room_at: int) -> PictureAt:
        def picture(n: int) -> Pixels:
            scene = room[:, room_at : room_at + 640].copy()
            face = swaying(photo)(n)[60:300, 180:370]
            left = 380 - room_at
            scene[240:, left : left + 190] = face
            return scene

        return picture

    started = incidents(models, one_after_the_other((6, before(200)), (8, before(0))), 14)
    assert kinds(started) == ["camera.moved"]
    assert "the background became another" in started[0].reason


@pytest.fixture(scope="module")
def everything(models: VisionModels, vision_models: VisionModels) -> VisionModels:
    """With the object detector, without the passive networks."""
    if vision_models.objects is None:
        pytest.skip("the weights of the object detector cannot be had")
    return replace(models, objects=vision_models.objects)


def test_nobody(everything: VisionModels, photo: Pixels) -> None:
    room = np.asarray(cv2.resize(photograph("coffee"), (640, 480)), np.uint8)

    def empty(n: int) -> Pixels:
        return with_noise(room, np.random.default_rng(n), 1.5)

    there = in_a_room(photo, (150, 20))
    parts = one_after_the_other((6, there), (6, empty), (6, there))
    # The camera stands where it stood, and whoever comes back is who was there.
    assert kinds(incidents(everything, parts, 18)) == ["face.absent"]


def with_hands(picture: Pixels, face: Box) -> Pixels:
    """The hand that is held up at the left of that picture, and its mirror image, before the face."""
    hand = picture[116:410, 176:316]
    skin = cv2.morphologyEx(
        (cv2.cvtColor(hand, cv2.COLOR_RGB2YCrCb)[:, :, 1] > 136).astype(np.float32),
        cv2.MORPH_CLOSE,
        np.ones((9, 9), np.uint8),
    )
    size = (int(hand.shape[1] * 1.5), int(hand.shape[0] * 1.5))
    held = np.asarray(cv2.resize(hand, size), np.uint8)
    mask = cv2.GaussianBlur(cv2.resize(skin, size), (5, 5), 0)
    scene = picture.astype(np.float32)
    top = int((face.top + face.bottom - size[1]) / 2)
    for aside, turned in ((-0.25, 1), (0.3, -1)):
        left = int((face.left + face.right - size[0]) / 2 + aside * face.width)
        part = scene[top : top + size[1], left : left + size[0]]
        rows, columns = part.shape[:2]
        share = mask[:rows, ::turned][:, :columns, None]
        part += (held[:rows, ::turned][:, :columns] - part) * share
    return np.asarray(scene, np.uint8)


def test_hands_before_the_face(everything: VisionModels, shared_data: Path) -> None:
    """A real man and his own real hand, put together."""
    (path,) = (shared_data / "phone/walletphone").glob("opencv_frame_134_png*.jpg")
    picture = decode_jpeg(path.read_bytes())
    hidden = with_hands(picture, Box(393, 310, 554, 550))
    parts = one_after_the_other((6, swaying(picture[160:])), (8, swaying(hidden[160:])))
    started = incidents(everything, parts, 14)
    assert kinds(started) == ["face.hidden"]
    assert 6 <= started[0].started_at < 7.5


def beside(source: PictureAt, left_at: Callable[[int], int | None], face: Pixels) -> PictureAt:
    """With a smaller picture of somebody, its left edge where ``left_at`` says, at the top."""

    def picture(n: int) -> Pixels:
        scene, left = source(n).copy(), left_at(n)
        if left is not None:
            height, width = face.shape[:2]
            width = min(width, 640 - left)
            scene[20 : 20 + height, left : left + width] = face[:, :width]
        return with_noise(scene, np.random.default_rng(n), 1.5)

    return picture


@pytest.fixture(scope="module")
def small() -> Pixels:
    """Somebody far behind: a face of 42 pixels."""
    head = photograph("astronaut")[0:230, 130:330]
    return np.asarray(cv2.resize(head, None, fx=0.48, fy=0.48, interpolation=cv2.INTER_AREA))


def test_a_poster_on_the_wall_is_nobody(
    everything: VisionModels, photo: Pixels, small: Pixels
) -> None:
    assert incidents(everything, beside(swaying(photo), lambda _: 500, small), 12) == []


def test_a_passer_by_is_noted_and_a_helper_who_stays_is_told(
    models: VisionModels, photo: Pixels, small: Pixels
) -> None:
    def passing(n: int) -> int | None:
        place = 640 - 26 * (n - 6 * RATE)
        return place if 440 < place < 640 else None

    def staying(n: int) -> int | None:
        return None if n < 6 * RATE else 500 + round(6 * np.sin(n / 3))

    passed = incidents(models, beside(swaying(photo), passing, small), 12)
    assert "person.multiple" not in kinds(passed)
    stayed = incidents(models, beside(swaying(photo), staying, small), 16)
    assert kinds(stayed) == ["person.background", "person.multiple"]
    assert "in the background for" in stayed[1].reason
