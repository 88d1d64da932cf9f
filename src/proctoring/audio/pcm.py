"""Raw PCM as the audio socket carries it: 16 kHz, 16 bit signed little-endian, mono."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples per second, everywhere on this floor."""
FULL_SCALE = 32_768.0
"""The 16 bit value that stands for 1.0."""
SILENCE_DBFS = -100.0
"""The level given for digital silence, and the lowest one ever given."""

Pcm = NDArray[np.int16]
"""(n,) samples at ``SAMPLE_RATE``."""
Waveform = NDArray[np.float32]
"""(n,) samples at ``SAMPLE_RATE``, -1 to 1."""


def decode_pcm(data: bytes, carry: bytes = b"") -> tuple[Pcm, bytes]:
    """Samples of one message of any length.

    Args:
        data: the message.
        carry: the odd byte that the message before left over.

    Returns:
        The samples, and the odd byte to give with the next message (empty or one byte).
    """
    whole = carry + data if carry else data
    odd = len(whole) % 2
    end = len(whole) - odd
    return np.frombuffer(whole[:end], "<i2").astype(np.int16, copy=False), whole[end:]


def to_pcm(samples: NDArray[np.int16] | NDArray[np.float32] | NDArray[np.float64]) -> Pcm:
    """16 bit samples of 16 bit or floating-point ones (-1 to 1, clipped; not-a-number is silence).

    Raises:
        TypeError: samples of another type or with more than one channel.
    """
    if samples.ndim != 1:
        raise TypeError(f"sound must be mono, one sample after another, not {samples.shape}")
    if samples.dtype == np.int16:
        return np.asarray(samples, np.int16)
    if samples.dtype.kind != "f":
        raise TypeError(f"samples must be 16 bit or floating point, not {samples.dtype}")
    scaled = np.nan_to_num(samples * FULL_SCALE, posinf=FULL_SCALE, neginf=-FULL_SCALE)
    return np.clip(np.rint(scaled), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def to_waveform(samples: Pcm) -> Waveform:
    """The same sound, -1 to 1."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def level_dbfs(samples: Pcm) -> float:
    """Root mean square level in decibels below full scale (a full-scale square wave is 0)."""
    if not len(samples):
        return SILENCE_DBFS
    power = float(np.mean(np.square(samples.astype(np.float64) / FULL_SCALE)))
    return max(10.0 * float(np.log10(power)), SILENCE_DBFS) if power > 0 else SILENCE_DBFS
