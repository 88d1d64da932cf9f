"""Networks in 8 bit, made from the published files."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from proctoring.audio.embedding import embed
from proctoring.audio.filterbank import filterbank
from proctoring.audio.networks import (
    EMBEDDING,
    SEGMENTATION,
    load_embedding,
    load_segmentation,
)
from proctoring.audio.pcm import to_waveform
from proctoring.audio.segmentation import WINDOW, SegmentationNetwork, segment
from proctoring.models.compiled import FOLDER
from proctoring.models.onnx_runtime import load_onnx_network
from proctoring.models.store import ModelStore


@pytest.fixture
def models_folder(model_store: ModelStore, tmp_path: Path) -> ModelStore:
    """A models folder of this test's own, with the published files and nothing kept."""
    for name in (SEGMENTATION, EMBEDDING):
        source = model_store.fetch(name)
        (tmp_path / name).mkdir()
        shutil.copy(source, tmp_path / name / source.name)
    return ModelStore(tmp_path)


def test_segmentation_in_8_bit_finds_the_same_speakers(
    model_store: ModelStore, two_voices: NDArray[np.int16]
) -> None:
    path = model_store.fetch(SEGMENTATION)
    published = SegmentationNetwork(None, load_onnx_network(path))
    window = to_waveform(two_voices[:WINDOW])
    one, other = segment(published, window), segment(load_segmentation(path), window)
    assert one.any()
    assert (one != other).mean() < 0.01  # of frames and local speakers


def test_a_speaker_embedding_in_8_bit_is_the_same_voice(
    model_store: ModelStore, one_voice: NDArray[np.int16]
) -> None:
    published = load_onnx_network(model_store.fetch(EMBEDDING))
    small = load_embedding(model_store.fetch(EMBEDDING))
    features = filterbank(to_waveform(one_voice[:32_000]))
    assert float(embed(published, features) @ embed(small, features)) > 0.99


def test_networks_are_made_once_and_read_back_afterwards(
    models_folder: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = models_folder.fetch(SEGMENTATION)
    load_segmentation(path)
    kept = sorted(file for file in (models_folder.folder / FOLDER).glob("*/*"))
    assert len(kept) == 2
    with monkeypatch.context() as patched:
        for part in ("filters_alone", "after_filters"):
            patched.setattr(f"proctoring.audio.networks.{part}", _must_not_run)
        assert load_segmentation(path).filters is not None
    # A damaged file is made again.
    whole = kept[0].read_bytes()
    kept[0].write_bytes(whole[:-10])
    load_segmentation(path)
    assert kept[0].read_bytes() == whole


def test_a_network_that_cannot_be_made_is_used_as_published(
    models_folder: ModelStore,
    two_voices: NDArray[np.int16],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proctoring.audio.networks.after_filters", _refuses)
    with caplog.at_level(logging.ERROR):
        network = load_segmentation(models_folder.fetch(SEGMENTATION))
    assert "speaker_segmentation_rest cannot be made" in caplog.text
    assert network.filters is None
    assert segment(network, to_waveform(two_voices[:WINDOW])).any()


def _must_not_run(path: Path) -> bytes:
    raise AssertionError(path)


def _refuses(path: Path) -> bytes:
    raise ValueError("not stored in 8 bit")
