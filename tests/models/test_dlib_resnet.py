"""dlib's network in our runtime: the same numbers, without the interpreter's lock."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import dlib
import numpy as np
import pytest

from proctoring.errors import ModelUnavailableError
from proctoring.models.dlib_resnet import load_dlib_embedding
from proctoring.models.network import Network
from proctoring.models.store import ModelStore

from ..vision.conftest import photograph


@pytest.fixture(scope="module")
def weights(model_store: ModelStore) -> Path:
    """The file of weights; skips where it cannot be had."""
    try:
        return model_store.fetch("dlib_face_embedding")
    except ModelUnavailableError as error:
        pytest.skip(error.detail)


@pytest.fixture(scope="module")
def network(weights: Path) -> Network:
    return load_dlib_embedding(weights)


def test_gives_what_dlib_itself_gives(weights: Path, network: Network) -> None:
    original = dlib.face_recognition_model_v1(str(weights))
    face = np.ascontiguousarray(photograph("astronaut")[40:190, 150:300])
    noise = np.random.default_rng(0).integers(0, 255, (150, 150, 3), np.uint8)
    for picture in (face, noise):
        (values,) = network(picture[None].astype(np.float32))
        wanted = np.array(original.compute_face_descriptor(picture))
        np.testing.assert_allclose(values[0], wanted, atol=1e-5)


def test_lets_other_threads_run_meanwhile(network: Network) -> None:
    face = np.zeros((1, 150, 150, 3), np.float32)
    turns, over = 0, False

    def count() -> None:
        nonlocal turns
        while not over:
            turns += 1
            time.sleep(0.0005)

    def turns_during_a_call() -> int:
        before = turns
        network(face)
        return turns - before

    thread = threading.Thread(target=count)
    thread.start()
    try:
        # dlib's own binding allows one or two turns per call: between them, never during one. On a
        # busy machine the other thread may have to wait for a core: during another call it has one.
        assert any(turns_during_a_call() > 4 for _ in range(200))
    finally:
        over = True
        thread.join()


def test_a_file_cut_short_is_refused_by_name(weights: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.dat"
    short.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(ModelUnavailableError, match=r"short\.dat cannot be read as dlib's"):
        load_dlib_embedding(short)


def test_something_else_is_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "other.dat"
    other.write_bytes(b"\x01\x05con_4" + bytes(100))
    with pytest.raises(ModelUnavailableError, match=r"other\.dat cannot be read as dlib's"):
        load_dlib_embedding(other)
