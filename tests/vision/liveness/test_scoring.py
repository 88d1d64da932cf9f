"""The passive networks on real pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from proctoring.models.store import ModelStore
from proctoring.observations import Box
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.landmarks import hull
from proctoring.vision.liveness.scoring import LivenessScorer, load_liveness_scorer
from proctoring.vision.networks import VisionModels

from .test_motion import read


@pytest.fixture(scope="module")
def scorer(model_store: ModelStore) -> LivenessScorer:
    scorer, capability = load_liveness_scorer(model_store)
    if scorer is None:
        pytest.skip(f"no passive networks: {capability.reason}")
    assert capability.available
    assert capability.model == scorer.name
    return scorer


@pytest.mark.parametrize(
    ("name", "live"), [("image_T1", True), ("image_F1", False), ("image_F2", False)]
)
def test_the_publishers_samples_are_scored_correctly(
    scorer: LivenessScorer, vision_models: VisionModels, shared_data: Path, name: str, live: bool
) -> None:
    picture = decode_jpeg((shared_data / f"spoof/samples/{name}.jpg").read_bytes())
    (mesh,) = read(vision_models, [picture])

    assert (scorer.score(picture, hull(mesh)) > 0.5) == live


def test_a_store_without_the_networks_says_so_and_leaves_the_cues(tmp_path: Path) -> None:
    scorer, capability = load_liveness_scorer(ModelStore(tmp_path / "models", catalogue=()))

    assert scorer is None
    assert not capability.available
    assert "movement and surroundings alone" in capability.reason


@pytest.mark.parametrize("box", [Box(0, 0, 90, 119), Box(100, 60, 160, 120), Box(-30, -20, 60, 70)])
def test_scores_are_between_0_and_1_at_every_edge(scorer: LivenessScorer, box: Box) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    assert 0 <= scorer.score(noise, box) <= 1
