"""Plays recordings to a gated and an ungated session and compares what they found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evaluation.gating.cache import Cache
from evaluation.gating.recordings import Recording
from evaluation.gating.report import Comparison
from evaluation.gating.sessions import new_side, run
from evaluation.gating.variants import Variant
from evaluation.sessions import evaluation_models
from proctoring.judgement.policy import Policy, load_policy
from proctoring.vision.networks import VisionModels


@dataclass(frozen=True, slots=True)
class Task:
    """One recording to compare."""

    recording: Recording
    seconds: float
    """Of the recording, at most."""
    at_least: float
    """Seconds for which it is played to and fro if it is shorter; 0: it is played once."""
    variant: Variant

    @property
    def key(self) -> str:
        """What tells it from others."""
        return f"{self.recording.name} {self.seconds:g} {self.at_least:g} {self.variant}"


SHORT: tuple[tuple[str, float, float, Variant], ...] = (
    ("gaze/eyes_only/center_left_center.mp4", 10.0, 24.0, Variant(2, 90)),
    ("webcam/c44.mp4", 14.0, 24.0, Variant(2, 60)),
    ("webcam/c49.mp4", 15.0, 24.0, Variant(5, 60)),
    ("webcam/c59.mp4", 11.0, 0.0, Variant(0, 60)),
    ("webcam/c39.mp4", 9.0, 0.0, Variant(2, 60)),
    ("webcam/c05.mov", 7.0, 0.0, Variant(0, 90)),
    ("spoof/nuaa_sequences/spoof_print_0001_00_00_01", 10.0, 0.0, Variant(2, 60)),
)
"""Recordings, seconds and variants of the short form: glances of the eyes alone, reading, looking about, a
phone, a second person, a scene that is replaced, a printed photo."""
_OF_REPETITION = ("camera.looped", "face.spoof", "face.motionless")
"""Kinds that are not judged where a recording is played to and fro: they are about just that."""


def short_tasks(data: Path) -> list[Task]:
    """The fixed, small set that the tests run."""
    return [
        Task(Recording(name, data / name), seconds, at_least, variant)
        for name, seconds, at_least, variant in SHORT
    ]


def compare(models: VisionModels, task: Task, kept: Cache | None = None) -> Comparison:
    """Play one recording to both sides, or to the gated one alone where the other's result is kept."""
    policy = _policy(repeats=task.at_least > 0)
    ungated = None if kept is None else kept.read(task.key)
    sides = [new_side(models, policy, gated=True)]
    if ungated is None:
        sides.append(new_side(models, policy, gated=False))
    frames = task.recording.frames(task.seconds, task.at_least)
    gated, *fresh = run(frames, task.variant, sides)
    assert gated.looks, f"{task.recording.name}: not one frame was analysed"
    for ungated in fresh:
        if kept is not None:
            kept.write(task.key, ungated)
    assert ungated is not None
    return Comparison(f"{task.recording.name} ({task.variant})", ungated, gated)


def _policy(*, repeats: bool) -> Policy:
    policy = load_policy("exam")
    if not repeats:
        return policy
    off = {
        kind: policy.incidents[kind].model_copy(update={"enabled": False})
        for kind in _OF_REPETITION
    }
    return policy.model_copy(update={"incidents": {**policy.incidents, **off}})


def compare_in_process(data: Path, task: Task) -> Comparison:
    """The same with networks and a cache that this process keeps."""
    return compare(_models(data), task, _cache())


@cache
def _models(data: Path) -> VisionModels:
    return evaluation_models(data)


@cache
def _cache() -> Cache:
    return Cache()
