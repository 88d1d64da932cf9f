"""Speaker segmentation of ten seconds: pyannote community-1's network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import SAMPLE_RATE, Waveform
from proctoring.models.onnx_runtime import OnnxNetwork

WINDOW = 10 * SAMPLE_RATE
"""Samples of the network's input: ten seconds."""
FRAMES = 589
"""Frames of its output."""
LOCAL_SPEAKERS = 3
"""Speakers that it can separate within a window. Their indices are local to the window."""
FRAME_STEP = 0.016875
"""Seconds from frame to frame (step of the receptive field, from the published model)."""
FRAME_CENTRE = 0.0619375 / 2
"""Seconds from the window's start to the centre of the first frame: half its receptive field, from the
published model."""

_THRESHOLD = 0.5
"""Between the two values of the output."""

Activity = NDArray[np.bool_]
"""(``FRAMES``, ``LOCAL_SPEAKERS``): whether a local speaker is active in a frame."""


def segment(network: OnnxNetwork, window: Waveform) -> Activity:
    """Segment a window.

    Args:
        network: the exported network, whose output is 0 or 1 (its powerset classes are decoded inside).
        window: (160000,).
    """
    (activity,) = network(waveforms=window[None, None])
    return np.asarray(activity[0] > _THRESHOLD)


def frames_in(seconds: float) -> int:
    """Frames in so many seconds, rounded."""
    return round(seconds / FRAME_STEP)
