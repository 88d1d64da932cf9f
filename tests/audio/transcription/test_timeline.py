"""Seconds of what was sent, back to media time."""

from __future__ import annotations

import pytest

from proctoring.audio.transcription.timeline import Timeline


def test_audio_without_holes_is_a_shift() -> None:
    timeline = Timeline()
    for n in range(10):
        timeline.add(100 + n * 0.5, 8000)
    assert timeline.media_time(0.0) == pytest.approx(100.0)
    assert timeline.media_time(4.2) == pytest.approx(104.2)


def test_what_was_left_out_moves_what_comes_after() -> None:
    timeline = Timeline()
    timeline.add(0.0, 16000)
    timeline.add(31.0, 16000)
    assert timeline.media_time(0.9) == pytest.approx(0.9)
    assert timeline.media_time(1.5) == pytest.approx(31.5)
