"""The filterbank is Kaldi's: checked against kaldi-native-fbank on real speech and on noise."""

from __future__ import annotations

import kaldi_native_fbank
import numpy as np
import pytest
from numpy.typing import NDArray

from proctoring.audio.filterbank import FRAME_LENGTH, MEL_BINS, filterbank, frame_count
from proctoring.audio.pcm import to_waveform


def kaldi(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.window_type = "hamming"
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = MEL_BINS
    options.mel_opts.high_freq = 8000
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(16000, (waveform * 32768).tolist())
    bank.input_finished()
    return np.array([bank.get_frame(i) for i in range(bank.num_frames_ready)])


def test_agrees_with_kaldi_on_real_speech(one_voice: NDArray[np.int16]) -> None:
    waveform = to_waveform(one_voice[: 16000 * 5])
    theirs = kaldi(waveform)
    ours = filterbank(waveform)
    assert ours.shape == theirs.shape == (498, 80)
    assert np.abs(ours - theirs).max() < 2e-3
    assert np.abs(ours - theirs).mean() < 2e-5


def test_agrees_with_kaldi_on_noise() -> None:
    waveform = np.random.default_rng(3).normal(scale=0.1, size=12345).astype(np.float32)
    assert np.abs(filterbank(waveform) - kaldi(waveform)).max() < 2e-3


def test_chosen_frames_are_those_of_the_whole() -> None:
    waveform = np.random.default_rng(4).normal(scale=0.1, size=8000).astype(np.float32)
    chosen = np.array([3, 4, 20, 47])
    assert np.allclose(filterbank(waveform, chosen), filterbank(waveform)[chosen], atol=1e-4)


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2)])
def test_edges_are_snipped(samples: int, frames: int) -> None:
    assert frame_count(samples) == frames
    assert len(filterbank(np.zeros(max(samples, FRAME_LENGTH), np.float32)[:samples])) == frames
