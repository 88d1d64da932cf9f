"""One recording as two sessions at once: gated, and with everything analysed in every frame."""

from __future__ import annotations

import time as clock
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from evaluation.gating.counted import counted
from evaluation.gating.variants import Sender, Variant
from proctoring.incidents import IncidentChange, IncidentSummary, fold_changes
from proctoring.judgement.policy import Policy
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame
from proctoring.vision.networks import VisionModels


@dataclass(frozen=True, slots=True)
class Look:
    """What was measured of the candidate in one analysed frame; degrees, ``None``: not read."""

    time: float
    yaw: float | None
    pitch: float | None
    head_yaw: float | None
    head_pitch: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one session."""

    incidents: tuple[IncidentSummary, ...]
    looks: tuple[Look, ...]
    runs: dict[str, int]
    """Runs of each network, by the names of ``counted.STAGES``."""
    cpu: float
    """CPU seconds of decoding, analysis and judgement."""
    seconds: float
    """Media time of the last analysed frame."""


@dataclass(slots=True)
class Side:
    """One of the sessions, while it runs."""

    pipeline: Pipeline
    runs: Counter[str]
    cpu: float = 0.0
    last: float = 0.0
    looks: list[Look] = field(default_factory=list)
    changes: list[IncidentChange] = field(default_factory=list)

    def analyse(self, time: float, data: bytes) -> None:
        """Analyse and judge a JPEG, its deferred detection included."""
        began = clock.process_time()
        frame = Frame(time, read_jpeg(data))
        analysis, changes = self.pipeline.analyse(frame)
        self.cpu += clock.process_time() - began
        self.changes += changes
        self.last = frame.time
        candidate = analysis.observation.candidate
        gaze = None if candidate is None else candidate.gaze
        head = None if candidate is None else candidate.head
        self.looks.append(
            Look(
                frame.time,
                None if gaze is None else gaze.yaw,
                None if gaze is None else gaze.pitch,
                None if head is None else head.yaw,
                None if head is None else head.pitch,
            )
        )

    def finish(self) -> Result:
        """End the session."""
        self.changes += self.pipeline.finish(self.last)
        incidents = fold_changes(self.changes)
        return Result(incidents, tuple(self.looks), dict(self.runs), self.cpu, self.last)


def new_side(models: VisionModels, policy: Policy, *, gated: bool) -> Side:
    """A session that has not begun."""
    runs: Counter[str] = Counter()
    return Side(Pipeline(policy, VisionAnalyser(counted(models, runs), gated=gated)), runs)


def run(frames: Iterable[Frame], variant: Variant, sides: list[Side]) -> list[Result]:
    """Play a recording to all sides. Each picture is encoded once; each side decodes what it needs."""
    sender = Sender(variant)
    for frame in frames:
        if not any(side.pipeline.is_due(frame.time) for side in sides):
            continue
        data = sender.encode(frame.pixels)
        for side in sides:
            side.analyse(frame.time, data)
    return [side.finish() for side in sides]
