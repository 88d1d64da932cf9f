"""Raw PCM in the format of the audio socket: 16 kHz, 16 bit signed little-endian, mono."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples per second, everywhere in this package."""
FULL_SCALE = 32_768.0
"""The 16 bit value of 1.0."""
SILENCE_DBFS = -100.0
"""Level of digital silence, and the lowest level reported, in dBFS."""

Pcm = NDArray[np.int16]
"""(n,) samples at ``SAMPLE_RATE``."""
Waveform = NDArray[np.float32]
"""(n,) samples at ``SAMPLE_RATE``, -1 to 1."""


def decode_pcm(data: bytes, carry: bytes = b"") -> tuple[Pcm, bytes]:
    """Decode one message of any length.

    Args:
        data: the message.
        carry: the odd byte left over by the previous message.

    Returns:
        The samples, and the odd byte for the next call (empty or one byte).
    """
    whole = carry + data if carry else data
    odd = len(whole) % 2
    end = len(whole) - odd
    return np.frombuffer(whole[:end], "<i2").astype(np.int16, copy=False), whole[end:]


def to_pcm(samples: NDArray[np.int16] | NDArray[np.float32] | NDArray[np.float64]) -> Pcm:
    """Convert 16 bit or floating-point samples (-1 to 1, clipped; NaN is silence) to 16 bit.

    Raises:
        TypeError: samples of another type or with more than one channel.
    """
    if samples.ndim != 1:
        raise TypeError(f"audio must be mono, one sample after another, not {samples.shape}")
    if samples.dtype == np.int16:
        return np.asarray(samples, np.int16)
    if samples.dtype.kind != "f":
        raise TypeError(f"samples must be 16 bit or floating point, not {samples.dtype}")
    scaled = np.nan_to_num(samples * FULL_SCALE, posinf=FULL_SCALE, neginf=-FULL_SCALE)
    return np.clip(np.rint(scaled), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def to_waveform(samples: Pcm) -> Waveform:
    """Convert to floating point, -1 to 1."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def level_dbfs(samples: Pcm) -> float:
    """Root mean square level in dBFS, ``SILENCE_DBFS`` to 0 (a full-scale square wave is 0)."""
    if not len(samples):
        return SILENCE_DBFS
    power = float(np.mean(np.square(samples.astype(np.float64) / FULL_SCALE)))
    return max(10.0 * float(np.log10(power)), SILENCE_DBFS) if power > 0 else SILENCE_DBFS
