"""One recording, made and analysed once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.recording.clips import sitting, write_clip

from proctoring.incidents import IncidentChange
from proctoring.judgement import shipped_policy
from proctoring.recording.video_track import AnalysedFrame, analyse_video
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels


@dataclass(frozen=True)
class AnalysedClip:
    """A recording that was analysed to its end."""

    path: Path
    frames: list[AnalysedFrame]
    changes: list[IncidentChange]


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip of ``sitting``."""
    return write_clip(tmp_path_factory.mktemp("recording") / "sitting.mp4", sitting())


@pytest.fixture(scope="session")
def analysed_clip(recording: Path, vision_models: VisionModels) -> AnalysedClip:
    """The recording, analysed under the exam policy."""
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models))
    frames = list(analyse_video(recording, pipeline))
    changes = [change for analysed in frames for change in analysed.changes]
    changes += pipeline.finish(frames[-1].frame.time)
    return AnalysedClip(recording, frames, changes)
