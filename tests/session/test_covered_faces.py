"""Real people who cover a part of the face are not told as somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluation.covered_faces import PEOPLE, reference, session, shots
from evaluation.covers import COVERS, LIGHTS

from proctoring.vision.networks import VisionModels

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("person", "light", "cover", "differs"),
    [
        ("d9", "as recorded", "white mask", {"face.mismatch"}),
        ("bil", "grey", "scarf", {"face.mismatch"}),
        ("clm-A", "bright", "hand", set()),
        ("vr5", "colour cast", "dark glasses", set()),
    ],
)
def test_the_right_person_covered_in_part(
    vision_models: VisionModels,
    shared_data: Path,
    person: str,
    light: str,
    cover: str,
    differs: set[str],
) -> None:
    """``differs``: what the whole face alone would be told as."""
    if vision_models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")
    seen = shots(vision_models, shared_data / PEOPLE[person])
    known = reference(vision_models, seen, LIGHTS[light])
    assert known is not None
    assert session(vision_models, known, seen, COVERS[cover], LIGHTS[light]) == set()
    whole = session(vision_models, known, seen, COVERS[cover], LIGHTS[light], whole=True)
    assert whole == differs
