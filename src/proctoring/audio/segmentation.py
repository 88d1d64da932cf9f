"""Speaker segmentation of ten seconds: pyannote community-1's network."""

from __future__ import annotations

from dataclasses import dataclass

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

FILTER_STEP = 10
"""Samples from one value of the network's band filters to the next."""

_THRESHOLD = 0.5
"""Between the two values of the output."""
_FILTER_SAMPLES = 251
"""Samples that one value follows from."""
_VARIANCE_FLOOR = 1e-5
"""Added to the window's variance by the published network."""

Activity = NDArray[np.bool_]
"""(``FRAMES``, ``LOCAL_SPEAKERS``): whether a local speaker is active in a frame."""
Bands = NDArray[np.float16]
"""(1, 80, 15975): what the band filters make of a window."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentationNetwork:
    """The exported network, whose output is 0 or 1 (its powerset classes are decoded inside)."""

    filters: OnnxNetwork | None
    """Its first part (``segmentation_graph.py``); ``None``: ``rest`` is the whole network."""
    rest: OnnxNetwork


class FilterCache:
    """What the filters made of a session's last window: overlapping windows share most of it."""

    def __init__(self) -> None:
        self._bands: Bands | None = None
        self._end = 0

    def bands(self, filters: OnnxNetwork, window: Waveform, end: int) -> Bands:
        """Of a window; only samples since the last one are filtered.

        Args:
            filters: the network's first part.
            window: (160000,).
            end: number of the sample after its last, counted through the session.
        """
        whole = (WINDOW - _FILTER_SAMPLES) // FILTER_STEP + 1
        fresh, odd = divmod(end - self._end, FILTER_STEP)
        last = self._bands
        if last is None or odd or not 0 <= fresh < whole:
            last, fresh = None, whole
        if fresh:
            (new,) = filters(samples=window[None, None, (whole - fresh) * FILTER_STEP :])
            last = new if last is None else np.concatenate([last[:, :, fresh:], new], axis=2)
        assert last is not None  # noqa: S101
        self._bands, self._end = last, end
        return last

    def drop(self, end: int) -> None:
        """Free the memory if less than half a window is shared with one that ends at ``end``."""
        if end - self._end > WINDOW // 2:
            self._bands = None


def segment(
    network: SegmentationNetwork, window: Waveform, cache: FilterCache | None = None, end: int = 0
) -> Activity:
    """Segment a window.

    Args:
        network: both parts, or the whole.
        window: (160000,).
        cache: of the session whose window this is.
        end: as for :meth:`FilterCache.bands`.
    """
    if network.filters is None:
        (activity,) = network.rest(waveforms=window[None, None])
    else:
        bands = (cache or FilterCache()).bands(network.filters, window, end)
        mean = float(window.mean(dtype=np.float64))
        power = float(np.square(window, dtype=np.float64).mean())
        deviation = np.sqrt(power - mean * mean + _VARIANCE_FLOOR)
        (activity,) = network.rest(
            bands=bands,
            mean=np.array([mean], np.float32),
            deviation=np.array([deviation], np.float32),
        )
    return np.asarray(activity[0] > _THRESHOLD)


def frames_in(seconds: float) -> int:
    """Frames in so many seconds, rounded."""
    return round(seconds / FRAME_STEP)
