"""Light is no attack: ten living people, as a lamp, a dim room or a grey camera shows them.

A short form of ``python -m evaluation.light``, which prints what was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation.light import LIGHTS, PEOPLE, describe, run

from proctoring.judgement.policy import load_policy
from proctoring.vision.networks import VisionModels

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(
    ("light", "unread"),
    [
        ("gain 1.4", {"face too bright", "face turned away"}),
        ("gain 1.9 plus 25", {"face too bright", "face turned away"}),
        ("gamma 2.5", {"face turned away"}),
        ("backlight", {"face too bright", "face turned away"}),
        ("one channel", {"picture without colour", "face turned away"}),
        ("JPEG quality 10", {"face turned away"}),
    ],
)
def test_a_living_person_is_not_accused(
    vision_models: VisionModels,
    shared_data: Path,
    record_property: Callable[[str, object], None],
    person: str,
    light: str,
    unread: set[str],
) -> None:
    if vision_models.liveness is None:
        pytest.skip("the weights of the liveness networks cannot be had")
    models = replace(vision_models, objects=None, identity=None)
    found = run(models, load_policy("exam"), shared_data / person, LIGHTS[light], seconds=10)
    record_property("measured", describe([found]))

    assert found.accusations == ()
    assert set(found.unread) <= unread


def test_a_face_in_strong_light_and_a_picture_without_colour_are_not_read(
    vision_models: VisionModels, shared_data: Path
) -> None:
    if vision_models.liveness is None:
        pytest.skip("the weights of the liveness networks cannot be had")
    models = replace(vision_models, objects=None, identity=None)
    recording = shared_data / "video/liveportrait/d9.mp4"
    for light, why in (
        ("gain 1.9 plus 25", "face too bright"),
        ("one channel", "picture without colour"),
    ):
        found = run(models, load_policy("exam"), recording, LIGHTS[light], seconds=2)
        assert set(found.unread) == {why}
        assert all(life.score is None for life in found.lives)
