from __future__ import annotations

import numpy as np
import pytest

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.session.evidence.bystanders import Look
from proctoring.session.evidence.ring import MediaRing


def second(value: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.full(SAMPLE_RATE, value, np.int16)


def test_it_gives_what_lies_between_two_times() -> None:
    ring = MediaRing(60, 1 << 30)
    for n in range(10):
        ring.picture(float(n), bytes([n]))
        ring.sound(float(n), second(n))
        ring.look(Look(float(n), None, (), ()))
    stretch = ring.between(3, 5, looks_around=1)
    assert [picture.time for picture in stretch.pictures] == [3, 4, 5]
    assert [sound.time for sound in stretch.sounds] == [3, 4]
    assert [look.time for look in stretch.looks] == [2, 3, 4, 5, 6]
    assert stretch.size == 3 + 2 * 2 * SAMPLE_RATE


def test_what_is_older_than_its_seconds_goes() -> None:
    ring = MediaRing(5, 1 << 30)
    for n in range(100):
        ring.picture(n / 5, b"x" * 100)
        ring.look(Look(n / 5, None, (), ()))
    everything = ring.between(0, 100)
    assert everything.pictures[0].time == pytest.approx(99 / 5 - 5)
    assert everything.looks[0].time == pytest.approx(99 / 5 - 5)
    assert ring.size == 100 * len(everything.pictures)


def test_it_never_holds_more_bytes_than_it_may() -> None:
    ring = MediaRing(1000, 10_000)
    for n in range(1000):
        ring.picture(n / 10, b"x" * (n % 7000))
        ring.sound(n / 10, second(0)[:500])
        assert ring.size <= 10_000
        everything = ring.between(0, 1000)
        assert everything.size == ring.size
        assert everything.sounds[-1].time == n / 10, "the newest went before the oldest"


def test_one_picture_larger_than_everything_is_not_held() -> None:
    ring = MediaRing(10, 100)
    ring.picture(0, b"x" * 101)
    assert ring.size == 0


def test_no_more_pictures_are_held_than_are_looked_at() -> None:
    ring = MediaRing(10, 1 << 30)
    for n in range(600):
        ring.picture(n / 60, b"x")
    assert 90 <= len(ring.between(0, 10).pictures) <= 101


def test_it_forgets_everything() -> None:
    ring = MediaRing(10, 1 << 30)
    ring.picture(1, b"x")
    ring.sound(1, second(1))
    ring.look(Look(1, None, (), ()))
    ring.clear()
    stretch = ring.between(0, 10)
    assert (ring.size, stretch.pictures, stretch.sounds, stretch.looks) == (0, (), (), ())
