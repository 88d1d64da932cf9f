"""What an analyser remembers is in its snapshots: read from the source, so that nothing need happen to show it."""

from __future__ import annotations

from proctoring.judgement.policy import shipped_policy
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels

from ..attributes import changing, reachable, read_by

SNAPSHOT = frozenset(
    {"state", "history", "pictures", "paths", "backgrounds", "faces", "recent", "all", "schedules"}
    | {"snapshot", "hot", "learned", "biometrics", "judgement"}
    | {"add_hot", "add_learned", "add_pictures"}
)
"""Methods and properties that give what is kept."""

DERIVED = frozenset(
    {
        "Blinks._sorted",  # the apertures
        "EarlierSamples._parts",  # the samples
        "NearRepetition._sums",  # the window
        "RepetitionDetector._last",  # the last digest
    }
)
"""Made of what is kept."""


def test_every_attribute_that_changes_is_kept(vision_models: VisionModels) -> None:
    """Whoever adds one gives it to the snapshot, or says here of what it is made."""
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models))
    kinds = {
        type(one)
        for one in reachable(pipeline)
        if type(one).__module__.startswith(
            ("proctoring.vision.", "proctoring.session.pipeline", "proctoring.judgement.recent")
        )
    }
    kept = {kind: read_by(kind, SNAPSHOT) for kind in kinds}  # type: ignore[arg-type]
    anywhere = frozenset().union(*kept.values())
    forgotten = set()
    for kind in kinds:
        for place in changing(kind):  # type: ignore[arg-type]
            name = place.partition(".")[2]
            # A public attribute may be read by whoever holds the object.
            if name not in (kept[kind] if name.startswith("_") else anywhere):
                forgotten.add(place)
    assert len(kinds) > 30
    assert forgotten == DERIVED
