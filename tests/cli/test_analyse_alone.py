"""``proctoring analyse`` with nothing prepared: it loads what the environment names."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from tests.recording.clips import sitting, write_clip
from typer.testing import CliRunner

from proctoring.cli import app
from proctoring.models.store import ModelStore


@pytest.mark.slow
def test_a_recording_becomes_a_table_a_report_and_a_drawn_on_copy(
    tmp_path: Path, model_store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if model_store.mirror is not None:
        monkeypatch.setenv("PROCTORING_MODELS_MIRROR", str(model_store.mirror))
    clip = write_clip(tmp_path / "sitting.mp4", sitting(rate=5.0))
    report_file, drawn_on = tmp_path / "report.json", tmp_path / "drawn.mp4"
    result = CliRunner().invoke(
        app, ["analyse", str(clip), "--json", str(report_file), "--annotated", str(drawn_on)]
    )
    assert result.exit_code == 0, result.stderr
    assert "No Face Detected" in result.stdout
    assert "Multiple Persons Detected" in result.stdout
    assert "times real time" in result.stdout
    report = json.loads(report_file.read_text())
    assert report["policy"]["name"] == "exam"
    kinds = [incident["kind"] for incident in report["incidents"]]
    # From 3 and from 8 s on it shows another place altogether, as a camera that was moved does.
    assert kinds == ["face.absent", "camera.moved", "person.multiple", "camera.moved"]
    absent = report["incidents"][0]
    assert absent["started_at"] == pytest.approx(3.0, abs=0.25)
    assert absent["ended_at"] == pytest.approx(8.0, abs=0.45)
    assert absent["reason"].startswith("no face in the frame")
    assert {"faces", "gaze", "objects"} <= {c["name"] for c in report["capabilities"]}
    with av.open(str(drawn_on)) as container:
        drawn = sum(1 for _ in container.decode(video=0))
    assert drawn == report["analysed"]
