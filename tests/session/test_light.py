"""Light is no attack: living people whom a lamp or a grey camera once accused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from evaluation.light import LIGHTS, run

from proctoring.judgement.policy import load_policy
from proctoring.vision.networks import VisionModels

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("light", "why"),
    [
        ("gain 1.9 plus 25", {"face too bright"}),
        ("one channel", {"picture without colour"}),
        ("gain 1.4", set()),
        ("JPEG quality 10", set()),
    ],
)
def test_a_living_person_in_this_light_is_not_accused(
    vision_models: VisionModels, shared_data: Path, light: str, why: set[str]
) -> None:
    if vision_models.liveness is None:
        pytest.skip("the weights of the liveness networks cannot be had")
    models = replace(vision_models, objects=None, identity=None)
    recording = shared_data / "video/liveportrait/d9.mp4"
    found = run(models, load_policy("exam"), recording, LIGHTS[light], seconds=10)

    assert found.accusations == ()
    assert set(found.unread) == why
