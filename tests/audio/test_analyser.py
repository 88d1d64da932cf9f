"""The analyser of one session, on real speech with the real networks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.models.store import ModelStore
from proctoring.observations import AudioObservation

RATE = 16_000


def others(observations: tuple[AudioObservation, ...]) -> list[float]:
    return [
        o.time
        for o in observations
        if o.diarization and any(v.number > 1 for v in o.diarization.speakers)
    ]


def hear(
    analyser: AudioAnalyser, audio: NDArray[np.int16] | NDArray[np.float32]
) -> tuple[AudioObservation, ...]:
    return (*analyser.push(audio), *analyser.flush())


def test_one_speaker_is_enrolled_and_never_split(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    heard = hear(AudioAnalyser(audio_models), one_voice[: 24 * RATE])
    assert others(heard) == []
    looks = [o.diarization for o in heard if o.diarization]
    assert looks[-1].enrolment == 1.0
    assert sum(bool(look.speakers) for look in looks) > 15


def test_a_second_speaker_is_detected(
    audio_models: AudioModels, two_voices: NDArray[np.int16]
) -> None:
    times = others(hear(AudioAnalyser(audio_models), two_voices[: 14 * RATE]))
    assert times
    assert times[0] < 12.0  # she first speaks at 8.6 s, for three seconds


def test_an_interrupting_second_speaker_is_detected_within_seconds(
    audio_models: AudioModels, one_voice: NDArray[np.int16], two_voices: NDArray[np.int16]
) -> None:
    stranger = two_voices[int(8.6 * RATE) : int(11.5 * RATE)]
    audio = np.concatenate([one_voice[: 12 * RATE], stranger, one_voice[12 * RATE : 20 * RATE]])
    times = others(hear(AudioAnalyser(audio_models), audio))
    assert times
    assert 12.0 < times[0] < 16.0


def test_silence_has_no_speech_no_speakers_and_the_lowest_level(audio_models: AudioModels) -> None:
    heard = hear(AudioAnalyser(audio_models), np.zeros(3 * RATE, np.int16))
    assert [o.speech for o in heard] == [0.0] * 6
    assert {o.level for o in heard} == {-100.0}
    assert all(not o.diarization.speakers for o in heard if o.diarization)
    assert [o.time for o in heard] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cuts=st.lists(st.integers(1, 30_000), min_size=1, max_size=30))
def test_any_cut_of_the_audio_gives_the_same_observations(
    audio_models: AudioModels, two_voices: NDArray[np.int16], cuts: list[int]
) -> None:
    # Who speaks is asked on the same half-second grid as whether; it only takes longer to test.
    models = replace(audio_models, speakers=None)
    audio = two_voices[6 * RATE : 12 * RATE]
    whole = hear(AudioAnalyser(models), audio)
    analyser = AudioAnalyser(models)
    pieces: list[AudioObservation] = []
    at = 0
    for length in [*cuts, len(audio)]:
        pieces += analyser.push(audio[at : at + length])
        at += length
    pieces += analyser.flush()
    assert tuple(pieces) == whole


def test_small_pieces_give_the_same_speakers(
    audio_models: AudioModels, two_voices: NDArray[np.int16]
) -> None:
    audio = two_voices[7 * RATE : 11 * RATE]
    whole = hear(AudioAnalyser(audio_models), audio)
    analyser = AudioAnalyser(audio_models)
    pieces: list[AudioObservation] = []
    for start in range(0, len(audio), 777):
        pieces += analyser.push(audio[start : start + 777])
    assert (*pieces, *analyser.flush()) == whole


def test_floating_point_audio_gives_the_observations_of_16_bit_audio(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    audio = one_voice[RATE : 4 * RATE]
    as_float = hear(AudioAnalyser(audio_models), (audio / np.float32(32768)).astype(np.float32))
    assert as_float == hear(AudioAnalyser(audio_models), audio)


def test_a_gap_is_reported_and_media_time_goes_on(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    analyser = AudioAnalyser(audio_models, start=100.0)
    before = analyser.push(one_voice[RATE : RATE + 12_000])
    left, lost = analyser.gap(4.0)
    after = analyser.push(one_voice[5 * RATE : 6 * RATE])
    assert [o.time for o in before] == pytest.approx([100.5])
    assert left.time == pytest.approx(100.75)
    assert left.duration == pytest.approx(0.25)
    assert lost.time == pytest.approx(104.75)
    assert (lost.duration, lost.speech, lost.level, lost.diarization) == (4.0, None, None, None)
    assert lost.not_read[0].reason == "4.0 s of audio are missing"
    assert [o.time for o in after] == pytest.approx([105.25, 105.75])


def test_without_networks_the_level_is_measured_and_the_reason_reported(tmp_path: Path) -> None:
    models = load_audio_models(ModelStore(tmp_path, catalogue=()))
    assert [(c.name, c.available) for c in models.capabilities] == [
        ("speech", False),
        ("speakers", False),
    ]
    assert all(c.reason for c in models.capabilities)
    (heard,) = AudioAnalyser(models).push(np.full(8000, 3276, np.int16))
    assert heard.level == pytest.approx(-20.0, abs=0.01)
    assert heard.speech is None
    assert heard.diarization is None
    assert {n.what for n in heard.not_read} == {"speech", "speakers"}


def test_a_known_speaker_without_pauses_is_diarized_half_as_often(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    frames = one_voice[: len(one_voice) // 400 * 400].reshape(-1, 400)
    loud = frames.astype(np.float64).std(axis=1) > 60
    talk = frames[np.convolve(loud, np.ones(9), "same") > 0].ravel()[: 24 * RATE]
    analyser = AudioAnalyser(audio_models)
    looks = [o.time for o in analyser.push(talk) if o.diarization]
    known = [time for time in looks if time > 14.0]
    assert max(np.diff(known)) == pytest.approx(2.0)
    assert len(known) <= 7  # of ten seconds
    analyser.push(np.zeros(RATE // 2, np.int16))
    after = [o.time for o in analyser.push(talk[: 2 * RATE]) if o.diarization]
    assert after[0] - 24.5 <= 1.0
    assert max(np.diff(after), default=1.0) <= 1.0


def test_a_muted_microphone_costs_no_network_and_speech_after_it_is_heard(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    assert audio_models.voice_activity is not None
    calls = []

    class Counted(OnnxNetwork):
        def __init__(self, network: OnnxNetwork) -> None:
            self._network = network

        def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
            calls.append(len(inputs["input"]))
            return self._network(**inputs)

    analyser = AudioAnalyser(
        replace(audio_models, voice_activity=Counted(audio_models.voice_activity))
    )
    analyser.push(one_voice[: 2 * RATE])
    before = len(calls)
    muted = analyser.push(np.zeros(10 * RATE, np.int16))
    assert len(calls) == before + 1
    assert [o.speech for o in muted[1:]] == [0.0] * 19
    heard = analyser.push(one_voice[2 * RATE : 5 * RATE])
    plain = AudioAnalyser(audio_models).push(
        np.concatenate([np.zeros(2 * RATE, np.int16), one_voice[2 * RATE : 5 * RATE]])
    )
    assert [o.speech for o in heard] == pytest.approx([o.speech for o in plain[4:]], abs=0.2)
