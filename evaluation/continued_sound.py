"""Voices of sessions that another process continues, against the same sessions uninterrupted.

    uv run python -m evaluation.continued_sound DATA [--parts one two] [--draws 1] [--conditions clean room moving]

Each session is continued again and again, every 8 to 25 seconds: *handed over*, from a snapshot of the last step, with no
sound lost; *killed*, from a snapshot that is up to two seconds old, with a second lost after it; *no biometrics*, killed,
and without voices. Every snapshot is encoded and decoded.

One person alone (all six people): false alarms. Another person who speaks twice, for 2.5 s and more, with the candidate in
between, continued only between the two: whether the second time is found, and under the same number.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.degradation import RATE
from evaluation.speakers import (
    CONDITIONS,
    DEVELOPMENT,
    HELD_OUT,
    Voices,
    degraded,
    incidents,
    is_alarm,
    one_speaker,
    seeded,
)
from evaluation.speech import fetch_carried_speech
from proctoring import snapshots
from proctoring.audio.analyser import STEP, AudioAnalyser
from proctoring.audio.diarization.speaker import CANDIDATE
from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.audio.pcm import to_pcm
from proctoring.audio.state import AudioState
from proctoring.audio.state import Voices as KnownVoices
from proctoring.models.store import ModelStore
from proctoring.observations import AudioObservation
from proctoring.settings import Settings

WAYS = ("uninterrupted", "handed over", "killed", "no biometrics")
SHORTEST, LONGEST = 8.0, 25.0
"""Seconds from one continuation to the next."""
SNAPSHOT_AGE = 2.0
"""Seconds by which the snapshot of a killed process is older than its end, at most."""
LOST = 1.0
"""Seconds of sound that nobody received."""


def heard(
    models: AudioModels, audio: NDArray[np.int16], way: str, breaks: Sequence[float]
) -> list[AudioObservation]:
    """The observations of a session that is continued at ``breaks``, seconds."""
    found: list[AudioObservation] = []
    analyser, at = AudioAnalyser(models), 0
    for end in [] if way == "uninterrupted" else breaks:
        random = seeded("age", end)
        until = round(end * RATE) // STEP * STEP
        age = 0 if way == "handed over" else round(random.uniform(0, SNAPSHOT_AGE) * RATE)
        kept = max(at, (until - age) // STEP * STEP)
        found += analyser.push(audio[at:kept])
        snapshot = analyser.snapshot()
        found += analyser.push(audio[kept:until])  # judged, but not in the snapshot
        state = snapshots.decode(snapshots.encode(snapshot.state), AudioState)
        known = snapshots.decode(snapshots.encode(snapshot.voices), KnownVoices)
        analyser = AudioAnalyser(models)
        analyser.restore(state, KnownVoices() if way == "no biometrics" else known)
        at = until if way == "handed over" else until + round(LOST * RATE)
        analyser.gap((at - kept) / RATE)
    return [*found, *analyser.push(audio[at:])]


def breaks_of(random: np.random.Generator, seconds: float) -> list[float]:
    """When a session is continued."""
    found, at = [], float(random.uniform(SHORTEST, LONGEST))
    while at < seconds - SHORTEST:
        found.append(at)
        at += float(random.uniform(SHORTEST, LONGEST))
    return found


def print_one(models: AudioModels, voices: Voices, conditions: Sequence[str], draws: int) -> None:
    """Print false alarms on one person alone."""
    minutes, continued = 0.0, 0
    false = dict.fromkeys(WAYS, 0)
    for draw in range(draws):
        for condition in conditions:
            for person in (*DEVELOPMENT, *HELD_OUT):
                session = one_speaker(voices, person, condition, FIRST_DRAW + draw)
                random = seeded("breaks", person, condition, draw)
                breaks = breaks_of(random, len(session.audio) / RATE)
                minutes += len(session.audio) / RATE / 60
                continued += len(breaks)
                for way in WAYS:
                    times = [
                        o.time for o in heard(models, session.audio, way, breaks) if is_alarm(o)
                    ]
                    false[way] += incidents(times)
                    if times:
                        print(
                            f"  false alarm: {person}, {condition}, {draw}, {way}, {times[0]:.1f} s"
                        )
    print(
        f"one person, {minutes:.1f} min, continued {continued} times: false alarms {false}",
        flush=True,
    )


def print_two(models: AudioModels, voices: Voices, conditions: Sequence[str]) -> None:
    """Print whether a second person is found again as the same one."""
    tried = 0
    again, same = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0)
    for condition in conditions:
        for people in (DEVELOPMENT, HELD_OUT):
            for person, other in permutations(people, 2):
                random = seeded("continued", person, other, condition)
                own = [voices[person][i] for i in random.permutation(len(voices[person]))]
                said = [u[: 5 * RATE] for u in voices[other] if len(u) >= 2.5 * RATE]
                before: list[tuple[NDArray[np.float64], bool, float]] = []
                while sum(len(speech) for speech, _, _ in before) < 8 * RATE and len(own) > 1:
                    before.append((own.pop(), False, 1.0))
                turns = [
                    *before,
                    (said[0], True, 0.8),
                    (own.pop(), False, 0.8),
                    (said[-1], True, 1.0),
                ]
                audio, times = degraded(turns, condition, random)
                (first, first_end), (middle, middle_end), (second, second_end) = times[-3:]
                tried += 1
                for way in WAYS:
                    observations = heard(models, to_pcm(audio), way, [(middle + middle_end) / 2])
                    known = numbers(observations, first, first_end + 2.0)
                    found = numbers(observations, second, second_end + 2.0)
                    again[way] += bool(found)
                    same[way] += bool(known & found)
    print(f"another person, {tried} sessions: found the second time {again}, as the same {same}")


def numbers(observations: list[AudioObservation], start: float, end: float) -> set[int]:
    """Numbers of the speakers heard in a time, the candidate's excepted."""
    return {
        voice.number
        for o in observations
        if start <= o.time <= end and o.diarization
        for voice in o.diarization.speakers
    } - {CANDIDATE}


FIRST_DRAW = 3000
"""None of the draws that thresholds or rules were chosen on."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", nargs="+", choices=("one", "two"), default=("one", "two"))
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, default=CONDITIONS)
    options = parser.parse_args()
    store = ModelStore(Settings().models_folder, Settings().models_mirror)
    models = load_audio_models(store)
    voices = Voices(options.data, fetch_carried_speech(store))
    if "one" in options.parts:
        print_one(models, voices, options.conditions, options.draws)
    if "two" in options.parts:
        print_two(models, voices, options.conditions)


if __name__ == "__main__":
    main()
