from __future__ import annotations

import numpy as np
import pytest

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.session.evidence.bystanders import PeopleInFrame
from proctoring.session.evidence.media_buffer import MediaBuffer


def second(value: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.full(SAMPLE_RATE, value, np.int16)


def test_it_gives_what_lies_between_two_times() -> None:
    buffer = MediaBuffer(60, 1 << 30)
    for n in range(10):
        buffer.add_frame(float(n), bytes([n]))
        buffer.add_audio(float(n), second(n))
        buffer.add_people(PeopleInFrame(float(n), None, (), ()))
    segment = buffer.between(3, 5, people_margin=1)
    assert [frame.time for frame in segment.frames] == [3, 4, 5]
    assert [chunk.time for chunk in segment.audio] == [3, 4]
    assert [people.time for people in segment.people] == [2, 3, 4, 5, 6]
    assert segment.size == 3 + 2 * 2 * SAMPLE_RATE


def test_what_is_older_than_its_seconds_goes() -> None:
    buffer = MediaBuffer(5, 1 << 30)
    for n in range(100):
        buffer.add_frame(n / 5, b"x" * 100)
        buffer.add_people(PeopleInFrame(n / 5, None, (), ()))
    everything = buffer.between(0, 100)
    assert everything.frames[0].time == pytest.approx(99 / 5 - 5)
    assert everything.people[0].time == pytest.approx(99 / 5 - 5)
    assert buffer.size == 100 * len(everything.frames)


def test_it_never_holds_more_bytes_than_it_may() -> None:
    buffer = MediaBuffer(1000, 10_000)
    for n in range(1000):
        buffer.add_frame(n / 10, b"x" * (n % 7000))
        buffer.add_audio(n / 10, second(0)[:500])
        assert buffer.size <= 10_000
        everything = buffer.between(0, 1000)
        assert everything.size == buffer.size
        assert everything.audio[-1].time == n / 10, "the newest went before the oldest"


def test_one_frame_larger_than_everything_is_not_held() -> None:
    buffer = MediaBuffer(10, 100)
    buffer.add_frame(0, b"x" * 101)
    assert buffer.size == 0


def test_no_more_frames_are_held_than_are_analysed() -> None:
    buffer = MediaBuffer(10, 1 << 30)
    for n in range(600):
        buffer.add_frame(n / 60, b"x")
    assert 90 <= len(buffer.between(0, 10).frames) <= 101


def test_it_forgets_everything() -> None:
    buffer = MediaBuffer(10, 1 << 30)
    buffer.add_frame(1, b"x")
    buffer.add_audio(1, second(1))
    buffer.add_people(PeopleInFrame(1, None, (), ()))
    buffer.clear()
    segment = buffer.between(0, 10)
    assert (buffer.size, segment.frames, segment.audio, segment.people) == (0, (), (), ())
