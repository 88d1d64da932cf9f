"""Segmentation of overlapping windows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import to_waveform
from proctoring.audio.segmentation import (
    FILTER_STEP,
    WINDOW,
    FilterCache,
    SegmentationNetwork,
    segment,
)
from proctoring.models.onnx_runtime import OnnxNetwork

LATER = 900 * FILTER_STEP
OVERLAP = 250
"""Samples before the new ones that the first filter value needs, the window's end being no multiple of the step."""


class Counted(OnnxNetwork):
    """Counts the samples that are filtered."""

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network
        self.samples: list[int] = []

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        self.samples.append(inputs["samples"].shape[2])
        return self._network(**inputs)


@pytest.fixture
def counted(audio_models: AudioModels) -> tuple[SegmentationNetwork, Counted]:
    assert audio_models.speakers is not None
    network = audio_models.speakers.segmentation
    assert network.filters is not None
    filters = Counted(network.filters)
    return SegmentationNetwork(filters, network.rest), filters


def window_at(audio: NDArray[np.int16], start: int) -> NDArray[np.float32]:
    return to_waveform(audio[start : start + WINDOW])


def test_an_overlapping_window_filters_only_what_is_new_with_the_same_result(
    counted: tuple[SegmentationNetwork, Counted], two_voices: NDArray[np.int16]
) -> None:
    network, filters = counted
    cache = FilterCache()
    for index, start in enumerate((0, LATER, 3 * LATER, 3 * LATER)):
        window = window_at(two_voices, start)
        kept = segment(network, window, cache, WINDOW + start)
        alone = segment(network, window)
        assert kept.any()
        # 16 bit floats are rounded alike; sums over other blocks of samples may differ in the last place.
        assert (kept != alone).mean() < 0.001, index
    assert filters.samples[0] == filters.samples[1] == WINDOW
    fresh = [samples for samples in filters.samples if samples != WINDOW]
    assert fresh == [
        LATER + OVERLAP,
        2 * LATER + OVERLAP,
    ]  # and none for the window that came twice


def test_a_window_far_from_the_last_or_off_the_grid_is_filtered_whole(
    counted: tuple[SegmentationNetwork, Counted], two_voices: NDArray[np.int16]
) -> None:
    network, filters = counted
    cache = FilterCache()
    end = 40 * WINDOW
    for moved in (0, 2 * WINDOW, -LATER, 7):
        segment(network, window_at(two_voices, 0), cache, end + moved)
    assert len(filters.samples) == 4
    assert len(set(filters.samples)) == 1


def test_what_is_kept_is_freed_when_little_of_it_can_be_used(
    counted: tuple[SegmentationNetwork, Counted], two_voices: NDArray[np.int16]
) -> None:
    network, filters = counted
    cache = FilterCache()
    segment(network, window_at(two_voices, 0), cache, WINDOW)
    cache.drop(WINDOW + LATER)
    segment(network, window_at(two_voices, LATER), cache, WINDOW + LATER)
    assert filters.samples[1] < WINDOW // 2
    cache.drop(3 * WINDOW)
    segment(network, window_at(two_voices, LATER), cache, WINDOW + LATER)
    assert filters.samples[2] == filters.samples[0]
