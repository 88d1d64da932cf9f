"""Sound that waits: in order, bounded, and honest about what it lost."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.session.audio_buffer import AudioBuffer, Gap


def ramp(start: int, end: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.arange(start, end, dtype=np.int16)


def test_sound_comes_out_in_order_and_in_pieces_of_at_most_what_is_asked() -> None:
    buffer = AudioBuffer(1000)
    assert buffer.put(ramp(0, 300)) == 0
    assert buffer.put(ramp(300, 500)) == 0
    taken = []
    while (item := buffer.pop(128)) is not None:
        assert not isinstance(item, Gap)
        assert len(item) <= 128
        taken.append(item)
    assert np.array_equal(np.concatenate(taken), ramp(0, 500))


def test_what_does_not_fit_becomes_one_gap_in_its_place() -> None:
    buffer = AudioBuffer(400)
    assert buffer.put(ramp(0, 480)) == pytest.approx(80 / 16_000)
    assert buffer.put(ramp(0, 160)) == pytest.approx(160 / 16_000)
    first = buffer.pop(1000)
    assert isinstance(first, np.ndarray)
    assert len(first) == 400
    lost = buffer.pop(1000)
    assert isinstance(lost, Gap)
    assert lost.seconds == pytest.approx(240 / 16_000)
    assert buffer.put(ramp(0, 100)) == 0
    assert len(buffer.pop(1000)) == 100  # type: ignore[arg-type]
    assert buffer.pop(1000) is None


def test_pieces_are_joined_up_to_the_next_gap() -> None:
    buffer = AudioBuffer(1000)
    for start in range(0, 300, 60):
        buffer.put(ramp(start, start + 60))
    assert not buffer.has(301)
    assert buffer.has(300)
    first = buffer.pop(200)
    assert isinstance(first, np.ndarray)
    assert np.array_equal(first, ramp(0, 200))
    buffer.put_gap(1.0)
    assert buffer.has(301), "a gap is worth a turn, however little waits"
    rest = buffer.pop(200)
    assert isinstance(rest, np.ndarray)
    assert np.array_equal(rest, ramp(200, 300))
    assert buffer.pop(200) == Gap(1.0)
    assert not buffer.has(1)
