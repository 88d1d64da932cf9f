"""Runs recordings as sessions: the server's pipeline without its sockets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement.attention import needed_attention
from proctoring.judgement.judge import finish, judge
from proctoring.judgement.policy import Policy
from proctoring.judgement.recent_angles import RecentAngles
from proctoring.judgement.state import initial_state
from proctoring.models.store import ModelStore
from proctoring.observations import FrameObservation
from proctoring.settings import Settings
from proctoring.vision.analyser import FACE_RATE, VisionAnalyser
from proctoring.vision.frame import Frame
from proctoring.vision.networks import VisionModels, load_vision_models
from proctoring.vision.video_file import read_frames


@dataclass(frozen=True, slots=True)
class Looked:
    """One analysed frame of a recording."""

    recording: str
    index: int
    """The frame's number in its recording, from 0."""
    observation: FrameObservation


@dataclass(frozen=True, slots=True)
class Session:
    """The result of one session."""

    looks: tuple[Looked, ...]
    incidents: tuple[IncidentChange, ...]
    """The last change of each incident, in the order in which they began."""


def evaluation_models(data: Path, *, object_model: str | None = None) -> VisionModels:
    """The networks; missing weights are read from a folder ``models`` beside the labelled data."""
    settings = Settings()
    mirror = settings.models_mirror or data.parent / "models"
    store = ModelStore(settings.models_folder, mirror if mirror.is_dir() else None)
    return load_vision_models(store, object_model=object_model or settings.object_model)


def run_session(
    models: VisionModels,
    policy: Policy,
    recordings: Sequence[tuple[str, Iterable[Frame]]],
    *,
    pause: float = 0.1,
    rate: float = FACE_RATE,
    gated: bool = True,
) -> Session:
    """Analyse recordings (name, frames) one after another as one session.

    Args:
        pause: seconds of media time between two recordings.
        rate: analysed frames per second.
        gated: whether faces that have not changed are carried over.
    """
    analyser, state = VisionAnalyser(models, rate=rate, gated=gated), initial_state()
    looks: list[Looked] = []
    recent = RecentAngles()
    last: dict[int, IncidentChange] = {}
    began = time = 0.0
    for name, frames in recordings:
        for index, frame in enumerate(frames):
            time = began + frame.time
            if not analyser.is_due(time):
                continue
            observation = analyser.analyse(Frame(time, frame.pixels)).observation
            looks.append(Looked(name, index, observation))
            state, changes = judge(policy, state, observation)
            recent.add(observation)
            analyser.attention = needed_attention(policy, state, observation, recent)
            last.update({change.number: change for change in changes})
        began = time + pause
    state, changes = finish(policy, state, time)
    last.update({change.number: change for change in changes})
    return Session(tuple(looks), tuple(last[number] for number in sorted(last)))


def recording(path: Path) -> tuple[str, Iterator[Frame]]:
    """Name and frames of a video file, for ``run_session``."""
    return path.name, read_frames(path)


def describe(change: IncidentChange) -> str:
    """One incident in one line."""
    ended = "" if change.state is IncidentState.ENDED else " (open)"
    return (
        f"{change.label} {change.started_at:.1f}-{change.started_at + change.duration:.1f} s{ended}"
    )
