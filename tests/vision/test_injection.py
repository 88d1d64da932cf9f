"""Still images and loops in place of a camera."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import simplejpeg

from proctoring.observations import InjectionIndicators
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.injection import InjectionDetector
from proctoring.vision.near_repetition import SAMPLE_PERIOD

from .conftest import photograph, warp
from .moving import with_noise


def watch(picture_at: Callable[[float], Pixels], seconds: float) -> list[InjectionIndicators]:
    stream = InjectionDetector()
    return [
        stream.update(Frame(n * SAMPLE_PERIOD, picture_at(n * SAMPLE_PERIOD)))
        for n in range(int(seconds / SAMPLE_PERIOD))
    ]


def wanderer(portrait: Pixels, seed: int) -> Callable[[float], Pixels]:
    """A person who sways, turns and leans as people do, never twice the same, before a camera."""
    small = cv2.resize(portrait, (160, 120), interpolation=cv2.INTER_AREA)
    generator = np.random.default_rng(seed)
    knots = generator.normal(0, 1, (4, 200)).cumsum(axis=1)
    knots -= np.array([np.convolve(row, np.ones(9) / 9, "same") for row in knots])  # stays about

    def picture(time: float) -> Pixels:
        x, y, turn, lean = (float(np.interp(time / 0.7, np.arange(200), row)) for row in knots)
        moved = warp(
            np.asarray(small, np.uint8),
            shift=(2.5 * x, 2 * y),
            turn=2 * turn,
            scale=1 + 0.02 * lean,
            size=(160, 120),
        )
        return with_noise(moved, np.random.default_rng(int(time * 1e3)), 2)

    return picture


def test_a_still_picture_has_never_changed(astronaut: Pixels) -> None:
    last = watch(lambda _: astronaut, 12)[-1]

    assert not last.ever_changed
    assert last.unchanged_for == pytest.approx(11.8)
    assert last.repeats_after is None


def encoded(picture: Pixels, quality: int) -> Pixels:
    """As it comes out of a JPEG of this quality."""
    return np.asarray(simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(picture, quality)), np.uint8)


@pytest.mark.parametrize("qualities", [(60, 90), (80, 84), (70, 70)])
def test_a_frozen_camera_is_found_though_every_picture_is_encoded_anew(
    astronaut: Pixels, qualities: tuple[int, int]
) -> None:
    generator = np.random.default_rng(5)
    living = wanderer(astronaut, 1)

    def picture(time: float) -> Pixels:
        low, high = qualities
        quality = int(generator.integers(low, high + 1))
        return encoded(living(min(time, 4.0)), quality)

    signs = watch(picture, 24)
    assert signs[-1].ever_changed
    assert signs[-1].unchanged_for > 6
    assert max(sign.unchanged_for for sign in signs[:20]) < 0.5


@pytest.mark.parametrize(
    "noise",
    [
        0.3,
        pytest.param(0.5, marks=pytest.mark.slow),
        pytest.param(1.0, marks=pytest.mark.slow),
        2.0,
    ],
)
@pytest.mark.parametrize("quality", [60, 85])
def test_a_very_still_room_is_not_frozen(noise: float, quality: int) -> None:
    room = np.asarray(cv2.resize(photograph("coffee"), (640, 480)), np.uint8)
    generator = np.random.default_rng(6)
    signs = watch(lambda _: encoded(with_noise(room, generator, noise), quality), 12)
    assert max(sign.unchanged_for for sign in signs) == 0
    assert signs[-1].ever_changed


def test_a_camera_that_stutters_in_bad_light_is_not_frozen(astronaut: Pixels) -> None:
    living = wanderer(astronaut, 1)
    signs = watch(lambda time: living(int(time * 2.5) / 2.5), 15)  # each picture comes twice
    assert max(sign.unchanged_for for sign in signs) < 0.5


def test_a_camera_that_freezes_has_changed_before(astronaut: Pixels) -> None:
    living = wanderer(astronaut, 1)
    last = watch(lambda time: living(min(time, 3.0)), 9)[-1]

    assert last.ever_changed
    assert last.unchanged_for == pytest.approx(5.8, abs=0.3)


def test_a_still_scene_before_a_real_camera_changes_all_the_time(astronaut: Pixels) -> None:
    generator = np.random.default_rng(0)
    signs = watch(lambda _: with_noise(astronaut[::4, ::4], generator, 1.0), 30)

    assert max(sign.unchanged_for for sign in signs) == 0
    assert all(sign.repeats_after is None for sign in signs)


@pytest.mark.parametrize("length", [7.3, 14.0])
def test_a_loop_is_found_once_it_has_repeated(astronaut: Pixels, length: float) -> None:
    once = wanderer(astronaut, 2)
    signs = watch(lambda time: once(time % length), 2 * length + 8)

    first = next(n for n, sign in enumerate(signs) if sign.repeats_after is not None)
    assert first * SAMPLE_PERIOD <= length + 7
    found = signs[first].repeats_after
    assert found is not None
    assert found % length == pytest.approx(0, abs=0.35) or found % length > length - 0.35
    assert signs[-1].repeats_after is not None


@pytest.mark.parametrize("seed", range(3, 9))
def test_a_person_filmed_once_does_not_repeat(astronaut: Pixels, seed: int) -> None:
    assert all(sign.repeats_after is None for sign in watch(wanderer(astronaut, seed), 60))


def test_a_person_who_rocks_in_the_chair_is_no_repetition(astronaut: Pixels) -> None:
    still = np.asarray(cv2.resize(astronaut, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
    generator = np.random.default_rng(6)
    phase = np.cumsum(generator.normal(1.0, 0.12, 400)) * 2 * np.pi * SAMPLE_PERIOD / 1.8

    def rocking(time: float) -> Pixels:
        step = round(time / SAMPLE_PERIOD)
        moved = warp(still, shift=(0.0, 4 * float(np.sin(phase[step]))), size=(160, 120))
        return with_noise(moved, generator, 2)

    assert all(sign.repeats_after is None for sign in watch(rocking, 60))


def test_a_long_gap_starts_the_memory_anew(astronaut: Pixels) -> None:
    stream = InjectionDetector()
    once = wanderer(astronaut, 5)
    for start in (0.0, 100.0):
        for n in range(35):
            signs = stream.update(Frame(start + n * SAMPLE_PERIOD, once(n * SAMPLE_PERIOD)))
    assert signs.repeats_after is None


def as_received(time: float, picture: Pixels, quality: int = 85) -> Frame:
    return Frame(time, read_jpeg(simplejpeg.encode_jpeg(picture, quality)))


def test_few_frames_of_a_camera_are_decoded(astronaut: Pixels) -> None:
    living, stream = wanderer(astronaut, 1), InjectionDetector()
    frames = [as_received(n * SAMPLE_PERIOD, living(n * SAMPLE_PERIOD)) for n in range(75)]
    signs = [stream.update(frame) for frame in frames]
    assert sum(frame.decoded for frame in frames[25:]) <= 20  # of 10 s
    assert signs[-1].ever_changed
    assert max(sign.unchanged_for for sign in signs) <= 0.6


def test_frames_that_others_decode_between_updates_are_compared_instead(astronaut: Pixels) -> None:
    living, stream = wanderer(astronaut, 1), InjectionDetector()
    updated = []
    for n in range(100):
        frame = as_received(n / 10, living(n / 10))
        if n % 5 == 0:
            assert frame.pixels.size  # as where a face that rests is measured
        if n % 2 == 0:
            signs = stream.update(frame)
            updated.append(frame)
        stream.look(frame)
    assert [frame.time for frame in updated if frame.decoded][-5:] == [5, 6, 7, 8, 9]
    assert signs.unchanged_for <= 0.6


@pytest.mark.parametrize("same_quality", [True, False])
def test_a_frozen_camera_is_found_though_its_frames_are_not_decoded_by_others(
    astronaut: Pixels, same_quality: bool
) -> None:
    generator, living = np.random.default_rng(5), wanderer(astronaut, 1)
    stream = InjectionDetector()
    for n in range(60):
        time = n * SAMPLE_PERIOD
        quality = 85 if same_quality else int(generator.integers(80, 85))
        signs = stream.update(as_received(time, living(min(time, 6.0)), quality))
    assert signs.ever_changed
    # Pictures that are encoded anew in other qualities are new while there are few of them.
    late = 0.0 if same_quality else 3.0
    assert 11.8 - 6.0 - late - 0.4 <= signs.unchanged_for <= 11.8 - 6.0
    if same_quality:
        assert signs.unchanged_for == pytest.approx(5.8)
