"""One recording, made and analysed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.recording.clips import sitting, write_clip

from proctoring.incidents import IncidentChange
from proctoring.judgement import shipped_policy
from proctoring.recording.playback import Moment, play
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels


@dataclass(frozen=True)
class Played:
    """A recording that was played to its end."""

    path: Path
    moments: list[Moment]
    changes: list[IncidentChange]


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip of ``sitting``."""
    return write_clip(tmp_path_factory.mktemp("recording") / "sitting.mp4", sitting())


@pytest.fixture(scope="session")
def played(recording: Path, vision_models: VisionModels) -> Played:
    """The recording, played to the exam policy."""
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models))
    moments = list(play(recording, pipeline))
    changes = [change for moment in moments for change in moment.changes]
    changes += pipeline.finish(moments[-1].frame.time)
    return Played(recording, moments, changes)
