"""Whether somebody speaks: Silero on frames of 32 ms, with the network's memory carried over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import Waveform
from proctoring.models.onnx_runtime import OnnxNetwork

FRAME = 512
"""Samples in a frame: 32 ms."""
_CONTEXT = 64  # samples of the frame before, given along with each frame
_MEMORY = 128  # units of the recurrent layer


@dataclass(frozen=True, slots=True, eq=False)
class VoiceActivityMemory:
    """What the network carries from frame to frame."""

    hidden: NDArray[np.float32]
    """(1, 1, 128)."""
    cell: NDArray[np.float32]
    """(1, 1, 128)."""
    context: Waveform
    """(64,): the end of the frame before."""


def initial_memory() -> VoiceActivityMemory:
    """Memory before the first frame, and after a gap."""
    empty = np.zeros((1, 1, _MEMORY), np.float32)
    return VoiceActivityMemory(empty, empty, np.zeros(_CONTEXT, np.float32))


def speech_probabilities(
    network: OnnxNetwork, waveform: Waveform, memory: VoiceActivityMemory
) -> tuple[NDArray[np.float32], VoiceActivityMemory]:
    """How likely each frame is speech.

    Args:
        network: Silero VAD in its sequence form (``silero_vad_16k_sequence.onnx``), which takes
            many frames in one call and gives the same numbers as frame by frame.
        waveform: a whole number of frames.
        memory: what the call before returned.

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
