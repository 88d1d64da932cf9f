"""Pictures that return exactly: loops in many guises, and what only resembles one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import cv2
import numpy as np
import pytest
import simplejpeg

from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.repetition import MEMORY, Repetition, RepetitionDetector

from .conftest import photograph

SOURCE_RATE = 25


@cache
def source(number: int) -> Pixels:
    """(48, 64, 3) what a camera saw in its frame of this number: no two are equal."""
    generator = np.random.default_rng(number)
    blocks = np.random.default_rng(number // 5).integers(40, 200, (6, 8, 3)).astype(np.float32)
    moved = cv2.resize(blocks, (64, 48), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(moved + generator.normal(0, 2, moved.shape), 0, 255), np.uint8)


def watch(frames: Iterable[tuple[float, Pixels]]) -> list[tuple[float, Repetition]]:
    """What is found, with its time, asked once a second as the session does."""
    detector = RepetitionDetector()
    found, asked = [], 0.0
    for time, pixels in frames:
        detector.update(Frame(time, pixels))
        if time >= asked:
            asked = time + 1.0
            repetition = detector.repetition(time)
            if repetition is not None:
                found.append((time, repetition))
    return found


def sampled(
    length: float,
    turns: float,
    *,
    rate: float = 10.0,
    jitter: float = 0.0,
    lost: float = 0.0,
    before: float = 0.0,
    order: Callable[[int, int], int] = lambda number, count: number % count,
) -> Iterable[tuple[float, Pixels]]:
    """A loop of ``length`` seconds after ``before`` seconds of a camera, as a client samples it."""
    generator = np.random.default_rng(1)
    count = round(length * SOURCE_RATE)
    for n in range(int((before + length * turns) * rate)):
        time = max(0.0, n / rate + float(generator.uniform(-jitter, jitter)))
        number = int((time - before) * SOURCE_RATE)
        if time < before:
            yield time, source(1_000_000 + number)
        elif generator.random() >= lost:
            yield time, source(order(number, count))


@pytest.mark.parametrize("length", [2.0, 3.0, 6.0, 8.0, 20.0])
def test_an_exact_loop_is_found_in_its_second_turn(length: float) -> None:
    last = max(2.1 * length, 20.0)
    found = watch(sampled(length, last / length))

    time, repetition = found[0]
    assert length < time <= 2 * length + 1
    times = [time for time, _ in found]
    assert max(np.diff([*times, last])) < 1.5  # and at every look after that
    assert repetition.lag == pytest.approx(length, abs=0.05)
    assert not repetition.backwards


@pytest.mark.parametrize("length", [2.0, 3.04, 7.36])
def test_a_client_that_samples_other_frames_of_the_loop_in_every_turn(length: float) -> None:
    time, _ = watch(sampled(length, 4, jitter=0.04))[0]
    assert time <= 2 * length + 2


@pytest.mark.parametrize(
    ("rate", "lost", "turns"), [(10.0, 0.5, 4.0), (5.0, 0.0, 4.0), (5.0, 0.3, 7.0)]
)
def test_a_loop_of_which_few_frames_arrive(rate: float, lost: float, turns: float) -> None:
    found = watch(sampled(6.0, turns + 3, rate=rate, jitter=0.4 / rate, lost=lost))
    assert found[0][0] <= 6.0 * turns
    assert found[-1][0] > 6.0 * (turns + 3) - 4  # and goes on


def test_a_loop_that_begins_late() -> None:
    found = watch(sampled(5.0, 2.5, before=30.0, jitter=0.04))
    assert 35 < found[0][0] <= 41


def test_a_loop_that_goes_forth_and_back() -> None:
    def order(number: int, count: int) -> int:
        number %= 2 * count - 2
        return number if number < count else 2 * count - 2 - number

    time, repetition = watch(sampled(6.0, 3, jitter=0.04, order=order))[0]
    assert repetition.backwards
    assert time <= 12  # on the way back


@pytest.mark.slow
def test_a_loop_of_nearly_ten_minutes() -> None:
    length = MEMORY / 10 - 10
    found = watch(sampled(length, 1.05))
    assert found[0][0] < length + 4


def test_a_camera_never_repeats() -> None:
    assert watch((n / 10, source(n)) for n in range(600)) == []


def test_a_repetition_ends_with_the_loop() -> None:
    loop = list(sampled(3.0, 4))
    camera = [(12 + n / 10, source(500 + n)) for n in range(100)]
    assert 11 <= watch([*loop, *camera])[-1][0] <= 17


def test_a_stopped_camera_is_no_loop() -> None:
    living = [(n / 10, source(n)) for n in range(50)]
    assert watch([*living, *((5 + n / 10, source(49)) for n in range(300))]) == []


def test_a_sender_that_repeats_its_last_frames_is_no_loop() -> None:
    # Every picture three times; after a pause of the network, the last second once more.
    living = [(n / 10, source(n // 3)) for n in range(300)]
    again = [(32 + n / 10, source(90 + n // 3)) for n in range(10)]
    resent = [(35 + n / 10, source(200 + n)) for n in range(100)]
    once_more = [(47 + n / 10, source(290 + n)) for n in range(10)]
    after = [(48 + n / 10, source(300 + n)) for n in range(100)]
    assert watch([*living, *again, *resent, *once_more, *after]) == []


def test_a_still_scene_without_noise_is_no_loop() -> None:
    """A made picture in which a light goes on and off and a small clock counts to sixty."""
    room = np.asarray(cv2.resize(photograph("coffee"), (160, 120)), np.uint8)

    def picture(n: int) -> Pixels:
        scene = room.copy()
        scene[10:13, 10:13] = 255 if n // 5 % 2 else 0
        cv2.putText(scene, f"{n // 10 % 60:02}", (135, 15), 0, 0.3, (0, 0, 0))
        return np.asarray(simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(scene, 80)), np.uint8)

    assert watch((n / 10, picture(n)) for n in range(700)) == []


@pytest.mark.parametrize("qualities", [(60, 90), (30, 95), (80, 84)])
def test_a_still_picture_in_changing_qualities_is_no_loop(qualities: tuple[int, int]) -> None:
    room = np.asarray(cv2.resize(photograph("coffee"), (320, 240)), np.uint8)
    generator = np.random.default_rng(3)
    low, high = qualities
    encoded = {
        quality: simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(room, quality))
        for quality in range(low, high + 1)
    }
    frames = ((n / 10, encoded[int(generator.integers(low, high + 1))]) for n in range(400))
    assert watch(frames) == []


@pytest.mark.parametrize("size", [(32, 32), (1920, 1080)])
def test_pictures_of_any_size(size: tuple[int, int]) -> None:
    pictures = [np.asarray(cv2.resize(source(10 * n), size), np.uint8) for n in range(8)]
    assert watch((n / 4, pictures[n % 8]) for n in range(20))
