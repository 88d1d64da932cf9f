"""Raw PCM: any cut of the bytes gives the same samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctoring.audio.pcm import SILENCE_DBFS, decode_pcm, level_dbfs, to_pcm


@given(st.binary(max_size=400), st.lists(st.integers(0, 60), max_size=12))
def test_any_cut_of_the_bytes_gives_the_same_samples(data: bytes, cuts: list[int]) -> None:
    whole, rest = decode_pcm(data)
    pieces, carry, at = [], b"", 0
    for length in [*cuts, len(data)]:
        samples, carry = decode_pcm(data[at : at + length], carry)
        pieces.append(samples)
        at += length
    assert np.concatenate(pieces).tolist() == whole.tolist()
    assert carry == rest


def test_samples_are_little_endian_and_signed() -> None:
    samples, carry = decode_pcm(b"\x01\x00\xff\xff\x00\x80\x07")
    assert samples.tolist() == [1, -1, -32768]
    assert carry == b"\x07"


def test_floats_are_clipped_and_nan_is_silence() -> None:
    samples = to_pcm(np.array([0.5, -2.0, 2.0, np.nan, np.inf], np.float32))
    assert samples.tolist() == [16384, -32768, 32767, 0, 32767]


@pytest.mark.parametrize("bad", [np.zeros((2, 5), np.int16), np.zeros(5, np.int32)])
def test_other_forms_of_audio_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(TypeError, match=r"mono|16 bit"):
        to_pcm(bad)


def test_level_of_square_wave_sine_and_silence() -> None:
    time = np.arange(16000) / 16000
    sine = to_pcm(np.sin(2 * np.pi * 440 * time))
    assert level_dbfs(np.full(100, -32768, np.int16)) == 0.0
    assert level_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(np.zeros(100, np.int16)) == SILENCE_DBFS
    assert level_dbfs(np.zeros(0, np.int16)) == SILENCE_DBFS
