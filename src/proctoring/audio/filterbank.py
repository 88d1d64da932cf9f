"""Log mel filterbank as Kaldi computes it, the input of the speaker embedding network.

Constants are those of WeSpeaker's and pyannote's front end (``torchaudio.compliance.kaldi.fbank``
with Hamming window, no dither, snipped edges, samples scaled to 16 bit), checked in the tests
against ``kaldi-native-fbank``.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import FULL_SCALE, SAMPLE_RATE, Waveform

FRAME_LENGTH = 400
"""Samples in a frame: 25 ms."""
FRAME_STEP = 160
"""Samples from one frame to the next: 10 ms."""
MEL_BINS = 80
"""Filters."""

_FFT_LENGTH = 512
_LOWEST_HZ = 20.0
_HIGHEST_HZ = 8_000.0
_PRE_EMPHASIS = 0.97
_HAMMING = 0.54
_LOG_FLOOR = 1.1920929e-07
"""float32's epsilon."""
_MEL_SCALE, _MEL_BREAK_HZ = 1127.0, 700.0
"""mel = 1127 ln(1 + f / 700)."""

Features = NDArray[np.float32]
"""(frames, ``MEL_BINS``) natural log of mel energies."""


def frame_count(samples: int) -> int:
    """Whole frames in so many samples."""
    return max(0, 1 + (samples - FRAME_LENGTH) // FRAME_STEP)


def filterbank(waveform: Waveform, frames: NDArray[np.intp] | None = None) -> Features:
    """Features of a waveform, without mean subtraction.

    Args:
        waveform: (n,) at 16 kHz, -1 to 1.
        frames: indices of the frames to compute; all by default.

    Returns:
        (frames, 80).
    """
    if frames is None:
        frames = np.arange(frame_count(len(waveform)))
    if not len(frames):
        return np.zeros((0, MEL_BINS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(waveform, FRAME_LENGTH)
    samples = windows[frames * FRAME_STEP] * np.float32(FULL_SCALE)
    samples -= samples.mean(axis=1, keepdims=True)
    emphasised = np.empty_like(samples)
    emphasised[:, 1:] = samples[:, 1:] - _PRE_EMPHASIS * samples[:, :-1]
    emphasised[:, 0] = samples[:, 0] * (1 - _PRE_EMPHASIS)
    spectrum = np.fft.rfft(emphasised * _window(), _FFT_LENGTH)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    energies = power.astype(np.float32) @ _mel_bank()
    return np.asarray(np.log(np.maximum(energies, np.float32(_LOG_FLOOR))), np.float32)


@cache
def _window() -> NDArray[np.float32]:
    phase = 2 * np.pi * np.arange(FRAME_LENGTH) / (FRAME_LENGTH - 1)
    return (_HAMMING - (1 - _HAMMING) * np.cos(phase)).astype(np.float32)


@cache
def _mel_bank() -> NDArray[np.float32]:
    """(257, 80) triangular filters, evenly spaced in mel."""

    def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(_MEL_SCALE * np.log1p(np.asarray(hertz) / _MEL_BREAK_HZ))

    bins = mel(np.arange(_FFT_LENGTH // 2 + 1) * SAMPLE_RATE / _FFT_LENGTH)
    edges = np.linspace(mel(_LOWEST_HZ), mel(_HIGHEST_HZ), MEL_BINS + 2)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - left) / (centre - left)
    falling = (right - bins[:, None]) / (right - centre)
    bank = np.maximum(0.0, np.minimum(rising, falling))
    bank[-1] = 0.0  # Kaldi leaves the Nyquist bin out
    return bank.astype(np.float32)
