"""The optional pipeline as far as it can be tested without torch: errors, and turns to observations.

The pipeline itself is gated and needs torch; it is not run here.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from proctoring.audio.pyannote import (
    SpeakerTurn,
    as_observations,
    diarize,
)
from proctoring.errors import DiarizationUnavailableError

AUDIO = np.zeros(16_000, np.int16)


def test_without_token_and_folder_it_says_what_it_needs() -> None:
    with pytest.raises(DiarizationUnavailableError, match="HF_TOKEN"):
        diarize(AUDIO)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiarizationUnavailableError, match="nowhere"):
        diarize(AUDIO, folder=tmp_path / "nowhere")


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed here")
def test_without_the_extra_it_says_how_to_install_it() -> None:
    with pytest.raises(DiarizationUnavailableError, match=r"proctoring-ai\[pyannote\]"):
        diarize(AUDIO, token="x")


def test_pyannotes_usage_reports_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYANNOTE_METRICS_ENABLED", raising=False)
    with pytest.raises(DiarizationUnavailableError):
        diarize(AUDIO, token="x")
    assert os.environ["PYANNOTE_METRICS_ENABLED"] == "false"


def test_turns_become_the_observations_of_the_online_diarizer() -> None:
    turns = (
        SpeakerTurn(0.0, 0.4, "SPEAKER_01"),
        SpeakerTurn(1.0, 3.0, "SPEAKER_00"),
        SpeakerTurn(2.5, 4.2, "SPEAKER_01"),
    )
    observations = as_observations(turns, 5.0, start=10.0)
    looks = [o.diarization for o in observations if o.diarization]
    assert [o.time for o in observations] == [11.0, 12.0, 13.0, 14.0, 15.0]
    assert [[v.number for v in look.speakers] for look in looks] == [[2], [1], [1, 2], [2], [2]]
    assert [round(look.overlap, 2) for look in looks] == [0.0, 0.0, 0.5, 0.0, 0.0]
    assert [o.speech for o in observations] == pytest.approx([0.4, 1.0, 1.0, 1.0, 0.2])
    assert looks[3].speakers[0].seconds == pytest.approx(1.9)
