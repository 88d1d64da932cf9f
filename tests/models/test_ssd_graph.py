"""The cut graph gives what the whole one gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from proctoring.errors import ModelUnavailableError
from proctoring.models.runtime import compile_network, read_graph
from proctoring.models.ssd_graph import CLASSES, SIDE, load_ssd_parts
from proctoring.models.store import ModelStore

INPUT = "Preprocessor/map/TensorArrayStack/TensorArrayGatherV3"
CHOSEN = (77, 1, 90)


@pytest.mark.slow
def test_the_parts_give_the_whole_graphs_numbers_for_the_chosen_classes(
    model_store: ModelStore,
) -> None:
    path = model_store.fetch("ssd_mobilenet_v2")
    picture = np.random.default_rng(0).uniform(0, 255, (1, SIDE, SIDE, 3)).astype(np.float32)
    whole = read_graph(path, {INPUT: picture.shape}, ["concat", "concat_1"])
    codes, logits = compile_network(whole, precision="bf16")(picture)
    parts = load_ssd_parts(path, CHOSEN)
    assert len(parts) > 1

    seen: tuple[np.ndarray, ...] = (picture,)
    for part in parts:
        seen = part(*seen)
    own_codes, *grids = seen
    own = np.concatenate([grid.reshape(-1, len(CHOSEN)) for grid in grids])
    assert logits.shape[-1] == CLASSES
    # Where there is no bf16 they are equal to the last bit.
    assert np.allclose(own_codes, codes, atol=0.02)
    assert np.allclose(own, logits[0][:, list(CHOSEN)], atol=0.02)


def test_another_file_is_refused_by_name(model_store: ModelStore, tmp_path: Path) -> None:
    other = tmp_path / "other.pb"
    other.write_bytes(model_store.fetch("ssd_mobilenet_v2").read_bytes()[:1000])
    with pytest.raises(ModelUnavailableError, match=r"other\.pb cannot be read as a network"):
        load_ssd_parts(other, CHOSEN)
