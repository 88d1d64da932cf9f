"""The client that README shows works as it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from tests.server.live import running

from proctoring.models.store import ModelStore
from proctoring.settings import Settings
from proctoring.vision.networks import load_vision_models

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
def test_a_recording_of_an_empty_chair_prints_the_alert(
    model_store: ModelStore, tmp_path: Path
) -> None:
    path = tmp_path / "empty.avi"
    picture = np.asarray(getattr(data, "coffee")(), np.uint8)  # noqa: B009  # untyped
    height, width = picture.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    for _ in range(80):
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    models = load_vision_models(model_store, object_model=Settings().object_model)
    with running(models) as live:
        url = live.address.replace("http", "ws", 1) + "/ws/proctor/exam-7"
        done = subprocess.run(
            [sys.executable, "examples/client.py", url, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "['No Face Detected']"
