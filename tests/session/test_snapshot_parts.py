"""A session that is continued from parts that are older, missing, from another version or damaged."""

from __future__ import annotations

import zlib
from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest

from proctoring.session.pipeline import JudgementSnapshot, PipelineSnapshot
from proctoring.snapshots import SnapshotError, decode, encode
from proctoring.vision.identity.verifier import VerifierFaces
from proctoring.vision.networks import VisionModels
from proctoring.vision.snapshot import HotVision, LearnedVision, VisionPictures

from ..vision.gated import portrait
from .test_pipeline_snapshots import Seen, Sitting, continued, filmed, new, sitting, watch

AT = 8.25
"""When the snapshot is taken, in seconds: baselines and the reference are learned by then."""


@pytest.fixture(scope="module")
def still(vision_models: VisionModels) -> Sitting:
    """A face that does not move, for 20 s."""
    face = portrait()
    times = [n / 5 for n in range(40)] + [8.0 + n / 10 for n in range(10)] + [9.0, 11.0, 20.0]
    return sitting(replace(vision_models, objects=None), filmed((time, face) for time in times))


def snapshot_at(whole: Sitting, time: float) -> PipelineSnapshot:
    pipeline = new(whole.models)
    watch(pipeline, [frame for frame in whole.clip if frame[0] < time], Seen())
    return pipeline.snapshot()


@pytest.fixture(scope="module")
def taken(still: Sitting) -> PipelineSnapshot:
    """Between two frames of which the second carries the face of the first over."""
    return snapshot_at(still, AT)


def go_on(whole: Sitting, snapshot: PipelineSnapshot) -> tuple[Seen, tuple[Any, ...]]:
    """What is seen after the snapshot, and what has been learned at the end."""
    pipeline, seen = continued(whole.models, snapshot), Seen()
    watch(pipeline, [frame for frame in whole.clip if frame[0] >= AT], seen)
    return seen, pipeline.analyser.progress


def without(snapshot: PipelineSnapshot, **parts: Any) -> PipelineSnapshot:
    return replace(snapshot, vision=replace(snapshot.vision, **parts))


def test_the_session_carries_faces_over(still: Sitting, taken: PipelineSnapshot) -> None:
    first = go_on(still, taken)[0].observations[0]
    assert first.carried_since is not None
    assert first == next(one for one in still.seen.observations if one.time >= AT)


def test_without_pictures_the_next_frame_is_measured(
    still: Sitting, taken: PipelineSnapshot
) -> None:
    seen, learned = go_on(still, without(taken, pictures=VisionPictures()))
    first = seen.observations[0]
    assert first.carried_since is None
    assert first.candidate is not None
    assert first.candidate.gaze is not None
    assert first.candidate.track == 1
    assert learned == go_on(still, taken)[1], "nothing is learned anew"


def test_without_what_was_learned_the_baselines_stand(
    still: Sitting, taken: PipelineSnapshot
) -> None:
    seen, learned = go_on(still, without(taken, learned=LearnedVision(), pictures=VisionPictures()))
    first = seen.observations[0]
    assert first.candidate is not None
    assert first.candidate.baseline_ready
    assert first.candidate.gaze is not None
    assert first.candidate.gaze.pitch is not None
    assert learned[0]


def test_what_was_learned_may_be_older(still: Sitting, taken: PipelineSnapshot) -> None:
    earlier = snapshot_at(still, 2.0).vision
    seen, _ = go_on(
        still,
        without(
            taken,
            learned=earlier.learned,
            biometrics=earlier.biometrics,
            pictures=earlier.pictures,
        ),
    )
    first = seen.observations[0]
    assert first.candidate is not None
    assert first.candidate.baseline_ready
    assert first.candidate.gaze is not None
    assert first.carried_since is None, "the earlier picture is too old"
    assert len(seen.observations) == len([one for one in still.clip if one[0] >= AT])


def test_without_biometrics_a_new_reference_is_made(
    still: Sitting, taken: PipelineSnapshot
) -> None:
    assert taken.vision.biometrics.reference is not None
    pipeline = continued(still.models, without(taken, biometrics=VerifierFaces()))
    assert pipeline.analyser.identity_reference is None
    watch(pipeline, [frame for frame in still.clip if frame[0] >= AT], Seen())
    assert pipeline.analyser.biometrics().first, "samples are taken at once"


def test_without_the_hot_part_the_reference_of_the_face_is_kept(
    still: Sitting, taken: PipelineSnapshot
) -> None:
    pipeline, seen = continued(still.models, without(taken, hot=HotVision())), Seen()
    watch(pipeline, [frame for frame in still.clip if frame[0] >= AT], seen)
    assert pipeline.analyser.identity_reference is not None
    assert any(one.identity is not None for one in seen.observations)


# Other versions.


def changed(snapshot: PipelineSnapshot, change: Any) -> bytes:
    """The bytes of a snapshot whose plain maps were changed, with a right checksum."""
    plain = msgspec.msgpack.decode(encode(snapshot)[5:])
    change(plain)
    packed = msgspec.msgpack.encode(plain)
    return b"\x01" + zlib.crc32(packed).to_bytes(4) + packed


PARTS = {
    "hot": HotVision,
    "learned": LearnedVision,
    "biometrics": VerifierFaces,
    "pictures": VisionPictures,
}


@pytest.mark.parametrize(
    ("part", "name"),
    [(part, field.name) for part, kind in PARTS.items() for field in fields(kind)],
)
def test_a_field_that_was_added_later_may_be_missing(
    still: Sitting, taken: PipelineSnapshot, part: str, name: str
) -> None:
    older = decode(changed(taken, lambda plain: plain["vision"][part].pop(name)), PipelineSnapshot)
    watch(continued(still.models, older), still.clip[-3:-2], Seen())


def test_judgement_needs_no_more_than_its_state(still: Sitting, taken: PipelineSnapshot) -> None:
    def strip(plain: dict[str, Any]) -> None:
        judgement = plain["judgement"]
        assert judgement.keys() == {field.name for field in fields(JudgementSnapshot)}
        for name in judgement.keys() - {"state"}:
            del judgement[name]

    older = decode(changed(taken, strip), PipelineSnapshot)
    assert older.judgement.state == taken.judgement.state
    watch(continued(still.models, older), still.clip[-3:-2], Seen())


def test_a_field_of_a_later_version_is_ignored(taken: PipelineSnapshot) -> None:
    def add(plain: Any) -> None:
        if isinstance(plain, dict) and all(isinstance(key, str) for key in plain):
            for value in plain.values():
                add(value)
            # Maps from names to values have no fields.
            if plain.keys() & {"time", "hot", "state", "neutral", "gate", "latest", "reference"}:
                plain["added_later"] = [1, {"more": 2.5}]

    newer = decode(changed(taken, add), PipelineSnapshot)
    assert encode(newer) == encode(taken)


def test_damaged_bytes_are_refused(taken: PipelineSnapshot) -> None:
    data = encode(taken.vision.hot)
    for place in range(0, len(data), 97):
        with pytest.raises(SnapshotError):
            decode(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :], HotVision)


# How much it is.


def test_the_hot_part_is_small(taken: PipelineSnapshot) -> None:
    assert len(encode(taken.vision.hot)) < 8_000
    assert len(encode(taken.vision.learned)) < 100_000
