"""Voice activity detection: Silero on frames of 32 ms, with the network's memory carried over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import Waveform
from proctoring.models.onnx_runtime import OnnxNetwork

FRAME = 512
"""Samples per frame at 16 kHz (32 ms): the only length that Silero VAD 5 and later accept."""
SPEECH_PROBABILITY = 0.5
"""Probability from which a frame is speech: the default of Silero's authors."""
_CONTEXT = 64
"""Last samples of the previous frame, prepended to each frame."""
_MEMORY = 128
"""Units of the recurrent layer."""


@dataclass(frozen=True, slots=True, eq=False)
class VoiceActivityMemory:
    """What the network carries from frame to frame."""

    hidden: NDArray[np.float32]
    """(1, 1, 128)."""
    cell: NDArray[np.float32]
    """(1, 1, 128)."""
    context: Waveform
    """(64,): the end of the previous frame."""


def initial_memory() -> VoiceActivityMemory:
    """Memory before the first frame, and after a gap."""
    empty = np.zeros((1, 1, _MEMORY), np.float32)
    return VoiceActivityMemory(empty, empty, np.zeros(_CONTEXT, np.float32))


def speech_probabilities(
    network: OnnxNetwork, waveform: Waveform, memory: VoiceActivityMemory
) -> tuple[NDArray[np.float32], VoiceActivityMemory]:
    """The probability of speech in each frame.

    Args:
        network: Silero VAD in its sequence form (``silero_vad_16k_sequence.onnx``), which processes
            many frames in one call with the same results as frame by frame.
        waveform: a whole number of frames.
        memory: as the previous call returned it.

    Returns:
        (frames,) probabilities, and the memory for the next call.
    """
    frames = len(waveform) // FRAME
    if not frames:
        return np.zeros(0, np.float32), memory
    whole = np.concatenate([memory.context, waveform[: frames * FRAME]])
    starts = np.arange(frames) * FRAME
    windows = np.lib.stride_tricks.sliding_window_view(whole, _CONTEXT + FRAME)[starts]
    probabilities, hidden, cell = network(
        input=np.ascontiguousarray(windows), h=memory.hidden, c=memory.cell
    )
    return probabilities, VoiceActivityMemory(hidden, cell, whole[-_CONTEXT:].copy())
