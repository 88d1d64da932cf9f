"""An analyser that goes on in another process: as if nothing had happened, but for ten seconds of context."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.speakers import Voices as SpokenBy
from evaluation.speech import read_pcm
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.attributes import attributes, check_kept, differences
from tests.audio.synthetic import LEVELS, sound, synthetic_models

from proctoring.audio.analyser import STEP, AudioAnalyser
from proctoring.audio.diarization.state import DiarizationState
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import Pcm, to_pcm
from proctoring.audio.segmentation import WINDOW, FilterCache
from proctoring.audio.state import AudioSnapshot, AudioState, Voices
from proctoring.observations import AudioObservation
from proctoring.snapshots import SnapshotError, decode, encode

RATE = 16_000
SYNTHETIC = synthetic_models()
LEFT_OUT = {
    "_models",  # the process's own
    "_window",  # ten seconds of sound are not kept
    "_filtered",  # what the band filters made of them
    "_pending",  # sent again, or missing: it is not analysed yet
}


def carried(snapshot: AudioSnapshot) -> AudioSnapshot:
    """The snapshot, as another process reads it."""
    return AudioSnapshot(
        decode(encode(snapshot.state), AudioState), decode(encode(snapshot.voices), Voices)
    )


def continued(models: AudioModels, snapshot: AudioSnapshot) -> AudioAnalyser:
    analyser, found = AudioAnalyser(models), carried(snapshot)
    analyser.restore(found.state, found.voices)
    return analyser


def without_context(analyser: AudioAnalyser) -> AudioAnalyser:
    """The same analyser, which has forgotten the sound itself and nothing that it found in it."""
    analyser._window = np.zeros(WINDOW, np.int16)
    analyser._filtered = FilterCache()
    analyser._pending = np.zeros(0, np.int16)
    return analyser


def plain(observations: tuple[AudioObservation, ...]) -> list[dict[str, Any]]:
    """Without who spoke."""
    return [attributes(replace(one, diarization=None)) for one in observations]


def voices(observations: tuple[AudioObservation, ...]) -> set[int]:
    return {v.number for o in observations if o.diarization for v in o.diarization.speakers}


PARTS = st.lists(
    st.tuples(st.sampled_from(sorted(LEVELS)), st.floats(0.3, 2.0)), min_size=1, max_size=3
)


@settings(max_examples=6)
@given(before=PARTS, after=PARTS, odd=st.integers(0, STEP - 1), gap=st.sampled_from([0.0, 0.7]))
def test_a_snapshot_anywhere_gives_the_same_observations_to_the_bit(
    before: list[tuple[str, float]], after: list[tuple[str, float]], odd: int, gap: float
) -> None:
    earlier, later = sound(("candidate", 2.0), *before), sound(*after, seed=1)
    first = AudioAnalyser(SYNTHETIC, start=0.1)
    first.push(earlier)
    first.gap(gap)
    uninterrupted = deepcopy(first)
    first.push(later[:odd])
    second = continued(SYNTHETIC, first.snapshot())
    # What follows the last whole step is sent again.
    analysed = first.snapshot().state.analysed - round(gap * RATE)
    rest = np.concatenate([earlier, later])[analysed:]
    here, there = without_context(first).push(rest), second.push(rest)
    assert not list(differences(here, there))
    assert second.time == first.time
    whole = uninterrupted.push(later)
    common = min(len(whole), len(there))  # what the first analysed of it is not analysed again
    assert plain(there[len(there) - common :]) == plain(whole[len(whole) - common :])


def test_everything_is_kept_but_the_sound_itself() -> None:
    used = AudioAnalyser(SYNTHETIC, start=2.0)
    used.push(sound(("candidate", 3.25), ("", 1.0), ("candidate", 1.5)))
    used._silent, used._steady, used._pause = True, True, 3
    new = AudioAnalyser(SYNTHETIC)
    check_kept(used, continued(SYNTHETIC, used.snapshot()), new, LEFT_OUT | {"_diarization"})


def test_of_diarization_all_is_kept_but_what_describes_the_ten_seconds() -> None:
    used = AudioAnalyser(SYNTHETIC)
    used.push(sound(("candidate", 3.0)))
    state = replace(used._diarization, separated_at=3.0, compared_at=4.0)
    used._diarization = state
    restored = continued(SYNTHETIC, used.snapshot())._diarization
    check_kept(state, restored, DiarizationState(), {"activity", "local_speakers"})


def test_voices_keep_their_numbers_and_nobody_is_enrolled_again() -> None:
    first = AudioAnalyser(SYNTHETIC)
    before = first.push(sound(("candidate", 8.0), ("stranger", 4.0), ("candidate", 1.0)))
    known = [o.diarization.enrolment for o in before if o.diarization][-1]
    second = continued(SYNTHETIC, first.snapshot())
    heard = second.push(sound(("stranger", 3.0), ("", 1.0), ("candidate", 3.0), seed=1))
    assert voices(heard[:6]) == {2}
    assert voices(heard[8:]) == {1}
    enrolled = [o.diarization.enrolment for o in heard if o.diarization]
    assert min(enrolled) == enrolled[0] == known
    assert len(second.snapshot().voices.speakers) == 2


def test_without_voices_they_are_learned_anew_and_nobody_is_accused() -> None:
    first = AudioAnalyser(SYNTHETIC)
    first.push(sound(("candidate", 8.0)))
    second = AudioAnalyser(SYNTHETIC)
    second.restore(carried(first.snapshot()).state, Voices())
    heard = second.push(sound(("candidate", 9.0), seed=1))
    assert voices(heard) == {1}
    enrolled = [o.diarization.enrolment for o in heard if o.diarization]
    assert enrolled[0] == 0.0
    assert enrolled[-1] >= 0.6


def test_voices_that_are_older_than_the_state_are_as_good() -> None:
    first = AudioAnalyser(SYNTHETIC)
    first.push(sound(("candidate", 8.0)))
    older = carried(first.snapshot()).voices
    first.push(sound(("stranger", 4.0)))
    second = AudioAnalyser(SYNTHETIC)
    second.restore(carried(first.snapshot()).state, older)
    heard = second.push(sound(("stranger", 3.0), ("candidate", 3.0), seed=1))
    assert voices(heard) == {1, 2}


def test_a_snapshot_is_small_and_does_not_change_while_the_analyser_goes_on() -> None:
    analyser = AudioAnalyser(SYNTHETIC)
    analyser.push(sound(("candidate", 5.0), ("stranger", 3.0)))
    snapshot = analyser.snapshot()
    before = encode(snapshot.state), encode(snapshot.voices)
    assert len(before[0]) < 4_000
    assert len(before[1]) < 8_000 * len(snapshot.voices.speakers)
    analyser.push(sound(("candidate", 2.0)))
    assert (encode(snapshot.state), encode(snapshot.voices)) == before


@pytest.mark.parametrize("kind", [AudioState, Voices])
def test_a_newer_version_adds_fields_and_a_damaged_snapshot_is_refused(kind: type) -> None:
    analyser = AudioAnalyser(SYNTHETIC)
    analyser.push(sound(("candidate", 2.0)))
    snapshot = analyser.snapshot()
    part: Any = snapshot.state if kind is AudioState else snapshot.voices
    newer = {field.name: getattr(part, field.name) for field in fields(part)} | {"later": [1, "a"]}
    assert not list(differences(decode(encode(newer), kind), part))
    data = encode(part)
    for damaged in (b"", data[:-1], data[:9] + bytes([data[9] ^ 1]) + data[10:]):
        with pytest.raises(SnapshotError):
            decode(damaged, kind)


def test_real_speech_goes_on_as_without_its_context(
    audio_models: AudioModels, one_voice: Pcm
) -> None:
    first = AudioAnalyser(audio_models)
    first.push(one_voice[: 5 * RATE])
    second = continued(audio_models, first.snapshot())
    rest = one_voice[5 * RATE : 8 * RATE]
    assert not list(differences(without_context(first).push(rest), second.push(rest)))


@pytest.mark.slow
def test_real_conversation_goes_on_as_without_its_context(
    audio_models: AudioModels, shared_data: Path
) -> None:
    audio = read_pcm(shared_data / "speech" / "meetings" / "trn05.wav")
    uninterrupted = AudioAnalyser(audio_models)
    whole = uninterrupted.push(audio)
    first, at = AudioAnalyser(audio_models), 0
    for end in (5 * RATE + 1234, 14 * RATE, 23 * RATE + 77):
        first.push(audio[at:end])
        at = end
        analysed = first.snapshot().state.analysed
        rest = audio[analysed : analysed + 7 * RATE]
        there = continued(audio_models, first.snapshot()).push(rest)
        assert plain(there) == plain(whole[analysed // STEP :][: len(there)])
        same = copy(first)  # nothing in it is changed in place
        here = without_context(same).push(rest)
        assert not list(differences(here, there))


@pytest.mark.slow
def test_real_voices_keep_their_numbers_and_nobody_is_enrolled_again(
    audio_models: AudioModels, shared_data: Path, carried_speech: Path
) -> None:
    spoken = SpokenBy(shared_data, carried_speech)
    own, other = (to_pcm(np.concatenate(spoken[person][:4])) for person in ("2414", "1688"))
    first = AudioAnalyser(audio_models)
    first.push(np.concatenate([own[: 12 * RATE], other[: 4 * RATE], own[12 * RATE : 15 * RATE]]))
    second = continued(audio_models, first.snapshot())
    heard = second.push(np.concatenate([other[4 * RATE : 8 * RATE], own[15 * RATE : 20 * RATE]]))
    assert voices(heard[:9]) == {2}
    assert voices(heard[12:]) == {1}
    assert {o.diarization.enrolment for o in heard if o.diarization} == {1.0}
    assert [one.number for one in second.snapshot().voices.speakers] == [1, 2]
