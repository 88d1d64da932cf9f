"""Assignment of local speakers, with networks whose outputs are set by the test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from evaluation.speakers import Voices, alarms, one_speaker, two_speakers
from numpy.typing import NDArray

from proctoring.audio.diarization.online import OnlineDiarizer
from proctoring.audio.diarization.state import DiarizationState
from proctoring.audio.embedding import SpeakerEmbedding, normalised
from proctoring.audio.networks import AudioModels
from proctoring.audio.segmentation import (
    FRAMES,
    LOCAL_SPEAKERS,
    WINDOW,
    SegmentationNetwork,
    frames_in,
)
from proctoring.models.onnx_runtime import OnnxNetwork

RANDOM = np.random.default_rng(3)
AUDIO = np.zeros(WINDOW, np.float32)
Activity = NDArray[np.float32]


def orthogonal(count: int) -> list[SpeakerEmbedding]:
    """Orthogonal embeddings."""
    columns, _ = np.linalg.qr(RANDOM.normal(size=(256, count)))
    return [normalised(column.astype(np.float32)) for column in columns.T]


MINE, OTHER, THIRD = orthogonal(3)


def between(cosine: float, away: SpeakerEmbedding) -> SpeakerEmbedding:
    """An embedding of that cosine to ``MINE``."""
    return normalised(np.asarray(cosine * MINE + np.sqrt(1 - cosine**2) * away, np.float32))


class PresetNetwork(OnnxNetwork):
    """A network whose outputs are set beforehand, one per call."""

    def __init__(self, answers: Iterable[np.ndarray]) -> None:
        self._answers = iter(answers)
        self.inputs: list[np.ndarray] = []

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        self.inputs.append(next(iter(inputs.values())))
        return (next(self._answers)[None],)


def speaking(*stretches: tuple[int, float, float]) -> Activity:
    """Activity from (local speaker, start, end), in seconds of the window."""
    activity = np.zeros((FRAMES, LOCAL_SPEAKERS), np.float32)
    for speaker, start, end in stretches:
        activity[frames_in(start) : frames_in(end), speaker] = 1
    return activity


ALWAYS = speaking((0, 0.0, 10.0))
NEVER = speaking()


def speakers_after(
    embeddings: list[SpeakerEmbedding], times: list[float], activities: list[Activity] | None = None
) -> list[list[int]]:
    """Numbers of the known speakers after each step."""
    segmentation = PresetNetwork(activities if activities is not None else [ALWAYS] * len(times))
    diarizer = OnlineDiarizer(SegmentationNetwork(None, segmentation), PresetNetwork(embeddings))
    state, known = DiarizationState(), []
    for time in times:
        state, _ = diarizer.diarize(state, AUDIO, time)
        known.append([voice.number for voice in state.speakers])
    return known


ENROLLED = [10.0, 13.1, 16.2]


def test_one_dissimilar_embedding_of_an_assigned_local_speaker_is_no_new_speaker() -> None:
    known = speakers_after([MINE, MINE, MINE, OTHER, MINE], [*ENROLLED, 19.3, 19.8])
    assert known == [[1]] * 5


def test_a_second_dissimilar_embedding_is_a_new_speaker_half_a_second_later() -> None:
    known = speakers_after([MINE, MINE, MINE, OTHER, OTHER], [*ENROLLED, 19.3, 19.8])
    assert known == [[1], [1], [1], [1], [1, 2]]


def test_after_a_dissimilar_embedding_only_later_speech_is_used() -> None:
    diarizer = OnlineDiarizer(
        SegmentationNetwork(None, PresetNetwork([ALWAYS] * 5)),
        embedding := PresetNetwork([MINE, MINE, MINE, OTHER, OTHER]),
    )
    state = DiarizationState()
    for time in (*ENROLLED, 19.3, 19.8):
        state, _ = diarizer.diarize(state, AUDIO, time)
    # 3.1 s since the last print that fitted, at most 2 s of them; then 3 s of 3.6 s.
    assert [round(features.shape[1] / 100, 1) for features in embedding.inputs] == [
        3.0,
        2.0,
        2.0,
        2.0,
        3.0,
    ]


FIRST, SECOND = between(0.55, OTHER), between(0.55, THIRD)
"""Both similar to the candidate (.55), and less to each other (.30)."""


@pytest.mark.parametrize(
    ("longer", "voices"), [((MINE, MINE), [1]), ((FIRST, SECOND), [1, 2])], ids=["alike", "apart"]
)
def test_a_speaker_is_split_by_all_speech_in_the_window_not_by_short_embeddings(
    longer: tuple[SpeakerEmbedding, SpeakerEmbedding], voices: list[int]
) -> None:
    # Twice, 3.2 s apart, short embeddings are unlike: then both are compared at their longest.
    activities = [
        ALWAYS,
        speaking((1, 6.0, 7.0), (0, 7.0, 8.9), (1, 8.9, 10.0)),
        speaking((1, 2.8, 3.8), (0, 3.8, 5.7), (1, 5.7, 10.0)),
    ]
    embeddings = [MINE, FIRST, SECOND, SECOND, *longer]
    assert speakers_after(embeddings, [10.0, 20.5, 23.7], activities) == [[1], [1], voices]


@pytest.mark.parametrize(
    ("goes_on", "voices"), [(SECOND, [1]), (FIRST, [1, 2])], ids=["like the other", "like itself"]
)
def test_a_split_is_undone_when_the_part_fits_the_other_again(
    goes_on: SpeakerEmbedding, voices: list[int]
) -> None:
    activities = [
        ALWAYS,
        speaking((1, 6.0, 7.0), (0, 7.0, 8.9), (1, 8.9, 10.0)),
        speaking((1, 2.8, 3.8), (0, 3.8, 5.7), (1, 5.7, 10.0)),
        speaking((0, 0.6, 2.5), (1, 2.5, 6.7), (0, 6.7, 10.0)),
    ]
    embeddings = [MINE, FIRST, SECOND, SECOND, FIRST, SECOND, goes_on, SECOND, SECOND]
    known = speakers_after(embeddings, [10.0, 20.5, 23.7, 26.9], activities)
    assert known == [[1], [1], [1, 2], voices]


def test_speech_that_the_segmentation_misses_is_segmented_again() -> None:
    segmentation = PresetNetwork([NEVER, speaking((0, 5.0, 10.0))])
    diarizer = OnlineDiarizer(SegmentationNetwork(None, segmentation), PresetNetwork([MINE]))
    window = np.ones(WINDOW, np.float32)
    _, look = diarizer.diarize(DiarizationState(), window, 10.0, speech=0.8)
    assert [voice.number for voice in look.speakers] == [1]
    first, again = segmentation.inputs
    assert first.all()
    assert not again[..., : WINDOW // 2].any()
    assert again[..., WINDOW // 2 :].all()


def test_without_speech_a_window_is_segmented_once() -> None:
    segmentation = PresetNetwork([NEVER])
    diarizer = OnlineDiarizer(SegmentationNetwork(None, segmentation), PresetNetwork([]))
    _, look = diarizer.diarize(DiarizationState(), AUDIO, 10.0, speech=0.1)
    assert look.speakers == ()
    assert len(segmentation.inputs) == 1


@pytest.fixture(scope="module")
def voices(shared_data: Path, carried_speech: Path) -> Voices:
    return Voices(shared_data, carried_speech)


@pytest.mark.slow
@pytest.mark.parametrize(("person", "until"), [("2033", 29), ("two_cities", 27)])
def test_a_candidate_who_moves_is_one_speaker(
    audio_models: AudioModels, voices: Voices, person: str, until: int
) -> None:
    """The two false alarms of the first hour and a half of single speakers, at 26.5 and 24.0 s."""
    audio = one_speaker(voices, person, "moving", 1003).audio
    assert alarms(audio_models, audio[: until * 16_000]) == []


def test_a_speaker_missed_by_the_segmentation_is_detected(
    audio_models: AudioModels, voices: Voices
) -> None:
    session = two_speakers(voices, "2414", "1688", "moving", 0)
    assert session.second is not None
    start, end = session.second.start, session.second.end
    heard = alarms(audio_models, session.audio[: round((end + 1) * 16_000)])
    assert heard
    assert start < heard[0] < start + 3


@pytest.mark.parametrize(
    ("cosine", "seconds", "voices"),
    [
        (0.05, 1.2, [1, 2]),
        (0.15, 1.2, [1]),
        (0.05, 1.0, [1]),
        (0.15, 1.6, [1, 2]),
        (0.25, 1.6, [1]),
    ],
)
def test_the_less_speech_the_less_similar_a_new_speaker_must_be(
    cosine: float, seconds: float, voices: list[int]
) -> None:
    interjected = speaking((0, 0.0, 8.5), (1, 8.6, 8.6 + seconds + 0.02))
    activities = [*[ALWAYS] * 3, interjected]
    embeddings = [MINE, MINE, MINE, between(cosine, OTHER)]
    assert speakers_after(embeddings, [*ENROLLED, 16.9], activities)[-1] == voices
