"""The examples that analyse recordings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.examples.test_examples import run
from tests.recording.clips import nobody, write_clip

from proctoring.models.store import ModelStore

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def absence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of an empty chair."""
    folder = tmp_path_factory.mktemp("absence")
    return write_clip(folder / "absent.mp4", [(n / 2, nobody()) for n in range(13)])


def analyse(store: ModelStore, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an example with the models of the tests."""
    mirror = {"PROCTORING_MODELS_MIRROR": str(store.mirror)} if store.mirror else {}
    return run(name, *arguments, **mirror)


def test_recordings_become_lines_and_reports(
    absence: Path, model_store: ModelStore, tmp_path: Path
) -> None:
    missing = tmp_path / "none.mp4"
    done = analyse(
        model_store, "analyse_recording.py", str(absence), str(missing), "--json", str(tmp_path)
    )
    assert done.returncode == 1  # for the one that is not there
    assert "none.mp4 cannot be read as video: No such file or directory" in done.stderr
    assert "absent.mp4: " in done.stdout
    assert "No Face Detected: no face in the frame" in done.stdout
    report = json.loads((tmp_path / "absent.json").read_text())
    assert [incident["kind"] for incident in report["incidents"]] == ["face.absent"]


def test_accommodations_change_what_is_an_incident(absence: Path, model_store: ModelStore) -> None:
    done = analyse(model_store, "custom_policy.py", "--recording", str(absence))
    assert done.returncode == 0, done.stderr
    assert "without accommodations: No Face Detected\n" in done.stdout
    assert "with accommodations: no incidents\n" in done.stdout
