"""Who speaks when within ten seconds: pyannote community-1's segmentation network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import SAMPLE_RATE, Waveform
from proctoring.models.onnx_runtime import OnnxNetwork

WINDOW = 10 * SAMPLE_RATE
"""Samples that the network looks at."""
FRAMES = 589
"""Frames that it gives for them."""
LOCAL_SPEAKERS = 3
"""Most voices that it tells apart within a window. Their order means nothing beyond it."""
FRAME_STEP = 0.016875
"""Seconds from frame to frame (the network's receptive field, as published with it)."""
FRAME_CENTRE = 0.0619375 / 2
"""Seconds from the window's start to the middle of the first frame."""

Activity = NDArray[np.bool_]
"""(``FRAMES``, ``LOCAL_SPEAKERS``): who speaks in which frame."""


def segment(network: OnnxNetwork, window: Waveform) -> Activity:
    """Who speaks when in ``window``, (160000,) samples.

    Returns:
        (589, 3): the network itself decides, frame by frame, there are no scores.
    """
    (activity,) = network(waveforms=window[None, None])
    return np.asarray(activity[0] > 0.5)


def frames_in(seconds: float) -> int:
    """Frames in a stretch of time, rounded."""
    return round(seconds / FRAME_STEP)
